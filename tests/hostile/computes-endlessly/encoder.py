"""Computes without end in compiled code that no signal interrupts."""

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        noise = torch.ones(2000, 2000)
        while True:
            noise = noise @ noise
