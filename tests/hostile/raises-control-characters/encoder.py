"""Raises an exception that clears the screen and turns the text around."""

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        raise ValueError("\x1b[2J\x1b]0;owned\x07 \u202eYDAER \u2066 \x00 \ud800 \u200b" + chr(0x9B) + "31m")

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
