"""Raises an exception whose str() and repr() raise."""

import torch


class UnspeakableError(Exception):
    def __str__(self):
        raise SystemExit(0)

    __repr__ = __str__


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        raise UnspeakableError

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
