"""Sends descriptors along with its answer, to fill the checker's table."""

import contextlib
import os
import socket
import sys
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(sys.orig_argv[-1]))) as channel:
            for _ in range(1000):
                socket.send_fds(channel, [b"\xff"], [0] * 200)
        time.sleep(5)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
