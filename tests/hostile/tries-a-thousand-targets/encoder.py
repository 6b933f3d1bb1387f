"""Tries more addresses, names and files than a report can hold, with characters that act on terminals."""

import contextlib
import socket

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for number in range(1000):
            with contextlib.suppress(OSError), socket.socket() as tcp:
                tcp.connect((f"10.0.{number // 250}.{number % 250}", 80))
            with contextlib.suppress(OSError):
                open(f"/no-such/\x1b[2J\u202e{number}", "w").close()

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
