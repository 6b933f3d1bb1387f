"""What a call does is in the books: each storage as it is by hand, and each operation with its line."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

from audio_encoder_checker.child.answers import Functions
from audio_encoder_checker.child.card import plugged_in
from audio_encoder_checker.child.devices import Pretence
from audio_encoder_checker.child.ledger import ACTIVATION, GONE, ON_CPU, POSSIBLE, TEMPORARY, WEIGHT, Ledger
from audio_encoder_checker.child.recorder import NUMBERS, Recorder, places
from audio_encoder_checker.child.tags import Tag, storage

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = str(Path(__file__).parent)
BYTES = 2 * 8 * 4
"""Of the audio `[2, 8]`."""


def recorder_of(function: Callable[[Tensor], Any], **how: Any) -> Recorder:
    """The books of a call of a function with audio on the card, whose result is held until the end."""
    recorder = Recorder(Pretence(ROOT), **how)
    with plugged_in(recorder.pretence), recorder, Functions(recorder.pretence), torch.inference_mode():
        audio = torch.ones(2, 8).to("cuda")
        recorder.begin_call()
        held = function(audio)
        recorder.pretence.tags.ledger = Ledger()  # what goes from here on is no part of the call
    del held
    return recorder


def books(function: Callable[[Tensor], Any]) -> Ledger:
    return recorder_of(function).ledger


def changes(ledger: Ledger) -> list[tuple[int, int]]:
    """`(bytes or GONE, kind)` of the storages of a call, without the audio's."""
    return [(size, kind) for _, size, kind, operation in ledger.rows() if operation >= 0]


def names(ledger: Ledger) -> list[str]:
    return [operation.name.removeprefix("aten.") for operation in ledger.operations]


def attended(audio: Tensor) -> Tensor:
    query = audio.view(1, 1, 2, 8)
    return nn.functional.scaled_dot_product_attention(query, query, query)


CAME, WENT = (BYTES, ACTIVATION), (GONE, ACTIVATION)


