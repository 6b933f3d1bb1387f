"""An audio encoder for the ICME 2025 Audio Encoder Capability Challenge: its weights lie beside it, in safetensors.

It keeps every promise of the challenge as it stands, so that you can change one thing at a time and run
`aecc-check .` after each. Only its knowledge is missing: the weights in `model.safetensors` are random. Put the network
that you trained in place of this one, and `python export.py CHECKPOINT` writes its weights there.

Keep one name ending in `Encoder` in this file, your class. X-ARES takes the first it finds, imported ones too.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

# The organisers start in another folder, so the path must begin at this file.
WEIGHTS = Path(__file__).parent / "model.safetensors"

SAMPLING_RATE = 16_000  # Hz
HOP = 160  # samples between two frames, 10 ms
WINDOW = 400  # samples in a frame, 25 ms
FFT = 512
MELS = 64
WIDTH = 96  # features per frame
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
            self.network = Network()
        load_weights(self.network, WEIGHTS)
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
        return self.network(audio[:, first * HOP : first * HOP + samples])


def load_weights(network: nn.Module, file: Path) -> None:
    """Fill a network; every tensor has to be there and to fit, so that nothing stays random unnoticed."""
    if not file.is_file():
        raise FileNotFoundError(f"{file.name} is missing beside encoder.py: `python export.py CHECKPOINT` writes it")
    try:
        tensors, wanted = load_file(file), network.state_dict()
    except SafetensorError as error:  # cut off, or what Git LFS left in its place
        raise RuntimeError(f"{file.name} is damaged ({error}): write it with `python export.py CHECKPOINT`") from None
    missing, foreign = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    unfit = [
        f"{name} {tuple(tensors[name].shape)} for {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & tensors.keys())
        if wanted[name].shape != tensors[name].shape
    ]
    if missing or foreign or unfit:
        what = {"missing": missing, "not known": foreign, "of another shape": unfit}
        found = "; ".join(f"{word}: {', '.join(names[:3])} ({len(names)})" for word, names in what.items() if names)
        raise RuntimeError(
            f"{file.name} does not fit the network ({found}): write it with `python export.py CHECKPOINT`"
        )
    network.load_state_dict(tensors)


class Network(nn.Module):
    """PUT YOUR NETWORK HERE, as it was trained."""

    def __init__(self) -> None:
        super().__init__()
        self.front = LogMel()
        self.widen = nn.Linear(MELS, WIDTH)
        self.blocks = nn.ModuleList(Block(WIDTH) for _ in range(BLOCKS))

    def forward(self, audio: Tensor) -> Tensor:
        """`[B, T]` to `[B, T', D]`; the `CONTEXT` frames to each side are used up."""
        features = self.widen(self.front(audio)).transpose(1, 2)
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
