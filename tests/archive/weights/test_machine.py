"""The names that a pickle imports, against hand-made pickles and against Python's own unpickler."""

from __future__ import annotations

import pickle  # the oracle: its `find_class` is replaced, so that it imports and calls nothing
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_encoder_checker.archive.weights.machine import (
    FEW_OPCODES,
    LITERAL_OPCODES,
    MAX_HELD_BYTES,
    MAX_NAMES,
    MAX_SPARSE_MEMO,
    MAX_VALUES,
    Machine,
)
from audio_encoder_checker.archive.weights.streams import Budget, memory_stream
from tests.weights import PROTO2, PROTO4, STOP, called, named, stacked, state_dict, storage, tensor, text, whole

if TYPE_CHECKING:
    from audio_encoder_checker.archive.weights.walks import Walk

UNTOLD = ("?", "?")


def walk(data: bytes, opcodes: int = 1_000_000) -> Walk:
    return Machine(memory_stream(data), Budget(opcodes), lambda _: False).run()


def names(data: bytes) -> set[tuple[str, str]]:
    return {(one.module, one.name) for one in walk(data).uses}


@pytest.mark.parametrize(
    "data",
    [
        whole(named("os", "system"), proto=PROTO2),
        whole(stacked("os", "system")),
        b"S'os'\nS\"system\"\n\x93.",
        b"Vos\np2\n0Vsystem\np3\n0Vtorch\nVSize\ng2\ng3\n\x93.",
        b"(ios\nsystem\n.",
        whole(text("os"), b"\x94", text("x"), b"0", text("system"), b"\x94", b"h\0h\1\x93"),
        whole(text("os"), b"(NNt0", text("system"), b"\x93"),
        whole(text("os"), b"(1", text("system"), b"\x93"),
        whole(text("os"), text("system"), b"(00", text("system"), b"\x93"),
        whole(b"(", text("os"), text("system"), b"\x931", named("os", "system")),
        b"U\2osU\6system\x93.",
        b"S'\\157\\x73'\nS'sys\\\ntem'\n\x93.".replace(b"\\\n", b""),
        b"V\\u006fs\nVsystem\n\x93.",
        b"X\2\0\0\0os\x8d\6\0\0\0\0\0\0\0system\x93.",
    ],
)
def test_a_name_is_found_however_it_is_written(data: bytes) -> None:
    assert names(data) == {("os", "system")}


def test_the_memo_decides_which_text_is_meant() -> None:
    swapped = text("torch") + b"q\0" + text("os") + b"q\0" + text("Size") + b"q\1" + text("system") + b"q\1"
    assert names(whole(swapped, b"h\0h\1\x93")) == {("os", "system")}


def test_memoize_counts_the_places_that_are_taken() -> None:
    scattered = text("a") + b"q\7" + text("os") + b"\x94" + text("system") + b"\x94"
    assert names(whole(scattered, b"h\1h\2\x93")) == {("os", "system")}
    filled_up = text("a") + b"q\1q\0q\1" + text("os") + b"\x94" + text("system") + b"\x94"
    assert names(whole(filled_up, b"h\2h\3\x93")) == {("os", "system")}


@pytest.mark.parametrize(
    "data",
    [
        whole(text("os"), b"K\1\x93"),
        whole(called(named("builtins", "str")), text("system"), b"\x93"),
        whole(text("o" * 2000), text("system"), b"\x93"),
        whole(b"h\5", text("system"), b"\x93"),
        whole(b"\x93"),
        b"Vos\np" + b"0" * 70 + b"5\n.",
    ],
)
def test_a_name_that_cannot_be_told_is_said_to_be_unknown(data: bytes) -> None:
    assert UNTOLD in names(data)


def test_extensions_are_unknown_names() -> None:
    assert names(whole(b"\x82\1")) == {("?", "extension 1")}


def use(data: bytes) -> tuple[int, int, bool, bool, bool]:
    (one,) = walk(data).uses.values()
    return one.pushes, one.calls, one.constructed, one.blind, one.changed


