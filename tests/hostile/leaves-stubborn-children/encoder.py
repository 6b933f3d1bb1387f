"""Leaves children that ignore every signal they can and hold its output open."""

import os
import signal
import time

import torch
from aim import MARKER


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                    signal.signal(number, signal.SIG_IGN)
                os.execv("/bin/sleep", [MARKER, "300"])
        time.sleep(0.5)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
