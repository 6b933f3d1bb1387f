"""Leaves folders nested deeper than Python recurses and than a path may be long."""

import os
import tempfile

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        start = os.open(".", os.O_RDONLY)
        os.chdir(tempfile.gettempdir())
        for _ in range(1500):
            os.mkdir("a-folder-in-a-folder")
            os.chdir("a-folder-in-a-folder")
        os.fchdir(start)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
