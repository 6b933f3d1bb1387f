"""One report out of several: what was judged without the evaluation, and each task that was evaluated on its own."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.catalogue import matching
from audio_encoder_checker.evaluation.averages import weighted_average
from audio_encoder_checker.evidence.scores import TrackScores, goodness
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.judging import Evidence, judge
from audio_encoder_checker.render.places import families_of
from audio_encoder_checker.render.standing import references_of, task_score
from audio_encoder_checker.report import verdict_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EVALUATE = "evaluate"
OF_ALL_TASKS = "AEC803"
"""The check that compares a submission's tasks together, so that a single one says nothing."""
TRACKS = ("track_a", "track_b")


def merge_reports(base: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Any]:
    """Put the scores of single tasks into the report that lacks them, and judge anew what that changes.

    Args:
        base: JSON data of a report without the stage `evaluate`.
        parts: the report of each task by its id, in order; None for one whose worker was lost.
    """
    known = [part for part in parts.values() if part is not None]
    scores = _scores(parts)
    merged = {
        **base,
        "stages": [*base["stages"], EVALUATE],
        "findings": [*base["findings"], *_findings(base, known), *_together(scores, known)],
        "skipped": _skipped(base, known),
        "scores": scores,
        "timings": {**base["timings"], "stages": {**base["timings"]["stages"], EVALUATE: _seconds(known)}},
    }
    families = families_of(merged["findings"], itemgetter("because_of"))
    families.sort(key=lambda family: Severity(family[0]["severity"]).rank)
    merged["findings"] = [one for first, others in families for one in (first, *others)]
    severities = [one["severity"] for one in merged["findings"]]
    undecided = len(known) < len(parts) or any(one["open"] for one in merged["skipped"])
    verdict = verdict_of(severities, strict=base["strict"], undecided=undecided)
    return {**merged, "verdict": verdict.value, "exit_code": verdict.exit_code}


def _seconds(parts: Sequence[Mapping[str, Any]]) -> float:
    seconds: list[float] = [part["timings"]["stages"].get(EVALUATE, 0.0) for part in parts]
    return round(sum(seconds), 3)


def _findings(base: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the tasks found, each once; what is said of all tasks together is left out."""
    seen = {(one["id"], one["at"]) for one in base["findings"]}
    found = []
    for one in (one for part in parts for one in part["findings"]):
        key = (one["id"], one["at"] if one["stage"] != EVALUATE else one["message"])
        if key not in seen and one["id"] != OF_ALL_TASKS:
            seen.add(key)
            found.append(one)
    return found


def _skipped(base: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Checks of the evaluation say what they say in the tasks' reports; the others what they say without them."""
    own = {one.id for one in matching(("AEC8",))[0]}
    kept = {one["id"]: one for one in base["skipped"] if one["id"] not in own}
    for one in (one for part in parts for one in part["skipped"] if one["id"] in own):
        if one["id"] not in kept or one["open"]:
            kept[one["id"]] = one
    return [kept[check_id] for check_id in sorted(kept)]


def _scores(parts: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Any] | None:
    found = [part["scores"] for part in parts.values() if part and part["scores"]]
    if not found:
        return None
    lost = [{"task": task, "reason": "its worker was lost"} for task, part in parts.items() if part is None]
    references = {(one["name"], one["task"]): one for one in _joined(found, "reference")}
    return {
        "data": found[0]["data"],
        **{track: _track(_joined([scores[track] for scores in found], "tasks")) for track in TRACKS},
        "missing": [*lost, *_joined(found, "missing")],
        "reference": list(references.values()),
        "reference_notes": {task: note for scores in found for task, note in scores["reference_notes"].items()},
        "audio_seconds": round(sum(scores["audio_seconds"] for scores in found), 3),
        "projections": _joined(found, "projections"),
    }


def _joined(found: Sequence[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    """The lists of all parts under one key, one after the other."""
    return [one for scores in found for one in scores[key]]


def _track(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    pairs = [(goodness(one["metric"], one["value"]), one["weight"]) for one in tasks if one["value"] is not None]
    return {"tasks": tasks, "weighted_average": round(weighted_average(pairs), 6) if pairs else None}


def _together(scores: Mapping[str, Any] | None, parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The findings of the check that looks at all tasks of track A together."""
    skipped = {one["id"] for part in parts for one in part["skipped"]}
    if scores is None or OF_ALL_TASKS in skipped:
        return []
    evidence = Evidence()
    track = tuple(task_score(one) for one in scores["track_a"]["tasks"])
    evidence.put(
        TrackScores(scores["data"], track, (), None, None, scores["audio_seconds"]),
        references_of(scores),
    )
    found = judge(evidence, matching((OF_ALL_TASKS,))[0]).findings
    keys = ("id", "name", "stage", "title", "message", "at", "why", "hint")
    return [
        {**{key: getattr(one, key) for key in keys}, "severity": one.severity.value, "because_of": None, "excerpt": []}
        for one in found
    ]
