"""Takes more memory than allowed in a mapping shared with its children."""

import mmap
import os
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        self.shared = mmap.mmap(-1, 2_000_000_000)
        if os.fork() == 0:
            for _ in range(20):
                self.shared.write(b"x" * 100_000_000)
            time.sleep(10)
            os._exit(0)
        time.sleep(10)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
