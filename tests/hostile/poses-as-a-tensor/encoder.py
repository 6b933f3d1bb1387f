"""Returns an object that says its class is Tensor and answers as one would."""

import torch


class Impostor:
    __class__ = torch.Tensor
    shape = ("two", object())
    dtype = "torch.float32"

    def __getattr__(self, _name):
        return lambda *_args, **_kwargs: self


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        return Impostor()
