"""AEC21x: what importing the encoder's file would do."""

from __future__ import annotations

from pathlib import Path

import pytest

from audio_encoder_checker.archive import modules
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.catalogue import matching
from audio_encoder_checker.checks import importing
from audio_encoder_checker.evidence.submission import Submission, SubmissionKind
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.judging import Evidence, judge
from tests.builders import write_tree
from tests.checks.test_source import ENCODER

ROOT = Path(__file__).parent.parent.parent
HONEST = [
    *sorted((ROOT / "tests" / "encoders").glob("*.py")),
    ROOT / "example_submission" / "encoder.py",
    ROOT / "templates" / "plain" / "encoder.py",
]


def judged(root: Path, encoder: str | None = None, kind: SubmissionKind = SubmissionKind.FOLDER) -> list[Finding]:
    evidence = Evidence()
    evidence.put(read_sources(root, encoder), Submission("x", kind, "0" * 64, 1))
    return list(judge(evidence, matching(("AEC21",))[0]).findings)


def findings(tmp_path: Path, files: dict[str, bytes | str], **options: SubmissionKind) -> list[Finding]:
    return judged(
        write_tree(tmp_path / "repo", {"encoder.py": ENCODER, "README": "", **files}), "encoder.py", **options
    )


@pytest.mark.parametrize("path", HONEST, ids=lambda path: path.parent.name + "-" + path.stem)
def test_honest_encoders_are_not_accused(path: Path) -> None:
    assert judged(path.parent, path.name) == []
    assert judged(path.parent, path.name, SubmissionKind.FILE) == []


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("random.py", "random.py hides random of Python's own library"),
        ("types/__init__.py", "types/ hides types of Python's own library"),
        ("torch/__init__.py", "torch/ hides torch, which X-ARES imports"),
        ("sklearn.py", "sklearn.py hides sklearn, which X-ARES imports"),
        ("xares/__init__.py", "xares/ hides xares, which X-ARES imports"),
    ],
)
def test_aec210_is_an_error_where_the_run_would_break(tmp_path: Path, path: str, message: str) -> None:
    (found,) = findings(tmp_path, {path: ""})
    assert (found.id, found.severity, found.message, found.at) == ("AEC210", Severity.ERROR, message, path)
    shown = path.removesuffix("__init__.py")
    assert found.hint.startswith(f"rename {shown} to own_{shown}, ")


@pytest.mark.parametrize(
    "path",
    [
        "utils.py",
        "models/__init__.py",
        "datasets_acme.py",
        "audio_encoder_checker.py",
        "setup.py",
        "conftest.py",
        "tests/__init__.py",
        "test/__init__.py",
        "test.py",
        "train.py",
        "wave.py",
        "time.py",
        "random/readme.md",
        "torch/notes.py",
        "lib/random.py",
        "my-random.py",
    ],
)
def test_aec210_leaves_ordinary_names_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(modules, "is_installed", lambda name: name != "encoder")
    assert findings(tmp_path, {path: ""}) == []


def test_aec210_warns_where_the_check_and_the_run_would_import_different_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ENCODER + "import audio_encoder_checker\nimport datasets\nimport time\nimport utils\nimport wave\n"
    names = ("audio_encoder_checker", "datasets", "time", "utils", "wave")
    files: dict[str, bytes | str] = {"encoder.py": source, **{f"{name}.py": "" for name in names}}
    assert [one.at for one in findings(tmp_path, files)] == ["wave.py"]
    monkeypatch.setattr(modules, "is_installed", lambda name: name != "encoder")
    found = findings(tmp_path, files)
    assert [(one.at, one.severity.value) for one in found] == [
        ("datasets.py", "warning"),
        ("utils.py", "warning"),
        ("wave.py", "warning"),
    ]


def test_aec210_looks_at_what_is_submitted(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"random.py": "", "encoder.py": ENCODER + "import queue\n", "queue.py": ""}
    assert [one.at for one in findings(tmp_path, files, kind=SubmissionKind.FILE)] == ["queue.py"]


def test_aec210_knows_each_name_once() -> None:
    lists = (importing.NEVER_HIDDEN, importing.UNUSED, importing.X_ARES, importing.WHERE_INSTALLED)
    assert len(frozenset().union(*lists)) == sum(len(one) for one in lists)


def test_aec211_names_the_line_and_what_it_does(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, {"encoder.py": ENCODER + "def main(): pass\nmain()\n"})
    assert (found.id, found.severity, found.at) == ("AEC211", Severity.WARNING, "encoder.py:7")
    assert found.message == "`main()` runs a program when the file is imported"
    assert 'put `if __name__ == "__main__":` above line 7' in found.hint


def test_aec211_is_an_error_where_arguments_are_parsed(tmp_path: Path) -> None:
    code = "import argparse\nargs = argparse.ArgumentParser().parse_args()\n"
    (found,) = findings(tmp_path, {"encoder.py": ENCODER + "import options\n", "options.py": code})
    assert (found.severity, found.at) == (Severity.ERROR, "options.py:2")
    assert found.message == "`parse_args()` reads the command line when the file is imported"


@pytest.mark.parametrize(
    "line",
    [
        "def late(): import options",
        'if __name__ == "__main__":\n    import options',
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import options",
        "",
    ],
)
def test_aec211_leaves_files_alone_that_the_import_does_not_run(tmp_path: Path, line: str) -> None:
    files: dict[str, bytes | str] = {"encoder.py": f"{ENCODER}{line}\n", "options.py": "args = parser.parse_args()\n"}
    assert findings(tmp_path, files) == []
