"""Writes large files to its temporary folder until no more fits."""

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
        with contextlib.suppress(OSError), contextlib.ExitStack() as files:
            for _ in range(30):
                file = files.enter_context(tempfile.NamedTemporaryFile(delete=False))
                for _ in range(100):
                    file.write(bytes(1_000_000))
                    file.flush()
        time.sleep(2)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
