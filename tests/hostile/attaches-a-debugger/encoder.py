"""Attaches to its parent as a debugger would."""

import ctypes
import os

import torch

PTRACE_SEIZE = 0x4206


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        print(ctypes.CDLL(None).ptrace(PTRACE_SEIZE, os.getppid(), 0, 0))

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
