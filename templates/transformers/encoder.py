"""An audio encoder for the ICME 2025 Audio Encoder Capability Challenge: a model of the library transformers.

It keeps every promise of the challenge as it stands, so that you can change one thing at a time and run
`aecc-check .` after each. Only its knowledge is missing: the weights are random until you set `WEIGHTS`.

Keep one name ending in `Encoder` in this file, your class. X-ARES takes the first it finds, imported ones too: that is
why `AutoModel` is imported here, and nothing like `Wav2Vec2Encoder`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel

if TYPE_CHECKING:
    from collections.abc import Iterator

# PUT YOUR MODEL HERE: `model.save_pretrained(FOLDER)` writes config.json and model.safetensors; put both beside this
# file and set `WEIGHTS = HERE / "model.safetensors"`. With None the weights are random, drawn from a fixed seed.
# The organisers start in another folder, so the paths must begin at this file. Nothing is downloaded.
HERE = Path(__file__).parent
CONFIG = HERE / "config.json"
WEIGHTS: Path | None = None
SEED = 2025

SAMPLING_RATE = 16_000  # Hz
WINDOW = 1_000  # frames computed at once, 20 s: the cost of attention grows with the square of it
CONTEXT = 100  # frames, 2 s, that a window sees to each side; they are dropped from what it gives
AT_ONCE = 5_000  # frames in one call of the model, of all its clips: what bounds memory


class TemplateEncoder(nn.Module):
    """Encodes waveforms `[B, T]` at 16 kHz into features `[B, T', D]`, one frame every 20 ms.

    Any model of wav2vec 2.0's kind will do (HuBERT, WavLM, data2vec): it takes waveforms, and its first layers are the
    convolutions of `conv_kernel` and `conv_stride` in config.json, which give the hop.

    Prefer one with `"feat_extract_norm": "layer"`. With `"group"` (wav2vec2-base, hubert-base) the first layer takes
    mean and variance over all samples of a call, so that each frame depends on where its window begins and ends; on
    padding too, which no mask keeps away from that layer. Here padding is cut off before, so that such a model works.
    """

    def __init__(self) -> None:
        super().__init__()
        config = AutoConfig.from_pretrained(str(CONFIG), local_files_only=True)
        self.hop = math.prod(config.conv_stride)  # samples between two frames: 320
        self.field = field_of(config.conv_kernel, config.conv_stride)  # samples that a frame is made of: 400
        self.sampling_rate = SAMPLING_RATE
        self.output_dim = config.hidden_size
        self.hop_size_in_ms = self.hop / SAMPLING_RATE * 1000
        with torch.random.fork_rng(devices=[]):  # leaves the caller's random numbers alone
            torch.default_generator.manual_seed(SEED)
            self.model = AutoModel.from_config(config).float()
            if WEIGHTS is not None:
                self.model = load_weights(self.model, WEIGHTS)
        self.eval()  # X-ARES does not call it

    @torch.no_grad()
    def forward(self, audio: Tensor) -> Tensor:
        """Encode clips of any length.

        X-ARES pads the clips of a batch with zeros, and does not say how long they were. So zeros at the end are taken
        for padding: the model never sees them, and their frames are zero, which leaves the direction of the mean alone.

        Args:
            audio: `[B, T]` at 16 kHz; it may be padded with zeros at the end.

        Returns:
            Features `[B, T', D]`, float32, on the device of `audio`; T' = T // 320, at least 1.
        """
        samples = audio.shape[-1]
        frames = max(1, samples // self.hop)
        padding = zeros_at_the_end(audio)
        own_frames = [max(1, (samples - zeros) // self.hop) for zeros in padding.tolist()]
        audio = normalised(audio.float(), samples - padding)
        before = (self.field - self.hop) // 2  # so that each frame is centred on its own 20 ms
        needed = (frames - 1) * self.hop + self.field
        audio = functional.pad(audio, (before, max(0, needed - before - samples)))
        features = audio.new_zeros(len(audio), frames, self.output_dim)
        for clips, first, end in calls(own_frames):
            features[clips, first : min(end, first + WINDOW)] = self._window(audio[clips], first, end)
        return features

    def _window(self, audio: Tensor, first: int, end: int) -> Tensor:
        """At most WINDOW frames from `first` on, computed with the context around them; nothing is behind `end`."""
        start = max(0, first - CONTEXT)
        samples = audio[:, start * self.hop : (end - 1) * self.hop + self.field]
        hidden: Tensor = self.model(samples).last_hidden_state
        return hidden[:, first - start :][:, :WINDOW]


def calls(own_frames: list[int]) -> Iterator[tuple[list[int], int, int]]:
    """What the model is called for: clips by number, the first frame wanted, and the frame at which it sees no more.

    Windows begin at multiples of WINDOW, whatever the length of a clip and of its padding. Where clips end inside of a
    window, those of one length are called together. An `attention_mask` would put all into one call, but some models
    were trained without (wav2vec2-base), and it does not reach a group norm.

    Args:
        own_frames: of each clip, without padding.
    """
    for first in range(0, max(own_frames), WINDOW):
        groups: dict[int, list[int]] = {}
        for clip, last in enumerate(own_frames):
            if last > first:
                groups.setdefault(min(last, first + WINDOW + CONTEXT), []).append(clip)
        for end, clips in groups.items():
            together = max(1, AT_ONCE // (end - max(0, first - CONTEXT)))
            for at in range(0, len(clips), together):
                yield clips[at : at + together], first, end


def load_weights(model: nn.Module, file: Path) -> nn.Module:
    """The model with the weights of a file; those of heads are left out, but no weight of the model may be missing.

    `from_pretrained` knows the prefixes and older names of weights that `load_state_dict` does not.
    """
    kind: Any = type(model)
    weights = load_file(file)
    loaded: nn.Module
    loaded, report = kind.from_pretrained(None, config=model.config, state_dict=weights, output_loading_info=True)
    missing = sorted(report["missing_keys"])
    if missing:
        raise RuntimeError(
            f"{file.name} lacks {len(missing)} weights of the {kind.__name__} that config.json describes, such as "
            f"{missing[0]}: put both there as one `model.save_pretrained(FOLDER)` wrote them"
        )
    return loaded.float()


def field_of(kernels: list[int], strides: list[int]) -> int:
    """The samples that a frame of stacked convolutions is made of."""
    field = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        field = (field - 1) * stride + kernel
    return field


def zeros_at_the_end(audio: Tensor) -> Tensor:
    """`[B, T]` to `[B]`: how many zeros follow the last other sample; none if there is no other: silence is a clip."""
    return (audio != 0).flip(-1).byte().argmax(-1)


def normalised(audio: Tensor, own: Tensor) -> Tensor:
    """Each clip with zero mean and unit variance, as such models are trained; over its own samples, not the padding.

    Leave this out if the `preprocessor_config.json` of your model says `"do_normalize": false`.

    Args:
        audio: `[B, T]`.
        own: `[B]`, samples of each clip before the padding.
    """
    samples = own[:, None]
    inside = torch.arange(audio.shape[-1], device=audio.device) < samples
    centred = (audio - audio.sum(-1, keepdim=True) / samples) * inside
    return centred / (centred.square().sum(-1, keepdim=True) / samples + 1e-7).sqrt()
