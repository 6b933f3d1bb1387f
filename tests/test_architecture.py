"""The walls of the house: who imports what, and how light the start is."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import audio_encoder_checker

PACKAGE = Path(audio_encoder_checker.__file__).parent
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "templates" not in p.parts)
CHILD = sorted(path for room in ("child", "launcher") for path in (PACKAGE / room).glob("*.py"))
HEAVY = {"torch", "numpy", "jsonschema", "rich", "sklearn", "scipy", "huggingface_hub", "requests", "soundfile"}


def imports(path: Path) -> set[str]:
    """Every absolute import of a file, wherever it stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", CHILD, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_child_and_launcher_import_nothing_of_the_package(path: Path) -> None:
    assert not [name for name in imports(path) if name.split(".")[0] == "audio_encoder_checker"]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_only_the_child_and_the_scorer_import_torch(path: Path) -> None:
    inside = path.relative_to(PACKAGE).parts
    if inside[0] != "child" and inside[:2] != ("evaluation", "scorer"):
        assert not [name for name in imports(path) if name.split(".")[0] == "torch"]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_nothing_is_ever_unpickled(path: Path) -> None:
    assert not {"pickle", "shelve", "marshal", "joblib", "dill"} & imports(path)


def test_init_files_below_the_root_are_empty() -> None:
    assert not [p for p in PACKAGE.rglob("__init__.py") if p.parent != PACKAGE and p.stat().st_size]


def loaded(arguments: list[str]) -> set[str]:
    """Top-level modules that a command has imported when it is done."""
    code = (
        "import json, sys\n"
        "from audio_encoder_checker.cli.%s import main\n"
        "try:\n    main()\nexcept SystemExit as e:\n    assert not e.code, e.code\n"
        "print('\\n' + json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code % arguments[0], *arguments[1:]], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--help"],
        ["check", "--explain", "AEC503"],
        ["check", "--list-checks"],
        ["package", "--help"],
        ["data", "--help"],
    ],
    ids=" ".join,
)
def test_help_and_explain_start_light(arguments: list[str]) -> None:
    assert not loaded(arguments) & HEAVY


def test_the_parent_of_a_run_never_imports_torch() -> None:
    code = "import sys; import audio_encoder_checker.pipeline; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_that_windows_lacks_is_needed_before_a_box_starts() -> None:
    code = (
        "import sys, psutil, subprocess, tempfile, rich.console\n"
        "for name in ('fcntl', 'resource', 'pwd', 'grp', 'termios'):\n"
        "    sys.modules[name] = None\n"
        "sys.platform = 'win32'\n"
        "import audio_encoder_checker.pipeline\n"
        "from audio_encoder_checker.sandbox.choose import survey\n"
        "print([one.tier for one in survey() if one.box])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "['weak']\n", done.stderr


ROOMS = (
    ("errors", "findings", "printable", "toml", "machines"),
    ("evidence", "rules", "config", "devices", "progress"),
    ("catalogue",),
    ("judging",),
    ("report",),
    ("archive", "child", "launcher", "network"),
    ("sandbox", "evaluation"),
    ("budget", "installing"),
    ("stages", "datasets"),
    ("checks",),
    ("render",),
    ("pipeline", "packing"),
    ("organising",),
    ("cli",),
    ("notebook",),
    ("__main__", "__init__"),
)
"""From bottom to top: a room imports itself and what stands above it in this list."""


def level(room: str) -> int:
    (found,) = (number for number, rooms in enumerate(ROOMS) if room in rooms)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_a_room_imports_nothing_from_above(path: Path) -> None:
    room = path.relative_to(PACKAGE).with_suffix("").parts[0]
    used = {name.split(".")[1] for name in imports(path) if name.startswith("audio_encoder_checker.")}
    assert not [other for other in used - {room} if level(other) >= level(room)]
