"""Leaves pipes, sockets, dangling links and names that are no text in its temporary folder."""

import contextlib
import os
import tempfile

import torch
from aim import FOLDER


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        folder = os.fsencode(tempfile.gettempdir())
        for name in (b"new\nline", b"\xff\xfe", b"-rf", b"\x1b[2J", "\u202e".encode()):
            open(os.path.join(folder, name), "w").close()
        with contextlib.suppress(OSError):
            os.mkfifo(os.path.join(folder, b"pipe"))
        os.symlink(FOLDER, os.path.join(folder, b"link"))
        os.symlink(b"loop", os.path.join(folder, b"loop"))

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
