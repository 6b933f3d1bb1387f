"""Reads whatever file its parents have open."""

import contextlib
import os
import pathlib

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for pid in {1, os.getppid()} - {os.getpid()}:
            with contextlib.suppress(OSError):
                for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                    with contextlib.suppress(OSError):
                        descriptor = os.open(link, os.O_RDONLY | os.O_NONBLOCK)
                        print(link, os.read(descriptor, 10_000))
                        os.close(descriptor)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
