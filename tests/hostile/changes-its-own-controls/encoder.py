"""Makes itself undebuggable, outlives its parent, adopts orphans, runs first and locks its memory."""

import contextlib
import ctypes
import os
import resource

import torch

SET_PDEATHSIG, SET_DUMPABLE, SET_NAME, SET_CHILD_SUBREAPER = 1, 4, 15, 36


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        libc = ctypes.CDLL(None)
        libc.prctl(SET_PDEATHSIG, 0)
        libc.prctl(SET_DUMPABLE, 0)
        libc.prctl(SET_NAME, b"a) R 1 (\n")
        libc.prctl(SET_CHILD_SUBREAPER, 1)
        libc.mlockall(3)
        for change in (lambda: os.nice(-20), lambda: os.sched_setaffinity(0, {0}), lambda: os.setsid()):
            with contextlib.suppress(OSError):
                change()
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NPROC, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
