"""Reads the memory of its parent with process_vm_readv."""

import ctypes
import os

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        libc = ctypes.CDLL(None)
        here = ctypes.create_string_buffer(8)
        local = (ctypes.c_void_p * 2)(ctypes.addressof(here), 8)
        remote = (ctypes.c_void_p * 2)(0x400000, 8)
        print(libc.process_vm_readv(os.getppid(), local, 1, remote, 1, 0))

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