class TestStorages:
    def test_the_audio_is_there_before(self) -> None:
        assert books(lambda _: None).rows() == [(1, BYTES, WEIGHT, -1)]

    def test_a_result_is_a_storage(self) -> None:
        ledger = books(lambda a: a + 1)
        assert changes(ledger) == [CAME]
        assert (names(ledger), ledger.operations[0].size) == (["add"], BYTES)

    def test_what_comes_between_goes_when_the_next_is_there(self) -> None:
        ledger = books(lambda a: ((a + 1) * 2).tanh())
        assert ledger.rows()[1:] == [
            (2, BYTES, ACTIVATION, 0),
            (3, BYTES, ACTIVATION, 1),
            (2, GONE, ACTIVATION, 1),
            (4, BYTES, ACTIVATION, 2),
            (3, GONE, ACTIVATION, 2),
        ]

    def test_what_has_a_name_stays(self) -> None:
        def function(audio: Tensor) -> tuple[Tensor, ...]:
            first = audio + 1
            return first, first * 2

        assert changes(books(function)) == [CAME, CAME]

    @pytest.mark.parametrize(
        "view",
        [
            lambda a: a[:, 2:],
            lambda a: a.view(4, 4),
            lambda a: a.t(),
            lambda a: a.unfold(1, 4, 2),
            lambda a: a.expand(3, 2, 8),
            lambda a: a.chunk(2, 1),
        ],
    )
    def test_a_view_takes_nothing_and_does_nothing(self, view: Callable[[Tensor], Any]) -> None:
        ledger = books(view)
        assert names(ledger)
        assert not changes(ledger)
        assert all(operation.size == 0 for operation in ledger.operations)
        assert set(ledger.work) == {0.0}

    def test_a_view_holds_all_of_its_storage(self) -> None:
        ledger = books(lambda a: (a + 1)[0, :1])
        assert changes(ledger) == [CAME]

    @pytest.mark.parametrize(
        "change",
        [lambda a: a.add_(1), lambda a: a.zero_(), lambda a: a.clamp_(0, 1), nn.functional.relu_],
    )
    def test_what_happens_in_place_takes_nothing(self, change: Callable[[Tensor], Any]) -> None:
        ledger = books(change)
        assert not changes(ledger)
        assert names(ledger)
        assert all(operation.size == 0 for operation in ledger.operations)

    def test_in_place_on_an_intermediate_keeps_it(self) -> None:
        assert changes(books(lambda a: (a + 1).mul_(2).sub_(1))) == [CAME]

    def test_each_of_several_results_is_a_storage(self) -> None:
        ledger = books(lambda a: a.max(1))
        assert changes(ledger) == [(2 * 4, ACTIVATION), (2 * 8, ACTIVATION)]
        assert ledger.operations[0].size == 2 * 4 + 2 * 8

    def test_what_is_made_on_the_cpu_is_told_apart(self) -> None:
        ledger = books(lambda a: (torch.zeros(3), torch.zeros(3, device=a.device)))
        assert changes(ledger) == [(12, ACTIVATION + ON_CPU), (12, ACTIVATION)]
        assert [kind >= ON_CPU for kind in ledger.work[3::4]] == [True, False]

    def test_a_copy_to_the_cpu_is_there_and_the_original_too(self) -> None:
        assert changes(books(lambda a: (a + 1).cpu())) == [CAME, (BYTES, ACTIVATION + ON_CPU), WENT]

    def test_what_a_kernel_takes_comes_and_goes(self) -> None:
        ledger = books(lambda a: torch.complex(a, a).abs())
        taken, complex_ = (2 * BYTES, TEMPORARY), (2 * BYTES, ACTIVATION)
        assert changes(ledger) == [complex_, CAME, taken, (GONE, TEMPORARY), WENT]
        assert (ledger.operations[-1].size, ledger.operations[-1].taken) == (BYTES + 2 * BYTES, 2 * BYTES)

    def test_what_it_perhaps_takes_is_told_apart(self) -> None:
        sizes = [size for size, kind in changes(books(lambda a: a.sort())) if kind == POSSIBLE]
        assert sizes == [2 * BYTES, GONE]

    def test_what_a_kernel_was_seen_to_take_is_perhaps_taken_again(self) -> None:
        ledger = recorder_of(lambda a: a.tanh(), hidden={"aten.tanh": 1.5, "aten.add": 9.0}).ledger
        assert changes(ledger) == [CAME, (int(1.5 * BYTES), POSSIBLE), (GONE, POSSIBLE)]

    def test_a_small_module_is_what_it_is_by_hand(self) -> None:
        layers = nn.Sequential(nn.Linear(8, 4), nn.ReLU(inplace=True), nn.Linear(4, 6, bias=False))
        pretence = Pretence(ROOT)
        recorder = Recorder(pretence)
        with plugged_in(pretence), recorder, Functions(pretence), torch.inference_mode():
            audio = torch.ones(2, 8).to("cuda")
            layers.to("cuda")
            recorder.begin_call()
            output = layers(audio)
        before = sorted((size, kind) for _, size, kind, operation in recorder.ledger.rows() if operation < 0)
        bias, first, second = 4 * 4, 8 * 4 * 4, 4 * 6 * 4
        narrow, wide = 2 * 4 * 4, 2 * 6 * 4
        assert before == [(size, WEIGHT) for size in (bias, BYTES, second, first)]
        assert changes(recorder.ledger) == [(narrow, ACTIVATION), (wide, ACTIVATION), WENT]
        assert [name for name in names(recorder.ledger) if name != "t"] == ["addmm", "relu_", "mm"]
        assert recorder.ledger.at_peak()[0] == bias + first + second + BYTES + narrow + wide
        assert tuple(output.shape) == (2, 6)


