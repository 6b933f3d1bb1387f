"""Resemblyzer, a speaker encoder: LSTM over 40 mel bands, 256 dimensions for 1.6 s every 400 ms.

Weights: PyPI resemblyzer==0.1.4, Apache-2.0. Only the weight file is read; the package is never imported.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - its name in every torch program
from torch import Tensor

WINDOW, STEP = 160, 40  # mel frames of 10 ms
LOUDNESS_DB = -30.0


class ResemblyzerEncoder(torch.nn.Module):
    filters: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 256
        self.hop_size_in_ms = 400
        self.lstm = torch.nn.LSTM(40, 256, 3, batch_first=True)
        self.linear = torch.nn.Linear(256, 256)
        state = torch.load(_weights(), map_location="cpu", weights_only=True)["model_state"]
        self.load_state_dict({k: v for k, v in state.items() if k.split(".")[0] in ("lstm", "linear")})
        self.register_buffer("filters", _slaney_filters(), persistent=False)
        self.register_buffer("window", torch.hann_window(400), persistent=False)
        self.eval()

    @torch.inference_mode()
    def forward(self, audio: Tensor) -> Tensor:
        mel = self._mel(audio.reshape(-1, audio.shape[-1]))  # [B, frames, 40]
        count = max(1, -(-mel.shape[1] // STEP))
        half = (WINDOW - STEP) // 2
        mel = F.pad(mel, (0, 0, half, (count - 1) * STEP + WINDOW - half - mel.shape[1]))
        windows = mel.unfold(1, WINDOW, STEP).transpose(2, 3)  # [B, T, WINDOW, 40]
        embedded = torch.cat([self._embed(some) for some in torch.split(windows.flatten(0, 1), 256)])
        return embedded.reshape(len(mel), count, 256)

    def _mel(self, audio: Tensor) -> Tensor:
        power_db = 10 * torch.log10(audio.square().mean(-1, keepdim=True).clamp(min=1e-12))
        louder = audio * 10 ** ((LOUDNESS_DB - power_db).clamp(min=0) / 20)
        spectrum = torch.stft(louder, 400, 160, window=self.window, pad_mode="constant", return_complex=True)
        return (self.filters @ spectrum.abs().square()).transpose(1, 2)

    def _embed(self, windows: Tensor) -> Tensor:
        _, (states, _) = self.lstm(windows)
        vectors = torch.relu(self.linear(states[-1]))
        unit: Tensor = vectors / vectors.norm(dim=1, keepdim=True).clamp(min=1e-6)
        return unit


def _slaney_filters() -> Tensor:
    """Mel filters of equal area on Slaney's scale, linear to 1 kHz and logarithmic above: [40, 201]."""
    steps = torch.linspace(0, 15 + 27 * float(torch.log(torch.tensor(8.0)) / torch.log(torch.tensor(6.4))), 42)
    edges = torch.where(steps < 15, steps * 200 / 3, 1000 * 6.4 ** ((steps - 15) / 27))
    bins = torch.linspace(0, 8000, 201)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rising, falling).clamp(min=0) * (2 / (edges[2:] - edges[:-2]))[:, None]


def _weights() -> Path:
    spec = find_spec("resemblyzer")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("pip install --no-deps resemblyzer==0.1.4")
    return Path(spec.submodule_search_locations[0]) / "pretrained.pt"
