"""What a submission's text asks of the card that a T4, the organisers' card, cannot do or does badly."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from audio_encoder_checker.printable import place


class TrapKind(str, Enum):
    """What a T4 (compute capability 7.5) has no use for."""

    BF16 = "bf16"
    FLASH = "flash-attention"
    FP8 = "fp8"
    TF32 = "tf32"
    COMPILE_BF16 = "compile with bf16"
    QUANTISED = "cpu-only quantisation"
    WHEEL = "wheel without sm_75"


@dataclass(frozen=True)
class Trap:
    """One line of a source file or of requirements.txt.

    Attributes:
        kind: what stands there.
        file: relative to the root, with `/`.
        line: from 1.
        text: that line, cut and made printable.
        what: what is used, such as `torch.bfloat16`, or the distribution that is required; printable.
        sure: it surely runs, or surely fails, on a T4 as far as the text tells: not behind a condition that may be
            false, a `try` that outlives it, in a function that may not be called, or a requirement only.
    """

    kind: TrapKind
    file: str
    line: int
    text: str
    what: str = ""
    sure: bool = True

    @property
    def at(self) -> str:
        """`file.py:12`, printable."""
        return place(self.file, self.line)


@dataclass(frozen=True)
class TrapFacts:
    """All traps, by file and line: those of requirements.txt last. They are read from the text, nothing was run."""

    traps: tuple[Trap, ...] = ()

    def of(self, kind: TrapKind) -> tuple[Trap, ...]:
        """All of one kind, those that are sure first."""
        return tuple(sorted((one for one in self.traps if one.kind is kind), key=lambda one: not one.sure))
