"""Says how long its embedding is in terminal controls."""

import os
import sys
import time

import torch


def frame(text, payload=b""):
    os.write(int(sys.orig_argv[-1]), len(text).to_bytes(4, "big") + text.encode("utf-8", "surrogatepass") + payload)


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        frame(r'{"payload_bytes": "\u001b[2J\u202e\ud800"}')
        time.sleep(5)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
