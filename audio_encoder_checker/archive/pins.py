"""What the versions in the lists of requirements mean together, and for the organisers' Python.

Whether two sets of versions overlap is tried with the versions that they name and with their neighbours: specifiers
are made of intervals that end at these.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations, islice
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from audio_encoder_checker.archive.distributions import known, known_versions
from audio_encoder_checker.archive.requirement_parts import TARGET
from audio_encoder_checker.evidence.requirements import Flaw, FlawKind, Required, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FIXED_BY_IMAGE = frozenset({"torch", "torchaudio", "torchvision", "numpy"})
"""The organisers' image has them, and pip leaves what is there as long as it fits."""
OFFICIAL = re.compile(r"github\.com/(facebookresearch|pytorch)/")
"""Whose repositories are what PyPI has under the same name."""
MOST_PAIRS = 200
"""Lines of one name that are compared."""
NEWEST = "99999"
FIRST_FREE_TORCHAUDIO = (2, 11)
"""From here on torchaudio does not say which torch it needs."""
NUMPY_2 = "2.0"
OLDEST_TORCH = "2.2"
"""Earlier ones cannot be installed at all, which is told."""
TORCH_FOR_NUMPY_2 = "2.3"
DECODES_WITH_TORCHCODEC = "2.9"
"""From here on `torchaudio.load` is torchcodec's."""


def find_pin_flaws(
    required: Iterable[Required], modules: frozenset[str], indexes: Iterable[str], *, loads_audio: bool = False
) -> Iterator[Flaw]:
    """What is wrong with versions.

    Args:
        required: all requirements.
        modules: the top modules that the encoder imports.
        indexes: where the lists have pip look for distributions, beside its own index.
        loads_audio: the sources call `torchaudio.load`.
    """
    valid = [one for one in required if one.applies and one.name]
    counting = [one for one in valid if one.counts]
    yield from _unpinned(valid)
    yield from _clashes(valid)
    for one in counting:
        yield from _wheels(one)
        yield from _known_broken(one, modules)
    if not list(indexes):
        yield from (_local_version(one) for one in counting if _local(one))
    yield from _together(counting)
    if loads_audio:
        yield from _decoder(counting)


def _set(specifier: str) -> SpecifierSet:
    try:
        return SpecifierSet(specifier)
    except InvalidSpecifier:  # cut for the report, as it was too long
        return SpecifierSet()


def _pin(one: Required) -> Version | None:
    """The one version that a requirement allows; None if there are others."""
    for specifier in _set(one.specifier):
        if specifier.operator in ("==", "===") and not specifier.version.endswith(".*"):
            try:
                return Version(specifier.version)
            except InvalidVersion:
                return None
    return None


def _near(*specifiers: SpecifierSet) -> set[str]:
    """Versions at the ends of the intervals that specifiers are made of, inside and outside."""
    found = {"0", NEWEST}
    for one in (one for specifier in specifiers for one in specifier):
        try:
            version = Version(one.version.removesuffix(".*"))
        except InvalidVersion:
            found.add(one.version)
            continue
        parts = version.release
        found |= {str(version), version.public, version.base_version}
        for length in range(1, len(parts) + 1):
            cut = parts[:length]
            found.add(".".join(map(str, [*cut[:-1], cut[-1] + 1])))
            if cut[-1]:
                found.add(".".join(map(str, [*cut[:-1], cut[-1] - 1, 9999])))
        found |= {".".join(map(str, [*parts, 1])), ".".join(map(str, [*parts, 9999]))}
    return found


def _allows(*specifiers: SpecifierSet, least: str = "0", below: str = NEWEST + ".1") -> bool:
    """Whether one version fits all specifiers and lies between two others."""
    tried = {*_near(*specifiers), least}
    return any(
        all(one.contains(version, prereleases=True) for one in specifiers)
        and (not _valid(version) or Version(least) <= Version(version) < Version(below))
        for version in tried
    )


def _valid(version: str) -> bool:
    try:
        Version(version)
    except InvalidVersion:
        return False
    return True


def _unpinned(required: list[Required]) -> Iterator[Flaw]:
    """One flaw for each list, with all names that may be any later version."""
    held = {one.name for one in required if _is_held(one)}
    by_file: dict[str, list[Required]] = defaultdict(list)
    for one in required:
        is_open = one.standing is Standing.LISTED and one.file.endswith(".txt") and not one.direct
        if is_open and one.name not in held | FIXED_BY_IMAGE:
            by_file[one.file].append(one)
    for file, found in by_file.items():
        names = list(dict.fromkeys(one.name for one in found))
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        versions = known().image
        pinned = next((f"{name}=={versions[name]}" for name in names if name in versions), "")
        yield Flaw(FlawKind.UNPINNED, file, found[0].line, ", ".join(names[:5]) + more, better=pinned)


def _is_held(one: Required) -> bool:
    """Whether a requirement leaves out what is not released yet."""
    return one.direct or not _set(one.specifier).contains(NEWEST, prereleases=True)


def _clashes(required: list[Required]) -> Iterator[Flaw]:
    """Two requirements of one name, of which pip takes neither, or that differ."""
    by_name: dict[str, list[Required]] = defaultdict(list)
    for one in required:
        if not one.direct and one.standing is not Standing.EXTRA:
            by_name[one.name].append(one)
    for found in by_name.values():
        for first, second in islice(combinations(found, 2), MOST_PAIRS):
            kind = _clash(first, second)
            if kind:
                yield Flaw(kind, second.file, second.line, second.text, f"{first.text} ({first.at})")
                break


