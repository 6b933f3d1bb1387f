"""What a pickle holds, against Python's own unpickler and against pickles that no program writes."""

from __future__ import annotations

import pickle  # the oracle, of what this file has made itself
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_encoder_checker.archive.weights import tree as trees
from audio_encoder_checker.archive.weights.streams import Budget, memory_stream
from audio_encoder_checker.archive.weights.tree import MAX_TEXT, NoTreeError, read_tree
from audio_encoder_checker.archive.weights.values import UNTOLD, Opaque, Table, Tensor, storages_below, tensors_below
from tests.weights import EVIL, called, named, stacked, state_dict, storage, tensor, text, whole

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text("abcäß\n\x00", max_size=20),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text("abc", max_size=5), inner),
    max_leaves=30,
)


def tree(data: bytes, opcodes: int = 1_000_000) -> object:
    return read_tree(memory_stream(data), Budget(opcodes))


def as_python(value: object) -> object:
    if isinstance(value, Table):
        return {key: as_python(one) for key, one in value.pairs}
    if type(value) in {list, tuple}:
        return type(value)(as_python(one) for one in value)  # type: ignore[call-arg, attr-defined]
    return value


@settings(max_examples=200)
@given(PLAIN, st.sampled_from([0, 1, 2, 3, 4, 5]))
def test_plain_values_are_what_pickle_makes_of_them(value: object, protocol: int) -> None:
    found, expected = as_python(tree(pickle.dumps(value, protocol))), value
    if protocol < 2:  # True and False are the numbers 1 and 0 there
        assert repr(found) == repr(expected).replace("True", "1").replace("False", "0")
    else:
        assert (found, repr(found)) == (expected, repr(expected))


def test_the_last_of_two_equal_keys_counts() -> None:
    found = tree(whole(b"}(", text("a"), b"K\1", text("a"), b"K\2", b"u"))
    assert isinstance(found, Table)
    assert found.items() == {"a": 2}


def test_what_does_not_matter_is_not_told() -> None:
    found = tree(pickle.dumps([1.5, b"bytes", "x" * (MAX_TEXT + 1), 1 << 5000]))
    assert found == [UNTOLD] * 4


def test_nothing_is_imported_or_called() -> None:
    found = tree(EVIL)
    assert isinstance(found, Opaque)
    assert (found.name, found.parts) == ("os.system", ["true"])


@pytest.mark.parametrize(
    "table",
    [
        called(stacked("collections", "OrderedDict")),
        called(stacked("collections", "defaultdict"), stacked("builtins", "list")),
        stacked("collections", "OrderedDict") + b")\x81",
        called(named("collections", "OrderedDict"), b"](](" + text("w") + b"K\0ee"),
        called(stacked("builtins", "dict"), b"}(" + text("w") + b"K\0u"),
    ],
)
def test_dictionaries_of_all_kinds_hold_what_is_put_into_them(table: bytes) -> None:
    found = tree(whole(table, b"(", text("w"), tensor("7", 3), b"u"))
    assert isinstance(found, Table)
    (only,) = found.items().values()
    assert isinstance(only, Tensor)
    assert (only.storage.key, only.dtype, only.shape, only.size_bytes) == ("7", "float32", (3,), 12)


def test_a_parameter_is_its_tensor() -> None:
    found = tree(whole(called(named("torch._utils", "_rebuild_parameter"), tensor("0", 3), b"\x88", b"}")))
    assert isinstance(found, Tensor)


def test_a_size_is_a_tuple() -> None:
    assert tree(whole(called(named("torch", "Size"), b"K\1K\2\x86"))) == (1, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        called(named("torch._utils", "_rebuild_tensor_v2"), b"K\0", b"K\0", b")", b")"),
        called(named("torch._utils", "_rebuild_tensor_v2"), storage("0", 3), b"J\xff\xff\xff\xff", b")", b")"),
        called(named("torch._utils", "_rebuild_tensor_v2"), storage("0", 3), b"K\0", b"K\3\x85", b")"),
        called(named("torch._utils", "_rebuild_tensor_v2"), storage("0", 3), b"K\0", b"]", b"]"),
        called(named("torch._utils", "_rebuild_tensor_v2"), storage("0", 3, "OddStorage"), b"K\0", b")", b")"),
        called(named("torch._utils", "_rebuild_tensor_v2"), storage("0", 3), b"K\0", b"(" + b"K\1" * 40 + b"t", b"(" + b"K\1" * 40 + b"t"),  # noqa: E501 - fmt
        called(named("torch._utils", "_rebuild_qtensor"), storage("0", 3), b"K\0", b")", b")"),
        called(named("torch._utils", "_rebuild_tensor_v3"), storage("0", 3), b"K\0", b")", b")", b"\x89", b"}", b"N"),
    ],
)  # fmt: skip
def test_what_is_no_plain_tensor_is_an_object_of_which_the_storage_is_known(wrong: bytes) -> None:
    found = tree(whole(wrong))
    assert isinstance(found, Opaque)
    assert set(storages_below(found)) <= {"0"}