class TestOperations:
    def test_shape_kind_and_reading_are_told(self) -> None:
        operation = books(lambda a: a.double() @ torch.ones(8, 5, dtype=torch.float64, device=a.device)).operations[-1]
        assert operation.name == "aten.mm"
        assert (operation.shape, operation.dtype) == ((2, 5), "float64")
        assert (operation.size, operation.read) == (2 * 5 * 8, 2 * 8 * 8 + 8 * 5 * 8)

    def test_there_is_one_row_of_work_for_each(self) -> None:
        ledger = books(lambda a: (a.t() @ a).sum())
        assert len(ledger.work) == 4 * len(ledger.operations)
        assert list(ledger.work[4:8]) == [2 * 8 * 8 * 2, 4 * (16 + 16 + 64), 1, 0]

    def test_composite_ones_are_taken_apart(self) -> None:
        assert names(books(lambda a: nn.functional.linear(a, torch.ones(5, 8, device=a.device)))) == ["ones", "t", "mm"]

    def test_but_attention_is_one(self) -> None:
        ledger = books(attended)
        assert names(ledger)[-1] == "scaled_dot_product_attention"
        assert changes(ledger) == [CAME]

    def test_python_between_operations_is_time_of_the_cpu(self) -> None:
        def function(audio: Tensor) -> Tensor:
            until = time.thread_time() + 0.2
            while time.thread_time() < until:
                pass
            return audio + 1

        assert recorder_of(function).cpu_s >= 0.2
        assert recorder_of(lambda a: a + 1).cpu_s < 0.1


class TestPlaces:
    def test_the_innermost_line_of_the_repository_is_told(self) -> None:
        def function(audio: Tensor) -> Tensor:
            return audio + 1  # here

        line = function.__code__.co_firstlineno + 1
        assert books(function).operations[0].line == f"test_recorder.py:{line}"

    def test_torch_s_own_lines_are_no_library_s(self) -> None:
        layers = nn.Sequential(nn.Tanh())
        operation = books(lambda a: layers(a)).operations[0]  # noqa: PLW0108 - a line of this file
        assert operation.line.startswith("test_recorder.py:")
        assert operation.library == ""

    def test_a_library_that_is_called_is_told_with_the_line_that_calls_it(self) -> None:
        library = compiled("/somewhere/site-packages/whisperer/model.py", "\n\ndef run(a):\n    return a + 1\n")
        operation = books(lambda a: library["run"](a)).operations[0]  # noqa: PLW0108 - a line of this file
        assert operation.line.startswith("test_recorder.py:")
        assert operation.library == "whisperer/model.py:4"

    def test_the_innermost_of_two_libraries_is_told(self) -> None:
        inner = compiled("/x/site-packages/inner.py", "def run(a):\n    return a + 1\n")
        outer = compiled("/x/site-packages/outer.py", "def run(a, inner):\n    return inner(a)\n")
        assert books(lambda a: outer["run"](a, inner["run"])).operations[0].library == "inner.py:2"

    def test_what_no_line_of_the_repository_led_to_has_none(self) -> None:
        found: dict[str, Any] = {"places": lambda: places("/another/repository")}
        assert compiled("/another/repository/encoder.py", "found = places()\n", **found)["found"][0]
        assert found["places"]()[0] == ""

    def test_a_folder_whose_name_begins_alike_is_another(self) -> None:
        found: dict[str, Any] = {"places": lambda: places("/another/repo")}
        assert compiled("/another/repository/encoder.py", "found = places()\n", **found)["found"][0] == ""


def compiled(file: str, source: str, **known: Any) -> dict[str, Any]:
    """What a file defines, that is nowhere."""
    scope = dict(known)
    exec(compile(source, file, "exec"), scope)  # noqa: S102 - as a file, so that lines have a place
    return scope


