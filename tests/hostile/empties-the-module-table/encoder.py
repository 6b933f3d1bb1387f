"""Removes every module that its host might still need."""

import sys

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for name in [name for name in sys.modules if name not in ("sys", "builtins", "__main__")]:
            if not name.startswith(("torch", "numpy")):
                del sys.modules[name]

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
