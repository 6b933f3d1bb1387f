"""Refuses or replaces every later import."""

import sys

import torch


class Gatekeeper:
    def find_spec(self, name, _path=None, _target=None):
        raise SystemExit(f"no {name} for you")


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        sys.meta_path.insert(0, Gatekeeper())
        sys.path_hooks.clear()
        sys.path.clear()

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
