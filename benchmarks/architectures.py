"""Audio encoders with weights drawn at random, one for each way of taking memory: `[B, samples]` to `[B, T', D]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import transformers
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.whisper import modeling_whisper

if TYPE_CHECKING:
    from collections.abc import Callable

RATE = 16000
LARGE: dict[str, Any] = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "conv_bias": True,
}


class Waveform(nn.Module):
    """wav2vec 2.0, HuBERT and data2vec: convolutions over all samples, and attention over all frames."""

    def __init__(self, family: str, attention: str = "sdpa", **sizes: Any) -> None:
        super().__init__()
        config = getattr(transformers, f"{family}Config")(attn_implementation=attention, **sizes)
        self.model = getattr(transformers, f"{family}Model")(config).eval()

    def forward(self, audio: Tensor) -> Tensor:
        """Normalise, and call."""
        audio = (audio - audio.mean(-1, keepdim=True)) / (audio.var(-1, keepdim=True) + 1e-7).sqrt()
        states: Tensor = self.model(audio).last_hidden_state
        return states


class Whisper(nn.Module):
    """Chunks of 30 s, spectra by numpy on the CPU."""

    def __init__(self, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.features = transformers.WhisperFeatureExtractor(feature_size=80)
        config = transformers.WhisperConfig(
            d_model=width, encoder_layers=layers, encoder_attention_heads=heads, encoder_ffn_dim=4 * width,
            attn_implementation="sdpa",
        )  # fmt: skip
        self.model = modeling_whisper.WhisperEncoder(config).eval()

    def forward(self, audio: Tensor) -> Tensor:
        """Chunk by chunk."""
        found = []
        for chunk in torch.split(audio, 30 * RATE, dim=-1):
            spectra = self.features(list(chunk.cpu().numpy()), sampling_rate=RATE, return_tensors="pt").input_features
            states = self.model(spectra.to(audio.device)).last_hidden_state
            found.append(states[:, : max(1, chunk.shape[-1] // 320)])
        return torch.cat(found, 1)


class LogMel(nn.Module):
    """`[B, samples]` to `[B, bands, frames]`, by `torch.stft`."""

    window: Tensor
    filters: Tensor

    def __init__(self, bands: int, width: int, hop: int) -> None:
        super().__init__()
        self.width, self.hop = width, hop
        edges = 700 * (10 ** (np.linspace(30, 2840, bands + 2) / 2595) - 1)
        bins = np.linspace(0, RATE / 2, width // 2 + 1)
        rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
        falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
        self.register_buffer("filters", torch.tensor(np.maximum(0, np.minimum(rising, falling)), dtype=torch.float32))
        self.register_buffer("window", torch.hann_window(width))

    def forward(self, audio: Tensor) -> Tensor:
        """The logarithm of mel bands."""
        spectrum = torch.stft(audio, self.width, self.hop, window=self.window, return_complex=True).abs().pow(2)
        return torch.log(self.filters @ spectrum + 1e-6)


class Spectrogram(nn.Module):
    """AST: a vision transformer over chunks of 10.24 s."""

    def __init__(self) -> None:
        super().__init__()
        self.mel = LogMel(128, 512, 160)
        self.model = transformers.ASTModel(transformers.ASTConfig(attn_implementation="sdpa")).eval()

    def forward(self, audio: Tensor) -> Tensor:
        """Chunk by chunk, the last one padded."""
        length = 1024 * 160
        chunks = torch.split(functional.pad(audio, (0, -audio.shape[-1] % length)), length, dim=-1)
        states = [self.model(self.mel(chunk).transpose(1, 2)[:, :1024]).last_hidden_state[:, 2:] for chunk in chunks]
        return torch.cat(states, 1)


class Convolutions(nn.Module):
    """Like CNN14 of PANNs: twelve layers of 3 x 3 over the whole spectrogram."""

    def __init__(self) -> None:
        super().__init__()
        self.mel, self.norm = LogMel(64, 1024, 320), nn.BatchNorm2d(64)
        widths = [1, 64, 128, 256, 512, 1024, 2048]
        self.blocks = nn.ModuleList(map(self._block, widths, widths[1:]))
        self.last = nn.Linear(2048, 2048)
        self.eval()

    @staticmethod
    def _block(before: int, after: int) -> nn.Module:
        layers: list[nn.Module] = []
        for width in (before, after):
            layers += [nn.Conv2d(width, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        return nn.Sequential(*layers)

    def forward(self, audio: Tensor) -> Tensor:
        """A frame for 640 ms."""
        x = self.mel(audio).unsqueeze(1).transpose(2, 3)
        x = self.norm(x.transpose(1, 3)).transpose(1, 3)
        for number, block in enumerate(self.blocks, 1):
            x = block(x)
            if number < len(self.blocks):
                x = functional.avg_pool2d(x, 2)
        states: Tensor = self.last(x.mean(3).transpose(1, 2))
        return states.relu()


class Recurrent(nn.Module):
    """Two convolutions and three bidirectional recurrent layers."""

    def __init__(self) -> None:
        super().__init__()
        self.mel = LogMel(80, 512, 160)
        self.front = nn.Sequential(nn.Conv1d(80, 256, 3, padding=1), nn.GELU(), nn.Conv1d(256, 256, 3, 2, 1), nn.GELU())
        self.layers = nn.GRU(256, 512, 3, batch_first=True, bidirectional=True)
        self.eval()

    def forward(self, audio: Tensor) -> Tensor:
        """A frame for 20 ms."""
        states: Tensor = self.layers(self.front(self.mel(audio)).transpose(1, 2))[0]
        return states


class Block(nn.Module):
    """A transformer's block whose attention is written by hand."""

    def __init__(self, width: int = 768, heads: int = 12) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.projections, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """The whole matrix of scores."""
        batch, frames, width = x.shape
        parts = self.projections(self.before(x)).reshape(batch, frames, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
        x = x + self.out((scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, frames, width))
        result: Tensor = x + self.wide(self.after(x))
        return result


class Vision(nn.Module):
    """A vision transformer over the whole spectrogram."""

    def __init__(self) -> None:
        super().__init__()
        self.mel, self.patches = LogMel(64, 512, 160), nn.Conv2d(1, 768, (64, 4), (64, 4))
        self.blocks = nn.Sequential(*(Block() for _ in range(12)))
        self.eval()

    def forward(self, audio: Tensor) -> Tensor:
        """A frame for 40 ms."""
        states: Tensor = self.blocks(self.patches(self.mel(audio).unsqueeze(1)).squeeze(2).transpose(1, 2))
        return states


ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    "wav2vec2-base": lambda: Waveform("Wav2Vec2"),
    "wav2vec2-base-eager": lambda: Waveform("Wav2Vec2", "eager"),
    "wav2vec2-large": lambda: Waveform("Wav2Vec2", **LARGE),
    "hubert-base": lambda: Waveform("Hubert"),
    "data2vec-base": lambda: Waveform("Data2VecAudio"),
    "whisper-base": lambda: Whisper(512, 6, 8),
    "whisper-small": lambda: Whisper(768, 12, 12),
    "whisper-medium": lambda: Whisper(1024, 24, 16),
    "ast": Spectrogram,
    "cnn14": Convolutions,
    "conv-gru": Recurrent,
    "vit-by-hand": Vision,
}
