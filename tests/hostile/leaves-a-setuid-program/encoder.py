"""Leaves a program with setuid bits in its temporary folder."""

import contextlib
import os
import shutil
import tempfile

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        program = os.path.join(tempfile.gettempdir(), "program")
        shutil.copyfile("/bin/true", program)
        with contextlib.suppress(OSError):
            os.chmod(program, 0o6755)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
