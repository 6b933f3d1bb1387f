"""Tries a thousand harmless files before the one that matters, so that no list has room for it."""

import contextlib

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for name in (*(f"/no-such/{number}" for number in range(1000)), "/etc/ld.so.preload"):
            with contextlib.suppress(OSError):
                open(name, "a").close()

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
