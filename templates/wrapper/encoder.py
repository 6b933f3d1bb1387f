"""An audio encoder for the ICME 2025 Audio Encoder Capability Challenge: a wrapper around an installed package.

The package is silero-vad, a detector of speech whose weights lie in its wheel. What it offers is one probability for
each 32 ms of one recording; an encoder needs what it knows before it decides, for a whole batch. So its weights are
copied into plain modules here, which move to another device, are copied and saved as any others, and keep no state.

Keep one name ending in `Encoder` in this file, your class. X-ARES takes the first it finds, imported ones too.
"""

from __future__ import annotations

from importlib import metadata

import torch
from torch import Tensor, nn
from torch.nn import functional

# PUT YOUR PACKAGE HERE, and the same line into requirements.txt. Names inside a package change without notice, so
# another version than the one that you tried is refused.
PACKAGE = "silero-vad"
VERSION = "6.2.3"

# What the package wants. X-ARES gives 16 kHz between -1 and 1, as this one was trained with: nothing to convert.
# Others want another scale (`audio * 32768`) or another rate (declare it as `sampling_rate`, and X-ARES resamples).
SAMPLING_RATE = 16_000  # Hz
HOP = 512  # samples that the package takes at a time, 32 ms
BEFORE = 64  # samples before them that it looks at as well
WIDTH = 128  # features per frame
CHUNK = 500  # frames computed at once, 16 s: memory does not grow with the length of a clip


class TemplateEncoder(nn.Module):
    """Encodes waveforms `[B, T]` at 16 kHz into features `[B, T', D]`, one frame every 32 ms.

    The network is recurrent and causal: frame k knows samples up to `(k + 1) * HOP`, and all that came before. What
    follows, zeros at the end of a shorter clip too, changes nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sampling_rate = SAMPLING_RATE
        self.output_dim = WIDTH
        self.hop_size_in_ms = HOP / SAMPLING_RATE * 1000
        with torch.random.fork_rng(devices=[]):  # leaves the caller's random numbers alone
            self.network = Network()
        self.network.load_state_dict(package_weights())  # strict: nothing stays random unnoticed
        self.eval()  # X-ARES does not call it

    @torch.no_grad()
    def forward(self, audio: Tensor) -> Tensor:
        """Encode clips of any length; each begins with an empty state, whatever was encoded before.

        Args:
            audio: `[B, T]` at 16 kHz; it may be padded with zeros at the end.

        Returns:
            Features `[B, T', D]`, float32, on the device of `audio`; T' = T // 512, at least 1. Samples at the
            end that do not fill a frame are left out, so that a clip has the same frames whatever follows it.
        """
        frames = max(1, audio.shape[-1] // HOP)
        audio = functional.pad(audio.float(), (BEFORE, max(0, HOP - audio.shape[-1])))
        features, state = [], None
        for first in range(0, frames, CHUNK):
            last = min(frames, first + CHUNK)
            pieces = audio[:, first * HOP : last * HOP + BEFORE].unfold(1, BEFORE + HOP, HOP)
            chunk, state = self.network(pieces, state)  # the state goes on, so chunks are exact
            features.append(chunk)
        return torch.cat(features, dim=1)


class Network(nn.Module):
    """What the package computes at 16 kHz, up to its last layer, for many clips and frames in one call."""

    def __init__(self) -> None:
        super().__init__()
        self.fourier = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(channels, out, 3, stride=stride, padding=1)
            for channels, out, stride in [(129, 128, 1), (128, 64, 2), (64, 64, 2), (64, WIDTH, 1)]
        )
        self.recurrent = nn.LSTM(WIDTH, WIDTH, batch_first=True)

    def forward(self, pieces: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """`[B, T', BEFORE + HOP]` to `[B, T', WIDTH]`, from the state that earlier frames left, and the next."""
        features = functional.pad(pieces.flatten(0, 1), (0, 64), mode="reflect")
        real, imaginary = self.fourier(features[:, None]).chunk(2, dim=1)
        features = (real.square() + imaginary.square()).sqrt()
        for convolution in self.convolutions:
            features = convolution(features).relu()
        hidden, state = self.recurrent(features.view(*pieces.shape[:2], WIDTH), state)
        return hidden, state


def package_weights() -> dict[str, Tensor]:
    """The weights of `Network`, as they are called in it, out of the model that the package loads."""
    refuse_other_version()
    threads = torch.get_num_threads()
    from silero_vad import load_silero_vad  # sets PyTorch to one thread, which is nobody else's wish

    torch.set_num_threads(threads)
    theirs = load_silero_vad().state_dict()
    weights = {"fourier.weight": theirs["_model.stft.forward_basis_buffer"]}
    for name in ("weight", "bias"):
        for n in range(4):
            weights[f"convolutions.{n}.{name}"] = theirs[f"_model.encoder.{n}.reparam_conv.{name}"]
        for gate in ("ih", "hh"):
            weights[f"recurrent.{name}_{gate}_l0"] = theirs[f"_model.decoder.rnn.{name}_{gate}"]
    return weights


def refuse_other_version() -> None:
    """Say what to install where the package is missing, or is not the one that this file knows."""
    try:
        found = metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        raise RuntimeError(f"{PACKAGE} is not installed: `pip install {PACKAGE}=={VERSION}`") from None
    if found != VERSION:
        raise RuntimeError(
            f"{PACKAGE} {found} is installed, and this encoder was written for {VERSION}: "
            f"`pip install {PACKAGE}=={VERSION}`, or try the other one and set VERSION in encoder.py"
        )
