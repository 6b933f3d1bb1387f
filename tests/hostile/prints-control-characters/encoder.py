"""Prints what clears the screen, sets its title and turns the text around."""

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        print("\x1b[2J\x1b]0;owned\x07\u202eYDAER\u2066\x9b31m", flush=True)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
