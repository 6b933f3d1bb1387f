"""The floor for a real encoder: a log-mel spectrogram, 64 bands, 25 ms windows every 10 ms, nothing trained."""

from __future__ import annotations

import torch
from torch import Tensor


class LogMelEncoder(torch.nn.Module):
    filters: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 64
        self.hop_size_in_ms = 10
        low, high = _mel(torch.tensor([20.0, 8000.0])).tolist()
        edges = torch.linspace(low, high, 66)
        bins = _mel(torch.linspace(0, 8000, 257))
        rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
        falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
        self.register_buffer("filters", torch.minimum(rising, falling).clamp(min=0))
        self.register_buffer("window", torch.hann_window(400))

    @torch.inference_mode()
    def forward(self, audio: Tensor) -> Tensor:
        audio = audio.reshape(-1, audio.shape[-1])
        spectrum = torch.stft(audio, 512, 160, 400, self.window, pad_mode="constant", return_complex=True)
        bands = torch.log(self.filters @ spectrum.abs().square() + 1e-6)
        return bands.transpose(1, 2)[:, : max(1, audio.shape[1] // 160)]


def _mel(hertz: Tensor) -> Tensor:
    return 1127.0 * torch.log1p(hertz / 700.0)
