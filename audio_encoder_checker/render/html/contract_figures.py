"""Pictures of the contract stage: frames and time over the length of a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audio_encoder_checker.render.html.svg import Figure, Plot, Scale, linear, logarithmic

if TYPE_CHECKING:
    from collections.abc import Sequence

STYLES = ("s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8")
LENGTHS = (0.025, 0.1, 0.5, 3, 10, 30, 60, 600)
"""Ticks, in seconds; those that the calls of the contract stage have are not far."""


def contract_figures(data: dict[str, Any]) -> list[Figure]:
    """The pictures there are numbers for, of a report as JSON data."""
    found = data["contract"]
    return [one for one in (_drift(found), _times(data)) if one] if found else []


def _drift(contract: dict[str, Any]) -> Figure | None:
    """Frames that each call gave, less those that the declared hop promises."""
    hop = contract["hop_size_ms_declared"]
    calls = [one for one in contract["calls"] if one["batch"] == 1 and one["frames"] is not None and one["seconds"] > 0]
    given = sorted({(one["seconds"], one["frames"]) for one in calls})
    if not hop or hop <= 0 or len({seconds for seconds, _ in given}) < 2:
        return None
    points = [(seconds, frames, frames - seconds * 1000 / hop) for seconds, frames in given]
    line = [(seconds, more) for seconds, _, more in points]
    worst = max(line, key=lambda point: abs(point[1]))
    close = abs(worst[1]) < 1
    y = Scale(-2, 2, (-2, -1, 0, 1, 2)) if close else linear(more for _, more in line)
    x = logarithmic([seconds for seconds, _ in line], LENGTHS)
    plot = Plot(x, y, "seconds of audio", "frames more than declared", height=220)
    plot.line([(x.low, 0), (x.high, 0)], "zero")
    plot.line(line, "s1")
    for seconds, frames, more in points:
        plot.dot((seconds, more), "s1", f"{seconds:g} s: {frames} frames, {more:+.1f}")
    says = f"The farthest from a hop of {hop:g} ms is {worst[1]:+.1f} frames, at {worst[0]:g} s."
    if close:
        ends = f"{line[0][0]:g} to {line[-1][0]:g}"
        says = f"Over {ends} s the frames stay within one of what a hop of {hop:g} ms gives."
    rows = [(f"{s:g}", str(frames), f"{s * 1000 / hop:.1f}", f"{more:+.1f}") for s, frames, more in points]
    title = "Frames against the declared hop"
    return Figure(title, says, plot.picture(title), ("seconds", "frames", "declared", "more"), rows)


def _times(data: dict[str, Any]) -> Figure | None:
    """Seconds that calls took here, a line for each batch size."""
    took = data["timings"]["calls"]
    survival = data["contract"]["survival"]
    cells = [one for one in survival["cells"] if one["state"] == "ok"] if survival else []
    lines: dict[int, list[tuple[float, float]]] = {}
    for one in cells:
        wall = took.get(f"{one['batch']} x {one['seconds']:g} s")
        if wall is not None:
            lines.setdefault(one["batch"], []).append((one["seconds"], max(wall, 1e-3)))
    points = [point for line in lines.values() for point in line]
    if len(points) < 2:
        return None
    plot = Plot(
        logarithmic([s for s, _ in points], LENGTHS), logarithmic(w for _, w in points), "seconds of audio", "seconds"
    )
    for style, (batch, line) in zip(STYLES, lines.items(), strict=False):
        plot.line(line, style)
        for point in line:
            plot.dot(point, style, f"{batch} x {point[0]:g} s: {point[1]:.3g} s")
    slowest = max(points, key=lambda point: point[1])
    says = f"The slowest call took {slowest[1]:.3g} s, with clips of {slowest[0]:g} s, on {_device(data)}."
    title = "Time that calls took"
    legend = [(style, _clips(batch)) for style, batch in zip(STYLES, lines, strict=False)]
    return Figure(title, says, plot.picture(title), ("seconds", *map(_clips, lines)), _by_length(lines), legend)


def _by_length(lines: dict[int, list[tuple[float, float]]]) -> list[Sequence[str]]:
    lengths = sorted({seconds for line in lines.values() for seconds, _ in line})
    known = {batch: dict(line) for batch, line in lines.items()}
    return [(f"{s:g}", *(f"{known[batch][s]:.3g}" if s in known[batch] else "" for batch in lines)) for s in lengths]


def _clips(batch: int) -> str:
    return "1 clip" if batch == 1 else f"{batch} clips"


def _device(data: dict[str, Any]) -> str:
    return str(data["usage"]["device"]) if data["usage"] else "this machine"


def survival_rows(data: dict[str, Any]) -> tuple[list[float], list[tuple[int, list[dict[str, Any]]]]]:
    """The survival map: lengths, and a row of cells for each batch size, in words and with a class for the colour."""
    contract = data["contract"]
    if not contract or not contract["survival"]:
        return [], []
    cells = contract["survival"]["cells"]
    lengths = sorted({one["seconds"] for one in cells})
    rows = []
    for batch in sorted({one["batch"] for one in cells}):
        own = {one["seconds"]: one for one in cells if one["batch"] == batch}
        rows.append((batch, [_cell(own.get(seconds), data["timings"]["calls"]) for seconds in lengths]))
    return lengths, rows


WORDS = {
    "no frames": "✗ shape",
    "failed": "✗ fails",
    "out of memory": "✗ memory",
    "too slow": "✗ slow",
    "forecast": "~ not made",
    "not tried": "- not tried",
}


def _cell(cell: dict[str, Any] | None, took: dict[str, float]) -> dict[str, Any]:
    if cell is None:
        return {"words": "", "style": "", "why": ""}
    wall = took.get(f"{cell['batch']} x {cell['seconds']:g} s", 0.0)
    words = WORDS.get(cell["state"]) or (f"✓ {wall * 1000:.0f} ms" if wall < 1 else f"✓ {wall:.3g} s")
    style = {"ok": "good", "forecast": "open", "not tried": "open"}.get(cell["state"], "bad")
    return {"words": words, "style": style, "why": cell["why"]}