def test_it_is_known_what_is_done_with_a_name() -> None:
    assert use(whole(named("a", "B"))) == (1, 0, False, True, False)
    assert use(whole(called(named("a", "B"), b"N"))) == (1, 1, True, True, False)
    assert use(whole(named("a", "B"), b")\x81")) == (1, 1, False, True, False)
    assert use(whole(named("a", "B"), b")}\x92")) == (1, 1, False, True, False)
    assert use(whole(b"(", named("a", "B"), b"No")) == (1, 1, True, True, False)
    assert use(whole(named("a", "B"), b"}b")) == (1, 0, False, True, True)


def test_what_calls_its_own_results_may_call_any_of_its_names() -> None:
    assert use(whole(named("a", "B"), b")\x81)R"))[2:4] == (True, True)


GETATTR = named("builtins", "getattr")


@pytest.mark.parametrize("function", [GETATTR, named("__builtin__", "getattr"), stacked("builtins", "getattr")])
def test_what_getattr_takes_of_a_class_is_a_name(function: bytes) -> None:
    found = walk(whole(function, named("a", "Kind"), text("RED"), b"\x86R"))
    assert {(one.module, one.name): (use.pushes, use.calls, use.members) for one, use in found.uses.items()} == {
        (next(iter(found.uses)).module, "getattr"): (1, 1, 1),
        ("a", "Kind"): (1, 0, 0),
        ("a", "Kind.RED"): (1, 0, 0),
    }


@pytest.mark.parametrize(
    "arguments",
    [
        (named("a", "Kind"),),
        (named("a", "Kind"), text("RED"), b"N"),
        (named("a", "Kind"), b"N"),
        (text("a"), text("RED")),
        (named("a", "Kind") + b")\x81", text("RED")),
    ],
)
def test_other_uses_of_getattr_take_no_member(arguments: tuple[bytes, ...]) -> None:
    found = walk(whole(called(GETATTR, *arguments)))
    assert [use.members for one, use in found.uses.items() if one.name == "getattr"] == [0]


def test_what_is_called_by_what_it_is_given_to_is_called() -> None:
    rebuild = named("torch._tensor", "_rebuild_from_type_v2")
    found = walk(whole(called(rebuild, named("a", "f"), named("a", "T"), b")", b"}")))
    assert {one.name: use.calls for one, use in found.uses.items()} == {"_rebuild_from_type_v2": 1, "f": 1, "T": 0}
    assert walk(whole(called(rebuild, b"N"))).blind_calls


def test_storages_are_counted_by_key() -> None:
    found = walk(state_dict(tensor("0", 3), tensor("0", 3), tensor("1", 2, "HalfStorage")))
    assert {key: tuple(one) for key, one in found.storages.items()} == {
        "0": ("FloatStorage", 3),
        "1": ("HalfStorage", 2),
    }


def test_the_first_opcode_that_weights_only_refuses_is_named() -> None:
    assert walk(PROTO2 + b"}.").refused == ""
    assert walk(whole(text("a"))).refused == "SHORT_BINUNICODE"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (PROTO4 + b"}", "breaks off after 3 bytes"),
        (b"", "breaks off after 0 bytes"),
        (PROTO4 + b"\xff.", "byte 2 is no opcode"),
        (b"T\xff\xff\xff\xff.", "negative length"),
        (b"Sos\n.", "has no quotes"),
        (b"X\xff\xff\xff\x7fa", "breaks off"),
        (b"\x8e\xff\xff\xff\xff\xff\xff\xff\xffa", "breaks off"),
        (b"cos\nsystem", "breaks off"),
    ],
)
def test_a_broken_pickle_says_how(data: bytes, words: str) -> None:
    assert words in walk(data).broken


def test_what_comes_before_the_break_counts() -> None:
    assert names(called(named("os", "system"), b"N") + b"\xff") == {("os", "system")}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"N" * 50_000 + STOP, "too long"),
        (b"".join(b"ca\nb%d\n" % number for number in range(MAX_NAMES + 1)), "names"),
        (b"N" * (MAX_VALUES + 2 * FEW_OPCODES), "too many values"),
        (b"(" * (MAX_VALUES + 2 * FEW_OPCODES), "too many values"),
        (b"N" + b"\x94" * (MAX_VALUES + 2 * FEW_OPCODES), "too many values"),
        (text("a" * 1000) * (MAX_HELD_BYTES // 1000), "too many values"),
        (b"N" + b"".join(b"p%d\n" % (2 * number + 9) for number in range(MAX_SPARSE_MEMO + 2)), "scattered"),
    ],
)
def test_hostile_pickles_end_at_a_limit(data: bytes, words: str) -> None:
    assert words in walk(data, 40_000 if words == "too long" else 4_000_000).too_much


