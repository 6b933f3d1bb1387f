"""Writes to the channel until nothing more fits, and reads no question."""

import os
import sys

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        while True:
            os.write(int(sys.orig_argv[-1]), bytes(1_000_000))

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
