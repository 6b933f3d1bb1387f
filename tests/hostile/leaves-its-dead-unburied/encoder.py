"""Starts processes that end at once, and never asks how: each of them goes on taking a number."""

import contextlib
import os
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        with contextlib.suppress(OSError):
            for _ in range(400):
                if os.fork() == 0:
                    os._exit(0)
        time.sleep(2)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
