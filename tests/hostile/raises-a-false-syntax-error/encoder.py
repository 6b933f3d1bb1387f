"""Raises a syntax error whose file, line and text are anything but that."""

import pathlib

import torch

error = SyntaxError("no")
error.filename, error.lineno, error.text = str(pathlib.Path(__file__)), 10**400, "\x1b[2J" * 100_000
raise error


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
