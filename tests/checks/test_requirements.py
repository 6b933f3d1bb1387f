"""AEC301 to AEC311, from files to findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.requirements import find_requirements
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.checks import requirements as module
from audio_encoder_checker.evidence.requirements import RequirementFacts
from audio_encoder_checker.evidence.source import TARGET_PYTHON
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.judging import Evidence, judge
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

ENCODER = "import torch\nclass AEncoder(torch.nn.Module):\n    def forward(self, x):\n        return x\n"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


def findings(tmp_path: Path, requirements: str | bytes, top: str = "", **files: str) -> list[Finding]:
    tree: dict[str, str | bytes] = {"a.py": f"{top}\n{ENCODER}", "requirements.txt": requirements}
    tree.update({name.replace("_", "."): text for name, text in files.items()})
    evidence = Evidence()
    evidence.put(find_requirements(read_sources(write_tree(tmp_path / "repo", tree))))
    return list(judge(evidence, [one for one in all_checks() if one.needs == (RequirementFacts,)]).findings)


@pytest.mark.parametrize(
    ("top", "requirements", "severity", "words"),
    [
        ("import lmdb", "torch", ERROR, "no requirement provides it"),
        ("import imp", "torch", ERROR, "no longer has"),
        ("import distutils", "torch", WARNING, "no longer has"),
        ("import foo_of_mine", "torch", WARNING, "known to provide it"),
        ("import librosa", "torch", WARNING, "Colab happens to have it"),
        ("import soundfile", "torch", WARNING, "X-ARES happens to bring it"),
        ("def f():\n    import lmdb", "torch", WARNING, "in a function"),
        ("import lmdb", "mystery==1 # lmdb", NOTE, "mystery==1 may bring it"),
        ("def f():\n    import librosa", "torch", NOTE, "in a function"),
        ("try:\n    import lmdb\nexcept ImportError:\n    pass", "torch", NOTE, "under a condition"),
        ("def f():\n    import librosa, timm", "torch", NOTE, "'librosa', 'timm' may be imported"),
    ],
)
def test_AEC301_undeclared_import(tmp_path: Path, top: str, requirements: str, severity: Severity, words: str) -> None:
    (found,) = [one for one in findings(tmp_path, requirements, top) if one.id == "AEC301"]
    assert (found.name, found.severity) == ("undeclared-import", severity)
    assert words in found.message
    assert found.at.startswith("a.py:")


def test_AEC301_names_the_line_to_add(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "torch", "import cv2")
    assert found.hint == "echo 'opencv-python-headless>=4.13' >> requirements.txt"


def test_AEC301_is_an_error_without_any_list_too(tmp_path: Path) -> None:
    evidence = Evidence()
    root = write_tree(tmp_path, {"a.py": f"import lmdb\n{ENCODER}"})
    evidence.put(find_requirements(read_sources(root)))
    (found,) = judge(evidence, [one for one in all_checks() if one.id == "AEC301"]).findings
    assert found.severity is ERROR


CASES = [
    ("-e .", "AEC302", "local-requirement", WARNING, "found only where pip is started"),
    ("/home/me/x", "AEC302", "local-requirement", ERROR, "lies outside"),
    ("numpy @ file:///croot/numpy_123/work", "AEC302", "local-requirement", ERROR, "lies outside"),
    ("./x.whl", "AEC302", "local-requirement", ERROR, "not in the submission"),
    ("--index-url https://me:secret@example.org/simple", "AEC303", "index-options", ERROR, "***@example.org"),
    ("--extra-index-url https://download.pytorch.org/whl/cu124", "AEC303", "index-options", NOTE, "PyTorch's own"),
    ("-f https://example.org/wheels", "AEC303", "index-options", ERROR, "elsewhere"),
    ("--trusted-host example.org", "AEC303", "index-options", ERROR, "without a check of its certificate"),
    ("--pre", "AEC303", "index-options", WARNING, "not released"),
    ("--no-binary :all:", "AEC303", "index-options", WARNING, "from source"),
    ("librosa>=0.10", "AEC304", "unpinned-requirements", NOTE, "librosa: any later version"),
    ("einops==0.8\neinops==0.7", "AEC305", "requirement-conflict", ERROR, "no version fits 'einops==0.7'"),
    ("einops<0.9\neinops<0.8", "AEC305", "requirement-conflict", NOTE, "repeats"),
    ("numpy==1.24.4", "AEC306", "wrong-python", ERROR, "cannot be installed"),
    ("numpy<1.25", "AEC306", "wrong-python", WARNING, "the first release with a wheel"),
    ("fairseq==0.12.2", "AEC307", "broken-requirement", ERROR, "omegaconf<2.1"),
    ("sklearn==0.0", "AEC307", "broken-requirement", ERROR, "wrong one"),
    ("torch==2.6.0\ntorchaudio==2.5.1", "AEC307", "broken-requirement", ERROR, "does not belong to torch==2.6.0"),
    ("torch==2.6.0+cu124", "AEC307", "broken-requirement", ERROR, "no versions with a `+`"),
    ("torch==2.2.1", "AEC307", "broken-requirement", WARNING, "built for numpy 1"),
    ("b @ git+https://github.com/a/b@main", "AEC308", "repository-requirement", WARNING, "'main' may move"),
    (f"b @ git+https://github.com/a/b@{COMMIT}", "AEC308", "repository-requirement", NOTE, "takes git and time"),
    ("b @ git+ssh://git@github.com/a/b", "AEC308", "repository-requirement", ERROR, "needs your key"),
    ("-e git+https://github.com/a/b", "AEC308", "repository-requirement", ERROR, "has no name"),
    ("lmdb==1.0\nkaldiio==2.18", "AEC309", "unused-requirement", NOTE, "mentions lmdb, kaldiio"),
    ("torch=2.6", "AEC310", "unreadable-requirement", ERROR, "pip refuses 'torch=2.6'"),
    ("torch --pre", "AEC310", "unreadable-requirement", WARNING, "pip ignores '--pre'"),
    ("- lmdb", "AEC310", "unreadable-requirement", WARNING, "pip ignores '- lmdb'"),
    ("torch\n".encode("utf-16"), "AEC310", "unreadable-requirement", WARNING, "UTF-16-LE, not UTF-8"),
    ("x${A}==1", "AEC310", "unreadable-requirement", ERROR, "nobody sets ${A}"),
    ("-r absent.txt", "AEC311", "missing-nested-list", ERROR, "is not in the submission"),
    ("-c ../x.txt", "AEC311", "missing-nested-list", ERROR, "leads out"),
]


@pytest.mark.parametrize(("requirements", "check_id", "name", "severity", "words"), CASES)
def test_one_finding_for_each_defect(
    tmp_path: Path, requirements: str | bytes, check_id: str, name: str, severity: Severity, words: str
) -> None:
    top = "x = 'einops librosa fairseq sklearn omegaconf'"
    found = findings(tmp_path, requirements, top, pyproject_toml="")
    assert [(one.id, one.name, one.severity) for one in found] == [(check_id, name, severity)]
    assert words in found[0].message
    assert found[0].at.startswith("requirements.txt")
    assert found[0].hint
    assert "secret" not in found[0].message + found[0].hint


@pytest.mark.parametrize(
    ("requirements", "top"),
    [
        ("torch", ""),
        ("torch>=2.2\nnumpy==2.4.6; python_version >= '3.11'\nnumpy==2.2.6; python_version < '3.11'", "import numpy"),
        ("torch==2.13.0\ntorchaudio==2.11.0", "import torchaudio"),
        ("librosa==0.11.0\nsoundfile==0.13.1", "import librosa, soundfile, scipy, sklearn"),
        ("transformers==5.9.0 --hash=sha256:aa", "import transformers, safetensors, huggingface_hub"),
        ("-c constraints.txt\neinops", "import einops"),
        ("--only-binary :all:\n--prefer-binary\neinops~=0.8.0", "import einops"),
        ("--index-url https://pypi.org/simple\ntorch", ""),
        ("tomli==2; python_version < '3.11'", "import tomllib"),
        ("# nothing\n\n", "import json"),
    ],
)
def test_honest_lists_are_left_alone(tmp_path: Path, requirements: str, top: str) -> None:
    assert findings(tmp_path, requirements, top, constraints_txt="einops==0.8.0\n") == []


def test_AEC302_explains_what_is_missing_for_it(tmp_path: Path) -> None:
    found = findings(tmp_path, "-e ./absent", "import lmdb")
    assert [one.id for one in found] == ["AEC302", "AEC301"]
    assert found[1].severity is NOTE


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject_toml", '[project]\nname = "a"\nrequires-python = ">=3.8,<3.12"\n'),
        ("setup_py", "from setuptools import setup\nsetup(python_requires='<3.12')\n"),
        ("setup_cfg", "[options]\npython_requires = ==3.10.*\n"),
        ("pyproject_toml", '[tool.poetry.dependencies]\npython = "~3.10"\n'),
    ],
)
def test_AEC306_a_project_that_leaves_out_the_target(tmp_path: Path, file: str, text: str) -> None:
    (found,) = findings(tmp_path, "torch", **{file: text})
    assert (found.id, found.severity) == ("AEC306", WARNING)
    assert "leaves out the organisers' Python 3.12" in found.message


@pytest.mark.parametrize("versions", [">=3.8", ">=3.12", "<4", "~=3.10", "!=3.12.0", "^3.9"])
def test_AEC306_accepts_a_project_for_the_target(tmp_path: Path, versions: str) -> None:
    text = f'[project]\nname = "a"\nrequires-python = "{versions}"\n'
    assert findings(tmp_path, "torch", pyproject_toml=text) == []


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("torch\n".encode("utf-16"), "iconv -f UTF-16 -t UTF-8 requirements.txt > utf8.txt"),
        ("torch  # für".encode("cp1252"), "iconv -f WINDOWS-1252 -t UTF-8 requirements.txt > utf8.txt"),
    ],
)
def test_AEC310_gives_the_command_that_mends_the_encoding(tmp_path: Path, text: bytes, command: str) -> None:
    (found,) = findings(tmp_path, text)
    assert found.hint.startswith(command)


def test_AEC306_a_marker_that_leaves_out_what_is_imported(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "lmdb==1.0; python_version < '3.12'", "import lmdb")
    assert (found.id, found.severity) == ("AEC306", WARNING)
    assert "a.py:1 imports lmdb" in found.message


def test_AEC307_torchaudio_without_its_decoder(tmp_path: Path) -> None:
    top = "import torchaudio\nwave = torchaudio.load('a.wav')"
    (found,) = findings(tmp_path, "torchaudio==2.9.0", top)
    assert (found.id, found.severity) == ("AEC307", WARNING)
    assert "torchcodec" in found.message


def test_what_a_trap_tells_of_is_not_told_twice(tmp_path: Path) -> None:
    assert findings(tmp_path, "torch", "import flash_attn, transformer_engine") == []


def test_a_line_that_pip_refuses_is_told_once(tmp_path: Path) -> None:
    found = findings(tmp_path, "%pip install lmdb\n- kaldiio\ntimm=1.0", "import lmdb, kaldiio, timm")
    assert [(one.id, one.hint) for one in found] == [
        ("AEC310", "write `lmdb`"),
        ("AEC310", "write `timm==1.0`"),
        ("AEC310", "write `kaldiio`"),
    ]


def test_many_are_counted(tmp_path: Path) -> None:
    found = [one for one in findings(tmp_path, "a=1\n" * 50) if one.id == "AEC310"]
    assert len(found) == 20
    assert "30 more like this" in found[-1].message


def test_the_target_is_named_as_elsewhere() -> None:
    assert ".".join(map(str, TARGET_PYTHON)) in module.TARGET
