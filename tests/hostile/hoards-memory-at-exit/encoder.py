"""Takes more memory than allowed when the interpreter ends."""

import atexit

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        atexit.register(lambda: [bytearray(b"x") * 100_000_000 for _ in range(30)])

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
