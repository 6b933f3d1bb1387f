"""Fills its temporary folder with empty files."""

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
        with contextlib.suppress(OSError):
            for number in range(20_000):
                os.close(os.open(os.path.join(tempfile.gettempdir(), str(number)), os.O_CREAT | os.O_WRONLY))
        time.sleep(2)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
