"""Which file holds the encoder, and what its import runs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.source import absolute_module, read_sources
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

    from audio_encoder_checker.evidence.source import SourceFacts

ENCODER = """
import torch
class {name}(torch.nn.Module):
    def __init__(self):
        self.sampling_rate, self.output_dim, self.hop_size_in_ms = 16000, 4, 10
    def forward(self, audio): return audio
"""
ACME = ENCODER.format(name="AcmeEncoder")
PART = "class ConvEncoder:\n    def forward(self, x): ...\n"


def read(tmp_path: Path, files: dict[str, bytes | str], encoder: str | None = None) -> SourceFacts:
    return read_sources(write_tree(tmp_path / "repo", files), encoder)


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({"encoder.py": ACME}, "encoder.py"),
        ({"encoder.py": ACME, "lib/parts.py": PART}, "encoder.py"),
        ({"a.py": ACME, "parts.py": PART}, "a.py"),
        ({"lib/a.py": ACME, "parts.py": "class XEncoder: pass\n"}, "lib/a.py"),
        ({"a.py": ACME, "sub/a.py": ACME}, "a.py"),
        ({"a.py": ACME, "tests/test_a.py": ACME, "test_b.py": ACME}, "a.py"),
        ({"sub/a.py": ACME, "b.py": "from sub.a import AcmeEncoder\n"}, "sub/a.py"),
        ({"a.py": "from base import Base\nclass AEncoder(Base): pass\n", "base.py": "class Base: ..."}, "a.py"),
        ({"a.py": "AEncoder = make()\n", "b.py": "from json import JSONEncoder\n"}, "a.py"),
        ({"a.py": "class AEncoder:\n def forward(:\n"}, "a.py"),
        ({"a.py": ACME, ".venv/b.py": ACME, "node_modules/c.py": ACME, "e/lib/site-packages/d.py": ACME}, "a.py"),
        ({"a.py": ACME, "myenv/pyvenv.cfg": "", "myenv/b.py": ACME, "._a.py": ACME}, "a.py"),
    ],
)
def test_encoder_file_is_found(tmp_path: Path, files: dict[str, bytes | str], path: str) -> None:
    chosen = read(tmp_path, files).chosen
    assert chosen is not None
    assert (chosen.path, chosen.class_name) == (path, "")


def test_module_is_named_from_the_root(tmp_path: Path) -> None:
    chosen = read(tmp_path, {"src/net/encoder.py": ACME, "readme": ""}).chosen
    assert chosen is not None
    assert chosen.module == "src.net.encoder"


def test_equally_likely_files_are_all_candidates(tmp_path: Path) -> None:
    facts = read(tmp_path, {"b.py": ACME, "a.py": ACME, "c.py": "x = 1"})
    assert (facts.chosen, facts.candidates) == (None, ("a.py", "b.py"))


@pytest.mark.parametrize("files", [{"a.py": "x = 1"}, {}, {"a.py": "from json import JSONEncoder"}, {"a.txt": ACME}])
def test_nothing_is_chosen_where_nothing_is_an_encoder(tmp_path: Path, files: dict[str, bytes | str]) -> None:
    (tmp_path / "repo").mkdir()
    facts = read(tmp_path, files)
    assert (facts.chosen, facts.candidates) == (None, ())


@pytest.mark.parametrize("asked", ["b.py", "./b.py", "b.py:AcmeEncoder", "lib/../b.py"])
def test_named_file_wins_and_other_files_are_left_alone(tmp_path: Path, asked: str) -> None:
    facts = read(tmp_path, {"a.py": ACME, "b.py": ACME + "import c\n", "c.py": "x", "broken.py": "def"}, asked)
    assert facts.chosen is not None
    assert facts.chosen.path == "b.py"
    assert [file.path for file in facts.files] == ["b.py", "c.py"]
    assert facts.chosen.class_name == asked.partition(":")[2]


@pytest.mark.parametrize("asked", ["none.py", "../outside.py", "/etc/passwd", "lib", "a\0b.py"])
def test_named_file_that_is_not_in_the_repository_is_not_chosen(tmp_path: Path, asked: str) -> None:
    (tmp_path / "outside.py").write_text(ACME)
    facts = read(tmp_path, {"a.py": ACME, "lib/b.py": ""}, asked)
    assert (facts.chosen, facts.asked) == (None, asked)


def test_only_folder_is_the_root(tmp_path: Path) -> None:
    facts = read(tmp_path, {"team/encoder.py": ACME, "__MACOSX/._x": "", ".DS_Store": ""})
    assert facts.chosen is not None
    assert (facts.chosen.path, facts.root.name) == ("encoder.py", "team")


def test_folder_under_version_control_is_the_root(tmp_path: Path) -> None:
    facts = read(tmp_path, {"team/encoder.py": ACME, ".git/HEAD": ""})
    assert facts.chosen is not None
    assert (facts.chosen.path, facts.root.name) == ("team/encoder.py", "repo")


def test_encoder_named_from_either_root_is_found(tmp_path: Path) -> None:
    outer = read(tmp_path, {"team/encoder.py": ACME}, "team/encoder.py")
    inner = read(tmp_path, {"team/encoder.py": ACME}, "encoder.py")
    assert outer.chosen is not None
    assert inner.chosen is not None
    assert (outer.chosen.module, inner.chosen.module) == ("team.encoder", "encoder")


def test_only_folder_that_is_a_package_stays_one(tmp_path: Path) -> None:
    facts = read(tmp_path, {"team/__init__.py": "", "team/encoder.py": ACME})
    assert facts.chosen is not None
    assert facts.chosen.module == "team.encoder"


def test_reached_files_are_those_that_the_import_runs(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "net/__init__.py": "from . import tools",
        "net/encoder.py": ACME + "from .layers import conv\nimport lib.deep.x\nimport json\n",
        "net/layers/__init__.py": "from ..tools import y",
        "net/layers/conv.py": "from ... import outside",
        "net/tools.py": "",
        "lib/deep/x.py": "def f():\n    from net import late",
        "net/late.py": "",
        "alone.py": "",
    }
    facts = read(tmp_path, files)
    assert set(facts.reached) == {*files} - {"alone.py"}
    encoder = facts.file("net/encoder.py")
    assert encoder is not None
    assert [(one.module, bool(one.local)) for one in encoder.imports] == [
        ("torch", False),
        ("net.layers", True),
        ("lib.deep.x", True),
        ("json", False),
    ]


def test_names_of_local_star_imports_count(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "encoder.py": ACME + "from parts import *\n",
        "parts.py": PART + "_HiddenEncoder = 1\nfrom encoder import *\n",
    }
    chosen = read(tmp_path, files, "encoder.py").chosen
    assert chosen is not None
    assert [(name.name, name.line, name.origin) for name in chosen.names] == [
        ("AcmeEncoder", 3, ""),
        ("ConvEncoder", 7, "parts:*"),
    ]


def test_star_imports_may_follow_one_another_as_often_as_they_like(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {f"m{n}.py": f"from m{n + 1} import *\n" for n in range(sys.getrecursionlimit())}
    files |= {"encoder.py": "from m0 import *\n", f"m{sys.getrecursionlimit()}.py": PART}
    chosen = read(tmp_path, files, "encoder.py").chosen
    assert chosen is not None
    assert [(name.name, name.origin) for name in chosen.names] == [("ConvEncoder", "m0:*")]


@pytest.mark.parametrize("line", ["from net.model import AcmeEncoder", "from net.model import *"])
def test_definition_is_followed_through_one_import(tmp_path: Path, line: str) -> None:
    chosen = read(tmp_path, {"run.py": line, "net/model.py": ACME}, "run.py").chosen
    assert chosen is not None
    assert chosen.definition is not None
    assert (chosen.definition.path, chosen.definition.source.line) == ("net/model.py", 3)


@pytest.mark.parametrize(
    ("source", "missing"),
    [(ACME, True), ("class OtherEncoder: ...", False), ("from far import *", False), ("def", False)],
)
def test_named_class_is_looked_for(tmp_path: Path, source: str, *, missing: bool) -> None:
    chosen = read(tmp_path, {"a.py": source}, "a.py:OtherEncoder").chosen
    assert chosen is not None
    assert chosen.class_missing is missing


def test_links_out_of_the_repository_and_pipes_are_not_read(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"a.py": ACME})
    (tmp_path / "secret.py").write_text(ACME)
    (root / "b.py").symlink_to(tmp_path / "secret.py")
    (root / "c").symlink_to(tmp_path)
    (root / "d.py").symlink_to("d.py")
    os.mkfifo(root / "e.py")
    assert [file.path for file in read_sources(root).files] == ["a.py"]


@pytest.mark.parametrize(
    ("path", "level", "module", "expected"),
    [
        ("a.py", 0, "x.y", "x.y"),
        ("a.py", 1, "x", None),
        ("p/a.py", 1, "x", "p.x"),
        ("p/a.py", 1, "", "p"),
        ("p/a.py", 2, "x", None),
        ("p/q/a.py", 2, "x", "p.x"),
    ],
)
def test_relative_imports_are_resolved_from_the_file(path: str, level: int, module: str, expected: str | None) -> None:
    assert absolute_module(path, level, module) == expected
