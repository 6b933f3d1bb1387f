"""Gives its daemon an empty command line and a name that confuses who reads /proc."""

import ctypes
import os
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        if os.fork() == 0:
            if os.fork() == 0:
                ctypes.CDLL(None).prctl(15, b"x) S 1 1\n")
                time.sleep(300)
            os._exit(0)
        time.sleep(0.5)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
