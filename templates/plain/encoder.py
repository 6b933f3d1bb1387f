"""An audio encoder for the ICME 2025 Audio Encoder Capability Challenge: log-mel frames and a small network.

It keeps every promise of the challenge as it stands, so that you can change one thing at a time and run
`aecc-check .` after each. Only its knowledge is missing: the weights are random until you set `WEIGHTS`.

Keep one name ending in `Encoder` in this file, your class. X-ARES takes the first it finds, imported ones too.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

# PUT YOUR WEIGHTS HERE: `WEIGHTS = HERE / "weights.pt"`, written with `torch.save(encoder.state_dict(), "weights.pt")`.
# The organisers start in another folder, so the path must begin at this file.
# With None the weights are random, drawn from a fixed seed.
HERE = Path(__file__).parent
WEIGHTS: Path | None = None
SEED = 2025

SAMPLING_RATE = 16_000  # Hz
HOP = 160  # samples between two frames, 10 ms
WINDOW = 400  # samples in a frame, 25 ms
FFT = 512
MELS = 64
WIDTH = 256  # features per frame
BLOCKS = 3
KERNEL = 5  # frames that each block looks at
CONTEXT = BLOCKS * (KERNEL // 2)  # frames the network sees to each side
CHUNK = 1_000  # frames computed at once, 10 s: memory does not grow with the length of a clip


class TemplateEncoder(nn.Module):
    """Encodes waveforms `[B, T]` at 16 kHz into features `[B, T', D]`, one frame every 10 ms."""

    def __init__(self) -> None:
        super().__init__()
        self.sampling_rate = SAMPLING_RATE
        self.output_dim = WIDTH
        self.hop_size_in_ms = HOP / SAMPLING_RATE * 1000
        with torch.random.fork_rng(devices=[]):  # leaves the caller's random numbers alone
            torch.default_generator.manual_seed(SEED)
            self.front = LogMel()
            self.widen = nn.Linear(MELS, WIDTH)
            self.blocks = nn.ModuleList(Block(WIDTH) for _ in range(BLOCKS))
        if WEIGHTS is not None:
            self.load_state_dict(torch.load(WEIGHTS, map_location="cpu", weights_only=True))
        self.eval()  # X-ARES does not call it

    @torch.no_grad()
    def forward(self, audio: Tensor) -> Tensor:
        """Encode clips of any length; each frame depends on its own clip and its neighbourhood only.

        Args:
            audio: `[B, T]` at 16 kHz; it may be padded with zeros at the end.

        Returns:
            Features `[B, T', D]`, float32, on the device of `audio`; T' = T // 160, at least 1.
        """
        frames = max(1, audio.shape[-1] // HOP)
        before = CONTEXT * HOP + (WINDOW - HOP) // 2  # so that each frame is centred on its own 10 ms
        needed = (frames - 1 + 2 * CONTEXT) * HOP + WINDOW
        audio = functional.pad(audio, (before, max(0, needed - before - audio.shape[-1])))
        return torch.cat([self._chunk(audio, at, min(CHUNK, frames - at)) for at in range(0, frames, CHUNK)], dim=1)

    def _chunk(self, audio: Tensor, first: int, frames: int) -> Tensor:
        """Frames `first` to `first + frames`, from their samples and those of the context around them."""
        samples = (frames - 1 + 2 * CONTEXT) * HOP + WINDOW
        features = self.widen(self.front(audio[:, first * HOP : first * HOP + samples])).transpose(1, 2)
        for block in self.blocks:
            features = block(features)
        return features.transpose(1, 2)


class LogMel(nn.Module):
    """Logarithmic mel energies with fixed scaling: silence stays finite, loudness is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)
        self.register_buffer("mel", mel_filters(), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """`[B, T]` to `[B, T', MELS]`, T' = (T - WINDOW) // HOP + 1."""
        spectrum = torch.fft.rfft(audio.float().unfold(-1, WINDOW, HOP) * self.window, n=FFT)
        return ((spectrum.abs().square() @ self.mel).clamp(min=1e-8).log10() + 4) / 4


class Block(nn.Module):
    """A residual block over time without padding: the output is `KERNEL - 1` frames shorter."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, KERNEL)
        self.out = nn.Conv1d(width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """`[B, D, T']` to `[B, D, T' - KERNEL + 1]`."""
        side = KERNEL // 2
        return features[:, :, side:-side] + self.out(functional.gelu(self.mix(features)))


def mel_filters() -> Tensor:
    """Triangular filters `[FFT // 2 + 1, MELS]`, evenly spaced on the mel scale `2595 log10(1 + f / 700)`."""
    top = 2595 * math.log10(1 + SAMPLING_RATE / 2 / 700)
    corners = 700 * (10 ** (torch.linspace(0, top, MELS + 2) / 2595) - 1)
    bins = torch.linspace(0, SAMPLING_RATE / 2, FFT // 2 + 1)[:, None]
    rising = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    return torch.minimum(rising, falling).clamp(min=0)
