"""Declares another sampling rate each time it is asked."""

import torch


class HostileEncoder(torch.nn.Module):
    output_dim = 4
    hop_size_in_ms = 10
    asked = 0

    @property
    def sampling_rate(self):
        self.asked += 1
        return 16000 if self.asked % 2 else -1

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
