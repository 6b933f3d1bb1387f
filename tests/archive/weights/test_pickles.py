"""Pickles that follow one another, and pickles inside pickles."""

from __future__ import annotations

import base64

import pytest

from audio_encoder_checker.archive.weights.opcodes import KEPT_BYTES
from audio_encoder_checker.archive.weights.pickles import MAX_NESTING, PickleLog, PickleReader
from audio_encoder_checker.archive.weights.streams import Budget, memory_stream
from audio_encoder_checker.evidence.weights import Safety
from tests.builders import make_zip
from tests.weights import (
    EVIL,
    GOOD_LEGACY,
    MAGIC,
    PROTO2,
    PROTO4,
    blob,
    called,
    named,
    stacked,
    text,
    whole,
)

DATA = whole(text("harmless"))
LOADER = named("torch.storage", "_load_from_bytes")


def read(data: bytes, *, sure: bool = True, budget: Budget | None = None) -> PickleLog:
    log = PickleLog()
    PickleReader(budget or Budget(), (), log).read(memory_stream(data), sure=sure)
    return log


def found(data: bytes, *, sure: bool = True) -> dict[str, tuple[Safety, str]]:
    return {one.shown: (one.safety, one.where) for one in read(data, sure=sure).names.values()}


def loaded(argument: bytes) -> Safety:
    return found(whole(called(LOADER, argument)))["torch.storage._load_from_bytes"][0]


@pytest.mark.parametrize("before", [DATA, b"N.", DATA * 50, whole(b"}") + b"(lp0\n."])
def test_a_pickle_behind_another_is_found(before: bytes) -> None:
    assert found(before + EVIL) == {"os.system": (Safety.CODE, "")}


def test_a_pickle_behind_another_counts_even_if_it_breaks_after_its_call() -> None:
    assert found(DATA + called(named("os", "system"), text("x"))) == {"os.system": (Safety.CODE, "")}


def test_other_bytes_behind_a_pickle_are_not_its_damage() -> None:
    log = read(DATA + bytes(range(256)))
    assert (log.pickles, log.broken, log.names) == (1, "", {})


def test_words_that_could_be_opcodes_are_no_names() -> None:
    log = read(DATA + b"cat\ndog\nfish\n")
    assert (log.pickles, log.names) == (1, {})


def test_only_a_sure_pickle_is_damaged() -> None:
    assert read(b"}]\xff").broken
    assert not read(b"}]\xff", sure=False).broken


def test_the_fifth_pickle_of_the_old_format_is_the_last() -> None:
    stream = memory_stream(GOOD_LEGACY + EVIL)
    log = PickleLog()
    assert PickleReader(Budget(), (), log).read(stream)
    assert (log.pickles, stream.position) == (5, len(GOOD_LEGACY) - 20)


def test_a_forged_magic_number_hides_nothing() -> None:
    assert "builtins.eval" in found(whole(called(stacked("builtins", "eval"), text("0x1950A86A20F9469CFC6C"))))
    assert "os.system" in found(MAGIC + EVIL)


@pytest.mark.parametrize(
    "inside",
    [
        blob(EVIL),
        text(EVIL.decode("latin-1")),
        text(base64.b64encode(EVIL).decode()),
        text(base64.urlsafe_b64encode(EVIL + b"\xff" * 30).decode()),
        blob(base64.b64encode(EVIL)),
        text(EVIL.hex()),
        blob(whole(blob(whole(text(base64.b64encode(EVIL).decode()))))),
        blob(b"cos\nsystem\n(S'x'\ntR."),
        blob(b"(S'os'\nS'system'\n\x93S'x'\n\x85R."),
        blob(PROTO4 + text("x" * 200) * 6000 + EVIL),
        b"U" + bytes((len(EVIL),)) + EVIL,
        b"\x96" + len(EVIL).to_bytes(8, "little") + EVIL,
    ],
)
def test_a_pickle_inside_a_pickle_is_found(inside: bytes) -> None:
    assert found(whole(inside))["os.system"] == (Safety.CODE, "nested")


@pytest.mark.parametrize(
    "inside",
    [
        text("a sentence."),
        text("deadbeef" * 8),
        text("gAAA not base64"),
        blob(b"\x80\x04\xff"),
        text("8004zz" * 4),
        blob(b"."),
    ],
)
def test_what_only_resembles_a_pickle_is_none(inside: bytes) -> None:
    log = read(whole(inside))
    assert (log.names, log.unread) == ({}, {})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (whole(blob(make_zip({"data.pkl": EVIL}))), "ZIP archive inside"),
        (whole(text("gASV" * (KEPT_BYTES // 4 + 1))), "long text"),
        (whole(text("800495" * (KEPT_BYTES // 6 + 1))), "long text"),
        (b"V" + b"a" * (KEPT_BYTES + 1) + b"\n.", "a text of more than"),
    ],
)
def test_what_cannot_be_looked_into_is_said(data: bytes, words: str) -> None:
    assert words in " ".join(read(data).unread)


def test_nesting_ends_at_a_limit() -> None:
    data = EVIL
    for _ in range(MAX_NESTING + 1):
        data = whole(blob(data))
    assert "inside one another" in " ".join(read(data).unread)


def test_hostile_streams_end_with_the_budget() -> None:
    log = read(b"N." * 100_000, budget=Budget(200_000))
    assert "too long" in " ".join(log.unread)
    assert log.pickles < 20_000


def test_decoding_ends_with_the_budget() -> None:
    encoded = text(base64.b64encode(PROTO4 + b"N" * 600 + b".").decode())
    assert "too large" in " ".join(read(whole(encoded * 10), budget=Budget(inflated_bytes=5000)).unread)


def test_torchs_loader_of_bytes_is_data_where_the_bytes_were_looked_through() -> None:
    assert loaded(blob(GOOD_LEGACY)) is Safety.DATA
    latin = GOOD_LEGACY.decode("latin-1")
    encoded = b"X" + len(latin.encode()).to_bytes(4, "little") + latin.encode()
    encode = named("_codecs", "encode")
    assert loaded(called(encode, encoded, text("latin1"))) is Safety.DATA


@pytest.mark.parametrize(
    "argument",
    [
        blob(b"no pickle"),
        b"N",
        called(named("_codecs", "encode"), text("x"), text("latin1")),
        called(named("_codecs", "encode"), text(GOOD_LEGACY.decode("latin-1")[:40] + "."), text("utf-16")),
        called(named("builtins", "bytes"), b"]"),
        blob(make_zip({"data.pkl": EVIL})),
        blob(DATA) + blob(EVIL),
    ],
)
def test_torchs_loader_of_bytes_is_code_where_they_were_not(argument: bytes) -> None:
    assert loaded(argument) is Safety.CODE


def test_torchs_loader_is_code_where_something_else_may_call_it() -> None:
    once = called(LOADER, blob(GOOD_LEGACY))
    passed_on = called(named("functools", "partial"), LOADER)
    assert found(whole(once, passed_on))["torch.storage._load_from_bytes"][0] is Safety.CODE


def test_joblibs_arrays_hide_what_follows() -> None:
    log = read(whole(named("joblib.numpy_pickle", "NumpyArrayWrapper"), b")\x81}b") + b"\xff\xff")
    assert "joblib" in " ".join(log.unread)
    assert not log.broken


def test_a_protocol_2_pickle_of_plain_data_has_nothing_to_refuse() -> None:
    log = read(PROTO2 + b"}q\0.")
    assert (log.refused, log.pickles, log.broken) == ("", 1, "")
