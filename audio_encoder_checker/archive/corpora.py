"""Data sets and pre-trained models by name, from `resources/training`, and how names in free text are recognised.

Text is compared as runs of words and numbers, whatever their case and whatever stands between them, so that
"Libri Speech", "librispeech_asr" and "LibriSpeech960" name the same set. The longest run that is a name wins:
"VoxCeleb2" is not VoxCeleb. Names that are ordinary words too must be written as names: "royalty-free sound" is not
Freesound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from audio_encoder_checker import toml
from audio_encoder_checker.evidence.training import DataUse, KnownModel, Relation
from audio_encoder_checker.rules import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FOLDER = RESOURCES / "training"
WORDS = re.compile(r"[a-z]+|\d+", re.IGNORECASE)
ORDINARY = frozenset({"clotho", "fuss", "maestro"})
"""Names that are words too."""
ORDINARY_APART = frozenset(
    {
        "as2m",
        "audioset",
        "freesound",
        "speechcommands",
        "urbansound",
        "us8k",
        "vocalimitation",
        "vocalimitations",
        "vocalsound",
    }
)
"""Names that are ordinary words where they are written apart."""
VERSION = re.compile(r"[-_ ]?v\d", re.IGNORECASE)
LONGEST_RUN = 10
"""Words and numbers in a name."""
MOST_TEXT = 500
"""Characters of a text that are looked at."""
HUB = re.compile(
    r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co|hf-mirror\.com)/([^/\s?#]+/[^/\s?#]+)|(?:hf://|hf[-_]hub:)(.+)"
)
ENDINGS = re.compile(r"\.(pt|pth|ckpt|bin|safetensors|onnx|tar|th|nemo|zip|h5)$")


@dataclass(frozen=True)
class DataSet:
    """A data set: what it is called, which tasks evaluate on it, and what it shares with others that tasks do."""

    id: str
    title: str
    aliases: tuple[str, ...]
    tasks: tuple[str, ...]
    source: str
    shares: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Model:
    """A model: its names on hubs (`*` stands for anything), of its files and in prose, and the sets it learned from."""

    title: str
    names: tuple[str, ...]
    files: tuple[str, ...]
    aliases: tuple[str, ...]
    data: tuple[str, ...]
    source: str


@cache
def all_data_sets() -> Mapping[str, DataSet]:
    """Every data set by its id."""
    found = {}
    for entry in _entries("datasets", "dataset"):
        tuples = {key: tuple(entry.get(key, ())) for key in ("aliases", "tasks", "shares")}
        found[entry["id"]] = DataSet(id=entry["id"], title=entry["title"], source=entry["source"], **tuples)
    return found


@cache
def all_models() -> tuple[Model, ...]:
    """Every model."""
    keys = ("names", "files", "aliases", "data")
    return tuple(
        Model(title=entry["title"], source=entry["source"], **{key: tuple(entry.get(key, ())) for key in keys})
        for entry in _entries("models", "model")
    )


def _entries(file: str, key: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = toml.loads((FOLDER / f"{file}.toml").read_text(encoding="utf-8"))[key]
    return entries


def uses_in(text: str) -> tuple[DataUse, ...]:
    """The data sets that a text names, as far as they have to do with evaluation data."""
    return uses_of(_named(text, _set_names()))


def uses_of(ids: Iterable[str]) -> tuple[DataUse, ...]:
    """What data sets have to do with evaluation data, the closest relation first."""
    sets = all_data_sets()
    found: list[DataUse] = []
    for one in (sets[data_id] for data_id in dict.fromkeys(ids)):
        if one.tasks:
            found.append(DataUse(one.title, Relation.SAME, one.title, one.tasks, "", one.source))
        for share in one.shares:
            other = sets[share["with"]]
            relation = Relation[share["relation"].upper()]
            found.append(DataUse(one.title, relation, other.title, other.tasks, share["fact"], share["source"]))
    return tuple(sorted(found, key=lambda use: use.relation.rank))


def model_named(text: str) -> Model | None:
    """The known model that an identifier, address, path or a text means."""
    text = text[:MOST_TEXT].strip()
    found = model_identified(text)
    if found:
        return found
    if " " in text:
        titles = _named(text, _model_names())
    else:  # an identifier that is no model's is somebody's own, whatever it speaks of
        titles = [_model_names().get(_run(text), "")] if "/" not in text else []
    return next((one for one in all_models() if one.title in titles[:1]), None)


def model_identified(text: str) -> Model | None:
    """The known model that an identifier, an address or a path means."""
    hub = HUB.search(text)
    named = hub[1] or hub[2] if hub else unquote(text.partition("?")[0])
    name = named.casefold().partition("@")[0]
    tail = ENDINGS.sub("", name.replace("\\", "/").rstrip("/").rpartition("/")[2])
    exact, patterns, tails = _identifiers()
    pattern = next((one for known, one in patterns if fnmatchcase(name, known)), None)
    return exact.get(name) or tails.get(tail) or pattern


@cache
def _identifiers() -> tuple[Mapping[str, Model], tuple[tuple[str, Model], ...], Mapping[str, Model]]:
    """Models by name; by pattern; by checkpoint, and by the last part of a name where that tells enough."""
    names = [(name.casefold(), one) for one in all_models() for name in one.names]
    exact = {name: one for name, one in names if "*" not in name}
    tails = {name.rpartition("/")[2]: one for name, one in exact.items() if "/" in name}
    telling = {tail: one for tail, one in tails.items() if len(re.findall(r"[-_]", tail)) >= 2}
    files = {file.casefold(): one for one in all_models() for file in one.files}
    return exact, tuple((name, one) for name, one in names if "*" in name), {**telling, **files}


def as_known(model: Model) -> KnownModel:
    """A model as evidence."""
    sets = all_data_sets()
    return KnownModel(model.title, tuple(sets[one].title for one in model.data), model.source)


@cache
def _set_names() -> Mapping[str, str]:
    return {_run(name): one.id for one in all_data_sets().values() for name in (one.title, *one.aliases)}


@cache
def _model_names() -> Mapping[str, str]:
    return {_run(name): one.title for one in all_models() for name in one.aliases}


def _run(name: str) -> str:
    return "".join(WORDS.findall(name.casefold()))


def _named(text: str, names: Mapping[str, str]) -> list[str]:
    """What a text names, in order; names are runs of words, and may be written together or apart."""
    return list(dict.fromkeys(_walk(text[:MOST_TEXT], names)))


def _walk(text: str, names: Mapping[str, str]) -> Iterator[str]:
    words = list(WORDS.finditer(text))
    place = 0
    while place < len(words):
        ends = range(min(len(words), place + LONGEST_RUN), place, -1)
        end = next((end for end in ends if _names(text, words[place:end], names)), None)
        if end is not None:
            yield names[_joined(words[place:end])]
        place = end or place + 1


def _joined(words: list[re.Match[str]]) -> str:
    return "".join(word[0] for word in words).casefold()


def _names(text: str, words: list[re.Match[str]], names: Mapping[str, str]) -> bool:
    """Whether words of a text are a name, and meant as one where they are ordinary words too."""
    run = _joined(words)
    if run not in names:
        return False
    before, written, after = text[: words[0].start()], text[words[0].start() : words[-1].end()], text[words[-1].end() :]
    if written == text.strip():
        return True
    capitals = not any(word[0][0].islower() for word in words)
    if run in ORDINARY:
        return capitals or "/" not in text or bool(VERSION.match(after))
    if run in ORDINARY_APART and len(words) > 1:
        return not before.endswith("-") and (capitals or " " not in written)
    return True
