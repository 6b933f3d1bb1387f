"""AEC50x-AEC51x: what the encoder declares."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.evidence.contract import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from audio_encoder_checker.evidence.landmarks import LandmarkKind, Landmarks
from audio_encoder_checker.evidence.load import EncoderFacts
from audio_encoder_checker.findings import Problem, Severity

WHOLE = ("output_dim", "sampling_rate")
PLAIN = {
    "sampling_rate": "write `self.sampling_rate = 16000`, or the rate in Hz that `forward` expects",
    "output_dim": "write a whole number, the size of the last axis of what `forward` returns",
    "hop_size_in_ms": "write a number, the milliseconds of audio per frame: `self.hop_size_in_ms = 20`",
}


@check("AEC501")
def missing_attribute(encoder: EncoderFacts, landmarks: Landmarks) -> Iterator[Problem]:
    """An attribute that the challenge asks for is missing.

    The organisers' code reads `sampling_rate` to resample, `output_dim` to size the linear layer and
    `hop_size_in_ms` to align frame labels.

    Fix: set `self.sampling_rate`, `self.output_dim` and `self.hop_size_in_ms` in `__init__`.
    """
    at = landmarks.at(LandmarkKind.CONSTRUCTOR) or encoder.file
    for attribute in encoder.attributes:
        if not attribute.present:
            hint = f"add `self.{attribute.name} = ...` to `{encoder.class_name}.__init__`"
            yield Problem(f"{encoder.class_name} has no attribute {attribute.name!r}", at, hint)


@check("AEC502")
def wrong_attribute_value(encoder: EncoderFacts, landmarks: Landmarks) -> Iterator[Problem]:
    """A declared attribute is not a number that X-ARES can use.

    X-ARES uses the values unchecked: a `sampling_rate` of "16k" breaks resampling in the middle of the
    evaluation, a wrong `hop_size_in_ms` shifts every frame label silently.

    Fix: use plain numbers: `self.sampling_rate = 16000`, `self.output_dim = 768`, `self.hop_size_in_ms = 20`.
    """
    for attribute in encoder.attributes:
        if not attribute.present:
            continue
        value = attribute.value
        at = landmarks.at(LandmarkKind(attribute.name)) or encoder.file
        whole = attribute.name in WHOLE
        if value is None or value <= 0 or (whole and attribute.type not in ("int", "int64", "int32")):
            expected = "a positive whole number (int)" if whole else "a positive number of milliseconds"
            found = f"{attribute.text} ({attribute.type})"
            yield Problem(f"{attribute.name}: expected {expected}, found {found}", at, PLAIN.get(attribute.name, ""))
        elif attribute.name == "sampling_rate" and not LOWEST_RATE_HZ <= value <= HIGHEST_RATE_HZ:
            hint = "give the rate in Hz: `self.sampling_rate = 16000`"
            expected = f"{LOWEST_RATE_HZ:,} to {HIGHEST_RATE_HZ:,} Hz"
            yield Problem(f"sampling_rate: expected {expected}, found {attribute.text}", at, hint)


@check("AEC514", severity=Severity.WARNING)
def layers_in_training_mode(encoder: EncoderFacts) -> Iterator[Problem]:
    """Dropout or normalisation layers are left in training mode.

    X-ARES never calls `.eval()`: such layers drop features at random or mix the clips of a batch, and the
    scores suffer.

    Fix: end `__init__` with `self.eval()`.
    """
    if encoder.training:
        names = ", ".join(encoder.training)
        yield Problem(f"in training mode after construction: {names}", at=encoder.file)
