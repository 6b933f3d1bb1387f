"""Has every tensor turned into the same good numbers."""

import numpy
import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        torch.Tensor.numpy = lambda self: numpy.ones(tuple(self.shape), dtype=numpy.float32)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
