"""Real installers, a real child: what it can import, and what the facts say."""

from __future__ import annotations

import json
import subprocess
import tempfile
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evidence.installing import Difference, Origin, Trouble
from audio_encoder_checker.installing.base import lent_distributions
from audio_encoder_checker.installing.environment import Environment, Wishes, installed
from audio_encoder_checker.installing.requirements import Line
from audio_encoder_checker.installing.resolve import LENT, OWN, TARGET
from audio_encoder_checker.installing.tools import _own_pip
from tests.installing.wheels import NEEDS_UV, TOOLS, use_only, write_source, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

LOOK = (
    "import importlib, importlib.util, json, sys\n"
    "found = {}\n"
    "for name in sys.argv[1:]:\n"
    "    if name.startswith('?'):\n"
    "        spec = importlib.util.find_spec(name[1:])\n"
    "        found[name] = spec and ['', str(spec.origin)]\n"
    "        continue\n"
    "    try:\n"
    "        module = importlib.import_module(name)\n"
    "        found[name] = [getattr(module, '__version__', getattr(module, 'VERSION', '')), str(module.__file__)]\n"
    "    except ImportError:\n"
    "        found[name] = None\n"
    "print(json.dumps(found))"
)
NUMPY = next(one for one in lent_distributions() if one.name == "numpy")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    use_only(folder, monkeypatch, tmp_path)
    write_wheel(folder, "tiny", "1.0")
    write_wheel(folder, "tiny", "2.0")
    return folder


def lines(*texts: str) -> tuple[Line, ...]:
    return tuple(Line("requirements.txt", number, text) for number, text in enumerate(texts, start=1))


def seen(environment: Environment, *names: str) -> dict[str, list[str] | None]:
    """Version and file of each module that a child of the environment can import; `?name` is found, not imported."""
    command = [str(environment.python), "-I", "-B", "-c", LOOK, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, list[str] | None] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("tool", TOOLS)
def test_a_child_imports_what_is_required_and_lent_and_nothing_else(index: Path, tool: str) -> None:
    write_wheel(index, "wants", "1.0", needs=["tiny<2", "numpy"])
    with installed(Wishes(lines("wants", "-e .", "other @ https://host/x.whl"), tool=tool)) as made:
        torch = "torch" if tool == "uv" else "?torch"  # a second each
        found = seen(made, torch, "numpy", "tiny", "wants", "rich", "pytest", "audio_encoder_checker")
        assert found[torch]
        assert found["tiny"] == ["1.0", f"{made.facts.packages_folder}/tiny.py"]
        assert found["wants"]
        assert [found[name] for name in ("rich", "pytest", "audio_encoder_checker")] == [None, None, None]
        assert made.facts.tool.startswith(tool)
        assert made.facts.failed is None
        assert made.facts.constraints == (LENT,)
        assert [(one.at, one.text) for one in made.facts.refused] == [
            ("requirements.txt:2", "-e ."),
            ("requirements.txt:3", "other @ https://host/x.whl"),
        ]
        origins = {one.name: (one.version, one.origin) for one in made.facts.packages}
        assert origins["tiny"] == ("1.0", Origin.WHEEL)
        assert origins["numpy"] == (NUMPY.version, Origin.LENT)
        assert all(path.is_absolute() and path.exists() for path in made.binds)


def test_the_second_time_it_is_there(index: Path) -> None:
    wishes = Wishes(lines("tiny"))
    with installed(wishes) as first:
        assert not first.facts.cached
    (index / "tiny-2.0-py3-none-any.whl").rename(index / "tiny-3.0-py3-none-any.whl.away")
    with installed(Wishes(lines("tiny==1.0"))) as other:
        assert other.facts.key != first.facts.key
    (index / "tiny-3.0-py3-none-any.whl.away").rename(index / "tiny-2.0-py3-none-any.whl")
    with installed(wishes) as again:
        assert again.facts.cached
        assert (again.facts.key, again.facts.packages) == (first.facts.key, first.facts.packages)
        assert seen(again, "tiny")["tiny"]


def test_without_requirements_there_is_what_every_child_needs(index: Path) -> None:
    del index
    with installed(Wishes()) as made:
        assert {one.origin for one in made.facts.packages} == {Origin.LENT}
        found = seen(made, "numpy", "?torch", "rich")
        assert found["numpy"]
        assert found["?torch"]
        assert not found["rich"]


@pytest.mark.parametrize("tool", TOOLS)
def test_versions_of_the_target_are_taken_where_they_can_be(index: Path, tool: str) -> None:
    target = ("tiny==1.0", "numpy==1.0", "absent==7")
    with installed(Wishes(lines("tiny"), machine="m", target=target, tool=tool)) as made:
        assert made.facts.constraints == (TARGET, LENT)
        assert made.differences.differences == (Difference("numpy", NUMPY.version, "1.0"),)
        assert {one.name: one.version for one in made.facts.packages}["tiny"] == "1.0"
    write_wheel(index, "newer", "1.0", needs=["tiny>=2"])
    with installed(Wishes(lines("newer"), machine="m", target=target, tool=tool)) as made:
        assert made.facts.constraints == (LENT,)
        assert Difference("tiny", "2.0", "1.0") in made.differences.differences


@pytest.mark.parametrize("tool", TOOLS)
def test_a_numpy_of_its_own_is_installed_beside_the_lent_torch(index: Path, tool: str) -> None:
    write_wheel(index, "numpy", "1.0", files={"numpy/__init__.py": "__version__ = '1.0'\n"})
    with installed(Wishes(lines("numpy==1.0", "tiny"), tool=tool)) as made:
        origins = {one.name: (one.version, one.origin) for one in made.facts.packages}
        assert origins["numpy"] == ("1.0", Origin.WHEEL)
        assert origins["torch"][1] is Origin.LENT
        assert seen(made, "numpy")["numpy"] == ["1.0", f"{made.facts.packages_folder}/numpy/__init__.py"]
        assert made.facts.removed == ()


