"""Declares a sampling rate at which no machine can make test audio."""

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 10**11
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
