"""Where in the encoder's class the lines are that a finding about its behaviour may point at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from audio_encoder_checker.printable import place


class LandmarkKind(str, Enum):
    """What a landmark is; those of the contract's attributes have their names as values."""

    CONSTRUCTOR = "__init__"
    FORWARD = "forward"
    RETURN = "return"
    SQUEEZE = "squeeze"
    IN_PLACE = "in place"
    DROPOUT = "dropout"
    CHANCE = "chance"
    SAMPLING_RATE = "sampling_rate"
    OUTPUT_DIM = "output_dim"
    HOP_SIZE = "hop_size_in_ms"


@dataclass(frozen=True)
class Landmark:
    """One line of the encoder's class or of a base that the repository defines.

    Attributes:
        kind: what stands there.
        path: of the file, relative to the root.
        line: from 1.
        text: that line, cut and made printable.
    """

    kind: LandmarkKind
    path: str
    line: int
    text: str

    @property
    def at(self) -> str:
        """`file.py:12`, printable."""
        return place(self.path, self.line)


@dataclass(frozen=True)
class Landmarks:
    """The landmarks of the chosen encoder's class: none where there is no encoder, or none that could be parsed.

    They are read from the text, so they tell where something may come from, never that it happens.

    Attributes:
        found: those of a kind with the most telling first.
            `CONSTRUCTOR` and `FORWARD`: the `def` of the method that runs.
            `RETURN`: of `forward`, the last one first.
            `SQUEEZE`: `.squeeze()` of every axis in a method other than the constructor, those of `forward` first.
            `IN_PLACE`: what changes the audio that `forward` was given.
            `DROPOUT` and `CHANCE`: in the same files, a functional dropout that `.eval()` does not turn off, and
                random numbers without a generator; those of `forward` first, none of constructors.
            Attributes of the contract: a property, then what the constructor, another method or the class body sets.
    """

    found: tuple[Landmark, ...] = ()

    def of(self, kind: LandmarkKind) -> tuple[Landmark, ...]:
        """All of one kind."""
        return tuple(one for one in self.found if one.kind is kind)

    def first(self, *kinds: LandmarkKind) -> Landmark | None:
        """The most telling of the first kind that there is any of."""
        return next((one for kind in kinds for one in self.of(kind)), None)

    def at(self, *kinds: LandmarkKind) -> str:
        """Where that is, `file.py:12`; empty if there is none."""
        landmark = self.first(*kinds)
        return landmark.at if landmark else ""
