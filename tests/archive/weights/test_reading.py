"""Weight files from their bytes to their facts: real ones, hostile ones, and mutants."""

from __future__ import annotations

import argparse
import os
import pickle  # only what the test itself made is pickled, and nothing is unpickled
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio_encoder_checker.archive.weights import reading
from audio_encoder_checker.archive.weights.reading import read_weight_file, read_weights
from audio_encoder_checker.archive.weights.streams import Budget
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.checks import weights as checks
from audio_encoder_checker.evidence.weights import FlawKind, Safety, WeightFacts, WeightFile, WeightKind
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.judging import Evidence, judge
from tests.builders import write_tree
from tests.weights import (
    EVIL,
    GOOD_LEGACY,
    GOOD_SAFETENSORS,
    GOOD_ZIP,
    SPECIMENS,
    called,
    named,
    npy,
    safetensors,
    text,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def read(path: Path, data: bytes | None = None, budget: Budget | None = None) -> WeightFile:
    if data is not None:
        path.write_bytes(data)
    return read_weight_file(path, path.name, (), budget or Budget())


def is_refused(file: WeightFile) -> bool:
    """Whether any check calls the file an error."""
    evidence = Evidence()
    evidence.put(WeightFacts((file,)))
    ours = [one for one in all_checks() if one.judge.__module__ == checks.__name__]
    return any(finding.severity is Severity.ERROR for finding in judge(evidence, ours).findings)


NET = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
NUMBERS = 3 * 4 + 4 + 4 * 4 + 1


def _save(**options: Any) -> Callable[[Path], object]:
    return lambda path: torch.save(NET.state_dict(), path, **options)


def _pickled(protocol: int) -> Callable[[Path], object]:
    value = {"w": NET.state_dict(), "n": np.arange(3), "b": b"x", "s": {1}}
    return lambda path: path.write_bytes(pickle.dumps(value, protocol))


REAL: dict[str, tuple[Callable[[Path], object], WeightKind, Safety, int | None]] = {
    "new format": (_save(), WeightKind.TORCH_ZIP, Safety.WEIGHTS_ONLY, NUMBERS),
    "old format": (
        _save(_use_new_zipfile_serialization=False),
        WeightKind.TORCH_LEGACY,
        Safety.WEIGHTS_ONLY,
        NUMBERS,
    ),
    "protocol 4": (_save(pickle_protocol=4), WeightKind.TORCH_ZIP, Safety.DATA, NUMBERS),
    "module": (lambda path: torch.save(NET, path), WeightKind.TORCH_ZIP, Safety.DATA, NUMBERS),
    "old module": (
        lambda path: torch.save(NET, path, _use_new_zipfile_serialization=False),
        WeightKind.TORCH_LEGACY,
        Safety.DATA,
        NUMBERS,
    ),
    "settings": (
        lambda path: torch.save({"w": torch.zeros(3), "a": argparse.Namespace(x=Path("y"))}, path),
        WeightKind.TORCH_ZIP,
        Safety.DATA,
        3,
    ),
    "half": (
        lambda path: torch.save(torch.zeros(5, dtype=torch.bfloat16), path),
        WeightKind.TORCH_ZIP,
        Safety.WEIGHTS_ONLY,
        5,
    ),
    "script": (lambda path: torch.jit.save(torch.jit.script(NET[0]), path), WeightKind.TORCHSCRIPT, Safety.DATA, 16),
    "npz": (lambda path: np.savez(path.open("wb"), np.zeros(3), np.zeros(2)), WeightKind.NPZ, Safety.PLAIN, 5),
    "random states": (
        lambda path: path.write_bytes(pickle.dumps([np.random.default_rng(0), np.random.RandomState(0)])),
        WeightKind.PICKLE,
        Safety.DATA,
        None,
    ),
    **{f"pickle {one}": (_pickled(one), WeightKind.PICKLE, Safety.DATA, None) for one in range(6)},
}


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:ResourceWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", REAL)
def test_what_torch_and_numpy_write_is_known_and_harmless(tmp_path: Path, name: str) -> None:
    write, kind, safety, numbers = REAL[name]
    path = tmp_path / "w.pt"
    write(path)
    found = read(path)
    assert (found.kind, found.safety, found.parameters, found.flaws) == (kind, safety, numbers, ())
    assert not is_refused(found)


def test_a_tensor_of_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    size = 1 << 30
    path.write_bytes(safetensors({"w": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}))
    os.truncate(path, path.stat().st_size + size)
    start = time.process_time()
    found = read(path)
    assert (found.parameters, found.flaws) == (size // 4, ())
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("name", "data", "kind", "words"),
    [
        ("w.pt", b"<!DOCTYPE html><html>", FlawKind.NO_WEIGHTS, "an HTML page"),
        ("w.bin", b"<html>", FlawKind.NO_WEIGHTS, "an HTML page"),
        ("w.safetensors", b"version https://git-lfs.github.com/spec/v1\noid x\n", FlawKind.NO_WEIGHTS, "Git LFS"),
        ("w.pth", b"", FlawKind.NO_WEIGHTS, "an empty file"),
        ("w.pt", bytes(5000), FlawKind.NO_WEIGHTS, "zero bytes"),
        ("w.pkl", b"import torch\n", FlawKind.NO_WEIGHTS, "a text file"),
        ("w.npy", b"\x89PNG\r\n", FlawKind.NO_WEIGHTS, "a PNG image"),
        ("w.pt", b"7z\xbc\xaf\x27\x1c", FlawKind.UNREAD, "a 7-Zip archive"),
        ("w.pt", b"\x80\2}q\0", FlawKind.DAMAGED, "breaks off"),
        ("w.pt", GOOD_LEGACY[:-1], FlawKind.DAMAGED, "its storages take 20 bytes, there are 19"),
        ("w.safetensors", GOOD_SAFETENSORS[:-1], FlawKind.DAMAGED, "cut off"),
        ("w.safetensors", b"\xff" * 8 + b"{\0\0", FlawKind.DAMAGED, "the format allows"),
        ("w.npy", npy("'<f4'", "(3,)", bytes(11)), FlawKind.DAMAGED, "there are 11"),
        ("w.onnx", b"\x0f", FlawKind.DAMAGED, "no field"),
        ("w.onnx", SPECIMENS["model.onnx"], FlawKind.DAMAGED, "'w.bin', which is missing"),
        ("w.onnx", SPECIMENS["model.onnx"].replace(b"w.bin", b"../.."), FlawKind.DAMAGED, "outside its folder"),
    ],
)
def test_what_is_no_weights_or_broken_is_told(
    tmp_path: Path, name: str, data: bytes, kind: FlawKind, words: str
) -> None:
    found = read(tmp_path / name, data)
    assert [flaw.kind for flaw in found.flaws] == [kind]
    assert words in found.flaws[0].detail


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("w.bin", bytes(range(256))),
        ("w.dat", b"N" + bytes(40)),
        ("w.model", b"\x0a\x0etext"),
        ("w.bin", b"\x08\x05\x12rubbish"),
        ("w.ckpt", b"\x89HDF\r\n\x1a\n"),
        ("w.bin", b""),
        ("paths.pth", b"../lib\n"),
    ],
)
def test_a_file_that_may_be_anything_is_not_accused(tmp_path: Path, name: str, data: bytes) -> None:
    found = read(tmp_path / name, data)
    assert (found.kind, found.flaws, found.names) == (WeightKind.OTHER, (), ())


