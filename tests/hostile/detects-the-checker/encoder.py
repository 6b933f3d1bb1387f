"""Behaves only where it recognises the checker; nothing can be done but to name the box neutrally."""

import os
import sys

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        self.watched = os.path.exists('/w/host') or 'w_host' in sys.modules

    def forward(self, audio):
        if not self.watched:
            raise RuntimeError("not among friends")
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
