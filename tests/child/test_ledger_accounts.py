"""More of the books of a call, by hand: what counts towards the peak, what is named, what is forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from audio_encoder_checker.child.ledger import (
    ACTIVATION,
    GONE,
    INPUT,
    LARGEST,
    ON_CPU,
    POSSIBLE,
    TEMPORARY,
    WEIGHT,
    Ledger,
    Operation,
)


def performed(ledger: Ledger, *changes: tuple[int, int]) -> None:
    """One operation for each storage that comes, none for one that goes: `(key, bytes or GONE)`."""
    for key, size in changes:
        if size == GONE:
            ledger.leave(key)
        else:
            ledger.operations.append(Operation(f"aten.op{key}", (size,)))
            ledger.enter(key, size, ACTIVATION)


def largest(ledger: Ledger) -> list[tuple[str, int]]:
    return [(one["name"], one["bytes"]) for one in ledger.at_peak()[1]]


class TestRows:
    def test_a_row_tells_the_operation_that_ran_last(self) -> None:
        ledger = Ledger()
        performed(ledger, (1, 10), (2, 20), (1, GONE), (3, 30))
        assert ledger.rows() == [
            (1, 10, ACTIVATION, 0),
            (2, 20, ACTIVATION, 1),
            (1, GONE, ACTIVATION, 1),
            (3, 30, ACTIVATION, 2),
        ]

    def test_a_key_that_comes_again_is_another_storage(self) -> None:
        ledger = Ledger()
        performed(ledger, (7, 10), (7, GONE), (7, 10))
        assert [row[0] for row in ledger.rows()] == [1, 1, 2]

    def test_what_a_kernel_takes_comes_and_goes_at_once_under_a_number_of_its_own(self) -> None:
        ledger = Ledger()
        performed(ledger, (1, 10))
        ledger.pass_through(99, TEMPORARY)
        performed(ledger, (2, 20))
        assert ledger.rows()[1:] == [(2, 99, TEMPORARY, 0), (2, GONE, TEMPORARY, 0), (3, 20, ACTIVATION, 1)]
        assert set(ledger.live) == {1, 2}

    def test_what_leaves_leaves_as_the_kind_it_was(self) -> None:
        ledger = Ledger()
        ledger.enter(1, 10, INPUT)
        ledger.enter(2, 20, TEMPORARY + ON_CPU)
        ledger.leave(2)
        ledger.leave(1)
        assert [(number, kind) for number, size, kind, _ in ledger.rows() if size == GONE] == [
            (2, TEMPORARY + ON_CPU),
            (1, INPUT),
        ]


class TestBeginning:
    def test_nothing_of_the_time_before_is_kept_but_what_lives(self) -> None:
        ledger = Ledger()
        performed(ledger, (1, 10), (2, 20), (1, GONE))
        ledger.work.extend((1.0, 2.0, 3.0, 0.0))
        ledger.begin_call()
        assert ledger.rows() == [(1, 20, WEIGHT, -1)]
        assert (len(ledger.work), ledger.operations) == (0, [])

    def test_numbers_go_on_so_that_none_is_given_twice(self) -> None:
        ledger = Ledger()
        performed(ledger, (1, 10), (2, 20))
        ledger.begin_call()
        performed(ledger, (3, 30))
        assert [row[0] for row in ledger.rows()] == [1, 2, 3]

    def test_weights_weigh_in_each_call_anew(self) -> None:
        ledger = Ledger()
        performed(ledger, (1, 100))
        for _ in range(2):
            ledger.begin_call()
            performed(ledger, (2, 7), (2, GONE))
            assert ledger.at_peak()[0] == 107


class TestPeak:
    def test_of_nothing_is_nothing(self) -> None:
        assert Ledger().at_peak() == (0, [])

    def test_what_has_gone_makes_room(self) -> None:
        ledger = Ledger()
        performed(ledger, (1, 60), (2, 50), (1, GONE), (3, 40), (2, GONE), (3, GONE))
        assert ledger.at_peak()[0] == 110

    def test_names_what_is_there_then_and_not_what_is_largest_ever(self) -> None:
        ledger = Ledger()
        performed(ledger, (1, 100), (1, GONE), (2, 60), (3, 50))
        assert ledger.at_peak()[0] == 110
        assert largest(ledger) == [("aten.op2", 60), ("aten.op3", 50)]

    def test_the_first_of_two_equal_ones_is_told(self) -> None:
        ledger = Ledger()
        performed(ledger, (1, 100), (1, GONE), (2, 100))
        assert largest(ledger) == [("aten.op1", 100)]

    @pytest.mark.parametrize(
        ("kind", "counted"),
        [(INPUT, 40), (ACTIVATION, 40), (TEMPORARY, 40), (POSSIBLE, 0), (WEIGHT + ON_CPU, 0), (ACTIVATION + ON_CPU, 0)],
    )
    def test_counts_what_is_surely_on_the_gpu(self, kind: int, counted: int) -> None:
        ledger = Ledger()
        ledger.operations.append(Operation("aten.ones"))
        ledger.pass_through(40, kind)
        assert ledger.at_peak()[0] == counted

    def test_a_tensor_that_moves_to_the_gpu_counts_from_then_on(self) -> None:
        ledger = Ledger()
        ledger.operations.append(Operation("aten.ones"))
        ledger.enter(1, 500, ACTIVATION + ON_CPU)
        performed(ledger, (2, 10))
        assert ledger.at_peak()[0] == 10
        ledger.enter(1, 500, ACTIVATION)
        assert ledger.at_peak()[0] == 510

    def test_weights_count_and_are_not_named(self) -> None:
        ledger = Ledger()
        performed(ledger, (1, 1000))
        ledger.begin_call()
        performed(ledger, (2, 10))
        assert ledger.at_peak()[0] == 1010
        assert largest(ledger) == [("aten.op2", 10)]

    def test_only_the_largest_few_are_named(self) -> None:
        ledger = Ledger()
        performed(ledger, *((key, 10 * key) for key in range(1, LARGEST + 4)))
        assert [size for _, size in largest(ledger)] == [10 * key for key in range(LARGEST + 3, 3, -1)]

    def test_the_bytes_told_are_the_storage_s_and_not_all_of_its_operation_s(self) -> None:
        ledger = Ledger()
        ledger.operations.append(Operation("aten.gru", size=70))
        ledger.enter(1, 50, ACTIVATION)
        ledger.enter(2, 20, ACTIVATION)
        assert largest(ledger) == [("aten.gru", 50), ("aten.gru", 20)]


class TestHungriest:
    def test_one_place_is_told_once_with_its_largest(self) -> None:
        ledger = Ledger()
        ledger.operations += [Operation("aten.mm", size=size, line="encoder.py:3") for size in (5, 9, 7)]
        assert [one["bytes"] for one in ledger.hungriest()] == [9]

    @pytest.mark.parametrize("difference", [{"name": "aten.bmm"}, {"line": "encoder.py:4"}, {"library": "lib.py:1"}])
    def test_another_name_line_or_library_is_another_place(self, difference: dict[str, Any]) -> None:
        ledger = Ledger()
        one = Operation("aten.mm", size=5, line="encoder.py:3")
        ledger.operations += [one, replace(one, size=4, **difference)]
        assert [one["bytes"] for one in ledger.hungriest()] == [5, 4]

    def test_of_no_operations_are_none(self) -> None:
        assert Ledger().hungriest() == []
