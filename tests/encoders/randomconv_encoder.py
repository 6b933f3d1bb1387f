"""Control: an untrained convolutional network with fixed random weights, 256 dimensions every 20 ms."""

from __future__ import annotations

import torch
from torch import Tensor


class RandomConvEncoder(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 256
        self.hop_size_in_ms = 20
        generator = torch.Generator().manual_seed(0)
        self.convs = torch.nn.ModuleList()
        for inputs, outputs, kernel, stride, padding in (
            (1, 64, 400, 160, 120),
            (64, 128, 3, 2, 1),
            (128, 256, 3, 1, 1),
        ):
            conv = torch.nn.Conv1d(inputs, outputs, kernel, stride=stride, padding=padding)
            gain = (2.0 / (inputs * kernel)) ** 0.5
            weight = torch.randn(conv.weight.shape, generator=generator) * gain
            conv.load_state_dict({"weight": weight, "bias": torch.randn(outputs, generator=generator) * 0.1})
            self.convs.append(conv)
        self.eval()

    @torch.inference_mode()
    def forward(self, audio: Tensor) -> Tensor:
        x = audio.reshape(-1, audio.shape[-1])[:, None]
        for conv in self.convs:
            x = conv(x).relu()
        frames: Tensor = x.transpose(1, 2)
        return frames
