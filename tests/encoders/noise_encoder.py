"""Control: numbers that know nothing of the audio, 256 of them every 20 ms."""

from __future__ import annotations

import torch
from torch import Tensor


class NoiseEncoder(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 256
        self.hop_size_in_ms = 20
        self.generator = torch.Generator().manual_seed(0)

    def forward(self, audio: Tensor) -> Tensor:
        audio = audio.reshape(-1, audio.shape[-1])
        return torch.randn(len(audio), max(1, audio.shape[1] // 320), 256, generator=self.generator)
