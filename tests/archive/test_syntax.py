"""One source file as facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive import syntax
from audio_encoder_checker.archive.syntax import parse_source
from audio_encoder_checker.evidence.source import SourceFile, TroubleKind

if TYPE_CHECKING:
    from pathlib import Path


def parsed(tmp_path: Path, source: bytes | str) -> SourceFile:
    path = tmp_path / "encoder.py"
    path.write_bytes(source.encode() if isinstance(source, str) else source)
    return parse_source(path, "encoder.py").file


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("class AEncoder: pass", ["AEncoder"]),
        ("from x import BEncoder", ["BEncoder"]),
        ("from x import BEncoder as _BEnc, y as YEncoder", ["YEncoder"]),
        ("import json.encoder", []),
        ("import FooEncoder", ["FooEncoder"]),
        ("import pkg.FooEncoder", []),
        ("import json as JEncoder", ["JEncoder"]),
        ("AEncoder = BEncoder = 3", ["AEncoder", "BEncoder"]),
        ("(AEncoder, [BEncoder, *CEncoder]) = x", ["AEncoder", "BEncoder", "CEncoder"]),
        ("AEncoder: int", []),
        ("AEncoder: int = 3", ["AEncoder"]),
        ("x.AEncoder = 3; y['AEncoder'] = 4", []),
        ("try:\n from x import AEncoder\nexcept ImportError:\n BEncoder = None", ["AEncoder", "BEncoder"]),
        ("if x:\n class AEncoder: pass\nelse:\n def BEncoder(): pass", ["AEncoder", "BEncoder"]),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n from x import AEncoder", []),
        ("if __name__ == '__main__':\n AEncoder = 1", []),
        ("for AEncoder in x: pass\nwith y as BEncoder: pass", ["AEncoder", "BEncoder"]),
        ("match x:\n case 1:\n  AEncoder = 1", ["AEncoder"]),
        ("class AEncoder: pass\ndel AEncoder", []),
        ("def f():\n class AEncoder: pass\nclass C:\n BEncoder = 1", []),
    ],
)
def test_names_are_those_that_dir_would_show(tmp_path: Path, source: str, names: list[str]) -> None:
    assert sorted(name.name for name in parsed(tmp_path, source).names if name.is_encoder) == names


CLASS = """
class Base(nn.Module):
    output_dim = 3
    def __init__(self, width, *, depth): ...
    def forward(self, x): ...

class AEncoder(Base):
    def __init__(self, path, rate=16000, *rest, size, device=None, **more):
        self.sampling_rate = rate

class BEncoder(Base): pass

class CEncoder(torch.nn.Module):
    forward = shared
"""


def test_class_tells_constructor_forward_and_attributes(tmp_path: Path) -> None:
    _, a, b, c = parsed(tmp_path, CLASS).classes
    assert (a.name, a.line, a.bases, a.required) == ("AEncoder", 7, ("Base",), ("path", "size"))
    assert (a.has_forward, a.attributes) == (True, ("sampling_rate", "output_dim"))
    assert (b.required, b.has_forward) == (("width", "depth"), True)
    assert (c.required, c.has_forward, c.bases) == ((), True, ("torch.nn.Module",))


def test_classes_that_derive_from_each_other_come_to_an_end(tmp_path: Path) -> None:
    assert len(parsed(tmp_path, "class A(B): pass\nclass B(A): pass").classes) == 2


@pytest.mark.parametrize(
    ("source", "kind", "line", "words"),
    [
        ("x = 1\ndef f(:\n", TroubleKind.SYNTAX, 2, "syntax"),
        (b"x = 1\n# caf\xe9\n", TroubleKind.ENCODING, 2, "byte 0xe9 is not UTF-8"),
        (b"# coding: nonsense\n", TroubleKind.ENCODING, 1, "nonsense"),
        (b"# coding: rot13\n", TroubleKind.ENCODING, 1, "rot13"),
        (b"x = 1\n\n\0", TroubleKind.NUL, 3, "NUL"),
        ("-" * 100_000 + "1", TroubleKind.TOO_DEEP, 0, "deeply"),
        ("(" * 10_000, TroubleKind.SYNTAX, 1, "too many nested parentheses"),
        ("9" * 10_000, TroubleKind.SYNTAX, 1, "digits"),
        ("x" * (syntax.MAX_SOURCE_BYTES + 1), TroubleKind.TOO_LARGE, 0, "more than"),
    ],
)
def test_file_that_cannot_be_parsed_is_a_fact(
    tmp_path: Path, source: bytes | str, kind: TroubleKind, line: int, words: str
) -> None:
    trouble = parsed(tmp_path, source).trouble
    assert trouble is not None
    assert (trouble.kind, trouble.line) == (kind, line)
    assert words in trouble.detail


@pytest.mark.parametrize("source", [b"# coding: latin-1\nx = '\xe9'\n", b"\xef\xbb\xbfx = 1\r\n", b"x = '\\d'\n", b""])
def test_unusual_but_valid_source_is_parsed(tmp_path: Path, source: bytes) -> None:
    assert parsed(tmp_path, source).trouble is None


def test_syntax_that_the_organisers_python_lacks_is_a_fact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syntax, "TARGET_PYTHON", (3, 9))
    (tmp_path / "a.py").write_text("match x:\n    case 1: pass\n")
    trouble = parse_source(tmp_path / "a.py", "a.py").file.trouble
    assert trouble is not None
    assert trouble.detail.startswith("it needs a later Python than the organisers' 3.9: ")
    (tmp_path / "a.py").write_text("x = 1\n")
    assert parse_source(tmp_path / "a.py", "a.py").file.trouble is None


def test_broken_file_still_shows_which_classes_it_seems_to_define(tmp_path: Path) -> None:
    broken = parsed(tmp_path, "import x\nclass AEncoder(x.Y):\n def f(:\n")
    assert [(name.name, name.line) for name in broken.names] == [("AEncoder", 2)]


def test_file_that_is_not_there_is_a_fact(tmp_path: Path) -> None:
    trouble = parse_source(tmp_path / "none.py", "none.py").file.trouble
    assert trouble is not None
    assert trouble.kind is TroubleKind.UNREADABLE


def test_line_of_a_syntax_error_is_shown_without_control_characters(tmp_path: Path) -> None:
    trouble = parsed(tmp_path, "x = = '\x1b[31m\u202e'\n").trouble
    assert trouble is not None
    assert trouble.text == "x = = '\\x1b[31m\\u202e'"


def test_many_classes_are_read_in_time_linear_in_their_number(tmp_path: Path) -> None:
    assert len(parsed(tmp_path, "".join(f"class A{n}: pass\n" for n in range(9_000))).classes) == 9_000
