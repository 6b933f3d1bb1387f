"""The budget stage for a terminal: does it fit, how much would, how long would it take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.budget import Fit, GpuForecast, Point, RamForecast, TimeForecast
from audio_encoder_checker.render.card import card

if TYPE_CHECKING:
    from rich.console import Console

    from audio_encoder_checker.report import Report

WORDS = {
    Fit.FITS: "fits",
    Fit.BORDERLINE: "may not fit",
    Fit.TOO_LARGE: "does not fit",
    Fit.UNKNOWN: "not known whether it fits",
}


def budget(report: Report, console: Console) -> None:
    """One card: GPU, RAM, time and disk."""
    gpu = report.evidence.get(GpuForecast)
    if gpu is None:
        return
    rows = [("GPU", f"{gpu.basis.value}: {WORDS[gpu.fit]} a {gpu.card} of {gpu.limit_bytes / 2**30:.3g} GiB")]
    rows += [("", f"{point.words}: {_range(point)}") for point in gpu.demanded]
    if gpu.largest_batch or gpu.longest_s:
        rows.append(("", f"largest batch of 10 s: {gpu.largest_batch or '-'}; longest clip: {gpu.longest_s or '-'} s"))
    ram, time = report.evidence.get(RamForecast), report.evidence.get(TimeForecast)
    if ram:
        share = f"{_gib(ram.lower_bytes)} to {_gib(ram.upper_bytes)} of {_gib(ram.limit_bytes)} GiB"
        rows.append(("RAM", f"{WORDS[ram.fit]}: {share} beside CUDA and the system"))
    if time:
        rows.append(("time", _time(time)))
        low, high = time.disk_bytes
        free = time.disk_limit_bytes / 1e9
        rows.append(("disk", f"embeddings of all of them {low / 1e9:,.0f} to {high / 1e9:,.0f} GB; {free:.0f} GB free"))
    card(rows, console)


def _gib(size: float) -> str:
    return f"{size / 2**30:.3g}"


def _range(point: Point) -> str:
    mark = "" if point.fit is Fit.FITS else f", {WORDS[point.fit]}"
    return f"{_gib(point.lower_bytes)} to {_gib(point.upper_bytes)} GiB{mark}"


def _time(time: TimeForecast) -> str:
    low, high = time.hours
    hours = f"{low:.2g} to {high:.2g} hours to encode the {len(time.tasks)} tasks of known size"
    return f"{hours}, {time.cpu_share:.0%} of it the CPU's; a session has {time.session_hours:g}"
