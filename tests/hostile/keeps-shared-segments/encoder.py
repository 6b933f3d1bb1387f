"""Fills System V segments, which belong to no process and outlive all of them."""

import ctypes
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        libc = ctypes.CDLL(None)
        libc.shmat.restype = ctypes.c_void_p
        for _ in range(30):
            segment = libc.shmget(0, ctypes.c_size_t(100_000_000), 0o1600)
            if segment < 0:
                break
            place = libc.shmat(segment, None, 0)
            ctypes.memset(place, 1, 100_000_000)
            libc.shmdt(ctypes.c_void_p(place))
        time.sleep(2)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
