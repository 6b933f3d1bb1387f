"""The walls of the house: who imports what, and how light the start is."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import audio_encoder_checker
from tests.organising.specimens import zipped
from tests.profiles import BRIEF, changed_profile

PACKAGE = Path(audio_encoder_checker.__file__).parent
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "templates" not in p.parts)
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


IMPORTS = {path.relative_to(PACKAGE): imports(path) for path in MODULES}


def importing(names: set[str]) -> list[str]:
    """The modules that import one of these."""
    return [str(path) for path, found in IMPORTS.items() if names & {name.split(".")[0] for name in found}]


def test_child_and_launcher_import_nothing_of_the_package() -> None:
    assert not [path for path in importing({"audio_encoder_checker"}) if path.startswith(("child/", "launcher/"))]


def test_only_the_child_and_the_scorer_import_torch() -> None:
    assert not [path for path in importing({"torch"}) if not path.startswith(("child/", "evaluation/scorer/"))]


def test_nothing_is_ever_unpickled() -> None:
    assert not importing({"pickle", "shelve", "marshal", "joblib", "dill"})


def test_every_dependency_is_used() -> None:
    distributions = importlib.metadata.packages_distributions()
    used = {name.split(".")[0] for found in IMPORTS.values() for name in found}
    used |= {"tomli"}  # on older Pythons
    providing = {canonicalize_name(one) for name in used for one in distributions.get(name, [name])}
    declared = [Requirement(line) for line in importlib.metadata.requires("audio-encoder-checker") or ()]
    needed = {canonicalize_name(one.name) for one in declared if "extra" not in str(one.marker)}
    assert needed <= providing


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


PAGE = Path(__file__).parents[1] / "docs" / "architecture.md"


def table(heading: str, columns: int) -> list[list[str]]:
    """The table below a heading of docs/architecture.md: of each row the words in backticks in its first columns."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    assert lines, heading
    return [re.findall(r"`([^`]+)`", "".join(line.split("|")[1 : 1 + columns])) for line in lines]


ROOMS = table("Rooms", 1)
"""From bottom to top: a room imports itself and what stands above it in this list."""
STEPS = {heading: table(heading, 2) for heading in ("The path of a submission", "The path of a waveform")}


def level(room: str) -> int:
    (found,) = (number for number, rooms in enumerate(ROOMS) if room in rooms)
    return found


def test_a_room_imports_nothing_from_above() -> None:
    wrong = []
    for path, found in IMPORTS.items():
        room = path.with_suffix("").parts[0]
        used = {name.split(".")[1] for name in found if name.startswith("audio_encoder_checker.")}
        wrong += [f"{path} imports {other}" for other in used - {room} if level(other) >= level(room)]
    assert not wrong


def test_every_room_of_the_page_is_there() -> None:
    assert not [room for rooms in ROOMS for room in rooms if not list(PACKAGE.glob(f"{room}*"))]


def defined(path: Path) -> set[str]:
    """Functions of a file, and methods as `Class.method`."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        found.update(prefix + one.name for one in inner if isinstance(one, ast.FunctionDef))
    return found


def test_every_step_of_the_page_is_a_function() -> None:
    wrong = [(f, name) for steps in STEPS.values() for f, name in steps if name not in defined(PACKAGE / f)]
    assert not wrong


TRACED = """
import sys, threading
from audio_encoder_checker.cli import check, console
steps = {tuple(step.split()) for step in sys.argv[1].splitlines()}
names = {name for _, name in steps}
taken = []
def note(frame, event, _argument):
    if event == "call":
        code = frame.f_code
        if code.co_name in names and (code.co_filename, code.co_name) in steps:
            taken.append((code.co_filename, code.co_name))
sys.argv = ["aecc-check", *sys.argv[2:]]
threading.setprofile(note)
sys.setprofile(note)
try:
    check.main()
finally:
    sys.setprofile(None)
    for step in taken:
        print(*step, file=sys.stderr)
"""


@pytest.mark.box
def test_a_real_check_takes_the_steps_of_the_page_in_order(tmp_path: Path) -> None:
    inside = {
        heading: [
            f"{PACKAGE / file} {name.rpartition('.')[2]}"
            for file, name in steps
            if not file.startswith("evaluation/scorer/") and (not file.startswith("child/") or file == "child/wire.py")
        ]  # the others are taken in processes of their own
        for heading, steps in STEPS.items()
    }
    brief = changed_profile(tmp_path, **{**BRIEF, "second_process": True})
    submission = zipped("good-frames", tmp_path / "good.zip")
    steps = "\n".join(step for path in inside.values() for step in path)
    words = ["--trust", "--quiet", f"--profile={brief}", "--tasks=quick-rooms", str(submission)]
    command = [sys.executable, "-c", TRACED, steps, *words]
    environment = {**os.environ, "AECC_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    taken = done.stderr.splitlines()
    for heading, path in inside.items():
        left = iter(taken)
        missed = [step for step in path if step not in left]
        assert not missed, f"{heading}: {missed[0]} is not taken where the page says"
