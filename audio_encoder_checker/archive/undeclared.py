"""Imports that no requirement provides, requirements that nothing imports, and modules that Python no longer has."""

from __future__ import annotations

import os
import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from audio_encoder_checker.archive.distributions import REMOVED, STANDARD, known
from audio_encoder_checker.archive.repository_text import read_inside
from audio_encoder_checker.archive.traps import MODULES as TRAPS
from audio_encoder_checker.evidence.requirements import Flaw, FlawKind, Reach, Required, Source, Standing, Undeclared
from audio_encoder_checker.evidence.traps import TrapKind
from audio_encoder_checker.printable import place, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from audio_encoder_checker.archive.import_reach import ForeignImport
    from audio_encoder_checker.evidence.source import SourceFacts

ASSUMED = frozenset({"torch", "numpy"})
"""Nothing runs without them, and the organisers have them."""
ASIDE = frozenset({"annotationlib", "compression", "pip", "sitecustomize", "usercustomize"})
"""Modules of later Pythons, which are only imported where they are there, and what every environment has."""
NOT_OWN = ("site-packages", "__pycache__")
"""Folders that hold nothing of the submission."""
MOST_ENTRIES = 20_000
FROZEN_FROM = 25
"""So many requirements, all pinned, are the output of `pip freeze`: most of them are others' requirements."""
MOST_TEXT = 4 << 20
MOST_OPEN = 500
MOST_IMPORTS = 2_000
"""Different modules; no honest encoder imports as many."""
INDIRECT = frozenset(
    """
    accelerate antlr4-python3-runtime apex audioread av bitsandbytes certifi cython deepspeed einops flash-attn
    fsspec hf-transfer hf-xet huggingface-hub hydra-core jinja2 kernels librosa ninja numba numpy nvidia-ml-py
    omegaconf onnxruntime optimum packaging peft pip protobuf requests resampy safetensors scikit-learn scipy
    sentencepiece setuptools six soundfile soxr tiktoken timm tokenizers torch torchaudio torchcodec torchvision
    tqdm triton typing-extensions urllib3 wheel xares xformers
    """.split()  # noqa: SIM905 - a list of words reads better so
)
"""Distributions that others load when they are there, or that one pins to keep others working."""


class Wants(NamedTuple):
    """What the imports say of the requirements: imports without one, and lines that are wrong for them."""

    undeclared: tuple[Undeclared, ...]
    flaws: tuple[Flaw, ...]


class _Declared:
    """What the requirements provide, by name."""

    def __init__(self, required: Iterable[Required]) -> None:
        self.required = tuple(required)
        counting = [one for one in self.required if one.counts]
        names = {one.name for one in counting}
        self.sure = known().brought(names | ASSUMED)
        self.perhaps = known().maybe_brought(names | ASSUMED)
        self.open = [one for one in counting if one.name not in known().brings and one.name not in ASSUMED]
        """Requirements that may bring anything."""
        self._open_letters = {_letters(one.name) for one in self.open[:MOST_OPEN]} - {""}

    def opaque(self) -> str:
        """The first requirement that may bring anything, as it is written; empty if there is none."""
        return self.open[0].text if self.open else ""

    def resembles(self, module: str) -> bool:
        """Whether a requirement that is not well known is called like a module."""
        wanted = _letters(module)
        return any(wanted in one or one in wanted for one in self._open_letters)

    def elsewhere(self, names: Iterable[str]) -> Required | None:
        """A list that names one of some distributions without having it installed."""
        wanted = set(names)
        return next((one for one in self.required if one.name in wanted and not one.counts and one.applies), None)

    def for_others(self, names: Iterable[str]) -> Required | None:
        """A requirement of one of some distributions whose marker does not hold on the organisers' machine."""
        wanted = set(names)
        return next((one for one in self.required if one.name in wanted and not one.applies), None)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def find_wants(root: Path, imports: Iterable[ForeignImport], required: Iterable[Required]) -> Wants:
    """What the imports of the encoder say of the requirements.

    Args:
        root: of the repository.
        imports: of modules that are not the repository's.
        required: all that its lists require.
    """
    declared = _Declared(required)
    own: frozenset[str] | None = None
    undeclared: list[Undeclared] = []
    flaws: list[Flaw] = []
    for one in islice(imports, MOST_IMPORTS):
        if one.module in STANDARD | ASIDE or _is_told_elsewhere(one):
            continue
        found = _judge(one, declared)
        if found is None:
            continue
        own = _own_names(root) if own is None else own
        if one.module in own:
            continue
        if isinstance(found, Flaw):
            flaws.append(found)
        else:
            undeclared.append(found)
    return Wants(tuple(undeclared), tuple(flaws))


