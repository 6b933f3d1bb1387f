"""Leaves a process whose command line acts on terminals, and ends itself when it is asked to finish."""

import atexit
import os
import time

import torch
from aim import MARKER


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        if os.fork() == 0:
            os.execv("/bin/sh", ["\x1b[2J\u202e" * 100, "-c", "sleep 300; true", MARKER])
        time.sleep(0.5)
        atexit.register(os._exit, 0)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
