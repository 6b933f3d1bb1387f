"""ZIP archives that hold weights, whole and broken in one way each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.weights.reading import read_weight_file
from audio_encoder_checker.archive.weights.streams import Budget
from audio_encoder_checker.evidence.weights import FlawKind, Safety, WeightFile, WeightKind
from tests.builders import Member, end_record, make_zip, raw_zip
from tests.weights import EVIL, GOOD_ZIP, npy, plain, state_dict, tensor, torch_zip, whole

if TYPE_CHECKING:
    from pathlib import Path

ONE = plain(state_dict(tensor("0", 3)))


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


class Reader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, data: bytes, name: str = "m.pt", budget: Budget | None = None) -> WeightFile:
        path = self.folder / name
        path.write_bytes(data)
        return read_weight_file(path, name, (), budget or Budget())


def words(file: WeightFile, kind: FlawKind) -> str:
    return "; ".join(flaw.detail for flaw in file.flaws_of(kind))


def test_a_checkpoint_tells_what_it_holds(read: Reader) -> None:
    found = read(GOOD_ZIP)
    assert (found.kind, found.safety, found.flaws) == (WeightKind.TORCH_ZIP, Safety.WEIGHTS_ONLY, ())
    assert (found.parameters, found.dtypes, found.pickles) == (5, (("float32", 3), ("float16", 2)), 1)


def test_torchscript_is_known_and_its_two_sets_of_storages_are_kept_apart(read: Reader) -> None:
    data = torch_zip(
        ONE,
        {"0": bytes(12)},
        m__constants_dot_pkl=plain(state_dict(tensor("0", 2))),
        m__constants__0=bytes(8),
        m__code__x_dot_py=b"x",
    )
    found = read(data)
    assert (found.kind, found.parameters, found.flaws) == (WeightKind.TORCHSCRIPT, 5, ())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (torch_zip(ONE, {}), "'m/data/0' is missing, which 'm/data.pkl' refers to"),
        (torch_zip(ONE, {"0": bytes(11)}), "has 11 bytes, 'm/data.pkl' expects 12"),
        (torch_zip(ONE[:-1], {"0": bytes(12)}), "'m/data.pkl': the pickle breaks off"),
        (GOOD_ZIP[:-30], "there is no end record"),
        (GOOD_ZIP[:200], "there is no end record"),
        (raw_zip(Member(b"m/data.pkl", ONE, after=b"hidden"), Member(b"m/data/0", bytes(12))), "belong to no member"),
        (raw_zip(Member(b"m/data.pkl", whole(b"N")), Member(b"m/data.pkl", whole(b"N"))), "two members are called"),
    ],
)
def test_damage_is_told(read: Reader, data: bytes, expected: str) -> None:
    assert expected in words(read(data), FlawKind.DAMAGED)


@pytest.mark.parametrize("name", ["m/data.pkl", "m/extra/x.pkl", "m/data/7", "notes.txt", "m/.data/x"])
@pytest.mark.parametrize("method", [0, 8])
def test_a_pickle_is_found_in_whatever_member_it_is(read: Reader, name: str, method: int) -> None:
    found = read(raw_zip(Member(name.encode(), EVIL, method=method)))
    assert [(one.shown, one.safety, one.where) for one in found.names] == [("os.system", Safety.CODE, name)]


def test_the_first_of_two_members_of_one_name_counts_as_well(read: Reader) -> None:
    member = Member(b"m/data.pkl", whole(b"N"))
    assert read(raw_zip(replace(member, data=EVIL), member)).safety is Safety.CODE


@pytest.mark.parametrize("flags", [0x0001, 0x0020])
def test_a_member_that_only_says_that_it_is_encrypted_hides_nothing(read: Reader, flags: int) -> None:
    assert read(raw_zip(Member(b"m/data.pkl", EVIL, flags=flags))).safety is Safety.CODE


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (raw_zip(Member(b"m/data.pkl", b"\xff\xff" + bytes(20), flags=1)), "is encrypted"),
        (raw_zip(Member(b"m/data.pkl", EVIL, method=14)), "compression method 14"),
        (make_zip({"m.pt": GOOD_ZIP}), "an archive inside the archive"),
    ],
)
def test_what_cannot_be_looked_into_is_unknown(read: Reader, data: bytes, expected: str) -> None:
    found = read(data)
    assert expected in words(found, FlawKind.UNREAD)
    assert found.safety is Safety.UNKNOWN


def test_a_bomb_is_not_unpacked(read: Reader) -> None:
    data = make_zip({"m/data.pkl": b"\x80\2" + b"N" * 5_000_000})
    found = read(data, budget=Budget(inflated_bytes=1 << 20))
    assert "too large" in words(found, FlawKind.UNREAD)


def test_arrays_are_counted_and_their_objects_looked_at(read: Reader) -> None:
    good = {"a.npy": npy("'<f8'", "(3,)", bytes(24)), "b.npy": npy("'<i4'", "(2, 2)", bytes(16))}
    found = read(make_zip(good), "a.npz")
    assert (found.kind, found.safety, found.parameters) == (WeightKind.NPZ, Safety.PLAIN, 7)
    evil = read(make_zip({**good, "c.npy": npy("'|O'", "(1,)", EVIL)}), "a.npz")
    assert [(one.shown, one.where) for one in evil.names] == [("os.system", "c.npy")]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (npy("'<f8'", "(3,)", bytes(23)), "'a.npy': cut off: 24 bytes expected, there are 23"),
        (npy("'<f8'", "3", bytes(24)), "'a.npy': the shape 3 is none"),
        (npy("'|O'", "(1,)", b"\x80\4]\xff"), "is no opcode"),
    ],
)
def test_a_broken_array_is_damage(read: Reader, array: bytes, expected: str) -> None:
    assert expected in words(read(make_zip({"a.npy": array}), "a.npz"), FlawKind.DAMAGED)


def test_the_headers_of_many_arrays_cost(read: Reader) -> None:
    member = Member(b"a.npy", npy("[" + "('a','<f4')," * 700 + "]", "(1,)", b""))
    body, directory = member.local(), 100 * member.central(0)
    found = read(body + directory + end_record(100, len(directory), len(body)), "a.npz", Budget(50_000))
    assert "takes too long" in words(found, FlawKind.UNREAD)
