"""Returns a tensor that says it has another shape than it has."""

import torch


class Liar(torch.Tensor):
    @property
    def shape(self):
        return torch.Size([2, 312, 4])

    def size(self, *_):
        return self.shape

    def dim(self):
        return 3


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        return audio[:, :7].as_subclass(Liar)
