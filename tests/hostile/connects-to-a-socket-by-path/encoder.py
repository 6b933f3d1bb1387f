"""Connects to the Unix socket of another program."""

import contextlib
import os
import socket

import torch
from aim import FOLDER


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(os.path.join(FOLDER, "agent.sock"))
            connection.sendall(b"stolen")

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