def _clash(first: Required, second: Required) -> FlawKind | None:
    if first.specifier == second.specifier:
        return None
    project = Standing.PROJECT in (first.standing, second.standing)
    if not _allows(_set(first.specifier), _set(second.specifier)):
        return FlawKind.DISAGREEMENT if project else FlawKind.CLASH
    listed = first.standing is Standing.LISTED and second.standing is Standing.LISTED
    return FlawKind.REPEATED if listed and first.specifier and second.specifier else None


def _wheels(one: Required) -> Iterator[Flaw]:
    """A requirement that only allows releases from before the organisers' Python."""
    versions = known_versions()
    first = versions.wheels.get(one.name) or versions.built.get(one.name)
    if not first or one.direct or not one.specifier or _allows(_set(one.specifier), least=first):
        return
    if not _allows(_set(one.specifier)):
        return  # it allows nothing at all, which is another flaw
    kind = FlawKind.NO_WHEEL if _pin(one) and one.name in versions.wheels else FlawKind.MAY_LACK_WHEEL
    detail = f"the first release with a wheel for Python {TARGET} is {first}"
    yield Flaw(kind, one.file, one.line, one.text, detail, f"{one.name}>={first}")


def _known_broken(one: Required, modules: frozenset[str]) -> Iterator[Flaw]:
    """A distribution that is something else, or cannot be installed."""
    versions = known_versions()
    wrong = versions.wrong.get(one.name)
    if wrong and not one.direct and (not wrong.module or wrong.module in modules):
        yield Flaw(FlawKind.DUMMY, one.file, one.line, one.text, wrong.why, wrong.better)
    for broken in versions.broken:
        if broken.name != one.name or (one.direct and (broken.versions or not OFFICIAL.search(one.text))):
            continue
        only = not broken.versions or not _allowed_beside(one, broken.versions)
        if only:
            yield Flaw(FlawKind.UNINSTALLABLE, one.file, one.line, one.text, broken.why, broken.better)


def _allowed_beside(one: Required, versions: str) -> bool:
    """Whether a requirement allows a version that is none of some."""
    own, others = _set(one.specifier), SpecifierSet(versions)
    return any(
        own.contains(version, prereleases=True) and not others.contains(version, prereleases=True)
        for version in _near(own, others)
    )


def _local(one: Required) -> str:
    """The local part of a pinned version, such as `cu124`."""
    pin = _pin(one) if not one.direct else None
    return pin.local or "" if pin else ""


def _local_version(one: Required) -> Flaw:
    local = _local(one)
    plain = re.sub(r"\+[\w.]+", "", one.text)
    is_torch = one.name.startswith("torch") or one.name == "triton"
    index = f"--extra-index-url https://download.pytorch.org/whl/{local}" if is_torch else ""
    return Flaw(FlawKind.LOCAL_VERSION, one.file, one.line, one.text, index, plain)


def _together(required: list[Required]) -> Iterator[Flaw]:
    """What is required of torch, and what is built for one of its versions only."""
    by_name = {one.name: one for one in required if not one.direct}
    torch = by_name.get("torch")
    pin = _pin(torch) if torch else None
    if torch is None or pin is None or len(pin.release) < 2:
        return
    for name in ("torchaudio", "torchvision"):
        other = by_name.get(name)
        version = _pin(other) if other else None
        wanted = _companion(name, pin, version) if version and len(version.release) > 1 else ""
        if other and wanted:
            detail = f"{torch.text} ({torch.at})"
            yield Flaw(FlawKind.MISMATCH, other.file, other.line, other.text, detail, f"{name}=={wanted}")
    yield from _numpy(by_name.get("numpy"), torch, pin)


def _companion(name: str, torch: Version, version: Version) -> str:
    """The version of torchaudio or torchvision that belongs to one of torch; empty if the one given does."""
    major, minor, patch = (*torch.release, 0)[:3]
    if name == "torchaudio":
        if version.release[:2] >= FIRST_FREE_TORCHAUDIO and (major, minor) >= FIRST_FREE_TORCHAUDIO:
            return ""
        wanted = (major, minor) if major > 1 else (0, minor)
    else:
        wanted = (0, minor + 15) if major > 1 else (0, minor + 1)
    if version.release[:2] == wanted and (_same_patch(version, patch) or (major, minor) < (2, 1)):
        return ""
    return ".".join(map(str, (*wanted, patch)))


def _same_patch(version: Version, patch: int) -> bool:
    return (*version.release, 0)[2] == patch


def _numpy(numpy: Required | None, torch: Required, pin: Version) -> Iterator[Flaw]:
    """A torch that was built for numpy 1, where numpy 2 is installed."""
    if not Version(OLDEST_TORCH) <= pin < Version(TORCH_FOR_NUMPY_2):
        return
    allowed = _set(numpy.specifier) if numpy else SpecifierSet()
    if not _allows(allowed, least=NUMPY_2):
        return
    where = numpy or torch
    surely = numpy is not None and not _allows(allowed, below=NUMPY_2)
    kind = FlawKind.MISMATCH if surely else FlawKind.NUMPY
    yield Flaw(kind, where.file, where.line, where.text, f"{torch.text} ({torch.at})", "numpy<2")


def _decoder(required: list[Required]) -> Iterator[Flaw]:
    """A torchaudio that decodes with torchcodec, where that is not required."""
    by_name = {one.name: one for one in required}
    audio = by_name.get("torchaudio")
    if audio is None or "torchcodec" in by_name or not audio.specifier:
        return
    if not _allows(_set(audio.specifier), below=DECODES_WITH_TORCHCODEC):
        yield Flaw(FlawKind.NO_DECODER, audio.file, audio.line, audio.text, "", "torchcodec")
