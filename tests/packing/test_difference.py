"""What differs between two ZIPs, and how that is said."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save

from audio_encoder_checker.archive.manifest import MANIFEST
from audio_encoder_checker.cli.package_diff import diff
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.build import build_zip
from audio_encoder_checker.packing.difference import Difference, Tensors, compare_archives
from tests.builders import make_zip, write_tree

if TYPE_CHECKING:
    from pathlib import Path

ENCODER = "class TeamEncoder:\n    def forward(self, audio):\n        return audio\n"
FILES: dict[str, bytes | str] = {"encoder.py": ENCODER, "README.md": "# Team\n", "data.bin": b"\0" * 1000}


def zipped(tmp_path: Path, name: str, files: dict[str, bytes | str], prefix: str = "") -> Path:
    path = tmp_path / name
    path.write_bytes(make_zip({prefix + name: data for name, data in files.items()}))
    return path


def compared(tmp_path: Path, first: dict[str, bytes | str], second: dict[str, bytes | str]) -> Difference:
    return compare_archives(zipped(tmp_path, "a.zip", first), zipped(tmp_path, "b.zip", second))


def test_the_same_files_are_the_same_however_they_were_packed(tmp_path: Path) -> None:
    a, b = zipped(tmp_path, "a.zip", FILES), tmp_path / "b.zip"
    with zipfile.ZipFile(b, "w") as archive:
        for name, data in reversed(FILES.items()):
            archive.writestr(f"team/{name}", data)
    found = compare_archives(a, b)
    assert not found
    assert found.same == 3


def test_a_text_of_lines_that_would_take_hours_to_match_is_compared_by_size(tmp_path: Path) -> None:
    first, second = ("".join(f"{n * step % 150}\n" for n in range(200_000)) for step in (7, 11))
    found = compared(tmp_path, {**FILES, "labels.txt": first}, {**FILES, "labels.txt": second})
    (changed,) = found.changed
    assert (changed.lines, changed.tensors) == ((), None)


def test_removed_added_changed_and_renamed_files_are_told_apart(tmp_path: Path) -> None:
    second: dict[str, bytes | str] = {
        "lib/encoder.py": ENCODER,
        "README.md": "# Team\n\nmore\n",
        "data.bin": b"\0" * 999,
        "new.py": "1",
    }
    found = compared(tmp_path, {**FILES, "old.py": "2"}, second)
    assert [file.name for file in found.removed] == ["old.py"]
    assert [file.name for file in found.added] == ["new.py"]
    assert [(a.name, b.name) for a, b in found.renamed] == [("encoder.py", "lib/encoder.py")]
    assert [one.before.name for one in found.changed] == ["README.md", "data.bin"]
    assert found.changed[0].lines[-2:] == ("+", "+more")
    assert found.changed[1].lines == ()
    assert found.same == 0


def test_one_content_under_many_names_is_paired_once(tmp_path: Path) -> None:
    found = compared(tmp_path, {"a/x": "1", "b/y": "1", "c": "1", **FILES}, {"d/y": "1", "e": "1", **FILES})
    assert len(found.renamed) == 2
    assert ("b/y", "d/y") in {(a.name, b.name) for a, b in found.renamed}
    assert len(found.removed) == 1
    assert found.added == ()


def test_empty_files_are_no_renames(tmp_path: Path) -> None:
    found = compared(tmp_path, {"a/__init__.py": "", **FILES}, {"b/__init__.py": "", **FILES})
    assert found.renamed == ()
    assert (len(found.removed), len(found.added)) == (1, 1)


def tensors(**changes: np.ndarray | None) -> bytes:
    state: dict[str, np.ndarray | None] = {name: np.arange(12, dtype=np.float32).reshape(3, 4) for name in "abcde"}
    return bytes(save({name: value for name, value in {**state, **changes}.items() if value is not None}))


def test_tensors_of_safetensors_are_compared_one_by_one(tmp_path: Path) -> None:
    zeros = np.zeros((3, 4), np.float32)
    second = tensors(a=None, b=zeros.T.copy(), c=zeros, d=zeros.astype(np.int32), f=np.ones(1))
    first = {"model.safetensors": tensors()}
    (changed,) = compared(tmp_path, {**FILES, **first}, {**FILES, "model.safetensors": second}).changed
    assert changed.tensors == Tensors(("a",), ("f",), ("b", "d"), ("c",), 1)


def test_large_tensors_are_read_where_they_lie(tmp_path: Path) -> None:
    large = np.zeros(5 << 20, np.float32)  # so large that it stays packed
    other = large.copy()
    other[-1] = 1
    paths = []
    for name, value in (("a.zip", large), ("b.zip", other)):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("model.safetensors", bytes(save({"w": value, "v": np.ones(3)})))
        paths.append(tmp_path / name)
    (changed,) = compare_archives(*paths).changed
    assert changed.tensors == Tensors((), (), (), ("w",), 1)


def test_weights_that_are_none_are_compared_as_files(tmp_path: Path) -> None:
    (changed,) = compared(tmp_path, {"m.safetensors": b"\xff1"}, {"m.safetensors": tensors()}).changed
    assert changed.tensors is None


def test_what_the_manifests_say_is_told(tmp_path: Path) -> None:
    a = write_tree(tmp_path / "a", {"encoder.py": ENCODER + "    output_dim = 256\n"})
    b = write_tree(tmp_path / "b", {"encoder.py": ENCODER + "    output_dim = 512\n"})
    (b / "aecc.toml").write_text('[training]\ndata = ["AudioSet", "x"]\n')
    for folder in (a, b):
        build_zip(folder, folder.with_suffix(".zip"))
    found = compare_archives(a.with_suffix(".zip"), b.with_suffix(".zip"))
    assert found.manifests == (("declared.output_dim", "256", "512"), ("training.data", "", "AudioSet, x"))
    found = compare_archives(a.with_suffix(".zip"), zipped(tmp_path, "c.zip", {"encoder.py": ENCODER}))
    assert ("manifest", "nothing", "missing") in found.manifests
    found = compare_archives(a.with_suffix(".zip"), zipped(tmp_path, "d.zip", {"a": "", MANIFEST: "{}"}))
    assert ("manifest", "nothing", "unreadable") in found.manifests


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", make_zip({"../a.py": "1"}), make_zip({"a": "1"})[:-30]])
def test_what_is_no_sound_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(UsageError, match=r"b\.zip' cannot be opened: AEC1") as error:
        compare_archives(zipped(tmp_path, "a.zip", FILES), tmp_path / "b.zip")
    assert "aecc-check" in error.value.hint
    with pytest.raises(UsageError, match="is a folder, expected a ZIP"):
        compare_archives(tmp_path, tmp_path)


def test_the_command_says_a_line_a_file_and_nothing_that_a_terminal_obeys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = {**FILES, "m.safetensors": tensors(), "old.py": "1", "x.py": "a\n"}
    second = {
        **FILES,
        "m.safetensors": tensors(a=np.zeros(1)),
        "new.py": "2",
        "x.py": "a\nb\x1b[31m\n",
        "data.bin": b"\0",
    }
    a, b = zipped(tmp_path, "a.zip", first), zipped(tmp_path, "b.zip", second)
    assert diff(a, b, text=True) == 1
    shown = capsys.readouterr().out
    assert "- old.py (1 bytes)\n+ new.py (1 bytes)\n" in shown
    assert "~ x.py: +1 -0 lines\n" in shown
    assert "+b\\x1b[31m" in shown
    assert "~ data.bin: 1 kB, now 1 bytes\n" in shown
    assert "~ m.safetensors: 1 of 5 tensors of another shape or format (a)\n" in shown
    assert shown.endswith("2 files are the same\n")
    assert "\x1b" not in shown
    assert diff(a, a, text=False) == 0
    assert capsys.readouterr().out == "6 files are the same; nothing differs\n"
