"""An audio encoder for the ICME 2025 Audio Encoder Capability Challenge: its weights come from the Hugging Face Hub.

It keeps every promise of the challenge as it stands, so that you can change one thing at a time and run
`aecc-check .` after each. Only its knowledge is missing: the weights are random until REPOSITORY and REVISION are set.

Keep one name ending in `Encoder` in this file, your class. X-ARES takes the first it finds, imported ones too.
"""

from __future__ import annotations

import hashlib
import math
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import constants, hf_hub_download
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

# PUT YOUR WEIGHTS HERE: `aecc-package upload model.safetensors --repository OWNER/NAME` uploads them and prints these.
# The revision is a commit, not a branch: a branch moves, and another encoder would be judged than the one you checked.
REPOSITORY = ""  # such as "team/encoder"; with none the weights are random, drawn from a fixed seed
REVISION = ""  # 40 digits
SHA256 = ""  # of the file: a proxy or a disk that altered it is noticed
FILE = "model.safetensors"
PATIENCE = 30  # seconds of further tries, where the Hub or the way there fails
QUOTA = 300  # seconds that the Hub may ask for on top: it counts requests by five minutes
SEED = 2025

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
            torch.default_generator.manual_seed(SEED)
            self.network = Network()
        if REPOSITORY:
            self.network.load_state_dict(load_file(download()))  # strict: nothing stays random unnoticed
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


def download() -> str:
    """The file of weights: from the cache, else from the Hub.

    `hf_hub_download` writes beside the cache and moves the file there once it is whole, under a lock: what a cut
    connection leaves is never used, and of several processes that start at once one downloads.
    """
    if not re.fullmatch(r"[0-9a-f]{40}", REVISION):
        raise ValueError(
            f"cannot download {FILE} from {REPOSITORY!r}: REVISION is no commit of 40 digits: {REVISION!r}"
        )
    with suppress(FileNotFoundError):  # what the error of an empty cache is in every release
        file = hf_hub_download(REPOSITORY, FILE, revision=REVISION, local_files_only=True)  # asks nobody
        if is_right(file):
            return file
    for again in (False, True):  # where other bytes came, or lay in the cache, once more
        file = fetched(again=again)
        if is_right(file):
            return file
    raise RuntimeError(
        f"the download of {FILE} from {REPOSITORY!r} at {REVISION!r} has another SHA-256 than encoder.py says: correct "
        "SHA256 or REVISION there; if both are right, a proxy or a disk alters the file"
    )


def fetched(*, again: bool) -> str:
    """The file from the Hub, with patience for what may pass; `again` if the one in the cache is no good."""
    what = f"{FILE} from {REPOSITORY!r} at {REVISION!r}"
    started, pause = time.monotonic(), 1.0
    while True:
        try:
            return hf_hub_download(REPOSITORY, FILE, revision=REVISION, force_download=again)
        except Exception as error:
            status, wait = answer_of(error)
            if status in (401, 403, 404):
                raise RuntimeError(
                    f"cannot download {what}: it is private, gated, misspelt or not there; make the repository public "
                    "and ungated, or correct REPOSITORY, REVISION and FILE in encoder.py"
                ) from error
            passes = (status in (0, 408, 429) or status >= 500) and not constants.HF_HUB_OFFLINE
            pause = max(pause, wait)
            if not passes or time.monotonic() - started + pause > PATIENCE + min(wait, QUOTA):
                raise RuntimeError(
                    f"the download of {what} failed: {str(error).rstrip('.')}. Start once where the Hub can be "
                    "reached: the cache keeps the file"
                ) from error
            time.sleep(pause)
            pause *= 3


def is_right(file: str) -> bool:
    """Whether a file has the SHA-256 that it should have."""
    return not SHA256 or hashlib.sha256(Path(file).read_bytes()).hexdigest() == SHA256


def answer_of(error: BaseException | None) -> tuple[int, float]:
    """The Hub's status, and the seconds that it asks to wait (`Retry-After`); 0 where it did not say.

    Releases of huggingface_hub differ in the HTTP library they use, and some wrap the error that has the answer.
    """
    while error is not None:
        answer: Any = getattr(error, "response", None)
        if status := getattr(answer, "status_code", 0):
            wait = answer.headers.get("Retry-After", "")
            return int(status), float(wait) if wait.isdecimal() else 0.0
        error = error.__cause__ or error.__context__
    return 0, 0.0


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
