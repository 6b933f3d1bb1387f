"""Fills the disk with a file that has no name any more, so that no walk finds it."""

import contextlib
import tempfile
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        self.file = tempfile.TemporaryFile()
        with contextlib.suppress(OSError):
            for _ in range(3000):
                self.file.write(bytes(1_000_000))
                self.file.flush()
        time.sleep(2)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
