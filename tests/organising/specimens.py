"""Specimens as ZIPs."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.manifest import describe_file
from audio_encoder_checker.organising.jobs import Job, Needs
from audio_encoder_checker.organising.worker import LOG

if TYPE_CHECKING:
    from audio_encoder_checker.organising.jobs import Ended, Engine

SPECIMENS = Path(__file__).parents[1] / "specimens"


def zipped(name: str, target: Path) -> Path:
    """One specimen, packed as a participant would."""
    folder = SPECIMENS / name
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "expected" not in path.name and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(folder))
    return target


def job(folder: Path, name: str, *options: str, needs: Needs | None = None) -> Job:
    """A specimen to be judged, with a folder of its own."""
    submission = zipped(name, folder / f"{name}.zip")
    work = folder / f"work-{name}"
    work.mkdir()
    needs = needs or Needs(1, 200 << 20)
    return Job(describe_file(submission, name).sha256, submission, work, options, needs)


def begun(one: Job, within_s: float = 60) -> None:
    """Wait until a job's checker starts."""
    end = time.monotonic() + within_s
    while not (one.folder / LOG).exists():
        assert time.monotonic() < end, "nothing began"
        time.sleep(0.02)


def ended(engine: Engine, within_s: float = 120) -> Ended:
    """The next job that an engine is done with."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        found = engine.next(0.2)
        if found:
            return found
    raise AssertionError("nothing ended")
