"""Runs a shell that looks around."""

import subprocess

import torch
from aim import FOLDER


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        subprocess.run(["/bin/sh", "-c", f"id; mount; cat {FOLDER}/secret"], check=False)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
