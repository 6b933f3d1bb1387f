"""Books that no child of ours would send: refused or cut, and never slow."""

from __future__ import annotations

import math
from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_encoder_checker.budget.trace import (
    LARGEST,
    LARGEST_BYTES,
    LARGEST_S,
    ROW_BYTES,
    UNREADABLE,
    Trace,
    peak,
    read_trace,
)
from audio_encoder_checker.child.ledger import ACTIVATION, GONE, ON_CPU, TEMPORARY, WEIGHT, Ledger, Operation

HUGE = 10**400


def sent() -> tuple[dict[str, Any], memoryview]:
    """A weight, a result of one operation and a kernel's workspace; both ends of them, as the child writes them."""
    ledger = Ledger()
    ledger.enter(100, 1000, ACTIVATION)
    ledger.enter(101, 10, ACTIVATION + ON_CPU)
    ledger.begin_call()
    ledger.operations.append(Operation("aten.conv1d", (2, 5), 70, dtype="float16", line="a.py:1", library="b.py:2"))
    ledger.enter(102, 70, ACTIVATION)
    ledger.pass_through(30, TEMPORARY)
    ledger.work.extend((5e6, 80.0, 2.0, 1.0))
    ledger.operations.append(Operation("aten.relu"))
    ledger.work.extend((7.0, 8.0, 1.0, float(ON_CPU)))
    ledger.leave(102)
    top, largest = ledger.at_peak()
    header: dict[str, Any] = {
        "shape": [2, 5, 3],
        "events": len(ledger.events) // 4,
        "operations": len(ledger.operations),
        "peak": top,
        "books": 12,
        "truth": {"allocator": 13},
        "largest": largest,
        "hungriest": ledger.hungriest(),
        "convolves": True,
        "cpu_s": 2,
        "stand_ins": ["item"],
        "guessed": ["nonzero"],
        "not_covered": "a thread",
    }
    return header, memoryview(ledger.events.tobytes() + ledger.work.tobytes())


HEADER, PAYLOAD = sent()
PLACE = HEADER["largest"][0]


def read(payload: memoryview = PAYLOAD, **changes: Any) -> Trace:
    return read_trace({**HEADER, **changes}, payload, 2, 1.0)


def payload_of(events: tuple[int, ...], work: tuple[float, ...] = ()) -> memoryview:
    return memoryview(array("q", events).tobytes() + array("d", work).tobytes())


class TestWhatIsSound:
    def test_every_row_arrives_as_it_was_written(self) -> None:
        found = read()
        assert found.events == (
            (1, 1000, WEIGHT, -1),
            (2, 10, WEIGHT + ON_CPU, -1),
            (3, 70, ACTIVATION, 0),
            (4, 30, TEMPORARY, 0),
            (4, GONE, TEMPORARY, 0),
            (3, GONE, ACTIVATION, 1),
        )
        assert found.work == ((5e6, 80.0, 2.0, 1), (7.0, 8.0, 1.0, ON_CPU))
        assert (found.weights_bytes, found.peak_bytes) == (1000, 1100)

    def test_every_word_arrives_as_it_was_written(self) -> None:
        found = read()
        assert (found.batch, found.seconds, found.shape, found.cpu_s) == (2, 1.0, (2, 5, 3), 2.0)
        assert (found.books_bytes, found.allocator_bytes, found.convolves) == (12, 13, True)
        assert (found.stand_ins, found.guessed, found.not_covered) == (("item",), ("nonzero",), "a thread")
        assert [one.size_bytes for one in found.largest] == [70, 30]
        (conv, relu) = found.hungriest
        assert (conv.operation, conv.shape, conv.size_bytes, conv.dtype) == ("aten.conv1d", (2, 5), 70, "float16")
        assert (conv.line, conv.library, relu.operation) == ("a.py:1", "b.py:2", "aten.relu")

    def test_what_need_not_be_told_is_nothing(self) -> None:
        header = {key: HEADER[key] for key in HEADER if key not in {"truth", "stand_ins", "guessed", "not_covered"}}
        found = read_trace(header, PAYLOAD, 2, 1.0)
        assert (found.allocator_bytes, found.stand_ins, found.guessed, found.not_covered) == (0, (), (), "")

    def test_a_call_in_which_nothing_happened_is_read(self) -> None:
        found = read(payload_of(()), events=0, operations=0, largest=[], hungriest=[])
        assert (found.events, found.work, found.timeline()) == ((), (), ())

    def test_the_largest_sizes_there_are_pass(self) -> None:
        largest = math.nextafter(LARGEST, 0)
        found = read(payload_of((1, LARGEST_BYTES, 2, 0), (largest, 0.0, 0.0, 0.0)), events=1, operations=1)
        assert (found.events[0][1], found.work[0][0]) == (LARGEST_BYTES, largest)
        assert read(cpu_s=LARGEST_S - 1).cpu_s == LARGEST_S - 1


