"""Connects to a socket over which Docker would give it the whole machine."""

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
            connection.connect(os.path.join(FOLDER, "docker.sock"))
            connection.sendall(b"GET /containers/json HTTP/1.0\r\n\r\n")

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
