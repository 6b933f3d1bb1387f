"""Becomes root, changes its root and asks for every capability."""

import contextlib
import ctypes
import os

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        libc = ctypes.CDLL(None, use_errno=True)
        for change in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.chroot("/tmp"), lambda: os.setgroups([])):
            with contextlib.suppress(OSError):
                change()
        print("ambient", libc.prctl(47, 2, 21, 0, 0))

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
