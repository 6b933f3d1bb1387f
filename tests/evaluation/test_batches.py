from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from audio_encoder_checker.evaluation.batches import Progress, crops, make_batches, resampled, zero_padded
from audio_encoder_checker.evaluation.clips import Clip, Position
from audio_encoder_checker.evaluation.tasks import Encoding

if TYPE_CHECKING:
    from audio_encoder_checker.evaluation.batches import Batch

RATE = 100
ORACLE = Path(__file__).parent / "oracle" / "small.json"


def clip(number: int, samples: int, rate: int = RATE) -> Clip:
    audio = np.full(samples, number + 1, dtype=np.float32)
    return Clip(f"k{number}", audio, rate, number, "shard", Position(0, number + 1))


def batches(
    lengths: list[int], encoding: Encoding, start: Progress | None = None, *, every_crop: bool = False
) -> list[Batch]:
    start = start or Progress(Position())
    clips = [clip(number, samples) for number, samples in enumerate(lengths)][start.clips :]
    return list(make_batches(clips, RATE, encoding, start, every_crop=every_crop))


@pytest.mark.parametrize(
    ("samples", "size", "count"),
    [tuple(row) for row in json.loads(ORACLE.read_text())["crops [n_samples, crop_samples, n_crops with pad_last]"]],
)
def test_a_clip_has_as_many_crops_as_in_xares(samples: int, size: int, count: int) -> None:
    assert len(crops(np.zeros(samples, dtype=np.float32), size)) == count


def test_whole_clips_share_batches_and_are_padded_to_the_longest() -> None:
    first, second = batches([3, 5, 2], Encoding(batch=2))
    assert first.audio.tolist() == [[1, 1, 1, 0, 0], [2, 2, 2, 2, 2]]
    assert second.audio.tolist() == [[3, 3]]
    assert [(item.key, item.samples, item.kept) for item in (*first.items, *second.items)] == [
        ("k0", 3, True),
        ("k1", 5, True),
        ("k2", 2, True),
    ]


def test_a_short_clip_is_padded_to_a_crop() -> None:
    (only,) = batches([30], Encoding(batch=16, crop_s=1))
    assert only.audio.shape == (1, 100)
    assert only.items[0].samples == 30


def test_of_several_crops_in_a_batch_of_xares_the_first_is_kept() -> None:
    # X-ARES: batch 0 = a0 a1 a2 b0, batch 1 = b1 b2 c0 c1: b straddles two batches, so it is there twice (quirk 2)
    found = batches([350, 300, 250], Encoding(batch=4, crop_s=1))
    assert [item.key for batch in found for item in batch.items] == ["k0", "k1", "k1", "k2"]
    every = batches([350, 300, 250], Encoding(batch=4, crop_s=1), every_crop=True)
    marks = [(item.key, item.kept) for batch in every for item in batch.items]
    assert marks[:3] == [("k0", True), ("k0", False), ("k0", False)]
    assert marks[3:] == [("k1", True), ("k1", True), ("k1", False), ("k2", True), ("k2", False)]


@pytest.mark.parametrize("every_crop", [True, False])
@pytest.mark.parametrize("encoding", [Encoding(batch=4, crop_s=1), Encoding(batch=4), Encoding(batch=3, crop_s=2)])
def test_going_on_after_any_clip_gives_what_one_go_gives(encoding: Encoding, every_crop: bool) -> None:
    lengths = [350, 300, 250, 90, 410, 100, 720, 30, 200]
    whole = [item for batch in batches(lengths, encoding, every_crop=every_crop) for item in batch.items]
    places = [number for number, item in enumerate(whole) if item.after]
    assert len(places) > 3
    for number in places:
        rest = batches(lengths, encoding, whole[number].after, every_crop=every_crop)
        assert [item for batch in rest for item in batch.items] == whole[number + 1 :]


def test_the_last_item_of_a_clip_says_where_to_go_on() -> None:
    (only,) = batches([100, 100], Encoding(batch=4))
    assert [item.after for item in only.items] == [Progress(Position(0, 1), 1, 1), Progress(Position(0, 2), 2, 2)]


def test_audio_is_resampled_to_the_encoders_rate() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100).astype(np.float32)
    at_16k = resampled(tone, 44100, 16000)
    expected = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    assert len(at_16k) == 16000
    assert np.abs(at_16k - expected)[200:-200].max() < 1e-3
    assert resampled(tone, 16000, 16000) is tone


def test_padding_is_silence_behind_the_shorter_ones() -> None:
    assert zero_padded([np.ones(1, dtype=np.float32), np.ones(3, dtype=np.float32)]).tolist() == [[1, 0, 0], [1, 1, 1]]
