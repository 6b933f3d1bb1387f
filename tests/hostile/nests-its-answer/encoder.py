"""Answers with lists nested deeper than Python recurses."""

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

    def forward(self, audio):
        frame('{"payload_bytes": 0, "kind": ' + '[' * 30_000 + ']' * 30_000 + '}')
        time.sleep(5)
