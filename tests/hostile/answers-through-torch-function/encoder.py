"""Returns a tensor on which every operation gives something else."""

import torch


class Trickster(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return "no tensor"


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        return torch.Tensor._make_subclass(Trickster, audio)
