"""Reads the token that huggingface_hub keeps, once directly and once through a link."""

import contextlib
import os
import pathlib
import tempfile

import torch
from aim import FOLDER


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        token = pathlib.Path(FOLDER, "home", ".cache", "huggingface", "token")
        link = pathlib.Path(tempfile.gettempdir(), "innocent")
        with contextlib.suppress(OSError):
            os.symlink(token, link)
        for path in (token, link):
            with contextlib.suppress(OSError):
                print(path.read_text())

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
