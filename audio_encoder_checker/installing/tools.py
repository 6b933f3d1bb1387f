"""The two installers: uv where it is there, else pip. Both resolve a set into exact versions, and install it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from packaging.utils import canonicalize_name

from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.installing.processes import Done, run
from audio_encoder_checker.installing.reasons import pip_reason, uv_reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audio_encoder_checker.evidence.installing import Unresolved

RESOLVE_SECONDS = 600.0
INSTALL_SECONDS = 3600.0
"""torch with CUDA is 3 GB, an hour at 1 MB/s."""
Pins = dict[str, str]
"""Normalised names and exact versions."""


@dataclass(frozen=True)
class Request:
    """A set to resolve.

    Attributes:
        requirements: lines of ours.
        constraints: lines of ours that only restrict versions.
        constraint_file: the user's own list, if any.
        links: a folder of wheels that are offered besides the index.
        sources: packages that may be built from source, normalised.
    """

    requirements: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    constraint_file: Path | None = None
    links: Path | None = None
    sources: tuple[str, ...] = ()


class Tool(Protocol):
    """What an installer can do."""

    @property
    def name(self) -> str:
        """With its version: `uv 0.13.9`."""

    def resolve(self, request: Request, work: Path) -> Pins | Unresolved:
        """Choose versions; what was chosen, or why there is no choice.

        Raises:
            MachineError: this machine is at fault.
        """

    def install(self, pins: Mapping[str, str], sources: tuple[str, ...], target: Path, work: Path) -> Unresolved | None:
        """Install exactly these into a folder.

        Returns:
            None, or why a package that had to be built could not be.

        Raises:
            MachineError: this machine is at fault.
        """


@dataclass(frozen=True)
class Uv:
    """The `uv` program."""

    program: str
    name: str = "uv"

    def resolve(self, request: Request, work: Path) -> Pins | Unresolved:
        """`uv pip compile`."""
        files = _written(request, work)
        links = [*_uv_links(), *([str(request.links)] if request.links else [])]
        done = self._run(
            "compile", str(work / "requirements.in"), "--no-header", "--no-annotate", "--quiet",
            *_only_wheels(request.sources), *(word for link in links for word in ("--find-links", link)), *files,
            work=work, seconds=RESOLVE_SECONDS,
        )  # fmt: skip
        return _pins_of(done.stdout) if done.status == 0 else uv_reason(done.stderr)

    def install(self, pins: Mapping[str, str], sources: tuple[str, ...], target: Path, work: Path) -> Unresolved | None:
        """`uv pip install --target`; copied, because an encoder in a weak box could write into what is linked."""
        locked = _locked(pins, work)
        done = self._run(
            "install", "--target", str(target), "--no-deps", "--link-mode", "copy", "--quiet", "--requirement",
            str(locked), *_only_wheels(sources), *(word for link in _uv_links() for word in ("--find-links", link)),
            work=work, seconds=INSTALL_SECONDS,
        )  # fmt: skip
        return None if done.status == 0 else uv_reason(done.stderr)

    def _run(self, verb: str, *words: str, work: Path, seconds: float) -> Done:
        command = [self.program, "pip", verb, *words, "--python", sys.executable, "--color", "never"]
        return run(command, work, seconds, drop=("UV_FIND_LINKS",))


@dataclass(frozen=True)
class Pip:
    """pip, of the checker's own environment or of one made for it."""

    command: tuple[str, ...]
    name: str = "pip"

    def resolve(self, request: Request, work: Path) -> Pins | Unresolved:
        """`pip install --dry-run --report`."""
        report = work / "report.json"
        files = _written(request, work)
        done, log = self._run(
            "--dry-run", "--ignore-installed", "--report", str(report), "--requirement",
            str(work / "requirements.in"), *_only_wheels(request.sources),
            *(("--find-links", str(request.links)) if request.links else ()), *files,
            work=work, seconds=RESOLVE_SECONDS,
        )  # fmt: skip
        if done.status:
            return pip_reason(done.stderr, log)
        chosen = [one["metadata"] for one in json.loads(report.read_text(encoding="utf-8"))["install"]]
        return {canonicalize_name(one["name"]): str(one["version"]) for one in chosen}

    def install(self, pins: Mapping[str, str], sources: tuple[str, ...], target: Path, work: Path) -> Unresolved | None:
        """`pip install --target`."""
        done, log = self._run(
            "--target", str(target), "--no-deps", "--no-compile", "--requirement", str(_locked(pins, work)),
            *_only_wheels(sources), work=work, seconds=INSTALL_SECONDS,
        )  # fmt: skip
        return None if done.status == 0 else pip_reason(done.stderr, log)

    def _run(self, *words: str, work: Path, seconds: float) -> tuple[Done, str]:
        """Run it; its log tells which files it passed over."""
        log = work / "pip.log"
        log.unlink(missing_ok=True)
        ours = ("--disable-pip-version-check", "--no-input", "--quiet", "--log", str(log))
        done = run((*self.command, "install", *words, *ours), work, seconds)
        return done, log.read_text(encoding="utf-8", errors="replace") if done.status and log.exists() else ""


