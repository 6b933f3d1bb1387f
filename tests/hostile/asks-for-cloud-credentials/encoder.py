"""Connects to the address at which clouds hand out credentials; asks nothing."""

import contextlib
import socket

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        with contextlib.suppress(OSError):
            socket.create_connection(("169.254.169.254", 80), timeout=1).close()

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
