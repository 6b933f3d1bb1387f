"""The budget stage for a terminal: does it fit, how much would, how long would it take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.budget import Fit, GpuForecast, Most, Point, RamForecast, TimeForecast
from audio_encoder_checker.render.card import card

if TYPE_CHECKING:
    from rich.console import Console

    from audio_encoder_checker.report import Report

CELLS = 16
"""Of a gauge."""
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
    how = f"measured on {gpu.measured.name}" if gpu.measured else gpu.basis.value
    rows = [("GPU", f"{how}: {WORDS[gpu.fit]} a {gpu.card} of {_gib(gpu.limit_bytes)} GiB")]
    for point in gpu.demanded:
        bar = gauge(point.lower_bytes, point.upper_bytes, gpu.limit_bytes)
        rows.append(("", f"{bar} {point.words}: {_range(point)}{_beside(gpu, point)}"))
    if gpu.largest_batch or gpu.longest_s:
        batch, longest = _most(gpu.largest_batch, "clips"), _most(gpu.longest_s, "s")
        rows.append(("", f"largest batch of 10 s: {batch}; longest clip: {longest}"))
    ram, time = report.evidence.get(RamForecast), report.evidence.get(TimeForecast)
    if ram:
        share = f"{_gib(ram.lower_bytes)} to {_gib(ram.upper_bytes)} of {_gib(ram.limit_bytes)} GiB"
        bar = gauge(ram.lower_bytes, ram.upper_bytes, ram.limit_bytes)
        rows.append(("RAM", f"{bar} {WORDS[ram.fit]}: {share}, CUDA and the system included"))
    if time:
        rows.append(("time", f"{gauge(*time.hours, time.session_hours)} {_time(time)}"))
        low, high = time.disk_bytes
        free = time.disk_limit_bytes / 1e9
        words = f"embeddings of all of them {low / 1e9:,.0f} to {high / 1e9:,.0f} GB; {free:.0f} GB free"
        rows.append(("disk", f"{gauge(low, high, time.disk_limit_bytes)} {words}"))
    card(rows, console)


def gauge(low: float, high: float, limit: float) -> str:
    """A bar of plain characters: `=` from low to high, `|` at the limit where it is exceeded."""
    whole = max(high, limit)
    first, last = (min(int(CELLS * value / whole), CELLS - 1) for value in (low, high))
    cells = ["=" if first <= n <= last else "." for n in range(CELLS)]
    if high > limit:
        cells[int(CELLS * limit / whole)] = "|"
    return f"[{''.join(cells)}]"


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f}" if size >= 2**30 else f"{size / 2**30:.2f}"


def _most(found: Most | None, unit: str) -> str:
    return f"{found.value:g} {unit}{' or more' if found.more else ''}" if found else "not known"


def _range(point: Point) -> str:
    mark = "" if point.fit is Fit.FITS else f", {WORDS[point.fit]}"
    return f"{_gib(point.lower_bytes)} to {_gib(point.upper_bytes)} GiB{mark}"


def _beside(gpu: GpuForecast, point: Point) -> str:
    """What was forecast for a call that was measured."""
    call = gpu.measured.of(point.batch, point.seconds) if gpu.measured else None
    error = gpu.error(call) if call else None
    return f"; the forecast was {error:+.1%} off" if error is not None else ""


def _time(time: TimeForecast) -> str:
    low, high = time.hours
    took = f"{low * 60:.0f} to {high * 60:.0f} minutes" if high < 1 else f"{low:.1f} to {high:.1f}"
    of = f"{took} of {time.session_hours:g} hours to encode the {len(time.tasks)} tasks of known size"
    return f"{of}, {time.cpu_share:.0%} of it the CPU's"
