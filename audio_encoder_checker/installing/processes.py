"""Running an installer: with the user's own settings of the index, and without what would lead it elsewhere."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OURS = """TARGET USER PREFIX ROOT REQUIREMENT EDITABLE PYTHON PLATFORM ABI IMPLEMENTATION PYTHON_VERSION NO_BINARY
ONLY_BINARY NO_BUILD UPGRADE REPORT DRY_RUN QUIET VERBOSE NO_DEPS REQUIRE_VIRTUALENV REQUIRE_HASHES LOG NO_COLOR
IGNORE_REQUIRES_PYTHON IGNORE_INSTALLED FORCE_REINSTALL BREAK_SYSTEM_PACKAGES SYSTEM_PYTHON PYTHON_PREFERENCE PROJECT
PROJECT_ENVIRONMENT WORKING_DIR LINK_MODE COMPILE COMPILE_BYTECODE RESOLUTION TORCH_BACKEND REQUIRE_VERIFY_HASHES
OUTPUT_FILE GROUP NO_CLEAN REINSTALL SYSTEM EXCLUDE""".split()  # noqa: SIM905 - a list of words reads better so
"""Settings of pip and uv, after `PIP_` and `UV_`, that are ours to make; the user's index, proxy and caches hold."""

END_SECONDS = 5.0


@dataclass(frozen=True)
class Done:
    """How a program ended, and what it said."""

    status: int
    stdout: str
    stderr: str


def environment() -> dict[str, str]:
    """The user's variables without those that would change what Python runs, or what we ask of the installer."""
    dropped = {f"{prefix}_{name}" for prefix in ("PIP", "UV") for name in OURS}
    kept = {n: v for n, v in os.environ.items() if n not in dropped and not n.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return {**kept, "UV_PYTHON_DOWNLOADS": "never", "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}


def run(command: Sequence[str], folder: Path, seconds: float, drop: Sequence[str] = ()) -> Done:
    """Run a program and wait for it.

    Args:
        command: its words.
        folder: where it runs; no settings of a project may lie there or above.
        seconds: the most it may take.
        drop: variables that it is not given.

    Raises:
        MachineError: it cannot be started, or does not end in time.
    """
    variables = {name: value for name, value in environment().items() if name not in drop}
    try:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise MachineError(f"{command[0]} does not start: {error}", "install uv: pip install uv") from None
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        hint = "a slow package index? try again: what was downloaded is kept"
        raise MachineError(f"installing took longer than {seconds:g} s", hint) from None
    except BaseException:  # Ctrl-C, most likely
        _end(process)
        raise
    return Done(process.returncode, out, err)


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with process, contextlib.suppress(subprocess.TimeoutExpired):  # what has left the group may hold its streams
        process.communicate(timeout=END_SECONDS)
