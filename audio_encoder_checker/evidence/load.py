"""What importing and constructing the encoder showed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.run import Outcome


@dataclass(frozen=True)
class Attribute:
    """One of the attributes the contract asks for.

    Attributes:
        name: as in the contract.
        present: whether `hasattr` finds it.
        type: class name of its value.
        value: the number if it is one, else None.
        text: its repr, cut and made printable.
    """

    name: str
    present: bool
    type: str = ""
    value: float | None = None
    text: str = ""


@dataclass(frozen=True)
class LoadFacts:
    """What one start of the encoder gave.

    Attributes:
        outcome: how it ended.
        phase: `import`, `find` or `construct`: how far it came.
        file: the encoder file, relative to the repository, printable.
        names: every name in `dir(module)` that ends as X-ARES looks for.
        excused: why a failure is not the encoder's, as far as can be told here: it wanted a network or a package that
            it did not get; empty if it is.
        last_words: the last line on stderr, where an exit needs explaining.
    """

    outcome: Outcome
    phase: str
    file: str
    names: tuple[str, ...] = ()
    excused: str = ""
    last_words: str = ""


@dataclass(frozen=True)
class EncoderFacts:
    """An encoder that was constructed.

    Attributes:
        class_name: of the encoder.
        file: the encoder file, relative to the repository, printable.
        is_module: whether it is a `torch.nn.Module`.
        attributes: `sampling_rate`, `output_dim`, `hop_size_in_ms`.
        parameters: number of parameters.
        weight_bytes: size of parameters and buffers in memory.
        training: names of submodules with `training=True` that behave otherwise then (dropout, norms).
        load_seconds: import, construction and download.
    """

    class_name: str
    file: str
    is_module: bool
    attributes: tuple[Attribute, ...]
    parameters: int
    weight_bytes: int
    training: tuple[str, ...]
    load_seconds: float

    def number(self, name: str) -> float | None:
        """The value of an attribute if it is a finite positive number, else None."""
        for attribute in self.attributes:
            if attribute.name == name and attribute.value is not None and attribute.value > 0:
                return attribute.value
        return None
