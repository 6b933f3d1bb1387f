"""Evidence as literals, for tests of checks and renderers."""

from __future__ import annotations

from typing import Any

from audio_encoder_checker.evidence.contract import OFFICIAL, EncodeTraces, Returned, Trace
from audio_encoder_checker.evidence.landmarks import Landmark, LandmarkKind, Landmarks
from audio_encoder_checker.evidence.load import Attribute, EncoderFacts, LoadFacts
from audio_encoder_checker.evidence.run import CodeFrame, Conduct, Ending, Outcome, Raised, Usage

ANSWERED = Outcome(Ending.ANSWERED, 0.1)
RATE = 16_000


def raised(
    kind: str = "RuntimeError",
    message: str = "sizes differ",
    *,
    line: int = 12,
    missing: str = "",
    text: str = "return x",
) -> Outcome:
    frames = (CodeFrame("encoder.py", line, "forward", text),)
    return Outcome(Ending.RAISED, 0.1, raised=Raised(kind, message, (kind,), frames, missing))


def ended(ending: Ending, detail: str = "") -> Outcome:
    return Outcome(ending, 0.1, detail)


def tensor(*shape: int, dtype: str = "float32", numpy_error: str = "", nonfinite: int = 0) -> Returned:
    return Returned("tensor", shape, dtype, numpy_error, nonfinite)


def trace(
    returned: Returned | None = None,
    *,
    batch: int = 2,
    samples: int = 50_000,
    outcome: Outcome = ANSWERED,
    label: str = "",
) -> Trace:
    return Trace(label, batch, samples, samples / RATE, outcome, returned)


def official(returned: Returned | None = None, *, outcome: Outcome = ANSWERED) -> Trace:
    if returned is None and outcome is ANSWERED:
        returned = tensor(2, 312, 64)
    return trace(returned, outcome=outcome, label=OFFICIAL)


def traces(*more: Trace, first: Trace | None = None) -> EncodeTraces:
    return EncodeTraces((first or official(), *more))


GOOD = traces(
    trace(tensor(1, 312, 64), batch=1),
    trace(tensor(3, 312, 64), batch=3),
    trace(tensor(1, 10, 64), batch=1, samples=1600),
    trace(tensor(1, 3000, 64), batch=1, samples=480_000),
)


def landmarks(*marks: tuple[LandmarkKind, int, str]) -> Landmarks:
    return Landmarks(tuple(Landmark(kind, "encoder.py", line, text) for kind, line, text in marks))


def attribute(name: str, value: Any) -> Attribute:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return Attribute(name, True, type(value).__name__, float(value) if number else None, repr(value))


def encoder(**changes: Any) -> EncoderFacts:
    values = {"sampling_rate": 16_000, "output_dim": 64, "hop_size_in_ms": 10}
    given = {**values, **{k: v for k, v in changes.items() if k in values}}
    facts: dict[str, Any] = {
        "class_name": "TinyEncoder",
        "file": "encoder.py",
        "is_module": True,
        "attributes": tuple(attribute(name, value) for name, value in given.items()),
        "parameters": 1000,
        "weight_bytes": 4000,
        "training": (),
        "load_seconds": 0.5,
    }
    return EncoderFacts(**{**facts, **{k: v for k, v in changes.items() if k in facts}})


def load(outcome: Outcome = ANSWERED, phase: str = "construct", **changes: Any) -> LoadFacts:
    return LoadFacts(outcome=outcome, phase=phase, file="encoder.py", **changes)


def conduct(ended_by: Ending = Ending.ANSWERED, **changes: Any) -> Conduct:
    facts: dict[str, Any] = {
        "stdout_bytes": 0,
        "stderr_bytes": 0,
        "output_tail": "",
        "stage": "contract",
        "detail": "",
    }
    return Conduct(ended_by=ended_by, **{**facts, **changes})


def usage(peak: int = 1 << 30, **changes: Any) -> Usage:
    facts: dict[str, Any] = {
        "device": "cpu",
        "peak_memory_bytes": peak,
        "memory_limit_bytes": 12 << 30,
        "peak_tasks": 8,
        "tasks_limit": 1024,
        "peak_scratch_bytes": 0,
        "scratch_limit_bytes": 1 << 30,
        "peak_scratch_files": 2,
        "scratch_limit_files": 10_000,
        "cpu_seconds": 3.0,
        "cpu_limit_s": 28_800.0,
    }
    return Usage(**{**facts, **changes})
