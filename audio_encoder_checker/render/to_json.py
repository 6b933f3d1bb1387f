"""The report as JSON, after `resources/report.schema.json`."""

from __future__ import annotations

import json
import math
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evidence.contract import CellState, EncodeTraces, HopFit, SurvivalMap, Trace
from audio_encoder_checker.evidence.evaluation import EncodingFacts, References
from audio_encoder_checker.evidence.load import EncoderFacts
from audio_encoder_checker.evidence.run import Conduct, Isolation, Usage
from audio_encoder_checker.evidence.scores import Measure, Projection, TaskScore, TrackScores
from audio_encoder_checker.evidence.submission import Submission
from audio_encoder_checker.render import budget_json, files, installing, network
from audio_encoder_checker.render.measured import Measured, measured
from audio_encoder_checker.render.standing import Known, known_scores, place
from audio_encoder_checker.report import SCHEMA_VERSION, Report

if TYPE_CHECKING:
    from audio_encoder_checker.findings import Finding


def render(report: Report) -> str:
    """The whole report as indented JSON text, in a fixed order."""
    return json.dumps(as_data(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_data(report: Report) -> dict[str, Any]:
    """The whole report as JSON data; parts that were not gathered are null."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "audio-encoder-checker", "version": version("audio-encoder-checker")},
        "profile": report.profile,
        "stages": list(report.stages),
        "submission": _submission(report),
        "verdict": report.verdict.value,
        "exit_code": report.verdict.exit_code,
        "strict": report.strict,
        "interrupted": report.interrupted,
        "findings": [_finding(finding) for finding in report.findings],
        "skipped": [{"id": s.id, "name": s.name, "reason": s.reason, "open": s.open} for s in report.judgement.skipped],
        "files": files.as_data(report.evidence),
        "isolation": _isolation(report),
        "installation": installing.as_data(report.evidence),
        "contract": _contract(report),
        "downloads": network.as_data(report.evidence),
        "budget": budget_json.budget(report.evidence),
        "usage": _usage(report),
        "conduct": _conduct(report),
        "scores": _scores(report),
        "timings": _timings(report),
        "environment": dict(report.environment),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "name": finding.name,
        "severity": finding.severity.value,
        "stage": finding.stage,
        "title": finding.title,
        "message": finding.message,
        "at": finding.at,
        "why": finding.why,
        "hint": finding.hint,
        "because_of": finding.because_of or None,
        "excerpt": [{"line": one.line, "text": one.text} for one in finding.excerpt],
    }


def _submission(report: Report) -> dict[str, Any]:
    submission = report.evidence.get(Submission)
    encoder = report.evidence.get(EncoderFacts)
    return {
        "path": report.path,
        "kind": submission.kind.value if submission else None,
        "sha256": submission.sha256 or None if submission else None,
        "size_bytes": submission.size_bytes if submission else None,
        "encoder": {"file": encoder.file, "class": encoder.class_name} if encoder else None,
    }


def _isolation(report: Report) -> dict[str, Any] | None:
    isolation = report.evidence.get(Isolation)
    if isolation is None:
        return None
    return {
        "tier": isolation.tier,
        "mechanisms": list(isolation.mechanisms),
        "memory": isolation.memory,
        "network": isolation.network,
        "unprotected": list(isolation.unprotected),
        "why_not_stronger": isolation.why_not_stronger,
        "remedy": isolation.remedy,
        "probes": [{"name": p.name, "shut": p.shut, "detail": p.detail} for p in isolation.probes],
        "failed_probes": [p.name for p in isolation.probes if not p.shut],
    }


def _contract(report: Report) -> dict[str, Any] | None:
    encoder = report.evidence.get(EncoderFacts)
    if encoder is None:
        return None
    hop = report.evidence.get(HopFit)
    traces = report.evidence.get(EncodeTraces)
    return {
        "sampling_rate_hz": encoder.number("sampling_rate"),
        "output_dim": encoder.number("output_dim"),
        "hop_size_ms_declared": encoder.number("hop_size_in_ms"),
        "hop_size_ms_measured": hop.plain_ms if hop and hop.measured_ms else None,
        "parameters": encoder.parameters,
        "weight_bytes": encoder.weight_bytes,
        "hop_offset_frames": round(hop.offset_frames, 3) if hop else None,
        "calls": [_call(trace) for trace in traces.traces] if traces else [],
        "survival": _survival(report.evidence.get(SurvivalMap)),
        "measured": [_figure(m) for m in measured(report.evidence) if not m.of_machine],
    }


def _figure(one: Measured) -> dict[str, Any]:
    value = None if one.value is None else _finite(one.value, 9)
    return {"name": one.name, "value": value, "text": one.text, "meaning": one.meaning}


def _timings(report: Report) -> dict[str, Any]:
    """What differs from run to run: seconds of every stage and call, and other figures of this machine."""
    survival = report.evidence.get(SurvivalMap)
    made = [cell for cell in survival.cells if cell.state is CellState.OK] if survival else []
    return {
        "stages": {name: round(seconds, 3) for name, seconds in report.timings.items()},
        "calls": {f"{cell.batch} x {cell.seconds:g} s": round(cell.wall_s, 3) for cell in made},
        "figures": [_figure(m) for m in measured(report.evidence) if m.of_machine],
        "budget": budget_json.timings(report.evidence),
        "transfers": network.timings(report.evidence),
    }


def _survival(found: SurvivalMap | None) -> dict[str, Any] | None:
    if found is None:
        return None
    cells = [{"batch": c.batch, "seconds": c.seconds, "state": c.state.value, "why": c.why} for c in found.cells]
    return {"cells": cells, "stopped": found.stopped, "chunk_samples": found.chunk_samples}


def _call(trace: Trace) -> dict[str, Any]:
    return {
        "label": trace.label,
        "batch": trace.batch,
        "seconds": round(trace.seconds, 6),
        "ending": trace.outcome.ending.value,
        "frames": trace.frames,
    }


def _usage(report: Report) -> dict[str, Any] | None:
    usage, conduct = report.evidence.get(Usage), report.evidence.get(Conduct)
    if usage is None or conduct is None:
        return None
    return {
        "device": usage.device,
        "ram": {
            "peak_bytes": usage.peak_memory_bytes,
            "limit_bytes": usage.memory_limit_bytes,
            "basis": "measured",
        },
        "tasks": {"peak": usage.peak_tasks, "limit": usage.tasks_limit},
        "scratch_bytes": {"peak": usage.peak_scratch_bytes, "limit": usage.scratch_limit_bytes},
        "scratch_files": {"peak": usage.peak_scratch_files, "limit": usage.scratch_limit_files},
        "cpu_s": {"used": round(usage.cpu_seconds, 3), "limit": usage.cpu_limit_s},
        "stdout_bytes": conduct.stdout_bytes,
        "stderr_bytes": conduct.stderr_bytes,
        "output_tail": conduct.output_tail,
    }


def _conduct(report: Report) -> dict[str, Any] | None:
    conduct = report.evidence.get(Conduct)
    if conduct is None:
        return None
    return {
        "watched": conduct.watched,
        "attempts": [
            {"kind": a.kind.value, "target": a.target, "count": a.count, "stage": a.stage} for a in conduct.attempts
        ],
        "left_behind": list(conduct.left_behind),
        "exit_blocked_by": conduct.exit_blocked_by,
        "control_characters": conduct.control_characters,
    }


def _scores(report: Report) -> dict[str, Any] | None:
    scores = report.evidence.get(TrackScores)
    encoding = report.evidence.get(EncodingFacts)
    if scores is None or encoding is None:
        return None
    references = report.evidence.get(References) or References(())
    return {
        "data": scores.data,
        "track_a": _track(scores.track_a, scores.average_a, known_scores(references, "a", scores.track_a)),
        "track_b": _track(scores.track_b, scores.average_b, known_scores(references, "b", scores.track_b)),
        "missing": [
            {"task": run.task, "reason": run.skipped or "see the findings"} for run in encoding.tasks if not run.scored
        ],
        "reference": [
            {"name": r.name, "task": r.task, "metric": r.metric, "track_a": r.track_a, "track_b": r.track_b}
            for r in references.scores
        ],
        "reference_notes": dict(references.notes),
        "audio_seconds": round(scores.audio_seconds, 3),
        "projections": [_projection(one) for one in scores.projections],
    }


def _projection(one: Projection) -> dict[str, Any]:
    return {
        "task": one.task,
        "shares": [round(share, 4) for share in one.shares],
        "points": [[round(x, 3), round(y, 3), label] for x, y, label in one.points],
    }


def _track(scores: tuple[TaskScore, ...], average: float | None, known: list[Known]) -> dict[str, Any]:
    tasks = [
        {
            "task": score.task,
            **_measure(score.official),
            "beside": [_measure(one) for one in score.beside],
            "corrected": _measure(score.corrected) if score.corrected else None,
            "folds": [_finite(value) for value in score.folds],
            "n_test": score.n_test,
            "weight": score.weight,
            "note": score.note,
            "place": list(place(score, known)) or None,
        }
        for score in scores
    ]
    return {"tasks": tasks, "weighted_average": None if average is None else _finite(average)}


def _measure(measure: Measure) -> dict[str, Any]:
    return {
        "metric": measure.metric,
        "value": _finite(measure.value),
        "low": _finite(measure.low),
        "high": _finite(measure.high),
    }


def _finite(value: float, digits: int = 6) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
