"""Declares a number that shows itself in 100 MB of text."""

import torch


class Wordy:
    def __repr__(self):
        return "\x1b[2J" * 20_000_000


class HostileEncoder(torch.nn.Module):
    sampling_rate = Wordy()
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
