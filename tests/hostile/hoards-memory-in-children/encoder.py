"""Takes more memory than allowed, no process more than its share."""

import os
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for _ in range(6):
            if os.fork() == 0:
                held = bytearray(b"x") * 300_000_000
                time.sleep(10)
                os._exit(len(held) % 1)
        time.sleep(10)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
