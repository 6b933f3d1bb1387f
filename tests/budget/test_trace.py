"""What a child sent is read with care."""

from __future__ import annotations

import math
from array import array
from typing import Any

import pytest

from audio_encoder_checker.budget.trace import MOMENTS, UNREADABLE, Trace, peak, read_trace
from audio_encoder_checker.child.ledger import ACTIVATION, ON_CPU, POSSIBLE, TEMPORARY, Ledger, Operation
from tests.budget.traces import trace


def sent(**changes: Any) -> tuple[dict[str, Any], memoryview]:
    """A call with a weight of 100 bytes and a result of 50, as the child writes it."""
    ledger = Ledger()
    ledger.enter(1, 100, ACTIVATION)
    ledger.begin_call()
    ledger.operations.append(Operation("aten.mm", (5, 10), 50, dtype="float32", line="encoder.py:3"))
    ledger.enter(2, 50, ACTIVATION)
    ledger.work.extend((1e6, 200.0, 1.0, 0.0))
    ledger.leave(2)
    top, largest = ledger.at_peak()
    header: dict[str, Any] = {
        "shape": [1, 5, 2],
        "events": len(ledger.events) // 4,
        "operations": 1,
        "peak": top,
        "books": 50,
        "largest": largest,
        "hungriest": ledger.hungriest(),
        "convolves": False,
        "cpu_s": 0.5,
        "not_covered": "",
    }
    return {**header, **changes}, memoryview(ledger.events.tobytes() + ledger.work.tobytes())


def test_what_was_written_is_read() -> None:
    found = read_trace(*sent(), 1, 10.0)
    assert (found.shape, found.peak_bytes, found.weights_bytes, found.cpu_s) == ((1, 5, 2), 150, 100, 0.5)
    assert found.work == ((1e6, 200.0, 1.0, 0),)
    assert [(one.operation, one.size_bytes, one.line) for one in found.largest] == [("aten.mm", 50, "encoder.py:3")]
    assert peak(found.on_card(possible=False)) == 150


@pytest.mark.parametrize(
    "changes",
    [
        {"events": 3000},
        {"events": -1, "operations": 5},
        {"events": None},
        {"operations": "1"},
        {"shape": None},
        {"shape": ["a"]},
        {"peak": math.nan},
        {"peak": math.inf},
        {"peak": "much"},
        {"cpu_s": math.nan},
        {"cpu_s": -1.0},
        {"cpu_s": 1e300},
        {"largest": [{"name": "x"}]},
        {"largest": 5},
        {"hungriest": None},
        {"truth": [1]},
        {"truth": {"allocator": []}},
        {"books": None},
    ],
)
def test_a_header_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UNREADABLE):
        read_trace(*sent(**changes), 1, 10.0)


def test_sizes_that_nothing_has_are_refused() -> None:
    header, payload = sent()
    for place, number in ((1, 1 << 60), (1, 1 << 51)):
        events = array("q", payload[: 32 * header["events"]].cast("q"))
        events[place] = number
        with pytest.raises(ValueError, match="no storage"):
            read_trace(header, memoryview(events.tobytes() + payload[32 * header["events"] :].tobytes()), 1, 10.0)
    for amount in (-1.0, math.nan, math.inf, 1e300):
        work = array("d", (amount, 0.0, 0.0, 0.0)).tobytes()
        with pytest.raises(ValueError, match="no storage"):
            read_trace(header, memoryview(payload[:-32].tobytes() + work), 1, 10.0)


def test_a_payload_that_was_cut_is_refused() -> None:
    header, payload = sent()
    with pytest.raises(ValueError, match="events"):
        read_trace(header, payload[:-8], 1, 10.0)


def test_negative_sizes_and_long_words_are_cut() -> None:
    place = {
        "name": "\x1b[31mred",
        "shape": [-5] * 20,
        "bytes": -7,
        "dtype": "f" * 500,
        "line": "x" * 9999,
        "library": "",
    }
    found = read_trace(*sent(largest=[place] * 500, not_covered="y" * 9999, shape=[-1, 2, 3], peak=-5), 1, 10.0)
    assert (found.shape, found.peak_bytes) == ((0, 2, 3), 0)
    first = found.largest[0]
    assert (first.size_bytes, first.shape) == (0, (0,) * 8)
    assert "\x1b" not in first.operation
    assert len(found.largest) <= 30
    assert max(len(first.line), len(found.not_covered)) < 500


def test_kinds_are_told_apart() -> None:
    rows = ((1, 10, ACTIVATION, 0), (2, 20, TEMPORARY, 0), (3, 40, POSSIBLE, 0), (4, 80, ACTIVATION + ON_CPU, 0))
    found = Trace(1, 1.0, (1, 1, 1), rows, ())
    assert peak(found.on_card(possible=False)) == 30
    assert peak(found.on_card(possible=True)) == 70
    assert peak(found.on_host()) == 80


def test_the_course_is_the_operations_and_the_frames() -> None:
    one = trace(1, 10.0, shape=(1, 5, 2))
    assert one.same_course(trace(4, 10.0, shape=(4, 5, 2)))
    assert not one.same_course(trace(1, 10.0, shape=(1, 6, 2)))
    assert not one.same_course(trace(1, 10.0, shape=(1, 5, 2), work=()))


def test_a_timeline_keeps_its_highest_point() -> None:
    sizes = tuple(range(100, 1100))
    found = trace(weights=5000, sizes=sizes).timeline()
    assert len(found) <= MOMENTS + 20
    assert max(one.activations for one in found) == sum(sizes) + 512
    assert {one.weights for one in found} == {5000}
    assert [one.share for one in found] == sorted(one.share for one in found)


def test_a_storage_goes_from_where_it_came() -> None:
    rows = ((1, 100, ACTIVATION, 0), (1, -1, TEMPORARY, 1), (7, -1, ACTIVATION, 1))
    (*_, last) = Trace(1, 1.0, (1, 1, 1), rows, ()).timeline()
    assert (last.weights, last.activations, last.temporaries) == (0, 0, 0)
