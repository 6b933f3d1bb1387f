"""Leaves folders that nobody may enter, so that they cannot be removed."""

import os
import tempfile

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for name in ("a", "b"):
            inner = os.path.join(tempfile.gettempdir(), name, "inner")
            os.makedirs(inner)
            open(os.path.join(inner, "file"), "w").close()
            os.chmod(inner, 0)
            os.chmod(os.path.dirname(inner), 0)
        os.mkdir(os.path.join(tempfile.gettempdir(), "c"), 0)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
