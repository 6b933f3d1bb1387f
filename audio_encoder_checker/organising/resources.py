"""How many submissions this machine, or a cluster, can judge at once."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

import psutil

from audio_encoder_checker.devices import gpus
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.organising.jobs import Needs
from audio_encoder_checker.organising.local import LocalEngine, make_slots
from audio_encoder_checker.rules import load_rules

if TYPE_CHECKING:
    from audio_encoder_checker.organising.jobs import Engine

UNITS = {"": 1, "GB": 10**9, "GiB": 2**30, "MB": 10**6, "MiB": 2**20}
OWN_BYTES = 1 << 30
"""The checker and its scorer beside the box."""
VRAM_GB = 16.0
"""Of the organisers' card, which the box holds an encoder to."""


class Room(NamedTuple):
    """What there is for all submissions together.

    Attributes:
        at_once: how many submissions.
        needs: of each.
        gpus: of this machine, as CUDA numbers them; empty where encoders run on the CPU.
        warning: what may go wrong with so many at once; empty for nothing.
    """

    at_once: int
    needs: Needs
    gpus: tuple[str, ...]
    warning: str = ""


def parse_jobs(text: str, device: str, profile: str) -> Room:
    """Read `--jobs`: a number, or `cores=8,ram=64GB,gpu=2` in part; what is not said is this machine's.

    Args:
        text: empty to let the machine decide.
        device: where encoders run: `auto`, `cpu` or `cuda[:N]`.
        profile: rule book, which says what RAM an encoder may take.

    Raises:
        UsageError: it is something else.
    """
    count, budget = _parse(text)
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = int(budget.get("cores", own))
    ram = budget.get("ram", psutil.virtual_memory().total)
    cards = () if device == "cpu" else tuple(str(number) for number in range(len(gpus())))
    cards = cards[: int(budget["gpu"])] if "gpu" in budget else cards
    most = load_rules(profile).budget.ram_bytes + OWN_BYTES
    fitting = max(1, min(cores, int(ram // most), *([len(cards)] if cards else [])))
    at_once = count or fitting
    needs = Needs(max(1, cores // at_once), most, VRAM_GB if cards else 0.0)
    warning = ""
    if at_once * most > ram:
        warning = (
            f"{at_once} submissions at once may take {at_once * most / 1e9:.0f} GB of RAM together, and there are "
            f"{ram / 1e9:.0f} GB: if all take what they may, the system ends one of them, which is then repeated"
        )
    return Room(at_once, needs, cards, warning)


def _parse(text: str) -> tuple[int, dict[str, float]]:
    if not text:
        return 0, {}
    if text.isdecimal() and int(text) > 0:
        return int(text), {}
    budget: dict[str, float] = {}
    for part in text.split(","):
        found = re.fullmatch(r"(cores|gpu)=(\d+)|(ram)=(\d+(?:\.\d+)?)(GB|GiB|MB|MiB)", part.strip())
        if not found:
            hint = "for example `--jobs 4` or `--jobs cores=8,ram=64GB,gpu=2`"
            raise UsageError(f"--jobs {text}: cannot read {part!r}", hint)
        name, value = (found[1], float(found[2])) if found[1] else (found[3], float(found[4]) * UNITS[found[5]])
        budget[name] = value
    if budget.get("cores", 1) < 1:
        raise UsageError(f"--jobs {text}: at least one core is needed", "for example `--jobs cores=8,ram=64GB`")
    return 0, budget


def make_engine(name: str, room: Room, address: str | None) -> Engine:
    """Start an engine.

    Raises:
        UsageError: its package is not installed.
        MachineError: it does not start.
    """
    if name == "ray":
        from audio_encoder_checker.organising.ray_engine import RayEngine

        return RayEngine(address, vram_gb=VRAM_GB * len(room.gpus))
    if name == "slurm":
        from audio_encoder_checker.organising.slurm_engine import SlurmEngine

        return SlurmEngine()
    return LocalEngine(make_slots(room.at_once, room.gpus or None))