def test_an_onnx_model_with_its_other_file_is_whole(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(b"x")
    found = read(tmp_path / "m.onnx", SPECIMENS["model.onnx"])
    assert (found.kind, found.parameters, found.flaws) == (WeightKind.ONNX, 21, ())


def test_a_file_that_cannot_be_read_is_a_fact(tmp_path: Path) -> None:
    found = read(tmp_path / "gone.pt")
    assert "cannot be read" in found.flaws[0].detail


def test_weights_are_found_by_name_and_by_content(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "encoder.py": "import torch\n",
        "words.txt": "cat\ndog\nfish\n",
        "a/w.pt": GOOD_ZIP,
        "a/w.pth.tar": GOOD_LEGACY,
        "a/evil.png": EVIL,
        "a/array": npy("'<f4'", "()", bytes(4)),
        "a/checkpoint": GOOD_ZIP,
        "mynet/own.pkl": whole(named("mynet.layers", "Block")),
        ".git/w.pt": EVIL,
    }
    root = write_tree(tmp_path / "repo", files)
    (root / "link.pt").symlink_to(root / "a/w.pt")
    os.mkfifo(root / "pipe.pt")
    found = read_weights(root)
    assert {one.path: one.safety for one in found.files} == {
        "a/array": Safety.PLAIN,
        "a/checkpoint": Safety.WEIGHTS_ONLY,
        "a/evil.png": Safety.CODE,
        "a/w.pt": Safety.WEIGHTS_ONLY,
        "a/w.pth.tar": Safety.WEIGHTS_ONLY,
        "mynet/own.pkl": Safety.OWN,
    }


def test_only_so_many_files_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_FILES", 2)
    found = read_weights(write_tree(tmp_path / "repo", {f"{one}.pt": GOOD_ZIP for one in range(5)}))
    assert (len(found.files), found.more) == (2, 3)


def test_headers_cost_as_well(tmp_path: Path) -> None:
    header = safetensors(b'{"a":[' + b"[]," * 30_000 + b"[]]}")
    files: dict[str, bytes | str] = {f"{one}.safetensors": header for one in range(3)}
    found = read_weights(write_tree(tmp_path / "repo", files), Budget(15_000))
    assert [one.flaws[0].kind for one in found.files] == [FlawKind.DAMAGED, FlawKind.DAMAGED, FlawKind.UNREAD]


def test_only_the_worst_names_are_told(tmp_path: Path) -> None:
    many = b"".join(named("mynet", f"A{one}") for one in range(1500))
    found = read(tmp_path / "w.pkl", whole(many, named("os", "system")))
    assert (len(found.names), found.names[0].shown) == (1000, "os.system")


def test_all_files_share_one_budget(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"a.pkl": b"N" * 100_000 + b".", "b.pkl": b"N" * 100_000 + b"."}
    found = read_weights(write_tree(tmp_path / "repo", files), Budget(150_000))
    assert [bool(one.flaws_of(FlawKind.UNREAD)) for one in found.files] == [False, True]


KIND = named("mynet.layers", "Kind")


@pytest.mark.parametrize("member", ["RED", "red"])
def test_enums_as_some_pythons_pickle_them_are_no_code(tmp_path: Path, member: str) -> None:
    data = whole(called(named("builtins", "getattr"), KIND, text(member)))
    (tmp_path / "w.pkl").write_bytes(data)
    found = read_weight_file(tmp_path / "w.pkl", "w.pkl", {"mynet"}, Budget())
    assert (found.safety, found.flaws) == (Safety.OWN, ())
    assert not is_refused(found)
    assert not is_refused(read(tmp_path / "w.pkl"))


@pytest.mark.parametrize(
    "data",
    [
        called(called(named("builtins", "getattr"), KIND, text("run")), text("x")),
        called(named("builtins", "getattr"), named("builtins", "dict"), text("fromkeys")),
        called(named("builtins", "getattr"), named("os", "_Environ"), text("system")),
        called(named("builtins", "getattr"), KIND, text("__init__")),
        called(named("builtins", "getattr"), KIND, text("mro.x")),
        called(named("builtins", "getattr"), KIND, text("A")) + named("builtins", "getattr") + b"h\0\x86",
        called(named("builtins", "getattr"), named("mynet", "layers"), text("os")),
        called(named("functools", "partial"), named("builtins", "getattr"), KIND),
    ],
)
def test_whatever_else_getattr_does_is_code(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "w.pkl").write_bytes(whole(data))
    assert is_refused(read_weight_file(tmp_path / "w.pkl", "w.pkl", {"mynet"}, Budget()))


@settings(max_examples=300, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_mutant_is_more_than_a_file_with_flaws(tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SPECIMENS)))
    changed = bytearray(SPECIMENS[name])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, max(0, len(changed) - 1)))
        changed[place : place + data.draw(st.integers(0, 4))] = data.draw(
            st.one_of(st.binary(max_size=4), st.sampled_from([b"\xff" * 8, b"\x80\4", b".", b"R", EVIL]))
        )
    found = read(tmp_path / name, bytes(changed), Budget(200_000, 1 << 22))
    assert found.size_bytes == len(changed)
    is_refused(found)


