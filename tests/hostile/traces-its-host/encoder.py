"""Traces every line of its host and ends it in the middle."""

import sys

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        def trace(frame, _event, _argument):
            if frame.f_code.co_name in ("send", "_wait"):
                raise SystemExit(0)
            return trace

        sys.settrace(trace)
        sys.setprofile(trace)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
