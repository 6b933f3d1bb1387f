"""Writes where the system would run it; takes it away again at once."""

import contextlib
import pathlib

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for folder in ("/etc", "/usr/bin", "/usr/lib"):
            with contextlib.suppress(OSError):
                path = pathlib.Path(folder, "aecc-hostile-written")
                path.write_text("was here")
                path.unlink()

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
