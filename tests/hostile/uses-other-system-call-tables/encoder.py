"""Makes system calls through the tables of x32 and i386 numbers."""

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
        if os.fork() == 0:
            print("x32 getpid", libc.syscall(0x40000000 + 39))
            os._exit(0)
        os.wait()

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
