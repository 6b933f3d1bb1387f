"""Prints to stderr without end, from a child of its own."""

import subprocess
import sys

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        subprocess.run([sys.executable, "-c", "import os\nwhile True: os.write(2, b'x' * 65536)"], check=False)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
