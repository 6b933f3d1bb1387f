"""What a repository says is to be installed, what is wrong with that, and what its imports lack.

Everything is read: nothing is installed, built or run, and no address is asked.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from audio_encoder_checker.archive.import_reach import foreign_imports
from audio_encoder_checker.archive.pins import find_pin_flaws
from audio_encoder_checker.archive.project import read_project
from audio_encoder_checker.archive.repository_text import read_inside
from audio_encoder_checker.archive.requirement_files import read_lists
from audio_encoder_checker.archive.undeclared import find_unused, find_wants
from audio_encoder_checker.evidence.requirements import Flaw, FlawKind, Required, RequirementFacts, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from audio_encoder_checker.evidence.source import SourceFacts

NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
HIDES_NAMES = {FlawKind.TOO_LARGE, FlawKind.NESTED_MISSING, FlawKind.NESTED_OUTSIDE, FlawKind.LOCAL_ABSENT}
"""Flaws of lists whose requirements are unknown for that."""
LOADS_AUDIO = re.compile(rb"\btorchaudio\.load\(")


def find_requirements(sources: SourceFacts) -> RequirementFacts:
    """Read the lists of requirements of a repository, and compare them with what its encoder imports.

    Args:
        sources: the repository, as it was read.
    """
    root = sources.root.resolve()
    lists = read_lists(root, sources.chosen.path if sources.chosen else "")
    project = read_project(root)
    installed = lists.installs_root or not lists.files
    required = [*lists.required, *(_installed(one) if installed else one for one in project.required)]
    imports = foreign_imports(sources)
    wants = find_wants(root, imports, [*required, *_mentioned([*lists.flaws, *project.flaws])])
    modules = frozenset(one.module for one in imports)
    flaws = [
        *lists.flaws,
        *project.flaws,
        *wants.flaws,
        *find_pin_flaws(required, modules, lists.indexes, loads_audio=_loads_audio(sources)),
        *find_unused(sources, required),
    ]
    return RequirementFacts(
        files=(*lists.files, *project.files),
        required=tuple(required),
        flaws=tuple(flaws),
        undeclared=wants.undeclared,
    )


def _installed(one: Required) -> Required:
    """A requirement of a project that is installed as a whole."""
    return replace(one, standing=Standing.LISTED) if one.standing is Standing.PROJECT else one


def _mentioned(flaws: Iterable[Flaw]) -> Iterator[Required]:
    """What lines that were not understood may require: their finding is enough, no import is told of again."""
    for one in flaws:
        refused = one.kind in (FlawKind.REFUSED, FlawKind.IGNORED)
        named = NAME.match(one.better or one.what.removeprefix("- ")) if refused else None
        if named or one.kind in HIDES_NAMES:
            name = canonicalize_name(named[0]) if named else ""
            yield Required(one.file, one.line, name, one.what, direct=True)


def _loads_audio(sources: SourceFacts) -> bool:
    """Whether a file that is looked through calls `torchaudio.load`."""
    found = (read_inside(sources.root, path) for path in sources.in_depth)
    return any(LOADS_AUDIO.search(one.data) for one in found if one)
