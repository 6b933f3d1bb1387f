"""The strongest box that works here and that the user allows."""

from __future__ import annotations

import dataclasses
import os
import platform
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.sandbox import seccomp, watch
from audio_encoder_checker.sandbox.box import LINUX
from audio_encoder_checker.sandbox.bubblewrap import BubblewrapBox, find_bubblewrap
from audio_encoder_checker.sandbox.cgroup import make_cgroup
from audio_encoder_checker.sandbox.host import Machine, box_uid, home, reachable
from audio_encoder_checker.sandbox.landlock import OLDEST_ABI, LandlockBox
from audio_encoder_checker.sandbox.process import ProcessBox
from audio_encoder_checker.sandbox.remedies import gather, remedy
from audio_encoder_checker.sandbox.selftest import probe_box
from audio_encoder_checker.sandbox.sweep import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audio_encoder_checker.evidence.run import Isolation, Probe
    from audio_encoder_checker.sandbox.box import Box

TIERS = ("strong", "medium", "weak")


@dataclass(frozen=True)
class Surveyed:
    """One tier as it was found on this machine.

    Attributes:
        tier: its name.
        isolation: what the box is made of, with its probes; None where no such box starts.
        why_not: why the tier does not count, empty if it does.
        remedy: the one command that would change it, may be empty.
        box: the box, if the tier counts.
    """

    tier: str
    isolation: Isolation | None
    why_not: str
    remedy: str
    box: Box | None = None


def choose_box(tier: str, *, trust: bool, repository: Path | None = None, gpu: bool = False) -> tuple[Box, Isolation]:
    """A box of the tier asked for, and what is known of it; `auto` takes the strongest that works.

    Args:
        tier: `auto` or one of the tiers.
        trust: the weak box will do.
        repository: the folder that it will run: whether a box can stop being root depends on it, and a box counts
            only as it was tested.
        gpu: the GPU will be passed through.

    Raises:
        UsageError: the weak box was asked for without `--trust`, or the box would show the whole home folder.
        MachineError: there is no box that the user allows.
    """
    _refuse(tier, trust=trust, repository=repository)
    wanted = ("strong", "medium", *(("weak",) if trust else ())) if tier == "auto" else (tier,)
    tried: list[Surveyed] = []
    for name in wanted:
        found = _surveyed(name, _may_drop(name, repository), gpu)
        if found.box and found.isolation:
            return found.box, _explained(found.isolation, tier, tried)
        tried.append(found)
    why = "; ".join(f"{one.tier}: {one.why_not}" for one in tried)
    best = next((one.remedy for one in tried if one.remedy), "install bubblewrap")
    hint = f"{best}, or add --trust if the code is your own"
    raise MachineError(f"no box (sandbox) works on this machine: {why}", hint)


def _refuse(tier: str, *, trust: bool, repository: Path | None) -> None:
    if tier == "weak" and not trust:
        raise UsageError("in the weak box the encoder runs with all your rights", "add --trust if you trust this code")
    if tier != "weak" and repository is not None and home().resolve().is_relative_to(repository.resolve()):
        raise UsageError(
            "the encoder would see your whole home folder: it sees the folder that is checked, or that a file lies in",
            "move the submission into a folder of its own",
        )


def survey() -> tuple[Surveyed, ...]:
    """Every tier, tried, strongest first."""
    return tuple(_surveyed(tier, _may_drop(tier, None), False) for tier in TIERS)


def _explained(isolation: Isolation, asked: str, stronger: list[Surveyed]) -> Isolation:
    """What the box is, and why it is no stronger one."""
    if asked != "auto":
        given = "" if asked == TIERS[0] else f"`--box {asked}` was given"
        return dataclasses.replace(isolation, why_not_stronger=given)
    return dataclasses.replace(
        isolation,
        why_not_stronger="; ".join(f"{one.tier}: {one.why_not}" for one in stronger),
        remedy=next((one.remedy for one in stronger if one.remedy), ""),
    )


@lru_cache
def _machine() -> Machine:
    cgroup, why = make_cgroup(1 << 30, 256)
    if cgroup:
        cgroup.close()
    watched = seccomp.supported(platform.machine()) and watch.supported()
    return Machine(
        cgroup=cgroup.name if cgroup else "",
        why_no_cgroup=why,
        counts_memory=cgroup is not None and cgroup.counts_memory,
        counts_tasks=cgroup is not None and cgroup.counts_tasks,
        watched=watched,
    )


def _may_drop(tier: str, repository: Path | None) -> bool:
    """Whether a box for this folder could run under a user of its own."""
    if tier == "weak" or not LINUX or os.geteuid() != 0:
        return False
    if repository is None:
        return True
    return box_uid(repository) is not None and (tier == "strong" or reachable(repository))


@lru_cache
def _surveyed(tier: str, drop_user: bool, gpu: bool) -> Surveyed:
    if tier == "weak":
        box = ProcessBox(_machine())
        return Surveyed(tier, box.isolation(), "", "", box)
    why = _why_impossible(tier)
    if why:
        return Surveyed(tier, None, why, remedy(tier, why, gather(sys.platform)))
    isolation = None
    for candidate in _candidates(tier, drop_user=drop_user):
        probes = _probed(candidate, gpu=gpu)
        open_ones = [probe for probe in probes if not probe.shut]
        isolation = dataclasses.replace(candidate.isolation(), probes=probes)
        if not open_ones:
            return Surveyed(tier, isolation, "", "", candidate)
        why = why or _words(open_ones)
    return Surveyed(tier, isolation, why, remedy(tier, why, gather(sys.platform)))


def _why_impossible(tier: str) -> str:
    if not LINUX:
        return f"this is {platform.system()}: strong and medium isolation need Linux"
    if not seccomp.supported(platform.machine()):
        return f"no system-call filter for {platform.machine()} yet"
    if tier == "strong":
        return find_bubblewrap()[1]
    abi = _landlock_version()
    if abi == 0:
        return "the kernel has no Landlock, or it is not among its security modules"
    return f"Landlock ABI {abi} is too old, Linux 6.2 is needed" if abi < OLDEST_ABI else ""


def _candidates(tier: str, *, drop_user: bool) -> Iterator[Box]:
    program, _ = find_bubblewrap()
    for dropping in (True, False) if drop_user else (False,):
        if tier == "strong" and program:
            for observes in (True, False):
                yield BubblewrapBox(program, _machine(), drop_user=dropping, observes=observes)
        elif tier == "medium":
            yield LandlockBox(_machine(), _landlock_version(), drop_user=dropping)


def _probed(box: Box, *, gpu: bool) -> tuple[Probe, ...]:
    with workspace() as folder:
        return probe_box(box, folder, gpu=gpu)


def _words(open_ones: list[Probe]) -> str:
    first = open_ones[0]
    if first.name == "start":
        return f"does not start: {first.detail}"
    return "the self-test got out: " + ", ".join(probe.name for probe in open_ones)


def _landlock_version() -> int:
    if not LINUX:
        return 0
    from audio_encoder_checker.launcher.landlock import version

    return version()
