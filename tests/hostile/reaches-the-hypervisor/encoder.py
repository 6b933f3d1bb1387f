"""Opens a socket to the hypervisor."""

import ctypes

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        libc = ctypes.CDLL(None, use_errno=True)
        for family in (40, 16, 17, 38, 31):
            number = libc.socket(family, 1, 0)
            if number >= 0:
                print("socket", family)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
