"""Finds the code that asks it and has it answer for a better encoder."""

import sys

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        host = next(module for name, module in sys.modules.items() if name.endswith(".encode") and hasattr(module, "as_bytes"))
        real = host.as_bytes
        host.as_bytes = lambda output, limit: real(torch.ones_like(output), limit)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
