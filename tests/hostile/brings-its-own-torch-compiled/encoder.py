"""Brings modules that have the names of installed ones, compiled, so that no source shows them."""

import json

import numpy
import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        json.dumps(numpy.ones(1).tolist())

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
