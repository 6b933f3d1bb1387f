"""Raises an exception that is its own cause, lies about its class and has a name of 100 kB."""

import torch


class KnotError(Exception):
    __cause__ = property(lambda self: KnotError())
    __context__ = property(lambda self: 7)
    __traceback__ = property(lambda self: "no traceback")
    __class__ = property(lambda self: int)


KnotError.__name__ = "\x1b[2J" + "x" * 100_000


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        raise KnotError

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
