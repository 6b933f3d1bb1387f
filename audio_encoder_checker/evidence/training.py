"""What the encoder was trained on, as far as it is said or known: names, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Relation(str, Enum):
    """What a data set has to do with one that the challenge evaluates on, the closest first."""

    SAME = "is evaluation data"
    SHARES = "holds recordings that are evaluation data"
    SOURCE = "is made of the same source as evaluation data"

    @property
    def rank(self) -> int:
        """0 for the closest."""
        return list(Relation).index(self)


@dataclass(frozen=True)
class DataUse:
    """A data set that is named and has to do with evaluation data.

    Attributes:
        named: its title.
        relation: what it has to do with the evaluation data.
        evaluated: title of the data set that is evaluated on, the same one if the relation says so.
        tasks: ids of the tasks that evaluate on that.
        fact: why they are related, in words; empty where they are the same.
        source: where that can be read.
    """

    named: str
    relation: Relation
    evaluated: str
    tasks: tuple[str, ...]
    fact: str
    source: str


@dataclass(frozen=True)
class KnownModel:
    """A public pre-trained model whose training data is published.

    Attributes:
        title: of the model.
        data: titles of the data sets that it was trained on, of those that have to do with evaluation data.
        source: a paper or a model card.
    """

    title: str
    data: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Named:
    """Something that is named: a data set or a model.

    Attributes:
        text: as it was written, printable.
        at: `file:line`, or where else it was seen.
        uses: the data sets that the text names, or that the model was trained on, the closest relation first.
        model: the model, where it is a known one.
    """

    text: str
    at: str
    uses: tuple[DataUse, ...] = ()
    model: KnownModel | None = None


@dataclass(frozen=True)
class Declaration:
    """What the repository itself says in `[training]`.

    Attributes:
        file: where it says so, empty if it says nothing.
        troubles: what is wrong with the table, in words.
        data: data sets.
        pretrained: models.
    """

    file: str = ""
    troubles: tuple[str, ...] = ()
    data: tuple[Named, ...] = ()
    pretrained: tuple[Named, ...] = ()


@dataclass(frozen=True)
class TrainingFacts:
    """All that is known of the training.

    Attributes:
        declaration: the repository's own.
        models: those that the sources load, or that were downloaded, each once.
    """

    declaration: Declaration
    models: tuple[Named, ...] = ()
