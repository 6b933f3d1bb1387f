"""Declares a text, a list and a tensor where numbers belong."""

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = "16k"
    output_dim = [4]
    hop_size_in_ms = torch.ones(3)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
