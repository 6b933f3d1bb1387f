"""Announces a header of 4 GB."""

import os
import sys
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        os.write(int(sys.orig_argv[-1]), b"\xff\xff\xff\xff{")
        time.sleep(5)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
