"""Stops the process that started it."""

import contextlib
import os
import signal

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        with contextlib.suppress(OSError):
            os.kill(os.getppid(), signal.SIGSTOP)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
