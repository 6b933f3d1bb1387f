"""`aecc-check --doctor`: what this machine can do, tried, and the command that would change it."""

from __future__ import annotations

import platform
import shutil
import tempfile
import textwrap
from importlib.metadata import version
from typing import TYPE_CHECKING

from audio_encoder_checker.printable import size_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audio_encoder_checker.evidence.run import Isolation
    from audio_encoder_checker.sandbox.choose import Surveyed

WIDTH = 79
LABEL = 12


def doctor() -> tuple[str, bool]:
    """Try every tier.

    Returns:
        What was found, as text, and whether foreign code can be checked here without trusting it.
    """
    from audio_encoder_checker.sandbox.choose import survey

    tiers = survey()
    return diagnosis(tiers, machine()), any(one.box for one in tiers[:-1])


def machine() -> dict[str, str]:
    """Versions, GPU and disk."""
    from audio_encoder_checker.devices import gpus

    folder = tempfile.gettempdir()
    return {
        "system": platform.platform(),
        "Python": platform.python_version(),
        "torch": version("torch"),
        "GPU": ", ".join(gpus()) or "none that the NVIDIA driver shows",
        "temporary": f"{folder}, {size_words(shutil.disk_usage(folder).free)} free",
    }


def diagnosis(tiers: Sequence[Surveyed], facts: dict[str, str]) -> str:
    """The text, at most 79 columns wide but for commands."""
    lines = [line for one in tiers for line in _tier(one)]
    lines += [line for label, text in facts.items() for line in _row(label, text)]
    usable = next(one for one in tiers if one.box)
    ending = {
        "strong": "Foreign code is checked in the strong box.",
        "medium": "Foreign code is checked in the medium box.",
        "weak": "Foreign code cannot be checked safely here; your own can, with --trust.",
    }
    return "\n".join([*lines, "", ending[usable.tier]])


def _tier(one: Surveyed) -> Iterator[str]:
    state = "works" if one.box else "does not work"
    yield f"{one.tier:<{LABEL}}{'works, with --trust' if one.tier == 'weak' and one.box else state}"
    if one.why_not:
        yield from _row("  why", one.why_not)
    if one.remedy:
        yield f"{'  remedy':<{LABEL}}{one.remedy}"  # in one line, to be pasted
    if one.isolation and one.box:
        yield from _isolation(one.isolation)
    if one.isolation:
        yield from _ways_out(one.isolation)
    yield ""


def _isolation(isolation: Isolation) -> Iterator[str]:
    yield from _row("  made of", "; ".join(isolation.mechanisms))
    yield from _row("  memory", isolation.memory)
    yield from _row("  gaps", "; ".join(isolation.unprotected))


def _ways_out(isolation: Isolation) -> Iterator[str]:
    if isolation.probes:
        held = sum(probe.shut for probe in isolation.probes)
        yield from _row("  self-test", f"{held} of {len(isolation.probes)} ways out tried and shut")
    for probe in isolation.probes:
        if not probe.shut:
            yield from _row("  OPEN", f"{probe.name}: {probe.detail}")


def _row(label: str, text: str) -> list[str]:
    indent = " " * LABEL
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{label:<{LABEL}}",
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