def choose_tool(work: Path, wanted: str = "") -> Tool:
    """Uv if it is there, else pip.

    Args:
        work: an empty folder, in which an environment for pip is made where the checker's own has none.
        wanted: `uv` or `pip`, empty for whichever is there.

    Raises:
        UsageError: uv is wanted and not there.
        MachineError: there is neither.
    """
    if wanted != "pip" and (program := _find_uv()):
        told = run((program, "--version"), work, 30.0)
        if told.status == 0:
            return Uv(program, " ".join(told.stdout.split()[:2]))
    if wanted == "uv":
        raise UsageError("uv is not installed", "pip install uv")
    with contextlib.suppress(metadata.PackageNotFoundError):
        return Pip((sys.executable, "-I", "-m", "pip"), f"pip {metadata.version('pip')}")
    return _own_pip(work)


def _own_pip(work: Path) -> Pip:
    """The pip that Python itself brings, in an environment of its own."""
    made = run((sys.executable, "-I", "-m", "venv", str(work / "pip")), work, 120.0)
    if made.status:
        raise MachineError("there is neither uv nor pip to install with", "pip install uv")
    command = (str(work / "pip" / "bin" / "python"), "-I", "-m", "pip")
    told = run((*command, "--version"), work, 60.0)
    if told.status:
        raise MachineError(f"pip does not run: {told.stderr.strip()[-200:]}", "pip install uv")
    return Pip(command, " ".join(told.stdout.split()[:2]))


def _find_uv() -> str | None:
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if beside.is_file() else shutil.which("uv")


def _uv_links() -> list[str]:
    """The user's own; an option on the command line would replace the variable."""
    return [link for link in os.environ.get("UV_FIND_LINKS", "").split(",") if link]


def _only_wheels(sources: tuple[str, ...]) -> list[str]:
    """No code of a package runs while it is installed, but for those that the user lets build."""
    return ["--only-binary", ":all:", *(word for name in sources for word in ("--no-binary", name))]


def _written(request: Request, work: Path) -> list[str]:
    """Write requirements and constraints; the options that name the latter."""
    (work / "requirements.in").write_text("\n".join(request.requirements) + "\n", encoding="utf-8")
    (work / "constraints.in").write_text("\n".join(request.constraints) + "\n", encoding="utf-8")
    files = [work / "constraints.in", *([request.constraint_file] if request.constraint_file else [])]
    return [word for file in files for word in ("--constraint", str(file))]


def _locked(pins: Mapping[str, str], work: Path) -> Path:
    file = work / "locked.txt"
    file.write_text("".join(f"{name}=={version}\n" for name, version in sorted(pins.items())), encoding="utf-8")
    return file


def _pins_of(text: str) -> Pins:
    """The lines `name==version` that uv prints."""
    found = [
        line.split(";")[0].strip().partition("==") for line in text.splitlines() if not line.startswith(("#", "-", " "))
    ]
    return {canonicalize_name(name.partition("[")[0]): version for name, sign, version in found if sign}
