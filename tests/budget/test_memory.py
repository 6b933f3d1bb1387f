"""From books to verdicts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audio_encoder_checker.budget.memory import DOUBT, books_error, extrapolate, host_bytes, point, quadratic
from audio_encoder_checker.child.ledger import ACTIVATION, GONE, ON_CPU, POSSIBLE, TEMPORARY
from audio_encoder_checker.evidence.budget import Fit, Place
from audio_encoder_checker.rules import load_machine
from tests.budget.traces import MIB, trace

GPU = load_machine("colab-t4").gpu
BESIDE = GPU.workspace_bytes[1] + GPU.context_bytes[1]


class TestPoint:
    def test_at_least_is_what_is_allocated_with_the_smallest_workspace_and_context(self) -> None:
        found = point(trace(weights=100 * MIB, sizes=(10 * MIB, 20 * MIB)), GPU)
        assert found.lower_bytes == 130 * MIB + 512 + GPU.workspace_bytes[0] + GPU.context_bytes[0]

    def test_at_most_is_what_is_reserved_with_the_largest(self) -> None:
        found = point(trace(weights=100 * MIB, sizes=(11 * MIB,)), GPU)
        assert found.upper_bytes == (100 + 12 + 2) * MIB + BESIDE  # in segments; the input has one of its own

    def test_what_a_kernel_perhaps_takes_is_in_the_upper_bound_only(self) -> None:
        plain = trace(sizes=(10 * MIB,))
        for kind, in_lower in ((POSSIBLE, 0), (TEMPORARY, 64 * MIB)):
            more = replace(
                plain, events=(*plain.events[:3], (9, 64 * MIB, kind, 0), (9, GONE, kind, 0), *plain.events[3:])
            )
            before, after = point(plain, GPU), point(more, GPU)
            assert after.lower_bytes - before.lower_bytes == in_lower
            assert after.upper_bytes - before.upper_bytes == 64 * MIB

    def test_convolutions_may_take_a_workspace(self) -> None:
        small, large = trace(sizes=(10 * MIB,)), trace(sizes=(10_000 * MIB,))
        for one, most in ((small, GPU.convolution_bytes), (large, 0.05 * 10_000 * MIB)):
            more = point(replace(one, convolves=True), GPU).upper_bytes - point(one, GPU).upper_bytes
            assert more == pytest.approx(most, rel=0.02)

    @pytest.mark.parametrize(
        ("size", "fit"),
        [
            (GPU.total_bytes - BESIDE - 4 * MIB, Fit.FITS),
            (GPU.total_bytes - GPU.workspace_bytes[0] - GPU.context_bytes[0] - 4 * MIB, Fit.BORDERLINE),
            (GPU.total_bytes - GPU.workspace_bytes[0] - GPU.context_bytes[0] + MIB, Fit.TOO_LARGE),
        ],
    )
    def test_the_edges(self, size: int, fit: Fit) -> None:
        found = point(trace(sizes=(size // 512 * 512,)), GPU)
        assert found.fit is fit
        assert found.lower_bytes <= found.upper_bytes
        assert (found.upper_bytes > GPU.total_bytes) == (fit is not Fit.FITS)

    def test_what_is_not_sure_never_fits_and_has_to_be_far_off_not_to(self) -> None:
        total = GPU.total_bytes
        for share, fit in ((0.01, Fit.BORDERLINE), (DOUBT - 0.1, Fit.BORDERLINE), (DOUBT + 0.1, Fit.TOO_LARGE)):
            assert point(trace(sizes=(int(share * total),)), GPU, sure=False).fit is fit

    def test_kept_segments_are_given_back_before_it_is_too_much(self) -> None:
        """Two large storages, one after the other: 12 GiB at once, 22 if nothing were given back."""
        events = ((1, 10 << 30, ACTIVATION, 0), (1, GONE, ACTIVATION, 1), (2, 12 << 30, ACTIVATION, 1))
        assert point(replace(trace(), events=events), GPU).fit is Fit.FITS


class TestExtrapolation:
    SHORT, LONG = 10.0, 20.0

    def grown(self, short: int, long: int, batch: int = 1, seconds: float = 80.0) -> int:
        before, after = trace(seconds=self.SHORT, sizes=(short,)), trace(seconds=self.LONG, sizes=(long,))
        found = extrapolate(before, after, batch, seconds)
        return next(size for number, size, _, _ in found.events if number == 3)

    def test_each_storage_grows_as_it_was_seen_to(self) -> None:
        assert self.grown(1000, 1000) == 1000
        assert self.grown(1000, 2000) == 8000
        assert self.grown(1000, 4000) == 64000

    def test_nothing_grows_faster_than_the_square_or_shrinks(self) -> None:
        assert self.grown(1000, 9000) == 9000 * 16
        assert self.grown(1000, 500) == 500

    def test_clips_multiply_what_depends_on_the_audio(self) -> None:
        assert self.grown(1000, 2000, batch=16) == 16 * 8000
        assert self.grown(1000, 1000, batch=16) == 1000

    def test_weights_stay(self) -> None:
        short, long = (trace(seconds=length, weights=777, sizes=(100,)) for length in (self.SHORT, self.LONG))
        assert extrapolate(short, long, 16, 600.0).weights_bytes == 777

    def test_frames_and_work_grow_with_the_audio(self) -> None:
        short, long = (trace(seconds=length, sizes=(100,), shape=(1, int(length), 8)) for length in (10.0, 20.0))
        found = extrapolate(short, long, 4, 80.0)
        assert (found.batch, found.seconds, found.shape) == (4, 80.0, (4, 80, 8))
        assert found.work == ((16e9, 16e6, 16.0, 0),)

    def test_where_the_course_differs_the_whole_grows(self) -> None:
        short, long = (
            trace(seconds=10.0, weights=512, sizes=(1000, 1000)),
            trace(seconds=20.0, weights=512, sizes=(4000,)),
        )
        found = extrapolate(short, long, 2, 40.0)
        whole = (4000 + 512) ** 2 / (2000 + 512)
        assert found.weights_bytes == 512
        assert found.events[1][1] == pytest.approx(2 * whole, rel=1e-3)


def test_books_are_held_to_the_allocator() -> None:
    assert books_error(trace()) == 0
    assert books_error(trace(allocator_bytes=1000, books_bytes=900)) == pytest.approx(-0.1)


def test_what_lies_in_ram_is_counted_apart() -> None:
    events = ((1, 100, ACTIVATION, 0), (2, 30, ACTIVATION + ON_CPU, 0), (3, 40, ACTIVATION + ON_CPU, 1))
    assert host_bytes(replace(trace(), events=events)) == 70


class TestQuadratic:
    def places(self, *sizes: tuple[str, int]) -> tuple[Place, ...]:
        return tuple(Place(name, (1,), size << 20, line="encoder.py:3") for name, size in sizes)

    def test_four_times_as_much_for_twice_the_audio_is_found(self) -> None:
        shorter = trace(hungriest=self.places(("aten.mm", 500), ("aten.bmm", 100)))
        longer = trace(hungriest=self.places(("aten.mm", 1000), ("aten.bmm", 400)))
        found = quadratic(shorter, longer, GPU)
        assert found is not None
        assert found.operation == "aten.bmm"

    def test_twice_as_much_is_not(self) -> None:
        shorter, longer = (trace(hungriest=self.places(("aten.bmm", size))) for size in (500, 1000))
        assert quadratic(shorter, longer, GPU) is None

    def test_what_is_small_is_not_worth_a_word(self) -> None:
        shorter, longer = (trace(hungriest=self.places(("aten.bmm", size))) for size in (10, 40))
        assert quadratic(shorter, longer, GPU) is None

    def test_another_line_is_another_operation(self) -> None:
        shorter, longer = (trace(hungriest=self.places(("aten.bmm", size))) for size in (100, 400))
        moved = tuple(replace(one, line="encoder.py:9") for one in shorter.hungriest)
        assert quadratic(replace(shorter, hungriest=moved), longer, GPU) is None
