"""AEC50x-AEC51x: calls that the encoder does not survive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import calls
from audio_encoder_checker.evidence.contract import SHORTEST_CERTAIN_S, EncodeTraces, SurvivalMap, Trace
from audio_encoder_checker.evidence.landmarks import LandmarkKind, Landmarks
from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.rules import Rules

GPU_MISTAKES = ("AEC530", "AEC531", "AEC532")


@check("AEC504", follows=GPU_MISTAKES)
def forward_failure(traces: EncodeTraces) -> Iterator[Problem]:
    """The encoder raises an exception on ordinary audio.

    This is the one call that the official checker makes, noise of shape (2, 50000); a submission that fails
    it is not accepted.

    Fix: run `YourEncoder()(torch.randn(2, 50000))` and mend what it shows.
    """
    reference = traces.reference
    raised = reference.outcome.raised
    if raised:
        on_gpu = "CUDA" in str(raised) or "NVIDIA" in str(raised)
        hint = "remove `.cuda()`: the audio is where the encoder is; give new tensors `device=audio.device`"
        yield Problem(f"{reference.call} raised {raised}", at=raised.at, hint=hint if on_gpu else "")


def _ordinary(traces: EncodeTraces) -> tuple[Trace, ...]:
    """Calls with ordinary audio that raised although the official call did not."""
    if traces.reference.returned is None:
        return ()
    return tuple(trace for trace in traces.raised if not trace.label)


def _same_shape(one: Trace, other: Trace) -> bool:
    return (one.batch, one.samples) == (other.batch, other.samples)


def _worked(traces: EncodeTraces, samples: int, batch: int | None = None) -> bool:
    """Whether any ordinary call of this length, and of this batch size if one is given, worked."""
    return any(
        trace.samples == samples and batch in (None, trace.batch) and trace.label in ("", traces.reference.label)
        for trace in traces.completed
    )


@check("AEC505", follows=("AEC515", "AEC516"))
def batch_size_failure(traces: EncodeTraces, landmarks: Landmarks) -> Iterator[Problem]:
    """The encoder fails at one batch size and works at another.

    X-ARES encodes 16 clips at a time, but one at a time for MAESTRO, Fluent Speech Commands and Vocal
    Imitation, and whatever is left over in the last batch of every data set.

    Fix: index or squeeze the dimension you mean, `.squeeze(1)`, never `.squeeze()`.
    """
    seen: set[int] = set()
    for trace in _ordinary(traces):
        if trace.batch not in seen and _worked(traces, trace.samples) and not _same_shape(trace, traces.reference):
            seen.add(trace.batch)
            at = trace.outcome.at
            squeeze = landmarks.first(LandmarkKind.SQUEEZE) if trace.batch == 1 else None
            hint = f"{squeeze.at}: name the axis, `.squeeze(1)`, in `{squeeze.text}`" if squeeze else ""
            yield Problem(f"a batch of {trace.batch} raised {trace.outcome}", at, hint)


@check("AEC506", follows=("AEC505", "AEC510", "AEC515", "AEC516"))
def length_failure(traces: EncodeTraces, survival: SurvivalMap) -> Iterator[Problem]:
    """The encoder fails on clips of some length.

    The data sets hold clips from a fraction of a second (Speech Commands, Vocal Imitation) to many minutes
    (MAESTRO), and the challenge asks for ten; one failing clip ends the evaluation of its task.

    Fix: pad short clips to the shortest the model takes, and encode long ones in chunks.
    """
    at_chunk = tuple(trace for trace in traces.raised if trace.around_chunk)
    failed = tuple(t for t in _ordinary(traces) if not _worked(traces, t.samples)) + at_chunk
    official = traces.reference.samples
    for short in (True, False):
        same = [trace for trace in failed if (trace.samples < official) is short]
        if not same:
            continue
        certain = max(trace.seconds for trace in same) >= SHORTEST_CERTAIN_S
        yield Problem(
            f"{calls(same)} raised {same[0].outcome}",
            at=same[0].outcome.at,
            hint=_length_hint(same, traces, survival, short=short),
            severity=Severity.ERROR if certain else Severity.WARNING,
        )


def _length_hint(failed: Sequence[Trace], traces: EncodeTraces, survival: SurvivalMap, *, short: bool) -> str:
    if survival.chunk_samples and failed[0].samples == survival.chunk_samples + 1:
        return (
            f"the last chunk is one sample long: pad it, or cut audio into chunks of {survival.chunk_samples} samples "
            "and join a short rest to the one before"
        )
    if short:
        longest = max(trace.samples for trace in failed)
        worked = [trace.samples for trace in traces.completed if trace.samples > longest]
        enough = min(worked, default=traces.reference.samples)
        padded = f"audio = torch.nn.functional.pad(audio, (0, max(0, {enough} - audio.shape[-1])))"
        return f"begin `forward` with `{padded}`: {enough} samples are enough"
    return ""


@check("AEC507")
def death_in_forward(traces: EncodeTraces) -> Iterator[Problem]:
    """The process ends during a call of the encoder.

    The organisers' run ends with it, and every score is lost. An exit status of 0 does not help: the encoder
    did not answer.

    Fix: remove `exit()` or `os._exit()`; for a crash in compiled code call the encoder under
        `python -X faulthandler`.
    """
    trace = traces.broken_off
    if trace and trace.outcome.ending in (Ending.EXITED, Ending.KILLED, Ending.GARBLED):
        yield Problem(f"{trace.call}: the process ended without an answer ({trace.outcome})")


@check("AEC508")
def endless_forward(traces: EncodeTraces) -> Iterator[Problem]:
    """A call of the encoder does not come back in time.

    The organisers encode more than a thousand hours of audio; at this rate they would not get to the end.

    Fix: look for a loop that waits for a condition on the data; `--timeout SECONDS` allows more.
    """
    trace = traces.broken_off
    if trace and trace.outcome.ending is Ending.TIMED_OUT:
        yield Problem(f"{trace.call}: {trace.outcome.detail}")


@check("AEC515")
def fixed_input_shape(traces: EncodeTraces, rules: Rules) -> Iterator[Problem]:
    """The encoder works for the official checker's input and for no other.

    The official checker calls it once, with noise of shape (2, 50000). The evaluation has batches of 16 and of one,
    and clips of every length.

    Fix: take sizes from the input, `batch, samples = audio.shape`, in place of numbers.
    """
    official = (rules.contract.official_batch, rules.contract.official_samples)
    others = [trace for trace in traces.traces if (trace.batch, trace.samples) != official and not trace.label]
    raised = [trace for trace in others if trace.outcome.raised]
    in_vain = any(_same_shape(trace, traces.reference) for trace in _ordinary(traces))  # inference mode is to blame
    if traces.reference.returned and len(raised) > 1 and len(raised) == len(others) and not in_vain:
        yield Problem(f"shape {official} works, {calls(raised)} raised {raised[0].outcome}", raised[0].outcome.at)


@check("AEC516")
def failure_in_inference_mode(traces: EncodeTraces) -> Iterator[Problem]:
    """The encoder fails in inference mode, in which X-ARES calls it.

    The official checker calls it with autograd on; X-ARES encodes inside `torch.inference_mode()`, where nothing can
    require a gradient.

    Fix: compute no gradient in `forward` (`requires_grad_`, `backward`, `autograd.grad`) and save no tensor for it.
    """
    for trace in _ordinary(traces):
        if _same_shape(trace, traces.reference):
            message = f"{trace.call} raised {trace.outcome} inside `torch.inference_mode()`, and not outside of it"
            yield Problem(message, trace.outcome.at)
            return


@check("AEC517", follows=("AEC505", "AEC506", "AEC515", "AEC516"))
def failure_on_signal(traces: EncodeTraces) -> Iterator[Problem]:
    """The encoder raises an exception on some kinds of audio.

    Recordings begin and end with digital silence, clip at full scale and hold clicks; FSD50k and DESED are full of
    them. One failing clip ends the evaluation of its task.

    Fix: guard what needs sound: `if mask.any()`, `x / x.abs().amax().clamp(min=1e-6)`.
    """
    failed = [t for t in traces.raised if t.label and not t.around_chunk and t is not traces.reference]
    shown = [trace for trace in failed if _worked(traces, trace.samples, trace.batch)]
    if shown:
        yield Problem(f"{calls(shown)} raised {shown[0].outcome}", shown[0].outcome.at)