class TestWhatIsNot:
    @pytest.mark.parametrize("key", ["events", "operations", "shape", "peak", "books", "largest", "hungriest", "cpu_s"])
    def test_what_has_to_be_told_and_is_not_is_refused(self, key: str) -> None:
        with pytest.raises(KeyError, match=key):
            read_trace({name: value for name, value in HEADER.items() if name != key}, PAYLOAD, 2, 1.0)

    @pytest.mark.parametrize("key", ["name", "shape", "bytes", "dtype", "line", "library"])
    def test_a_place_without_one_of_its_words_is_refused(self, key: str) -> None:
        with pytest.raises(KeyError, match=key):
            read(largest=[{name: value for name, value in PLACE.items() if name != key}])

    @pytest.mark.parametrize(
        ("size", "amount"),
        [
            (LARGEST_BYTES + 1, 0.0),
            (2**63 - 1, 0.0),
            (1, LARGEST),
            (1, math.inf),
            (1, math.nan),
            (1, -1e-300),
        ],
    )
    def test_sizes_and_amounts_that_nothing_has_are_refused_in_any_row(self, size: int, amount: float) -> None:
        for place in range(4):
            work = [0.0] * 8
            work[4 + place] = amount
            payload = payload_of((1, 1, 2, 0, 2, size, 2, 0), tuple(work))
            with pytest.raises(ValueError, match="sizes that no storage has"):
                read(payload, events=2, operations=2)

    @pytest.mark.parametrize("count", [HUGE, -HUGE, 1 << 62, math.inf, math.nan, 5.5, [6], {}, "6", None])
    def test_counts_that_are_none_are_refused_at_once(self, count: object) -> None:
        for key in ("events", "operations"):
            with pytest.raises(UNREADABLE):
                read_trace({**HEADER, key: count}, PAYLOAD, 2, 1.0)

    def test_counts_that_cancel_one_another_are_refused(self) -> None:
        with pytest.raises(ValueError, match="events"):
            read(events=-1, operations=9)
        with pytest.raises(ValueError, match="events"):
            read(events=9, operations=-1)

    @pytest.mark.parametrize("cut", [0, 1, 8, ROW_BYTES, 8 * ROW_BYTES - 1])
    def test_a_payload_is_as_long_as_was_announced(self, cut: int) -> None:
        with pytest.raises(ValueError, match="bytes for 6 events and 2 operations"):
            read(PAYLOAD[:cut])
        with pytest.raises(ValueError, match="bytes for 6 events and 2 operations"):
            read(memoryview(bytes(PAYLOAD) + bytes(cut + 1)))

    @pytest.mark.parametrize("cpu_s", [math.nan, math.inf, -1e-9, LARGEST_S, "nan", "long", None, [], HUGE])
    def test_seconds_that_no_call_takes_are_refused(self, cpu_s: object) -> None:
        with pytest.raises(UNREADABLE):
            read(cpu_s=cpu_s)


