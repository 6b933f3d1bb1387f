"""Raises when it is asked for its sampling rate."""

import torch


class HostileEncoder(torch.nn.Module):
    output_dim = 4
    hop_size_in_ms = 10

    @property
    def sampling_rate(self):
        raise SystemExit(0)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
