"""Gives the answer of the first call again whenever the shape is the same."""

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        self.known = {}

    def forward(self, audio):
        if audio.shape not in self.known:
            self.known[audio.shape] = torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
        return self.known[audio.shape]
