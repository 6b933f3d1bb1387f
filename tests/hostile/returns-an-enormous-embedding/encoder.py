"""Returns an embedding that fits its own memory and is more than may leave the box."""

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        return torch.zeros(len(audio), 1_000_000, 4)
