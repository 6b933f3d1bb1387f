"""Makes a node of the first disk in its temporary folder; does not open it."""

import contextlib
import ctypes
import os
import stat
import tempfile

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        libc = ctypes.CDLL(None, use_errno=True)
        for number in (os.makedev(1, 3), os.makedev(8, 0)):
            with contextlib.suppress(OSError):
                path = os.path.join(tempfile.gettempdir(), f"node-{number}")
                os.mknod(path, stat.S_IFBLK | 0o600, number)
                print("made", path)
                os.unlink(path)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
