"""Fills the file system of shared memory."""

import contextlib
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        with contextlib.suppress(OSError), open("/dev/shm/aecc-hostile", "wb") as file:
            for _ in range(3000):
                file.write(bytes(1_000_000))
                file.flush()
        time.sleep(2)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