class TestWhatIsCut:
    @pytest.mark.parametrize(("told", "read_as"), [(-5, 0), (-HUGE, 0), (HUGE, LARGEST_BYTES), (1.9, 1), (True, 1)])
    def test_sizes_are_brought_into_range(self, told: float, read_as: int) -> None:
        found = read(peak=told, books=told, truth={"allocator": told}, largest=[{**PLACE, "bytes": told}], shape=[told])
        assert (found.peak_bytes, found.books_bytes, found.allocator_bytes) == (read_as,) * 3
        assert (found.largest[0].size_bytes, found.shape) == (read_as, (read_as,))

    def test_long_lists_are_cut(self) -> None:
        found = read(
            shape=[1] * 99_999,
            largest=[PLACE] * 9999,
            hungriest=[PLACE] * 9999,
            stand_ins=["a"] * 9999,
            guessed=["b"] * 9999,
        )
        assert (len(found.shape), len(found.largest), len(found.hungriest)) == (8, 30, 30)
        assert (len(found.stand_ins), len(found.guessed)) == (10, 10)

    def test_long_words_are_cut_and_made_visible(self) -> None:
        word = "\x1b[2J\u202e" + "x" * 9999
        texts = {"name": word, "dtype": word, "line": word, "library": word}
        found = read(largest=[{**PLACE, **texts}], stand_ins=[word], guessed=[word], not_covered=word)
        (place,) = found.largest
        words = (place.operation, place.dtype, place.line, place.library, *found.stand_ins, *found.guessed)
        assert [len(one) for one in (*words, found.not_covered)] == [100, 20, 300, 300, 60, 60, 300]
        assert all(one.isprintable() for one in (*words, found.not_covered))

    def test_words_that_are_no_text_are_not_looked_into(self) -> None:
        found = read(stand_ins=[[1]], not_covered={"a": 1}, largest=[{**PLACE, "name": 5, "line": None}])
        assert (found.stand_ins, found.not_covered) == (("",), "")
        assert (found.largest[0].operation, found.largest[0].line) == ("", "")

    @pytest.mark.parametrize("convolves", [1, "yes", [True], None])
    def test_only_a_plain_yes_is_one(self, convolves: object) -> None:
        assert read(convolves=convolves).convolves is False


WORDS: tuple[Any, ...] = (None, -1, math.inf, [], [None], "x", {})
ODD: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 1.5, -0.0, 1e308, math.inf, -math.inf, math.nan, 2**63, HUGE, -HUGE),
    *("", "7", "nan", "seven", "12345678999", [], [[]], [None], [-1, 0.5, True], ["a", "b"], [math.nan], [math.inf]),
    *({}, {"allocator": None}, {"allocator": HUGE}, {"allocator": -1.5}, {"name": 1}, [{}], [PLACE, None], [PLACE]),
    *([{**PLACE, key: odd}] for key in PLACE for odd in WORDS),
)
OUTCOMES = {"events": {"refused"}, "operations": {"refused"}, "convolves": {"read"}, "not_covered": {"read"}}
"""Of the six events and two operations none of the odd ones is the number; the last two are never looked into."""


@pytest.mark.parametrize("key", sorted(HEADER))
def test_whatever_a_header_holds_is_refused_or_read_into_range(key: str) -> None:
    outcomes = set()
    for odd in ODD:
        try:
            found = read_trace({**HEADER, key: odd}, PAYLOAD, 2, 1.0)
        except UNREADABLE:
            outcomes.add("refused")
            continue
        outcomes.add("read")
        places = (*found.largest, *found.hungriest)
        sizes = [*found.shape, found.peak_bytes, found.books_bytes, found.allocator_bytes]
        sizes += [size for one in places for size in (one.size_bytes, *one.shape)]
        words = [word for one in places for word in (one.operation, one.dtype, one.line, one.library)]
        assert all(type(size) is int and 0 <= size <= LARGEST_BYTES for size in sizes), odd
        assert all(type(word) is str for word in (*words, *found.stand_ins, *found.guessed, found.not_covered)), odd
        assert 0 <= found.cpu_s < LARGEST_S, odd
    assert outcomes == OUTCOMES.get(key, {"refused", "read"})


NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 9)


@settings(max_examples=30)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=6))
def test_whatever_rows_there_are_are_refused_or_can_be_looked_at(rows: list[tuple[int, int, int, int]]) -> None:
    try:
        found = read(payload_of(tuple(number for row in rows for number in row)), events=len(rows), operations=0)
    except UNREADABLE:
        assert any(row[1] > LARGEST_BYTES for row in rows)
        return
    assert list(found.events) == rows
    assert 0 <= peak(found.on_card(possible=True)) <= LARGEST_BYTES * len(rows)
    assert 0 <= peak(found.on_host()) <= LARGEST_BYTES * len(rows)
    assert all(0 < one.share <= 1 for one in found.timeline())


def test_a_storage_that_goes_and_never_came_changes_nothing() -> None:
    rows = (9, GONE, 2, 0, 1, 100, 2, 0, 9, GONE, 2, 0, 1, GONE, 2, 0, 1, GONE, 2, 0, 2, 60, 2, 0)
    found = read(payload_of(rows), events=6, operations=0)
    assert peak(found.on_card(possible=False)) == 100
    assert [one.activations for one in found.timeline()] == [0, 100, 100, 0, 0, 60]
