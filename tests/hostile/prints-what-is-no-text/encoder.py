"""Prints bytes that are no UTF-8 and closes its streams."""

import os

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        os.write(1, bytes(range(256)) * 100)
        os.close(1)
        os.close(2)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
