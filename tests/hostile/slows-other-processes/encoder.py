"""Chooses the processor of every process it can reach, the checker's among them; each keeps what it had."""

import contextlib
import os

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        reached = []
        for pid in range(1, 1 << 15):
            with contextlib.suppress(OSError):
                processors = os.sched_getaffinity(pid)
                if not os.path.exists(f"/proc/{os.getpid()}/task/{pid}"):
                    os.sched_setaffinity(pid, processors)
                    reached.append(pid)
        if max(reached, default=0) > 100:  # numbers of the host, not of a namespace
            raise SystemExit(f"reached {reached}")

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
