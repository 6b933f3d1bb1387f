"""Replaces the built-in functions that its host uses."""

import builtins

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        builtins.len = lambda _value: 3
        builtins.isinstance = lambda *_: True
        builtins.type = lambda *_: None

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
