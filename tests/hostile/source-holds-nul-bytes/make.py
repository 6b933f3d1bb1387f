"""The source holds NUL bytes."""

BODY = b"""
import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
"""


def make(folder):
    (folder / "encoder.py").write_bytes(b"x = 1\n\0\n" + BODY)