def _is_told_elsewhere(one: ForeignImport) -> bool:
    """Whether there is nothing to add for an import: it is one way of two, or a T4 has no use for it anyway."""
    if one.module in REMOVED:
        return one.reach is Reach.GUARDED
    trap = TRAPS.get(one.module)
    return trap is not None and (trap is not TrapKind.WHEEL or one.reach is Reach.GUARDED)


def _judge(one: ForeignImport, declared: _Declared) -> Undeclared | Flaw | None:
    """What is to be said of an import, if anything is."""
    written = _google(one) if one.module == "google" else known().providers(one.module)
    if one.module in REMOVED:
        written = (REMOVED[one.module],) if REMOVED[one.module] else ()
    names = [canonicalize_name(name) for name in written]
    if declared.sure.intersection([*names, canonicalize_name(one.module)]) or declared.resembles(one.module):
        return None
    if one.module == "google" and not written:
        return None
    foreign = declared.for_others([*names, canonicalize_name(one.module)])
    if foreign and one.reach is Reach.SURE:
        detail = f"{place(one.file, one.line)} imports {printable(one.module, limit=60)}"
        return Flaw(
            FlawKind.WRONG_PYTHON, foreign.file, foreign.line, foreign.text, detail, written[0] if written else ""
        )
    source, detail = _source(one, [*names], declared)
    better = _line(written[0]) if written else ""
    module = printable(one.module, limit=60)
    return Undeclared(module, one.file, one.line, one.reach, source, written[0] if written else "", better, detail)


def _google(one: ForeignImport) -> tuple[str, ...]:
    """The distribution of a part of `google`, a name that many share."""
    return ("protobuf",) if one.dotted.startswith("google.protobuf") else ()


def _source(one: ForeignImport, names: list[str], declared: _Declared) -> tuple[Source, str]:
    """Where a module might come from, and the list or requirement that says so."""
    elsewhere = declared.elsewhere([*names, canonicalize_name(one.module)])
    choices = (
        (one.module in REMOVED, Source.REMOVED, ""),
        (bool(declared.perhaps.intersection(names)), Source.PERHAPS, ""),
        (elsewhere is not None, Source.ELSEWHERE, elsewhere.at if elsewhere else ""),
        (bool(known().xares.intersection(names)), Source.XARES, ""),
        (bool(known().image.keys() & set(names)), Source.IMAGE, ""),
        (bool(declared.open), Source.PERHAPS, declared.opaque()),
        (not names, Source.UNKNOWN, ""),
    )
    return next(((source, detail) for holds, source, detail in choices if holds), (Source.NOWHERE, ""))


def _line(distribution: str) -> str:
    """The line to add: at least what the organisers' image has, of which the minor version is enough."""
    version = known().image.get(canonicalize_name(distribution), "")
    return f"{distribution}>={'.'.join(version.split('.')[:2])}" if version else distribution


def _own_names(root: Path) -> frozenset[str]:
    """What Python files and folders of the repository are called, wherever they lie: the path may be changed."""
    names: list[str] = []
    for _, folders, files in os.walk(root):
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in NOT_OWN)
        names += folders
        names += [name.partition(".")[0] for name in files if name.endswith((".py", ".so", ".pyd", ".pyx"))]
        if len(names) > MOST_ENTRIES:
            break
    return frozenset(names)


def find_unused(sources: SourceFacts, required: Iterable[Required]) -> Iterator[Flaw]:
    """Requirements of pip's lists that no file of the repository mentions.

    Nothing is said where not all sources were read, nor of a list that `pip freeze` wrote.
    """
    listed = [one for one in required if one.standing is Standing.LISTED and one.file.endswith(".txt")]
    frozen = len(listed) >= FROZEN_FROM and all("==" in one.specifier or one.direct for one in listed)
    plain = [one for one in listed if one.name and one.applies and not one.direct and one.name not in INDIRECT]
    words = _words(sources) if plain and not frozen and _all_was_read(sources) else None
    for one in plain:
        if words is not None and words.isdisjoint({one.name.replace("-", "_"), *known().modules_of(one.name)}):
            yield Flaw(FlawKind.UNUSED, one.file, one.line, one.name)


def _all_was_read(sources: SourceFacts) -> bool:
    """Whether every Python file of the repository was read, and the encoder is known."""
    left_out = sources.asked or sources.unread_files or any(file.trouble for file in sources.files)
    return sources.chosen is not None and not left_out


def _words(sources: SourceFacts) -> frozenset[str] | None:
    """All words in the sources, with lower case beside them; None if they are too large together."""
    words: set[str] = set()
    left = MOST_TEXT
    for file in sources.files:
        found = read_inside(sources.root, file.path)
        data = found.data if found else b""
        left -= len(data)
        if left < 0 or (found and found.too_large):
            return None
        words.update(re.findall(r"\w+", data.decode("utf-8", "replace")))
    return frozenset(words | {one.lower() for one in islice(words, MOST_ENTRIES * 10)})
