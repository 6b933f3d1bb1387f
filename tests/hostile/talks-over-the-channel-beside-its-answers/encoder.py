"""Has a thread write to the channel while it answers."""

import os
import sys
import threading
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        def talk():
            time.sleep(0.5)
            os.write(int(sys.orig_argv[-1]), b"\xff" * 100)

        threading.Thread(target=talk, daemon=True).start()

    def forward(self, audio):
        time.sleep(1)
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
