"""A picture of the network: what was downloaded when."""

from __future__ import annotations

from typing import Any

from audio_encoder_checker.printable import size_words
from audio_encoder_checker.render.html.svg import Figure, Plot, Scale, linear

MOST = 40
"""So many requests are drawn and listed."""
ROW = 16


def network_figure(data: dict[str, Any]) -> Figure | None:
    """Each request as a bar from its beginning to its last byte; None where nothing was asked of the network."""
    found = data["downloads"]
    if not found or not found["transfers"]:
        return None
    both = list(zip(found["transfers"], data["timings"]["transfers"], strict=True))[:MOST]
    ends = [when["began_s"] + when["seconds"] for _, when in both]
    plot = Plot(linear(ends), Scale(-0.6, len(both) - 0.4, ()), "seconds after the first request", "",
                height=len(both) * ROW + 60, left=170)  # fmt: skip
    for place, (one, when) in enumerate(both):
        y = len(both) - 1 - place
        plot.label(y, _source(one)[-26:])
        hint = f"{_source(one)}: {size_words(one['received_bytes'])} in {when['seconds']:g} s, {_fate(one)}"
        plot.bar((when["began_s"], when["began_s"] + when["seconds"]), y, _style(one), hint, thickness=9)
    total = size_words(found["received_bytes"])
    more = len(found["transfers"]) - len(both) + found["unrecorded"]
    says = f"{len(found['transfers'])} requests, {total}{f'; {more} more are not drawn' if more else ''}."
    rows = [
        (
            one["stage"],
            one["method"],
            _source(one),
            size_words(one["received_bytes"]),
            f"{when['seconds']:g}",
            _fate(one),
        )
        for one, when in both
    ]
    title = "Requests"
    legend = [
        ("good", "came whole, pinned or not from the Hub"),
        ("open", "from a branch or tag"),
        ("bad", "refused or broken off"),
    ]
    return Figure(
        title, says, plot.picture(title), ("stage", "method", "what", "size", "seconds", "how it went"), rows, legend
    )


def _source(one: dict[str, Any]) -> str:
    if one["repo"] is None:
        return f"{one['host']}{one['path']}"
    return f"{one['repo']} {one['file']}".strip() if one["file"] else f"{one['repo']} (question)"


def _style(one: dict[str, Any]) -> str:
    if one["refused"] or one["trouble"] or one["fault"]:
        return "bad"
    return "open" if one["pinned"] is False else "good"


def _fate(one: dict[str, Any]) -> str:
    troubles = [one[key] for key in ("refused", "trouble", "fault") if one[key]]
    if troubles:
        return "; ".join(troubles)
    if one["pinned"]:
        return f"pinned, {one['commit'] or one['revision']}"[:18]
    if one["repo"]:
        today = f", today {one['commit'][:10]}" if one["commit"] else ""
        return f"at {one['revision'] or 'the default branch'}{today}"
    return f"status {one['status']}" if one["status"] else "encrypted"
