"""The books of a call, by hand."""

from __future__ import annotations

from audio_encoder_checker.child.ledger import (
    ACTIVATION,
    GONE,
    HUNGRY,
    ON_CPU,
    POSSIBLE,
    TEMPORARY,
    WEIGHT,
    Ledger,
    Operation,
)


def test_a_storage_comes_and_goes() -> None:
    ledger = Ledger()
    ledger.enter(111, 64, ACTIVATION)
    ledger.leave(111)
    ledger.leave(111)  # nothing is there
    assert ledger.rows() == [(1, 64, ACTIVATION, -1), (1, GONE, ACTIVATION, -1)]


def test_a_storage_that_moves_is_another_one() -> None:
    ledger = Ledger()
    ledger.enter(111, 64, ACTIVATION + ON_CPU)
    ledger.enter(111, 64, ACTIVATION)
    assert [(number, size, kind) for number, size, kind, _ in ledger.rows()] == [
        (1, 64, ACTIVATION + ON_CPU),
        (1, GONE, ACTIVATION + ON_CPU),
        (2, 64, ACTIVATION),
    ]


def test_what_lives_when_a_call_begins_are_weights() -> None:
    ledger = Ledger()
    ledger.operations.append(Operation("aten.ones"))
    for key, kind in ((1, ACTIVATION), (2, ACTIVATION + ON_CPU), (3, ACTIVATION)):
        ledger.enter(key, 10 * key, kind)
    ledger.leave(3)
    ledger.begin_call()
    assert ledger.rows() == [(1, 10, WEIGHT, -1), (2, 20, WEIGHT + ON_CPU, -1)]
    assert not ledger.operations
    ledger.leave(1)
    assert ledger.rows()[-1] == (1, GONE, WEIGHT, -1)


def test_the_peak_counts_what_is_surely_on_the_gpu_and_names_the_largest() -> None:
    ledger = Ledger()
    ledger.enter(1, 1000, ACTIVATION)
    ledger.begin_call()
    for key, size, kind in ((2, 30, ACTIVATION), (3, 50, ACTIVATION), (4, 700, ACTIVATION + ON_CPU)):
        ledger.operations.append(Operation(f"aten.op{key}"))
        ledger.enter(key, size, kind)
    ledger.pass_through(20, TEMPORARY)
    ledger.pass_through(900, POSSIBLE)
    ledger.leave(2)
    ledger.enter(5, 10, ACTIVATION)
    peak, largest = ledger.at_peak()
    assert peak == 1000 + 30 + 50 + 20
    assert [(one["name"], one["bytes"]) for one in largest] == [("aten.op3", 50), ("aten.op2", 30), ("aten.op4", 20)]


def test_the_hungriest_are_the_largest_of_each_place() -> None:
    ledger = Ledger()
    for size in range(3 * HUNGRY):
        ledger.operations.append(Operation("aten.mm", (size,), size, line=f"encoder.py:{size % (HUNGRY + 5)}"))
    found = ledger.hungriest()
    assert len(found) == HUNGRY
    assert [one["bytes"] for one in found] == list(range(3 * HUNGRY - 1, 2 * HUNGRY - 1, -1))


def test_words_of_an_operation_are_cut() -> None:
    words = Operation("n" * 999, tuple(range(50)), line="l" * 999, library="b" * 999, dtype="d" * 99).words()
    assert [len(words[key]) for key in ("name", "shape", "line", "library", "dtype")] == [100, 8, 300, 300, 20]
