"""Declares a sampling rate at which a short clip has no sample at all."""

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 4
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
