"""Looks for descriptors that it should not have inherited, and for what they lead to."""

import contextlib
import os

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/self/fd/{name}")
                print(name, target)
                if target.startswith("/") and os.path.isdir(target):
                    print(os.listdir(f"/proc/self/fd/{name}/.."))

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
