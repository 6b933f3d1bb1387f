"""What differs between two reports of a submission: what was mended, what is new, what became slower or larger."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from audio_encoder_checker.archive.manifest import read_json
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.printable import printable, size_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_BYTES = 256 << 20
SLOWER, SLOWER_S = 1.2, 1.0
"""A stage or call is told if it takes so many times as long, and so many seconds more: less is the machine's mood."""
LARGER = 1.02
"""Sizes are told if they differ by more."""
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
LINE = re.compile(r":\d+$")
SIZES = {
    "size of the submission": ("submission", "size_bytes"),
    "weights in memory": ("contract", "weight_bytes"),
    "peak RAM": ("usage", "ram", "peak_bytes"),
    "GPU memory, upper bound": ("budget", "gpu", "upper_bytes"),
}


class Change(NamedTuple):
    """One difference: a word for its kind, and what it is."""

    kind: str
    what: str


def read_report(path: Path) -> dict[str, Any]:
    """A JSON report of an earlier run.

    Raises:
        UsageError: it cannot be read, or is no report of this version.
    """
    shown = printable(str(path), limit=300)
    hint = "name a report that `aecc-check ... --report json=FILE` of this version wrote"
    try:
        return read_json(path, "report", MOST_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read the report {shown!r}: {error.strerror}", hint) from None
    except ValueError as error:
        raise UsageError(f"{shown!r} is no report: {printable(str(error), limit=200)}", hint) from None


def compare_reports(old: dict[str, Any], new: dict[str, Any]) -> tuple[Change, ...]:
    """What differs, in the order in which it matters.

    Args:
        old: JSON data of the earlier report, as the schema has it.
        new: of the later one.
    """
    verdicts = [report["verdict"].upper().replace("-", " ") for report in (old, new)]
    changes = [Change("verdict", f"was {verdicts[0]}, is {verdicts[1]}")] if verdicts[0] != verdicts[1] else []
    if old["profile"] != new["profile"]:
        changes.append(Change("profile", f"was {printable(old['profile'])}, is {printable(new['profile'])}"))
    return (*changes, *_findings(old, new), *_times(old, new), *_sizes(old, new), *_scores(old, new))


def _findings(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    before, after = (_by_identity(report) for report in (old, new))
    judged_no_more = {skipped["id"] for skipped in new["skipped"]}
    for key, finding in before.items():
        if key not in after:
            open_again = finding["id"] in judged_no_more
            yield Change("not judged now" if open_again else "mended", _shown(finding))
    for key, finding in after.items():
        if key not in before:
            yield Change("new", _shown(finding))
        elif (before[key]["severity"], before[key]["message"]) != (finding["severity"], finding["message"]):
            yield Change("changed", f"{_shown(finding)} (was: {printable(before[key]['message'], limit=120)})")


def _by_identity(report: dict[str, Any]) -> dict[tuple[str, str, str, int], dict[str, Any]]:
    """Findings by what stays the same while lines and figures change; of several alike by their order."""
    found: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    for finding in report["findings"]:
        key, number = (finding["id"], LINE.sub("", finding["at"]), NUMBER.sub("#", finding["message"])), 0
        identity = (*key, number)
        while identity in found:
            number += 1
            identity = (*key, number)
        found[identity] = finding
    return found


def _shown(finding: dict[str, Any]) -> str:
    at = f" {printable(finding['at'])}:" if finding["at"] else ""
    return f"{finding['severity']} {finding['id']} {finding['name']}:{at} {printable(finding['message'], limit=160)}"


def _times(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for part, noun in (("stages", "stage"), ("calls", "call of")):
        before, after = (report["timings"][part] for report in (old, new))
        for name in after:
            was, now = before.get(name), after[name]
            if not was or not now:
                continue
            for kind, one, other in (("slower", was, now), ("faster", now, was)):
                if other > SLOWER * one and other - one > SLOWER_S:
                    yield Change(kind, f"{noun} {printable(name)}: {was:.1f} s before, {now:.1f} s now")


def _sizes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for title, path in SIZES.items():
        was, now = (_at(report, path) for report in (old, new))
        if was and now and max(was, now) > LARGER * min(was, now):
            kind = "larger" if now > was else "smaller"
            yield Change(kind, f"{title}: {size_words(was)} before, {size_words(now)} now")


def _scores(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    """Scores that left the interval of before; the same data alone are compared."""
    if _at(old, ("scores", "data")) != _at(new, ("scores", "data")):
        return
    for track in ("track_a", "track_b"):
        before = {task["task"]: task for task in _at(old, ("scores", track, "tasks")) or ()}
        for task in _at(new, ("scores", track, "tasks")) or ():
            was = before.get(task["task"])
            if was and _left(task["value"], was["low"], was["high"]):
                letter = track[-1].upper()
                what = f"track {letter} {printable(task['task'])}: {was['value']:.3f} before, {task['value']:.3f} now"
                yield Change("score", f"{what} ({printable(task['metric'])})")


def _left(value: float | None, low: float | None, high: float | None) -> bool:
    """Whether a score is outside of an interval; what is no number is not."""
    return value is not None and low is not None and high is not None and not low <= value <= high


def _at(report: dict[str, Any], path: tuple[str, ...]) -> Any:
    """A value in a report, None where a part of it was not gathered."""
    value: Any = report
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
