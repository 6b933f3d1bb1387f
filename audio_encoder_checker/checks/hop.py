"""AEC523: frames against the declared hop."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.evidence.contract import HopFit
from audio_encoder_checker.evidence.landmarks import LandmarkKind, Landmarks
from audio_encoder_checker.evidence.load import EncoderFacts
from audio_encoder_checker.findings import Problem, Severity

DESED_CLIP_S, MAESTRO_CLIP_S = 10.0, 600.0
"""DESED's clips last 10 s; of MAESTRO's, which last minutes, ten minutes are taken."""
DESED_SEGMENT_S = 1.0
"""Events are scored in segments of 1 s, notes of MAESTRO in segments of 0.1 s."""


@check("AEC523", severity=Severity.WARNING, follows=("AEC503", "AEC510"))
def wrong_hop(hop: HopFit, encoder: EncoderFacts, landmarks: Landmarks) -> Iterator[Problem]:
    """The declared hop is not the one measured.

    Labels of DESED (segments of 1 s), MAESTRO (0.1 s) and the phone task are laid on frames by `hop_size_in_ms`; with
    a wrong hop they slip against the audio, the further into a clip the more, and X-ARES does not notice. Clip tasks
    are not harmed.

    Fix: set `self.hop_size_in_ms = 1000 * hop_samples / self.sampling_rate`, where `hop_samples` is the step from
        one frame to the next.
    """
    declared = encoder.number("hop_size_in_ms")
    at = landmarks.at(LandmarkKind.HOP_SIZE)
    (short_s, short), (long_s, long) = _two(hop)
    frames = f"{short} frames for {short_s:g} s, {long} for {long_s:g} s"
    if hop.measured_ms is None:
        hint = "return only the frames that belong to the clip, not those of its padding"
        yield Problem(f"the number of frames does not grow with the audio: {frames}", at, hint)
        return
    if declared is None:
        return
    in_ten_seconds, in_ten_minutes = (slip(hop.plain_ms, declared, clip) for clip in (DESED_CLIP_S, MAESTRO_CLIP_S))
    if in_ten_minutes < DESED_SEGMENT_S:
        return
    gross = in_ten_seconds >= DESED_SEGMENT_S
    harmed = "DESED, MAESTRO and phones" if gross else "MAESTRO"
    yield Problem(
        f"declared {declared:g} ms, measured {hop.plain_ms:g} ms ({frames}): labels slip by "
        f"{_seconds(in_ten_seconds)} within 10 s and {_seconds(in_ten_minutes)} within 10 min, which harms {harmed}",
        at,
        f"set `self.hop_size_in_ms = {hop.plain_ms:g}`"
        + _unit_guess(declared, hop.measured_ms, encoder.number("sampling_rate") or 0),
        Severity.WARNING if gross else Severity.NOTE,
    )


def slip(measured_ms: float, declared_ms: float, clip_s: float) -> float:
    """How far labels lie from their audio at the end of a clip, in seconds, at most the clip itself.

    What happens at time t is labelled on frame t / declared, which shows the time t * measured / declared.
    """
    return min(abs(measured_ms / declared_ms - 1), 1.0) * clip_s


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.3g} s"


def _two(hop: HopFit) -> tuple[tuple[float, int], tuple[float, int]]:
    """Two calls that show the growth best: ten seconds if there are, and the longest."""
    *shorter, longest = hop.points
    return next((point for point in reversed(shorter) if point[0] <= DESED_CLIP_S), shorter[0]), longest


def _unit_guess(declared: float, measured_ms: float, rate_hz: float) -> str:
    """What the declared hop probably is, if it was not meant in milliseconds."""
    samples_ms = 1000.0 / rate_hz if rate_hz else 0.0
    guesses = {
        "seconds": declared * 1000,
        "microseconds": declared / 1000,
        "samples": declared * samples_ms,
        "frames per second": 1000 / declared,
        "the hop before the model halves it": declared * 2,
        "the hop before the model quarters it": declared * 4,
        "ten times the hop": declared / 10,
        "a tenth of the hop": declared * 10,
    }
    fitting = [name for name, value in guesses.items() if abs(value / measured_ms - 1) < 0.03]
    return f"; {declared:g} looks like {' or '.join(fitting)}" if fitting else ""


@check("AEC533", severity=Severity.WARNING, follows=("AEC503", "AEC510", "AEC506"))
def truncated_audio(hop: HopFit, landmarks: Landmarks) -> Iterator[Problem]:
    """Audio beyond some length is ignored.

    MAESTRO's clips last minutes and the challenge asks for ten: what lies behind the cut has no frame, so that its
    labels are lost, and clip tasks judge the beginning alone.

    Fix: encode in chunks and join the frames:
        `torch.cat([self.model(part) for part in audio.split(30 * 16000, dim=-1)], dim=1)`.
    """
    if hop.cut_s and hop.measured_ms is not None:
        cut = next(count for seconds, count in hop.points if seconds == hop.cut_s)
        longest, _ = hop.points[-1]
        message = f"{longest:g} s of audio give no more frames than {hop.cut_s:g} s: {cut}"
        yield Problem(message, landmarks.at(LandmarkKind.FORWARD))
