"""Opens a port and waits for orders."""

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
            self.server = socket.create_server(("", 0))
            self.server.settimeout(0.5)
            self.server.accept()

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
