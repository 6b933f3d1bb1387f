"""Sends its answer so slowly that no single wait is long."""

import os
import sys
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for byte in (60_000).to_bytes(4, "big") + b"{" * 60_000:
            os.write(int(sys.orig_argv[-1]), bytes([byte]))
            time.sleep(0.5)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
