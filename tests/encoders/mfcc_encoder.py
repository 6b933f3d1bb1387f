"""Mel-frequency cepstral coefficients: twenty of them and their changes, every 10 ms, nothing trained."""

from __future__ import annotations

import math

import torch
from torch import Tensor

BANDS, KEPT = 40, 20


class MfccEncoder(torch.nn.Module):
    filters: Tensor
    window: Tensor
    cosines: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 2 * KEPT
        self.hop_size_in_ms = 10
        low, high = _mel(torch.tensor([20.0, 8000.0])).tolist()
        edges = torch.linspace(low, high, BANDS + 2)
        bins = _mel(torch.linspace(0, 8000, 257))
        rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
        falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
        self.register_buffer("filters", torch.minimum(rising, falling).clamp(min=0))
        self.register_buffer("window", torch.hann_window(400))
        places = torch.arange(BANDS) + 0.5
        self.register_buffer("cosines", torch.cos(math.pi / BANDS * torch.arange(KEPT)[:, None] * places))

    @torch.inference_mode()
    def forward(self, audio: Tensor) -> Tensor:
        audio = audio.reshape(-1, audio.shape[-1])
        spectrum = torch.stft(audio, 512, 160, 400, self.window, pad_mode="constant", return_complex=True)
        bands = torch.log(self.filters @ spectrum.abs().square() + 1e-6)
        cepstrum = (self.cosines @ bands)[:, :, : max(1, audio.shape[1] // 160)]
        change = torch.diff(cepstrum, dim=2, prepend=cepstrum[:, :, :1]).abs()
        return torch.cat((cepstrum, change), dim=1).transpose(1, 2)


def _mel(hertz: Tensor) -> Tensor:
    return 1127.0 * torch.log1p(hertz / 700.0)
