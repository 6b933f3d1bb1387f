"""Runs a program from its own repository."""

import contextlib
import pathlib
import subprocess

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        with contextlib.suppress(OSError):
            subprocess.run([str(pathlib.Path(__file__).parent / "program")], check=False)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
