"""What a page says in words: the verdict, findings with what follows from them, stages, what was not judged."""

from __future__ import annotations

import shlex
from operator import itemgetter
from typing import Any

from audio_encoder_checker.render.places import families_of

MARKS = {"error": "✗", "warning": "!", "note": "i"}
VERDICTS = {
    "ready": ("✓", "Nothing was found that would be refused or break."),
    "not-ready": ("✗", "Mend the errors below, then check again."),
    "undecided": ("?", "Not everything that was asked for could be judged on this machine."),
}
OPEN = 5
"""So many findings are shown unfolded."""


def contents(data: dict[str, Any]) -> dict[str, Any]:
    """What the template shows, by the names that it uses."""
    families = families_of(data["findings"], itemgetter("because_of"))
    own = [one for one, _ in families]
    return {
        "mark": VERDICTS[data["verdict"]][0],
        "sentence": _sentence(data),
        "marks": MARKS,
        "counts": {severity: sum(one["severity"] == severity for one in own) for severity in MARKS},
        "families": families,
        "unfolded": OPEN,
        "stages": [_stage(name, data) for name in data["stages"]],
        "unjudged": _unjudged(data["skipped"], wanted=True),
        "not_asked": _unjudged(data["skipped"], wanted=False),
        "command": _command(data),
    }


def _sentence(data: dict[str, Any]) -> str:
    says = VERDICTS[data["verdict"]][1]
    if data["strict"] and data["verdict"] == "not-ready":
        says = f"Warnings count as errors here (--strict). {says}"
    return f"The run was interrupted: this is what was known by then. {says}" if data["interrupted"] else says


def _stage(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """How a stage went: its gravest finding, and the seconds it took if it was reached."""
    severities = {one["severity"] for one in data["findings"] if one["stage"] == name and not one["because_of"]}
    gravest = next((severity for severity in MARKS if severity in severities), "")
    seconds = data["timings"]["stages"].get(name)
    if gravest:
        return {"name": name, "style": gravest, "mark": MARKS[gravest], "words": gravest, "seconds": seconds}
    if seconds is None:
        later = data["stages"][data["stages"].index(name) :]
        words = "nothing to do" if any(one in data["timings"]["stages"] for one in later) else "not reached"
        return {"name": name, "style": "open", "mark": "-", "words": words, "seconds": None}
    return {"name": name, "style": "good", "mark": "✓", "words": "no finding", "seconds": seconds}


def _unjudged(skipped: list[dict[str, Any]], *, wanted: bool) -> list[tuple[str, list[str]]]:
    """Checks by the reason why they say nothing."""
    reasons: dict[str, list[str]] = {}
    for one in skipped:
        if one["open"] == wanted:
            reasons.setdefault(one["reason"], []).append(f"{one['id']} {one['name']}")
    return list(reasons.items())


def _command(data: dict[str, Any]) -> str:
    """What repeats the run, as far as a report tells."""
    words = ["aecc-check", data["submission"]["path"], "--profile", data["profile"]]
    words += ["--strict"] if data["strict"] else []
    return shlex.join([*words, "--until", data["stages"][-1]])
