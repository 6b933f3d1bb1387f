"""AEC52x: how several calls of the encoder compare."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.contract import wrong_shape
from audio_encoder_checker.evidence.contract import BatchCompany, EncodeTraces, HopFit, InputDependence, Repeatability
from audio_encoder_checker.evidence.load import EncoderFacts
from audio_encoder_checker.findings import Problem, Severity

SAME = 1e-4
"""Relative difference that float32 arithmetic in another order may give."""
HOP_TOLERANCE = 0.1


@check("AEC520")
def unrepeatable_output(repeatability: Repeatability) -> Iterator[Problem]:
    """The same audio gives different embeddings each time.

    Training and test embeddings are computed once each; noise in them lowers every score and cannot be
    reproduced by the organisers. X-ARES does not call `.eval()`, so dropout stays on unless you turn it off.

    Fix: end `__init__` with `self.eval()`, and draw no random numbers in `forward`.
    """
    found = repeatability.difference
    if not found.same_shape:
        yield Problem("two calls with the same audio gave different shapes")
    elif found.relative > SAME:
        severity = Severity.ERROR if found.cosine < 0.999 else Severity.WARNING
        message = f"two calls with the same audio differ by {found.relative:.2g} of the largest value"
        yield Problem(f"{message} (cosine {found.cosine:.4f}, expected 1)", severity=severity)


@check("AEC521")
def constant_output(dependence: InputDependence) -> Iterator[Problem]:
    """Different audio gives the same embeddings.

    Embeddings that do not depend on the audio carry no information: every task would score at chance.

    Fix: check that `forward` uses its argument, and that an activation or normalisation does not flatten it.
    """
    found = dependence.difference
    if found.same_shape and found.relative < 1e-6:
        yield Problem("two clips of different noise and loudness gave identical embeddings")


@check("AEC522", severity=Severity.WARNING)
def batch_dependent_output(company: BatchCompany, repeatability: Repeatability) -> Iterator[Problem]:
    """A clip's embedding depends on the other clips in its batch.

    X-ARES encodes 16 clips at a time in the order of the files, so scores then depend on which clips happen
    to share a batch, and change with the batch size.

    Fix: normalise each clip by its own mean and variance, and call a feature extractor with a list of clips.
    """
    found = company.difference
    if repeatability.difference.relative > SAME:
        return  # what differs from call to call differs in company too
    if not found.same_shape:
        yield Problem(f"one clip alone and the same clip in a batch of {company.batch} gave different shapes")
    elif found.relative > SAME * 10:
        message = (
            f"one clip alone and in a batch of {company.batch} differ by {found.relative:.2g} of the largest value"
        )
        yield Problem(f"{message} (cosine {found.cosine:.4f}, expected 1)")


@check("AEC523", severity=Severity.WARNING)
def wrong_hop(hop: HopFit, encoder: EncoderFacts, traces: EncodeTraces) -> Iterator[Problem]:
    """The declared hop is not the one measured.

    Labels of DESED, MAESTRO and the phone task are laid on frames by `hop_size_in_ms`; with a wrong hop they
    slip against the audio, and X-ARES does not notice.

    Fix: set `self.hop_size_in_ms` to the samples between two frames, divided by the sampling rate, times 1000.
    """
    if any(wrong_shape(traces, encoder)):
        return  # the second axis does not hold frames
    declared = encoder.number("hop_size_in_ms")
    frames = f"{hop.short_frames} frames for {hop.short_s:g} s, {hop.long_frames} for {hop.long_s:g} s"
    if hop.measured_ms is None:
        yield Problem(
            f"the number of frames does not grow with the audio: {frames}",
            hint="return only the frames that belong to the clip, not those of its padding",
        )
    elif declared is not None and abs(hop.measured_ms / declared - 1) > HOP_TOLERANCE:
        slip = min(abs(hop.measured_ms / declared - 1) * 10, 10)
        message = f"declared {declared:g} ms, measured {hop.measured_ms:.4g} ms ({frames})"
        guess = _unit_guess(declared, hop.measured_ms, encoder.number("sampling_rate") or 0)
        yield Problem(
            f"{message}: labels slip by up to {slip:.2g} s in a clip of 10 s",
            hint=f"set `self.hop_size_in_ms = {hop.measured_ms:.4g}`{guess}",
        )


def _unit_guess(declared: float, measured_ms: float, rate_hz: float) -> str:
    """The unit that the declared hop was probably meant in, if it was not milliseconds."""
    for unit, factor in (("seconds", 1000.0), ("samples", 1000.0 / rate_hz if rate_hz else 0.0)):
        if abs(declared * factor / measured_ms - 1) < HOP_TOLERANCE:
            return f"; {declared:g} looks like {unit}"
    return ""
