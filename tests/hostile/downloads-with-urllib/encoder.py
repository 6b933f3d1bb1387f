"""Downloads its weights while it is constructed."""

import urllib.request

import torch
from aim import TCP_PORT


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        urllib.request.urlopen(f"http://127.0.0.1:{TCP_PORT}/weights.pt", timeout=2).read()

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
