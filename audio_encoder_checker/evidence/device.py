"""What happened on a GPU, real or pretended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.run import CodeFrame, Outcome


class Mistake(str, Enum):
    """What kind of tensor was on the wrong device."""

    ATTRIBUTE = "attribute"
    FACTORY = "factory"
    NUMPY = "numpy"
    ORDINAL = "ordinal"
    OTHER = "other"


@dataclass(frozen=True)
class Culprit:
    """The tensor that was on the wrong device.

    Attributes:
        mistake: what kind.
        name: of the attribute that holds it, `self.window`, or of the function that made it; may be empty.
        operation: that met it.
        made: the participant's line that made it, None if unknown.
    """

    mistake: Mistake
    name: str = ""
    operation: str = ""
    made: CodeFrame | None = None


@dataclass(frozen=True)
class DeviceFacts:
    """The encoder moved to a GPU and called there, as X-ARES does.

    Attributes:
        pretended: on a CPU, with tensors that carry the tag of a device; else on a real GPU.
        outcome: how moving and calling ended.
        culprit: where it raised for a device's sake.
        output_device: where the embeddings were.
        not_covered: what could not be traced, in words; empty if everything could.
    """

    pretended: bool
    outcome: Outcome
    culprit: Culprit | None = None
    output_device: str = ""
    not_covered: str = ""