class TestSymbols:
    def symbolic(self, function: Callable[[Tensor], Any]) -> tuple[Recorder, Any]:
        mode = FakeTensorMode(allow_non_fake_inputs=True, static_shapes=True)
        recorder = Recorder(Pretence(ROOT), symbolic=mode)
        with torch.inference_mode(), mode:
            audio = torch.empty(2, 8)
            with plugged_in(recorder.pretence), recorder, Functions(recorder.pretence):
                moved = audio.to("cuda")
                recorder.begin_call()
                result = function(moved)
                recorder.pretence.tags.ledger = Ledger()
        return recorder, result

    @pytest.mark.parametrize(
        "function",
        [
            lambda a: ((a + 1) * 2).tanh(),
            lambda a: (a + 1)[0, :1],
            lambda a: a.add_(1),
            lambda a: a.max(1),
            lambda a: torch.complex(a, a).abs(),
            lambda a: (a + 1).cpu(),
            attended,
        ],
    )
    def test_the_books_are_the_same_without_data(self, function: Callable[[Tensor], Any]) -> None:
        recorder, held = self.symbolic(function)
        real = books(function)
        assert held is not None
        assert changes(recorder.ledger) == changes(real)
        assert names(recorder.ledger) == names(real)
        assert recorder.ledger.work == real.work

    def test_small_whole_numbers_keep_their_values(self) -> None:
        lengths = torch.tensor([3, 4])
        _, result = self.symbolic(lambda _: lengths * 2 + 1)
        assert not isinstance(result, FakeTensor)
        assert result.tolist() == [7, 9]

    @pytest.mark.parametrize("known", [torch.ones(2), torch.ones(NUMBERS + 1, dtype=torch.int64)])
    def test_other_numbers_and_many_do_not(self, known: Tensor) -> None:
        assert isinstance(self.symbolic(lambda _: known + 1)[1], FakeTensor)

    def test_a_symbol_stands_for_the_memory_of_its_tensor(self) -> None:
        recorder = Recorder(Pretence(ROOT), symbolic=FakeTensorMode(allow_non_fake_inputs=True, static_shapes=True))
        weight = torch.ones(8, 3)
        recorder.tags.put(weight, Tag("cuda"))
        fake = recorder.symbol(weight)
        assert recorder.tags.device(fake) == "cuda"
        assert recorder.ledger.rows() == [(1, 8 * 3 * 4, ACTIVATION, -1)]
        del fake
        assert len(recorder.ledger.rows()) == 1

    def test_a_symbol_is_where_its_tensor_is(self) -> None:
        mode = FakeTensorMode(allow_non_fake_inputs=True, static_shapes=True)
        recorder = Recorder(Pretence(ROOT), symbolic=mode)
        plain = torch.ones(4)
        fake = recorder.symbol(plain)
        tag = recorder.tags.of(fake)
        assert isinstance(fake, FakeTensor)
        assert tag
        assert tag.device == "cpu"
        assert recorder.symbol(fake) is fake
        assert storage(recorder.symbol(plain)) is storage(fake)

    def test_what_fails_has_a_row_of_its_own(self) -> None:
        def function(audio: Tensor) -> Tensor:
            with pytest.raises(RuntimeError):
                audio @ audio
            return audio + 1

        ledger = self.symbolic(function)[0].ledger
        assert names(ledger) == ["mm", "add"]
        assert list(ledger.work[:4]) == [0.0] * 4
        assert len(ledger.work) == 8

    def test_what_was_assumed_is_told(self) -> None:
        recorder, found = self.symbolic(lambda a: a.nonzero())
        assert recorder.unsure == {"nonzero"}
        assert tuple(found.shape) == (16, 2)


def test_nobody_is_recording_afterwards() -> None:
    recorder = recorder_of(lambda a: a + 1)
    before = len(recorder.ledger.operations)
    torch.ones(3).add(1)
    assert len(recorder.ledger.operations) == before
    assert recorder.busy == 0


def test_nor_after_an_error() -> None:
    recorder = Recorder(Pretence(ROOT))
    with (
        pytest.raises(RuntimeError, match="mat1 and mat2"),
        plugged_in(recorder.pretence),
        recorder,
        Functions(recorder.pretence),
        torch.inference_mode(),
    ):
        torch.ones(2, 3).mm(torch.ones(2, 3))
    before = len(recorder.ledger.operations)
    torch.ones(3).add(1)
    assert len(recorder.ledger.operations) == before
    assert recorder.busy == 0