def test_constraints_of_the_user_hold(index: Path, tmp_path: Path) -> None:
    del index
    own = tmp_path / "own.txt"
    own.write_text("tiny<2\n")
    with installed(Wishes(lines("tiny"), constraint=own)) as made:
        assert OWN in made.facts.constraints
        assert {one.name: one.version for one in made.facts.packages}["tiny"] == "1.0"
    with installed(Wishes(lines("tiny==2.0"), constraint=own)) as made:
        assert made.facts.failed
        assert made.facts.failed.at == "requirements.txt:1"
    with pytest.raises(UsageError, match="no file"), installed(Wishes(constraint=tmp_path / "none")):
        pass


TROUBLES = [
    (("nosuch",), Trouble.MISSING, "nosuch", 1),
    (("tiny", "tiny2==9"), Trouble.MISSING, "tiny2", 2),
    (("numpy", "tiny==9"), Trouble.VERSION, "tiny", 2),
    (("foreign",), Trouble.PLATFORM, "foreign", 1),
    (("tiny", "raw"), Trouble.SOURCE, "raw", 2),
    (("left", "right"), Trouble.CONFLICT, "left", 1),
]


@pytest.mark.parametrize(
    ("tool", "case"),
    [
        *(pytest.param("uv", case, marks=NEEDS_UV) for case in TROUBLES),
        *(("pip", case) for case in TROUBLES if case[1] in (Trouble.SOURCE, Trouble.CONFLICT)),  # a second each
    ],
    ids=str,
)
def test_what_cannot_be_installed_is_told_in_words(
    index: Path, tmp_path: Path, tool: str, case: tuple[tuple[str, ...], Trouble, str, int]
) -> None:
    texts, trouble, name, line = case
    write_wheel(index, "foreign", "1.0", tag="cp311-cp311-win_amd64")
    write_source(index, "raw", "1.0", tmp_path / "witness")
    write_wheel(index, "left", "1.0", needs=["tiny==1.0"])
    write_wheel(index, "right", "1.0", needs=["tiny==2.0"])
    with installed(Wishes(lines(*texts), tool=tool)) as made:
        failed = made.facts.failed
        assert failed
        assert (failed.trouble, failed.at) == (trouble, f"requirements.txt:{line}")
        assert failed.names[0] == name or trouble is Trouble.CONFLICT
        assert failed.reason
        assert "\n" not in failed.reason
        assert {one.origin for one in made.facts.packages} == {Origin.LENT}
    assert not (tmp_path / "witness").exists(), "nothing of a package runs"


@pytest.mark.parametrize("tool", TOOLS)
def test_building_has_to_be_allowed(index: Path, tmp_path: Path, tool: str) -> None:
    witness = tmp_path / "witness"
    write_source(index, "raw", "1.0", witness)
    with installed(Wishes(lines("raw", "tiny"), allow_source=True, tool=tool)) as made:
        assert made.facts.failed is None
        assert made.facts.built == ("raw",)
        assert seen(made, "raw")["raw"] == ["built", f"{made.facts.packages_folder}/raw.py"]
    assert witness.exists()


def test_start_up_code_and_another_torch_are_removed(index: Path) -> None:
    files = {
        "evil.py": "VERSION = '1'\n",
        "evil.pth": "import os; os._exit(7)\n",
        "sitecustomize.py": "raise SystemExit(8)\n",
        "torch/__init__.py": "raise SystemExit(9)\n",
    }
    write_wheel(index, "evil", "1.0", files=files)
    with installed(Wishes(lines("evil"))) as made:
        found = seen(made, "evil", "?torch")
        assert found["evil"]
        assert found["?torch"]
        assert not found["?torch"][1].startswith(made.facts.packages_folder)
        assert [one.split(":")[0] for one in made.facts.removed] == ["evil.pth", "sitecustomize.py", "torch"]


@pytest.mark.parametrize("tool", TOOLS)
def test_no_index_is_this_machines_fault(
    index: Path, tmp_path: Path, tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del index
    monkeypatch.delenv("UV_CONFIG_FILE")
    monkeypatch.delenv("PIP_NO_INDEX")
    for name in ("UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(MachineError, match="index cannot be reached"), installed(Wishes(lines("absent"), tool=tool)):
        pass
    assert not list((tmp_path / "cache").rglob("facts.json"))


@NEEDS_UV
def test_settings_of_others_in_tmp_are_not_found(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """uv looks upwards for settings, and the temporary folder is everybody's."""
    monkeypatch.delenv("UV_CONFIG_FILE")
    monkeypatch.setenv("UV_FIND_LINKS", str(index))
    monkeypatch.setenv("UV_OFFLINE", "1")
    shared = tmp_path / "shared"
    (shared / "evil").mkdir(parents=True)
    write_wheel(shared / "evil", "tiny", "66")
    (shared / "uv.toml").write_text(f'find-links = ["{shared / "evil"}"]\n')
    monkeypatch.setattr(tempfile, "tempdir", str(shared))
    with installed(Wishes(lines("tiny"), tool="uv")) as made:
        assert {one.name: one.version for one in made.facts.packages}["tiny"] == "2.0"


def test_without_pip_the_one_that_python_brings_is_used(tmp_path: Path) -> None:
    pip = _own_pip(tmp_path)
    assert pip.name.startswith("pip ")
    assert pip.command[0] == str(tmp_path / "pip" / "bin" / "python")
