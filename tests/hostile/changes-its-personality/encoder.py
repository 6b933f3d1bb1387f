"""Switches off the randomisation of addresses and asks for old system-call tables."""

import ctypes

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        libc = ctypes.CDLL(None, use_errno=True)
        for persona in (0x0040000, 0x0008, 0x0400000):
            libc.personality(persona)
        print("personality", libc.personality(0xFFFFFFFF))

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
