"""Writes beside its temporary folder: to another folder, the interpreter and its own repository."""

import contextlib
import pathlib
import sys

import torch
from aim import FOLDER


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for folder in (FOLDER, "/usr/local", sys.prefix, pathlib.Path(__file__).parent, "/"):
            with contextlib.suppress(OSError):
                path = pathlib.Path(folder, "aecc-hostile-written")
                path.write_text("was here")
                if folder != FOLDER:
                    path.unlink()
        with contextlib.suppress(OSError):
            pathlib.Path(FOLDER, "secret").write_text("overwritten")

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
