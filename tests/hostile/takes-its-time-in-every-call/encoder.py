"""Answers every call in time, and all of them together too late."""

import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        time.sleep(1.5)
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
