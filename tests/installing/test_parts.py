"""Reading lines, wheels of what is lent, start-up code, and how the target differs."""

from __future__ import annotations

import time
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from typing import TYPE_CHECKING

import pytest
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evidence.installing import Difference, Origin, Package
from audio_encoder_checker.evidence.requirements import Required, RequirementFacts, Standing
from audio_encoder_checker.installing import processes
from audio_encoder_checker.installing.base import lent_distributions, link, write_wheels
from audio_encoder_checker.installing.differences import differences, target_constraints
from audio_encoder_checker.installing.processes import environment, run
from audio_encoder_checker.installing.requirements import Line, choose, lines_of
from audio_encoder_checker.installing.scan import neutralise

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("-e .", "option -e"),
        ("--extra-index-url=https://host", "option --extra-index-url"),
        ("-r other.txt", "option -r"),
        ("git+https://host/x.git", "elsewhere"),
        ("x @ file:///tmp/x.whl", "elsewhere"),
        ("./x.whl", "elsewhere"),
        ("x.tar.gz", "elsewhere"),
        ("pip install x", "no requirement"),
        ("x" * 3000, "too long"),
    ],
)
def test_what_leads_elsewhere_is_refused(text: str, reason: str) -> None:
    wanted, (refused,) = choose([Line("requirements.txt", 3, text)])
    assert not wanted
    assert reason in refused.reason
    assert refused.at == "requirements.txt:3"
    assert refused.option == text.startswith("--extra")
    assert len(refused.text) <= 120


def test_lines_that_were_read_already_are_taken_with_their_markers() -> None:
    facts = RequirementFacts(
        required=(
            Required("requirements.txt", 1, "tiny", "tiny[a]==1; python_version > '3'", "==1"),
            Required("sub/more.txt", 4, "other", "other", applies=False),
            Required("c.txt", 1, "held", "held<2", "<2", Standing.CONSTRAINT),
            Required("pyproject.toml", 0, "dev", "dev", standing=Standing.EXTRA),
        )
    )
    assert lines_of(facts) == (
        Line("requirements.txt", 1, "tiny[a]==1; python_version > '3'"),
        Line("sub/more.txt", 4, "other"),
    )


def test_hashes_belong_to_files_of_another_machine() -> None:
    ((wanted,), refused) = choose(
        [Line("r", 1, "My_Pkg[a]>=1; python_version > '3' --hash=sha256:00 --hash sha256:11")]
    )
    assert not refused
    assert str(wanted.requirement) == 'My_Pkg[a]>=1; python_version > "3"'
    assert wanted.name == "my-pkg"


def test_wheels_of_what_is_lent_hold_nothing_and_suit_best(tmp_path: Path) -> None:
    lent = lent_distributions()
    names = {one.name for one in lent}
    assert {"torch", "numpy", "sympy"} <= names
    assert not {"rich", "pytest", "audio-encoder-checker"} & names
    write_wheels(tmp_path, lent)
    best = next(iter(sys_tags()))
    for path in tmp_path.iterdir():
        assert best in parse_wheel_filename(path.name)[3]
        assert all(".dist-info/" in name for name in zipfile.ZipFile(path).namelist())
    assert len(list(tmp_path.iterdir())) == len(lent)
    link(tmp_path / "base", lent)
    assert (tmp_path / "base" / "torch" / "__init__.py").is_file()
    assert not (tmp_path / "base" / "rich").exists()


def test_harmless_path_files_and_shared_namespaces_stay(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "fine.pth").write_text("# a comment\nsub\n")
    (tmp_path / "away.pth").write_text("/tmp\n")
    (tmp_path / "up.pth").write_text("../..\n")
    (tmp_path / "usercustomize").mkdir()
    (tmp_path / "usercustomize" / "__init__.py").write_text("")
    (tmp_path / "numpy").mkdir()  # no package: a part of a namespace
    removed = neutralise(tmp_path, lent_distributions())
    assert [one.split(":")[0] for one in removed] == ["away.pth", "up.pth", "usercustomize"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fine.pth", "numpy", "sub"]


def test_whatever_would_be_found_before_what_is_lent_goes(tmp_path: Path) -> None:
    for name in ("torch.py", "torch.pyc", f"numpy{EXTENSION_SUFFIXES[0]}", "fine.py", "torch.pyi"):
        (tmp_path / name).touch()
    (tmp_path / "sympy").mkdir()
    (tmp_path / "sympy" / "__init__.pyc").touch()
    (tmp_path / "marked.pth").write_text("\ufeffimport os\n", encoding="utf-8")
    (tmp_path / "torch.pth").touch()
    neutralise(tmp_path, lent_distributions())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fine.py", "torch.pth", "torch.pyi"]


def test_an_installer_that_leaves_something_behind_is_ended_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "END_SECONDS", 0.3)
    start = time.monotonic()
    with pytest.raises(MachineError, match=r"longer than 0\.2 s"):
        run(("/bin/sh", "-c", "setsid sleep 12 & sleep 60"), tmp_path, 0.2)
    assert time.monotonic() - start < 10


def test_differences_leave_local_versions_aside() -> None:
    packages = [Package("torch", "2.11.0+cpu", Origin.LENT), Package("my-pkg", "1", Origin.WHEEL)]
    found = differences("m", ["torch==2.11.0+cu128", "My_Pkg==2", "other==3", "broken =="], packages)
    assert found.differences == (Difference("my-pkg", "1", "2"),)


def test_packages_of_colab_are_known() -> None:
    known = target_constraints("colab-t4")
    assert "torch==2.11.0+cu128" in known
    assert all(one.count("==") == 1 for one in known)
    assert target_constraints("kaggle-t4x2") == ()
    assert target_constraints("../../budgets/colab-t4") == ()


def test_the_users_index_holds_but_nothing_that_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "HTTPS_PROXY", "PIP_TARGET", "UV_NO_BINARY", "PYTHONPATH"):
        monkeypatch.setenv(name, "x")
    kept = environment()
    assert {"PIP_INDEX_URL", "UV_INDEX_URL", "HTTPS_PROXY"} <= set(kept)
    assert not {"PIP_TARGET", "UV_NO_BINARY", "PYTHONPATH"} & set(kept)