def test_numbers_that_are_read_conjugate_are_no_plain_tensor() -> None:
    pair = b"}(" + text("conj") + b"\x88u"
    arguments = (storage("0", 3, "ComplexFloatStorage"), b"K\0", b"K\3\x85", b"K\1\x85", b"\x89", b"}", pair)
    assert isinstance(tree(whole(called(named("torch._utils", "_rebuild_tensor_v2"), *arguments))), Opaque)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "breaks off after 0 bytes"),
        (b"\x80\x04}", "breaks off after 3 bytes"),
        (b"\xff", "is no opcode"),
        (b".", "empty stack"),
        (b"K\1K\2\x87.", "empty stack"),
        (b"u.", "lacks its mark"),
        (b"(K\1K\1u.", "empty stack"),
        (b"}(K\1u.", "key that has no value"),
        (b"K\1K\2a.", "no list"),
        (b"K\1K\2K\3s.", "no dictionary"),
        (b"h\0.", "empty place of the memo"),
        (b"I-1\n0K\1p-1\n.", "place of the memo"),
        (b"\x82\1.", "the opcode EXT1"),
        (b"P1\n.", "the opcode PERSID"),
    ],
)
def test_a_pickle_that_breaks_a_rule_has_no_tree(data: bytes, why: str) -> None:
    with pytest.raises(NoTreeError, match=why):
        tree(data)


@pytest.mark.parametrize(
    "function", [b"]", b"}", b"K\1", text("x"), b"(" * 3 + b"t" * 3, b"]]\x86", stacked("a", "b"), b"N"]
)
def test_whatever_is_called_gives_an_object(function: bytes) -> None:
    assert isinstance(tree(whole(function, b")R")), Opaque)
    assert isinstance(tree(whole(function, b"]R")), Opaque)


@pytest.mark.parametrize("identity", [b"]", b"K\1", b")", b"(" + text("storage") + b"]]]]t", b"(]]]]]]t"])
def test_whatever_lies_outside_gives_an_object(identity: bytes) -> None:
    assert isinstance(tree(whole(identity, b"Q")), Opaque)


def test_a_list_that_holds_itself_is_walked_once() -> None:
    found = tree(whole(b"]\x94", b"h\0a", tensor("0", 3), b"a"))
    assert [one.storage.key for one in tensors_below(found)] == ["0"]


def test_what_doubles_at_every_level_is_walked_once() -> None:
    doubled = b"".join(b"q" + bytes((n,)) + b"h" + bytes((n,)) + b"\x86" for n in range(100))
    start = time.monotonic()
    found = tree(whole(tensor("0", 3), doubled))
    assert len(list(tensors_below(found))) == 2, "once for each place of the tuple that holds it"
    assert set(storages_below(found)) == {"0"}
    assert time.monotonic() - start < 5


def test_depth_costs_no_stack() -> None:
    found = tree(whole(tensor("0", 3), b"\x85" * 200_000))
    assert len(list(tensors_below(found))) == 1


def test_work_is_paid_for() -> None:
    budget = Budget(10_000)
    with pytest.raises(NoTreeError, match="takes too long"):
        read_tree(memory_stream(whole(b"N0" * 10_000)), budget)


def test_what_was_paid_and_not_used_comes_back() -> None:
    budget = Budget(10_000)
    read_tree(memory_stream(whole(b"N")), budget)
    assert budget.opcodes == 10_000 - 3


@pytest.mark.parametrize("body", [b"N" * 20_000 + b".", b"]0" * 20_000 + b"N."])
def test_too_many_values_are_not_held(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MAX_VALUES", 5000)
    with pytest.raises(NoTreeError, match="too many values"):
        tree(body)


def test_too_long_texts_are_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MAX_HELD_BYTES", 100_000)
    with pytest.raises(NoTreeError, match="too many values"):
        tree(whole((text("x" * 900) + b"0") * 5000))


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_no_bytes_do_anything_else(data: bytes) -> None:
    with suppress(NoTreeError):
        list(tensors_below(tree(data)))


@settings(max_examples=300)
@given(st.data())
def test_no_change_of_a_good_pickle_does_anything_else(data: st.DataObject) -> None:
    good = bytearray(state_dict(tensor("0", 3), tensor("1", 2, "HalfStorage")))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with suppress(NoTreeError):
        found = tree(bytes(good))
        for one in tensors_below(found):
            assert one.reach >= 0
            assert one.contiguous in {True, False}
        storages_below(found)
