"""What the CPU's allocator gave, read from the profiler, and its peak by hand."""

from __future__ import annotations

import torch
from torch._C._profiler import _RecordFunctionFast

from audio_encoder_checker.child.recorder import MARK
from audio_encoder_checker.child.truth import NOWHERE, Truth, observed

KIB = 1 << 10


def of(*changes: tuple[int, int]) -> Truth:
    """`(bytes, operation)`, one after the other."""
    return Truth([(moment, size, operation) for moment, (size, operation) in enumerate(changes)])


class TestPeak:
    def test_of_nothing_is_nothing(self) -> None:
        assert Truth().peak(()) == (0, {})

    def test_is_the_most_at_once(self) -> None:
        assert of((10, 0), (30, 1), (-10, NOWHERE), (15, 2), (-30, NOWHERE)).peak(())[0] == 45

    def test_what_an_operation_takes_and_gives_back_is_counted_and_told(self) -> None:
        peak, hidden = of((10, 0), (100, 1), (20, 1), (-100, 1), (5, 2)).peak(())
        assert peak == 130
        assert hidden == {0: 0, 1: 100, 2: 0}

    def test_an_excepted_operation_counts_with_what_it_leaves(self) -> None:
        peak, hidden = of((10, 0), (100, 1), (20, 1), (-100, 1), (5, 2)).peak([1])
        assert peak == 35
        assert 1 not in hidden

    def test_what_an_excepted_operation_leaves_is_there_afterwards(self) -> None:
        assert of((100, 0), (50, 0), (-50, 0), (20, 1)).peak([0])[0] == 120

    def test_an_operation_that_frees_more_than_it_takes_hides_what_it_took(self) -> None:
        assert of((100, 0), (30, 1), (-100, 1), (-30, 1)).peak(())[1] == {0: 0, 1: 30}

    def test_between_operations_nothing_is_hidden(self) -> None:
        peak, hidden = of((10, 0), (50, NOWHERE), (-50, NOWHERE)).peak(())
        assert peak == 60
        assert hidden == {0: 0}

    def test_what_was_there_before_may_go(self) -> None:
        assert of((-500, NOWHERE), (100, 0), (-100, NOWHERE)).peak(())[0] == 0


class TestObserved:
    def test_a_tensor_is_its_bytes_and_goes_when_nobody_holds_it(self) -> None:
        with observed() as seen:
            tensor = torch.zeros(KIB)
            del tensor
        assert [size for _, size, _ in seen.changes] == [4 * KIB, -4 * KIB]

    def test_changes_are_in_order_of_time(self) -> None:
        with observed() as seen:
            held = [torch.zeros(KIB * size) for size in (1, 2, 3)]
        assert len(held) == 3
        assert [size for _, size, _ in seen.changes] == [4 * KIB, 8 * KIB, 12 * KIB]
        assert seen.changes == sorted(seen.changes)

    def test_what_happens_under_a_mark_is_of_that_operation(self) -> None:
        with observed() as seen:
            first = torch.zeros(KIB)
            with _RecordFunctionFast(f"{MARK}7"):
                second = first + 1
            third = second + 1
        assert third[0] == 2
        assert [operation for _, size, operation in seen.changes if size == 4 * KIB] == [NOWHERE, 7, NOWHERE]

    def test_what_a_kernel_takes_meanwhile_is_seen(self) -> None:
        image, weight = torch.zeros(1, 8, 64, 64), torch.zeros(8, 8, 3, 3)
        with torch.inference_mode(), observed() as seen, _RecordFunctionFast(f"{MARK}0"):
            result = (image.transpose(2, 3).double() * weight.sum()).float()
        peak, hidden = seen.peak(())
        inside = 2 * 8 * image.numel()  # two results in double precision, of which the first is still there
        assert result.numel() == image.numel()
        assert inside <= peak <= inside + 4 * image.numel() + KIB
        assert hidden[0] == peak - 4 * image.numel()

    def test_nothing_is_noted_before_or_after(self) -> None:
        before = torch.zeros(KIB)
        with observed() as seen:
            pass
        assert torch.equal(before, torch.zeros(KIB))
        assert not seen.changes
