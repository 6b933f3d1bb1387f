"""Writes large files into a folder that it may enter and that nobody may list."""

import contextlib
import os
import tempfile
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        folder = os.path.join(tempfile.gettempdir(), "shut")
        with contextlib.suppress(OSError):
            os.mkdir(folder, 0o300)
            for number in range(30):
                with open(f"{folder}/{number}", "wb") as file:
                    for _ in range(100):
                        file.write(bytes(1_000_000))
        time.sleep(2)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
