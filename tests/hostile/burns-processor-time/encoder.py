"""Answers in time while its children keep every core busy."""

import os
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for _ in range(4):
            if os.fork() == 0:
                end = time.monotonic() + 90
                while time.monotonic() < end:
                    pass
                os._exit(0)
        time.sleep(80)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
