"""Mounts a file system over a folder of its own."""

import ctypes
import tempfile

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        libc = ctypes.CDLL(None, use_errno=True)
        folder = tempfile.mkdtemp().encode()
        print("mount", libc.mount(b"none", folder, b"tmpfs", 0, None))
        print("umount", libc.umount2(folder, 2))

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