def test_a_name_that_is_too_long_is_not_held() -> None:
    assert names(b"c" + b"a" * 2000 + b"\nb\n.") == {("?", "b")}


def test_too_many_storages_end_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audio_encoder_checker.archive.weights.machine.MAX_STORAGES", 2)
    assert "storages" in walk(b"".join(storage(str(number), 1) for number in range(4))).too_much


def test_texts_cost_more_than_other_opcodes() -> None:
    budget = Budget(10_000)
    Machine(memory_stream(whole(text("a"))), budget, lambda _: False).run()
    assert budget.opcodes == 10_000 - 3 - LITERAL_OPCODES


def test_only_the_opcodes_that_there_are_cost() -> None:
    budget = Budget(10_000)
    Machine(memory_stream(whole(b"NNN")), budget, lambda _: False).run()
    assert budget.opcodes == 10_000 - 5


class Oracle(pickle.Unpickler):
    """Python's unpickler, which here makes of every name an inert class, and writes the name down."""

    def __init__(self, data: bytes) -> None:
        super().__init__(BytesIO(data), fix_imports=False)
        self.names: set[tuple[str, str]] = set()

    def find_class(self, module: str, name: str, /) -> type:
        self.names.add((module, name))
        return type("Inert", (), {"__init__": lambda *_: None, "__new__": lambda cls, *_: object.__new__(cls)})

    def persistent_load(self, _: Any, /) -> None:
        return None


PIECES = [
    *(text("a"), text("b"), text("os"), b"Vx\n", b"S'y'\n", b"K\1", b"J\xff\xff\xff\xff", b"N", b"\x88"),
    *(b"]", b"}", b")", b"\x8f", b"(", b"0", b"1", b"2", b"t", b"\x85", b"\x86", b"\x87", b"l", b"d", b"(\x91"),
    *(b"a", b"e", b"s", b"u", b"\x90", b"\x93", b"cm\nn\n", b"(im\nk\n", b"(cm\no\no", b"R", b"\x81", b"b", b"Q"),
    *(b"\x94", b"q\0", b"q\1", b"q\5", b"p2\n", b"r\3\0\0\0", b"h\0", b"h\1", b"h\2", b"g5\n", b"j\3\0\0\0"),
    b"\x95\0\0\0\0\0\0\0\0",
]
FULL = b"".join(text(word) + b"\x94" for word in "abcdef")
"""Six texts on the stack and in the memo."""
ON_TEXTS = [
    *(text("g"), text("h"), b"K\1", b"(", b"0", b"1", b"2", b"\x93", b"\x850", b"00", b"(0", b"(N1"),
    *(b"\x94", b"q\0", b"q\1", b"q\6", b"q\7", b"h\0", b"h\1", b"h\5", b"h\6", b"h\7", b"h\10", b"h\11"),
]


def imported_by_python(data: bytes) -> set[tuple[str, str]]:
    oracle = Oracle(data)
    with suppress(Exception):  # most random pickles fail somewhere; what was imported by then counts
        oracle.load()
    return oracle.names


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_every_name_that_python_would_import_is_found(pieces: list[bytes]) -> None:
    data = PROTO4 + FULL + b"".join(pieces) + STOP
    assert imported_by_python(data) <= names(data)


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(ON_TEXTS), min_size=4, max_size=30), st.integers(0, 9), st.integers(6, 8))
def test_whatever_is_done_with_texts_the_name_made_of_them_is_known(pieces: list[bytes], one: int, other: int) -> None:
    data = PROTO4 + FULL + b"".join(pieces) + bytes((*b"h", one, *b"h", other, *b"\x93")) + STOP
    assert imported_by_python(data) <= names(data)
