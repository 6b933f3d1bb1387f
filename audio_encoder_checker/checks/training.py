"""AEC920 to AEC924: what the encoder was trained on, against what the challenge evaluates on.

Nothing here is proof: names are compared with names, and what to make of it is for a person to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import few, listed
from audio_encoder_checker.evidence.training import DataUse, Named, Relation, TrainingFacts
from audio_encoder_checker.findings import Problem, Severity


def _quoted(one: Named) -> str:
    return f'"{one.text}"'


def _tasks(uses: Iterable[DataUse]) -> str:
    return listed(list(dict.fromkeys(task for use in uses for task in use.tasks)), 4)


def _facts(uses: tuple[DataUse, ...]) -> str:
    """Why data sets have to do with others, each reason once; of several sets it is said which."""
    several = len({use.named for use in uses}) > 1
    facts = list(dict.fromkeys(f"{use.named}: {use.fact}" if several else use.fact for use in uses))
    return "; ".join(facts[:3]) + (f"; and {len(facts) - 3} more" if len(facts) > 3 else "")


def _see(sources: Iterable[str], advice: str) -> str:
    return f"{advice}; see {listed(list(dict.fromkeys(sources)), 2)}"


@check("AEC920", severity=Severity.WARNING)
def unreadable_declaration(facts: TrainingFacts) -> Iterator[Problem]:
    """The declaration of training data cannot be read.

    A misspelt key, or a value that is not a list, is not compared with the evaluation data, and readers may take the
    encoder for one that was trained on less.

    Fix: write into aecc.toml `[training]` and below it `data = ["NAME", ...]` and `pretrained = ["OWNER/MODEL", ...]`.
    """
    yield from few(Problem(trouble, facts.declaration.file) for trouble in facts.declaration.troubles)


@check("AEC921", severity=Severity.WARNING)
def declared_evaluation_data(facts: TrainingFacts) -> Iterator[Problem]:
    """The declared training data names data that the challenge evaluates on.

    Scores on data that an encoder has seen say little of others, so the challenge asks for encoders that were not
    trained on its data sets. A name alone does not tell which part was used, or whether it was left out.

    Fix: say in the paper which part was used, and ask the organisers whether that is allowed.
    """
    yield from few(_same(one) for one in facts.declaration.data if _closest(one) is Relation.SAME)


def _same(one: Named) -> Problem:
    uses = [use for use in one.uses if use.relation is Relation.SAME]
    titles = listed([use.named for use in uses])
    message = f"{_quoted(one)} names {titles}, which the challenge evaluates on ({_tasks(uses)})"
    return Problem(message, one.at, _see([use.source for use in uses], "say which part was used, or leave it out"))


@check("AEC922", severity=Severity.WARNING)
def overlapping_training_data(facts: TrainingFacts) -> Iterator[Problem]:
    """The declared training data may hold recordings that the challenge evaluates on.

    Some collections are made of others, or of the same source: Freesound holds the clips of FSD50K and more, AudioSet
    those of DESED. Whether the same recordings were used depends on the part that was taken.

    Fix: leave out the recordings that both have, and say so in the paper.
    """
    closest = [one for one in facts.declaration.data if one.uses and _closest(one) is not Relation.SAME]
    yield from few(_overlap(one) for one in closest)


def _overlap(one: Named) -> Problem:
    evaluated = listed(list(dict.fromkeys(use.evaluated for use in one.uses)))
    message = f"{_quoted(one)} may share recordings with {evaluated} ({_tasks(one.uses)}): {_facts(one.uses)}"
    hint = _see([use.source for use in one.uses], "leave out what both have, and say so in the paper")
    return Problem(message, one.at, hint, _severity(one))


@check("AEC923", severity=Severity.WARNING)
def declared_model_saw_evaluation_data(facts: TrainingFacts) -> Iterator[Problem]:
    """A declared pre-trained model was trained on data that the challenge evaluates on.

    What a model has learned from evaluation data stays in it, whatever it is trained on afterwards. The organisers'
    own baselines are such models, so they decide what may be used.

    Fix: say in the paper what the model was trained on, and ask the organisers whether it may be used.
    """
    yield from few(_model(one) for one in facts.declaration.pretrained if one.uses)


@check("AEC924", severity=Severity.WARNING)
def loaded_model_saw_evaluation_data(facts: TrainingFacts) -> Iterator[Problem]:
    """The encoder loads a pre-trained model that has seen data of the evaluation.

    The name of the model stands in the sources, or it was downloaded. It may be there for its configuration or its
    feature extractor only, and your own weights may replace its weights.

    Fix: declare it in `aecc.toml`, `[training]`, `pretrained = ["OWNER/MODEL"]`, and say in the paper what it saw.
    """
    declared = {one.text.casefold() for one in facts.declaration.pretrained}
    known = {one.model.title for one in facts.declaration.pretrained if one.model}
    yield from few(
        _model(one)
        for one in facts.models
        if one.uses and one.text.casefold() not in declared and (one.model is None or one.model.title not in known)
    )


def _model(one: Named) -> Problem:
    """What is known of a model: its published data, or what its name says."""
    related = listed(list(dict.fromkeys(use.named for use in one.uses)))
    if one.model is None:
        message = f"the name {_quoted(one)} speaks of {related}; {_why(one.uses)}"
        return Problem(message, one.at, "say in the paper what it was trained on", Severity.NOTE)
    data = listed(list(one.model.data))
    message = f"{_quoted(one)}, {one.model.title}, was trained on {data} as published; {_why(one.uses)}"
    advice = "say in the paper what it was trained on, and ask the organisers whether it may be used"
    hint = _see([one.model.source], advice)
    return Problem(message, one.at, hint, _severity(one))


def _why(uses: tuple[DataUse, ...]) -> str:
    """What the closest relations mean."""
    closest = tuple(use for use in uses if use.relation is uses[0].relation)
    if uses[0].relation is Relation.SAME:
        return f"the challenge evaluates on {_tasks(closest)}"
    return f"that may share recordings with {_tasks(closest)} ({_facts(closest)})"


def _closest(one: Named) -> Relation | None:
    return one.uses[0].relation if one.uses else None


def _severity(one: Named) -> Severity:
    """A source in common is a note: nobody knows whether the recordings are."""
    return Severity.NOTE if _closest(one) is Relation.SOURCE else Severity.WARNING
