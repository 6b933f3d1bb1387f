"""AEC2xx, from sources to problems."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive import source
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.judging import Evidence, judge
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

ENCODER = """import torch
class AcmeEncoder(torch.nn.Module):
    def __init__(self, rate=16000):
        self.sampling_rate, self.output_dim, self.hop_size_in_ms = rate, 4, 10
    def forward(self, audio): return audio
"""


def findings(tmp_path: Path, files: dict[str, bytes | str], encoder: str | None = None) -> list[Finding]:
    (tmp_path / "repo").mkdir()
    evidence = Evidence()
    evidence.put(read_sources(write_tree(tmp_path / "repo", files), encoder))
    return list(judge(evidence, [one for one in all_checks() if one.stage == "source"]).findings)


def only(tmp_path: Path, files: dict[str, bytes | str], encoder: str | None = None) -> Finding:
    (finding,) = findings(tmp_path, files, encoder)
    return finding


@pytest.mark.parametrize(
    "files",
    [
        {"encoder.py": ENCODER},
        {"encoder.py": ENCODER + "from json import JSONEncoder as _JSONEnc\n"},
        {
            "repo/encoder.py": ENCODER + "from lib.parts import conv\n",
            "repo/lib/parts.py": "conv = 1",
            "repo/README": "",
        },
    ],
)
def test_ordinary_repository_has_no_finding(tmp_path: Path, files: dict[str, bytes | str]) -> None:
    assert findings(tmp_path, files) == []


def test_aec201_names_the_class_that_was_probably_meant(tmp_path: Path) -> None:
    found = only(tmp_path, {"net.py": ENCODER.replace("AcmeEncoder", "AcmeNet"), "x.py": ""})
    assert (found.id, found.message) == ("AEC201", "no class in 2 Python files has a name that ends in 'Encoder'")
    assert found.hint == "rename class AcmeNet in net.py:2 to AcmeNetEncoder"


def test_aec201_shows_an_import_that_does_not_count(tmp_path: Path) -> None:
    found = only(tmp_path, {"a.py": "\nfrom json import JSONEncoder\n"})
    assert (found.id, found.at) == ("AEC201", "a.py:2")
    assert "JSONEncoder is only imported" in found.message


def test_aec201_without_any_source(tmp_path: Path) -> None:
    assert only(tmp_path, {"weights.bin": "x"}).message == "there is no Python file"


def test_aec202_names_the_files_and_both_ways_to_choose(tmp_path: Path) -> None:
    found = only(tmp_path, {"a.py": ENCODER, "b.py": ENCODER})
    assert (found.id, found.message) == ("AEC202", "2 files define an encoder: a.py, b.py")
    assert "--encoder a.py" in found.hint
    assert 'encoder = "a.py"' in found.hint


@pytest.mark.parametrize(("count", "end"), [(5, "a3.py, a4.py"), (6, "a3.py, a4.py and 1 more")])
def test_aec202_counts_the_files_behind_the_fifth(tmp_path: Path, count: int, end: str) -> None:
    found = only(tmp_path, {f"a{number}.py": ENCODER for number in range(count)})
    assert found.message == f"{count} files define an encoder: a0.py, a1.py, a2.py, {end}"


@pytest.mark.parametrize(
    ("line", "at", "hint"),
    [
        ("from json import JSONEncoder", 6, "from json import JSONEncoder as _JSONEnc"),
        ("from .x import y as ZEncoder", 6, "from .x import y as _ZEnc"),
        ("import far as FarEncoder", 6, "import far as _FarEnc"),
        ("from parts import *", 6, "in place of `import *`"),
        ("OtherEncoder = 3", 6, "rename OtherEncoder"),
        ("class OtherEncoder: pass", 2, "does not end in 'Encoder'"),
    ],
)
def test_aec203_names_all_names_and_mends_the_other(tmp_path: Path, line: str, at: int, hint: str) -> None:
    files: dict[str, bytes | str] = {"a.py": ENCODER + line + "\n", "parts.py": "ConvEncoder = 1\n"}
    found = only(tmp_path, files, "a.py")
    assert (found.id, found.at) == ("AEC203", f"a.py:{at}")
    assert "found 2: AcmeEncoder (class, line 2), " in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("asked", "source", "message"),
    [
        ("b.py", ENCODER, "there is no file 'b.py' in the repository"),
        ("a.py:OtherEncoder", ENCODER, "there is no class 'OtherEncoder', found AcmeEncoder"),
        ("a.py", "class Net:\n def forward(self): ...\n", "no name in it ends in 'Encoder'"),
        ("a.py", "x = 1", "no name in it ends in 'Encoder'"),
    ],
)
def test_aec204_says_what_is_missing(tmp_path: Path, asked: str, source: str, message: str) -> None:
    found = only(tmp_path, {"a.py": source}, asked)
    assert (found.id, found.message) == ("AEC204", message)


def test_aec204_looks_into_a_star_import_of_an_own_module(tmp_path: Path) -> None:
    found = findings(tmp_path, {"a.py": "from own import *", "own.py": "x = 1"}, "a.py")
    assert "AEC204" in {one.id for one in found}


def test_aec204_leaves_a_foreign_star_import_to_the_loading_stage(tmp_path: Path) -> None:
    assert findings(tmp_path, {"a.py": "from far import *"}, "a.py") == []


def test_aec205_names_the_parameters(tmp_path: Path) -> None:
    found = only(tmp_path, {"a.py": ENCODER.replace("rate=16000", "path, rate=1, *, size")})
    assert (found.id, found.at, found.message) == ("AEC205", "a.py:2", "AcmeEncoder() needs values for path, size")


@pytest.mark.parametrize(
    ("files", "severity"),
    [
        ({"a.py": ENCODER + "def f(:\n"}, Severity.ERROR),
        ({"a.py": ENCODER + "import b\n", "b.py": "import c\n", "c.py": "def f(:\n"}, Severity.ERROR),
        ({"a.py": ENCODER, "b.py": "def f(:\n"}, Severity.WARNING),
    ],
)
def test_aec206_is_an_error_only_where_the_encoder_needs_the_file(
    tmp_path: Path, files: dict[str, bytes | str], severity: Severity
) -> None:
    found = only(tmp_path, files)
    assert (found.id, found.severity) == ("AEC206", severity)
    assert "`def f(:`" in found.message
    assert "py_compile" in found.hint
    assert ("run aecc-check with that" in found.hint) == (sys.version_info < (3, 12))


@pytest.mark.parametrize("source", [b"# caf\xe9\n", b"\0"])
def test_aec207_is_an_error_only_where_the_encoder_needs_the_file(tmp_path: Path, source: bytes) -> None:
    beside = findings(tmp_path, {"a.py": ENCODER, "b.py": source})
    needed = findings(tmp_path / "repo", {"a.py": ENCODER + "import b\n", "b.py": source})
    assert [(one.id, one.at, one.severity) for one in beside] == [("AEC207", "b.py:1", Severity.WARNING)]
    assert [(one.id, one.at, one.severity) for one in needed] == [("AEC207", "b.py:1", Severity.ERROR)]


def test_aec207_lets_an_enormous_file_pass_with_a_warning(tmp_path: Path) -> None:
    found = only(tmp_path, {"a.py": ENCODER + "import b\n", "b.py": "x = 1\n" * 200_000})
    assert (found.id, found.severity) == ("AEC207", Severity.WARNING)
    assert "not looked at" in found.message


@pytest.mark.parametrize(
    ("path", "severity", "better"),
    [
        ("enc.v2.py", Severity.ERROR, "enc_v2.py"),
        ("v1.0/encoder.py", Severity.ERROR, "v1_0/encoder.py"),
        ("my-encoder.py", Severity.WARNING, "my_encoder.py"),
        ("2nd.py", Severity.WARNING, "encoder_2nd.py"),
        ("class.py", Severity.WARNING, "encoder_class.py"),
    ],
)
def test_aec208_offers_a_better_path(tmp_path: Path, path: str, severity: Severity, better: str) -> None:
    found = only(tmp_path, {path: ENCODER, "README": ""})
    assert (found.id, found.severity, found.hint) == ("AEC208", severity, f"rename it to {better}")


def test_aec209_warns_of_the_template_name(tmp_path: Path) -> None:
    found = only(tmp_path, {"a.py": ENCODER.replace("Acme", "My")})
    assert (found.id, found.severity, found.at) == ("AEC209", Severity.WARNING, "a.py:2")


def test_names_from_the_submission_are_shown_without_control_characters(tmp_path: Path) -> None:
    name = "enc\u202e\x1b[2J.py"
    for found in findings(tmp_path, {name: "def f(:\n"}):
        assert found.at.isprintable()
        assert found.message.isprintable()
        assert found.hint.isprintable()


def test_more_python_than_is_looked_at_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, bytes | str] = {
        "encoder.py": "import one, two\n" + ENCODER,
        "one.py": "x = 1\n" * 50,
        "two.py": "x = 1\n",
        "z.py": "x = 1\n" * 200,
    }
    assert "AEC222" not in [one.id for one in findings(tmp_path, files)]
    monkeypatch.setattr(source, "MAX_SOURCES_BYTES", 1000)
    monkeypatch.setattr(source, "MAX_IN_DEPTH_BYTES", 299)
    found = [one for one in findings(tmp_path / "repo", files) if one.id == "AEC222"]
    assert [(one.message, one.at) for one in found] == [
        ("1 Python files were not read", ""),
        ("1 of 3 files that the encoder imports were read for their names only", "one.py"),
    ]