@settings(max_examples=300, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x80\4", b"\x93NUMPY\1\0", b"PK\3\4", b"\x08\x08\x12", b"\x1f\x8b"]),
)
def test_no_bytes_are_more_than_a_file_with_flaws(tmp_path: Path, data: bytes, start: bytes) -> None:
    found = read(tmp_path / "w.pt", start + data, Budget(200_000, 1 << 22))
    assert found.size_bytes == len(start + data)


HOSTILE = {
    "one endless line": b"V" + b"a" * 3_000_000,
    "endless marks": b"(" * 300_000,
    "endless tuples": b"N" + b"\x85" * 300_000 + b".",
    "a tuple that doubles": b"N" + b"2\x86" * 100_000 + b".",
    "endless texts": b"\x80\4" + b"\x8c\6gASVaa" * 60_000 + b".",
    "endless names": b"".join(b"ca%d\nb\n" % one for one in range(60_000)),
    "endless pickles": b"\x80\4N." * 60_000,
    "endless numbers": b"L" + b"9" * 1_000_000 + b"L\n.",
    "endless memo": b"N" + b"\x94" * 300_000 + b".",
    "endless nested texts": b"\x80\4" + b"C\4\x80\4N." * 60_000 + b".",
    "scattered memo": b"N" + b"".join(b"r" + (one * 7 + 99).to_bytes(4, "little") for one in range(60_000)) + b".",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_cost_no_more_than_their_length(tmp_path: Path, name: str) -> None:
    start = time.process_time()
    read(tmp_path / "w.pkl", HOSTILE[name])
    assert time.process_time() - start < 10
