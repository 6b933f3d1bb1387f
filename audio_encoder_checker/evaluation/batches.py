"""From clips to what the encoder is handed: one channel, its own rate, cut and padded as X-ARES does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evaluation.clips import Clip, Position
    from audio_encoder_checker.evaluation.tasks import Encoding


class Progress(NamedTuple):
    """How far a part has been read: where to go on, and what was counted by then.

    Attributes:
        position: of the first clip that was not handed out.
        clips: handed out.
        items: crops that X-ARES would have counted, lost ones included.
    """

    position: Position
    clips: int = 0
    items: int = 0


class Item(NamedTuple):
    """One row of a batch: a clip, or one crop of it.

    Attributes:
        key: of the clip.
        shard: of the clip.
        clip: number of the clip within its part, from 0.
        label: of the clip.
        samples: at the encoder's rate, without padding.
        kept: X-ARES trains and tests on it (quirk 2).
        after: where to go on if this is the clip's last item, None if more of it follows.
    """

    key: str
    shard: str
    clip: int
    label: Any
    samples: int
    kept: bool
    after: Progress | None


class Batch(NamedTuple):
    """Audio float32 [B, samples], zeros behind the shorter ones, and what its rows are."""

    audio: NDArray[np.float32]
    items: tuple[Item, ...]


def make_batches(
    clips: Iterable[Clip], rate_hz: int, encoding: Encoding, start: Progress, *, every_crop: bool
) -> Iterator[Batch]:
    """Resample, cut and batch the clips of a part, in their order.

    Args:
        clips: from `start.position` on.
        rate_hz: the encoder's.
        encoding: batch size and length of crops.
        start: where to go on; a batch begins there.
        every_crop: hand out the crops that X-ARES loses, too.
    """
    shortest = (encoding.crop_s or 0) * rate_hz
    waves: list[NDArray[np.float32]] = []
    items: list[Item] = []
    for wave, item in _items(clips, rate_hz, encoding, start):
        if not (every_crop or item.kept):
            if item.after and items:  # the clip ends with crops that are not encoded: go on behind them
                items[-1] = items[-1]._replace(after=item.after)
            continue
        if len(items) == encoding.batch:
            yield Batch(zero_padded(waves, shortest), tuple(items))
            waves, items = [], []
        waves.append(wave)
        items.append(item)
    if items:
        yield Batch(zero_padded(waves, shortest), tuple(items))


def _items(
    clips: Iterable[Clip], rate_hz: int, encoding: Encoding, start: Progress
) -> Iterator[tuple[NDArray[np.float32], Item]]:
    count = start.items
    for number, clip in enumerate(clips, start.clips):
        pieces = crops(resampled(clip.audio, clip.sampling_rate, rate_hz), (encoding.crop_s or 0) * rate_hz)
        behind = Progress(clip.next, number + 1, count + len(pieces))
        for index, piece in enumerate(pieces):
            # two crops of a file in one batch of X-ARES get the same name, and the second is lost (quirk 2)
            kept = index == 0 or (count + index) % encoding.batch == 0
            after = behind if index == len(pieces) - 1 else None
            yield piece, Item(clip.key, clip.shard, number, clip.label, len(piece), kept, after)
        count += len(pieces)


def crops(wave: NDArray[np.float32], samples: int) -> list[NDArray[np.float32]]:
    """Cut a waveform into whole crops; what is left at the end is dropped, only a short clip is kept (quirk 16).

    Args:
        wave: [samples].
        samples: in a crop; 0 for the whole clip.

    Returns:
        Views of the waveform, at least one; one that is shorter than a crop is padded where it is batched.
    """
    if not samples or len(wave) < samples:
        return [wave]
    return [wave[start : start + samples] for start in range(0, len(wave) - samples + 1, samples)]


def zero_padded(waves: Sequence[NDArray[np.float32]], samples: int = 0) -> NDArray[np.float32]:
    """Stack waveforms [samples] of any length to float32 [B, longest or `samples`], zeros behind the shorter ones."""
    import numpy as np

    batch = np.zeros((len(waves), max(samples, *map(len, waves))), dtype=np.float32)
    for row, wave in zip(batch, waves, strict=True):
        row[: len(wave)] = wave
    return batch


def resampled(wave: NDArray[np.float32], from_hz: int, to_hz: int) -> NDArray[np.float32]:
    """One waveform [samples] at another rate; X-ARES resamples with torchaudio's sinc kernel, we with soxr."""
    if from_hz == to_hz:
        return wave
    import soxr

    result: NDArray[np.float32] = soxr.resample(wave, from_hz, to_hz)
    return result
