"""Takes a copy of its parent's descriptors with pidfd_getfd."""

import ctypes
import os

import torch

PIDFD_OPEN, PIDFD_GETFD = 434, 438


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        libc = ctypes.CDLL(None)
        process = libc.syscall(PIDFD_OPEN, os.getppid(), 0)
        for number in range(20):
            stolen = libc.syscall(PIDFD_GETFD, process, number, 0)
            if stolen >= 0:
                print("stolen", os.readlink(f"/proc/self/fd/{stolen}"))

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
