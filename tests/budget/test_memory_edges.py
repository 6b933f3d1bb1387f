"""Verdicts to the byte, and what is made of two calls of which neither was like the other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_encoder_checker.budget.memory import DOUBT, NOTABLE_SHARE, extrapolate, host_bytes, point, quadratic
from audio_encoder_checker.budget.trace import Event, Trace, peak
from audio_encoder_checker.child.ledger import ACTIVATION, GONE, INPUT, ON_CPU, POSSIBLE, TEMPORARY, WEIGHT
from audio_encoder_checker.evidence.budget import Fit, Place
from audio_encoder_checker.rules import load_machine
from tests.budget.traces import MIB, trace

GPU = load_machine("colab-t4").gpu
LEAST_BESIDE = GPU.workspace_bytes[0] + GPU.context_bytes[0]
MOST_BESIDE = GPU.workspace_bytes[1] + GPU.context_bytes[1]


def books(*events: Event, seconds: float = 10.0, batch: int = 1) -> Trace:
    return Trace(batch, seconds, (batch, 10, 4), events, ())


class TestPoint:
    def test_a_card_of_the_upper_bound_fits_and_one_of_a_byte_less_is_borderline(self) -> None:
        one = trace(weights=100 * MIB, sizes=(30 * MIB,))
        upper = (100 + 30 + 2) * MIB + MOST_BESIDE
        found = [point(one, replace(GPU, total_bytes=total)) for total in (upper, upper - 1)]
        assert [(p.upper_bytes, p.fit) for p in found] == [(upper, Fit.FITS), (upper, Fit.BORDERLINE)]

    def test_a_card_of_the_lower_bound_is_borderline_and_one_of_a_byte_less_too_small(self) -> None:
        one = trace(weights=100 * MIB, sizes=(30 * MIB,))
        lower = 130 * MIB + 512 + LEAST_BESIDE
        found = [point(one, replace(GPU, total_bytes=total)) for total in (lower, lower - 1)]
        assert [(p.lower_bytes, p.fit) for p in found] == [(lower, Fit.BORDERLINE), (lower, Fit.TOO_LARGE)]

    def test_what_is_not_sure_has_to_be_more_than_half_too_large(self) -> None:
        one = trace(sizes=(30 * MIB,))
        lower = 30 * MIB + 512 + LEAST_BESIDE
        assert DOUBT == 1.5
        for total, fit in ((-(-lower * 2 // 3), Fit.BORDERLINE), (lower * 2 // 3 - 1, Fit.TOO_LARGE)):
            assert point(one, replace(GPU, total_bytes=total), sure=False).fit is fit

    def test_what_is_kept_has_to_go_where_context_and_workspace_leave_no_room_for_it(self) -> None:
        """7 GiB that are free again, and 50 MiB more than would fit beside them."""
        size = (GPU.total_bytes - MOST_BESIDE) // MIB * MIB - (7 << 30) + 50 * MIB
        events = ((1, 7 << 30, ACTIVATION, 0), (1, GONE, ACTIVATION, 0), (2, size, ACTIVATION, 1))
        found = point(books(*events), GPU)
        assert found.fit is Fit.FITS
        assert found.upper_bytes - MOST_BESIDE - size in range(2 * MIB)

    def test_pieces_that_leave_no_room_are_too_much_by_a_byte(self) -> None:
        """40 MiB of which 10 are used and 50 more do not go into 80, though 60 are all that is used."""
        gpu = replace(GPU, total_bytes=MOST_BESIDE + 80 * MIB)
        events = ((1, 40 * MIB), (1, GONE), (2, 10 * MIB), (3, 50 * MIB))
        found = point(books(*((number, size, ACTIVATION, 0) for number, size in events)), gpu)
        assert found.lower_bytes == 60 * MIB + LEAST_BESIDE
        assert (found.upper_bytes, found.fit) == (gpu.total_bytes + 1, Fit.BORDERLINE)

    def test_a_convolutions_share_is_of_what_is_beside_the_weights(self) -> None:
        gpu = replace(GPU, convolution_bytes=0, convolution_share=0.5)
        one = trace(weights=1000 * MIB, sizes=(100 * MIB,))
        more = point(replace(one, convolves=True), gpu).upper_bytes - point(one, gpu).upper_bytes
        assert more == (100 * MIB + 512 + LEAST_BESIDE) // 2

    def test_what_the_cpu_holds_takes_nothing_of_the_card(self) -> None:
        host = tuple((number, 100 * MIB, kind + ON_CPU, 0) for number, kind in ((90, ACTIVATION), (91, INPUT)))
        one = trace(sizes=(10 * MIB,))
        assert point(replace(one, events=one.events[:1] + host + one.events[1:]), GPU) == point(one, GPU)

    @settings(max_examples=50)
    @given(
        st.lists(st.tuples(st.sampled_from([0, 1, 700_000, MIB, 11 * MIB, 40 * MIB]), st.integers(0, 12)), max_size=25)
    )
    def test_the_lower_bound_is_at_most_the_upper(self, steps: list[tuple[int, int]]) -> None:
        kinds = (WEIGHT, INPUT, ACTIVATION, TEMPORARY, POSSIBLE, ACTIVATION + ON_CPU)
        events: list[Event] = []
        for number, (size, which) in enumerate(steps, 1):
            kind = kinds[which % len(kinds)]
            events.append((number, size, kind, number))
            if which > 5:
                events.append((number, GONE, kind, number))
        for total in (GPU.total_bytes, MOST_BESIDE + 100 * MIB):
            found = point(books(*events), replace(GPU, total_bytes=total))
            assert found.lower_bytes <= found.upper_bytes


class TestExtrapolation:
    def test_clips_are_counted_by_those_of_the_call_that_was_made(self) -> None:
        short, long = (trace(4, seconds, sizes=(int(seconds) * 100,)) for seconds in (10.0, 20.0))
        found = extrapolate(short, long, 16, 20.0)
        assert found.events[2][1] == 4 * 2000
        assert found.work == ((4e9, 4e6, 4.0, 0),)

    def test_the_audio_itself_is_of_every_clip(self) -> None:
        events = ((1, 512, INPUT, 0), (2, 512, ACTIVATION, 0))
        found = extrapolate(books(*events), books(*events, seconds=20.0), 3, 20.0)
        assert [size for _, size, _, _ in found.events] == [3 * 512, 512]

    def test_storages_go_when_they_went(self) -> None:
        short, long = (trace(seconds=seconds, weights=7, sizes=(100, 200)) for seconds in (10.0, 20.0))
        found = extrapolate(short, long, 16, 600.0)
        assert [size == GONE for _, size, _, _ in found.events] == [size == GONE for _, size, _, _ in long.events]
        assert [event[0] for event in found.events] == [event[0] for event in long.events]

    @pytest.mark.parametrize(
        "other",
        [
            ((1, 2000, ACTIVATION, 0), (2, 3000, TEMPORARY, 0)),
            ((1, 2000, ACTIVATION, 0), (2, 3000, ACTIVATION, 1)),
            ((1, 2000, ACTIVATION, 0), (2, 3000, ACTIVATION, 0), (2, GONE, ACTIVATION, 0)),
            ((2, 5000, ACTIVATION, 0), (2, GONE, ACTIVATION, 0)),
        ],
        ids=["kind", "operation", "more", "goes"],
    )
    def test_two_courses_are_told_apart(self, other: tuple[Event, ...]) -> None:
        """All is one storage then, 2500 bytes for 10 s and 5000 for 20 s: 10,000 for 40 s."""
        short = books((1, 2000, ACTIVATION, 0), (2, 500, ACTIVATION, 0))
        found = extrapolate(short, books(*other, seconds=20.0), 1, 40.0)
        assert peak(found.on_card(possible=True)) == 10_000
        assert len(found.events) == 2

    def test_of_two_courses_card_and_ram_grow_each_on_its_own(self) -> None:
        """And what kernels perhaps take is not counted: it is in no book of a real call."""
        rest = ((3, 64, POSSIBLE, 0), (4, 100, ACTIVATION + ON_CPU, 0))
        short = books((9, 512, WEIGHT, -1), (1, 1000, ACTIVATION, 0), *rest)
        long = books(
            (9, 512, WEIGHT, -1), (1, 2000, ACTIVATION, 0), *rest, (5, 300, ACTIVATION + ON_CPU, 1), seconds=20.0
        )
        found = extrapolate(short, long, 2, 40.0)
        assert found.weights_bytes == 512
        assert peak(found.on_card(possible=True)) == 512 + 2 * 4000
        assert host_bytes(found) == 2 * 1600
        assert len({event[0] for event in found.events}) == 3


class TestQuadratic:
    def test_three_and_a_half_times_as_much_is_not_enough_and_a_byte_more_is(self) -> None:
        shorter = trace(hungriest=(Place("aten.bmm", (1,), 100 * MIB),))
        for size, found in ((350 * MIB, False), (350 * MIB + 1, True)):
            longer = trace(hungriest=(Place("aten.bmm", (1,), size),))
            assert (quadratic(shorter, longer, GPU) is not None) is found

    def test_a_share_of_the_card_has_to_be_passed(self) -> None:
        gpu = replace(GPU, total_bytes=10**10)
        shorter = trace(hungriest=(Place("aten.bmm", (1,), 1000),))
        for size, found in ((int(NOTABLE_SHARE * 10**10), False), (int(NOTABLE_SHARE * 10**10) + 1, True)):
            longer = trace(hungriest=(Place("aten.bmm", (1,), size),))
            assert (quadratic(shorter, longer, gpu) is not None) is found

    def test_the_first_of_the_longer_call_is_told(self) -> None:
        shorter = trace(hungriest=tuple(Place(name, (1,), 100 * MIB) for name in ("aten.mm", "aten.bmm")))
        longer = trace(hungriest=(Place("aten.bmm", (1,), 900 * MIB), Place("aten.mm", (1,), 400 * MIB)))
        found = quadratic(shorter, longer, GPU)
        assert found is longer.hungriest[0]

    def test_what_the_shorter_call_did_not_do_has_nothing_to_be_held_against(self) -> None:
        longer = trace(hungriest=(Place("aten.bmm", (1,), 900 * MIB),))
        assert quadratic(trace(), longer, GPU) is None
        assert quadratic(trace(hungriest=(Place("aten.bmm", (1,), 0),)), longer, GPU) is None
