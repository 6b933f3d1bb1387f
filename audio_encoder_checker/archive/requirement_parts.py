"""What one requirement means: a distribution with versions, a repository, an address or a path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from audio_encoder_checker.archive.repository_text import inside, shown
from audio_encoder_checker.evidence.requirements import Flaw, FlawKind, Required, Standing
from audio_encoder_checker.evidence.source import TARGET_PYTHON

if TYPE_CHECKING:
    from pathlib import Path

TARGET = ".".join(map(str, TARGET_PYTHON))
ENVIRONMENT = {
    "extra": "",
    "implementation_name": "cpython",
    "implementation_version": f"{TARGET}.12",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "6.6",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": f"{TARGET}.12",
    "python_version": TARGET,
    "sys_platform": "linux",
}
"""What markers see on the organisers' machine (PEP 508)."""
LONGEST = 2_000
"""Characters of a requirement; pip itself has no limit."""
VCS = re.compile(r"(git|hg|svn|bzr)\+", re.IGNORECASE)
BARE_VCS = re.compile(r"(git|hg|svn|bzr):|git@|ssh:", re.IGNORECASE)
NEEDS_KEY = re.compile(r"(^|[+/])(git@|ssh:)|(^|\+)git:|\+ssh:")
"""Addresses for those with a key, and git's own protocol, which GitHub no longer speaks."""
NAMED_URL = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?\s*@\s*(.+)", re.DOTALL)
URL = re.compile(r"(https?|ftp):", re.IGNORECASE)
FILE = re.compile(r"file:", re.IGNORECASE)
ARCHIVE = re.compile(r"\.(whl|zip|tar|tgz|tar\.(gz|bz2|xz|lzma)|tbz|txz)$", re.IGNORECASE)
REPOSITORY = re.compile(r"https?://(github|gitlab|bitbucket|huggingface|codeberg)\.\w+/[^/]+/[^/?#]+/?|\S+\.git/?")
"""Pages of repositories, which are no archives."""
EXTRAS = re.compile(r"\[[^\]]*\]$")
COMMIT = re.compile(r"[0-9a-f]{7,40}")
RELEASE = re.compile(r"v?\d+(\.\d+)+\w*")
SINGLE_EQUALS = re.compile(r"([A-Za-z0-9][\w.-]*)\s*=\s*([\w.]+)(?:=\S+)?")
VERSION_BEHIND = re.compile(r"([A-Za-z0-9][\w.-]*)\s+v?(\d[\w.]*)")
COMMAND = re.compile(r"[!%]?\s*(?:python3? -m )?(?:pip3?|conda|uv pip) install\s+(.+)")
STARRED = re.compile(r"([<>~]=?)\s*(\d+(?:\.\d+)*)\.\*")
PROJECT_FILES = ("pyproject.toml", "setup.py")


class Place(NamedTuple):
    """Where a requirement stands.

    Attributes:
        root: of the repository, without links in it.
        file: relative to it.
        line: from 1.
        standing: the kind of list.
    """

    root: Path
    file: str
    line: int
    standing: Standing = Standing.LISTED


class Meaning(NamedTuple):
    """What a requirement is.

    Attributes:
        required: None where it was not understood, or is the repository itself.
        flaw: what is wrong, or None.
        is_root: it is the repository itself.
    """

    required: Required | None = None
    flaw: Flaw | None = None
    is_root: bool = False


def understand(text: str, place: Place, *, editable: bool = False) -> Meaning:
    """What a requirement means, as pip takes it.

    Args:
        text: without options.
        place: where it stands.
        editable: it stands behind `-e`.
    """
    if len(text) > LONGEST:
        return Meaning(flaw=_flaw(FlawKind.REFUSED, text, place, f"longer than {LONGEST} characters"))
    named = NAMED_URL.fullmatch(text)
    target, name = (named[3].strip(), named[1]) if named and not text.startswith("git@") else (text, "")
    bare, _, marker = target.partition(" ;") if " ;" in target else target.partition("; ")
    if VCS.match(bare) or BARE_VCS.match(bare):
        return _vcs(text, bare.strip(), name, place, editable=editable)
    if URL.match(bare):
        return _address(text, bare.strip(), name, place, marker, editable=editable)
    if editable or FILE.match(bare) or _is_path(bare, named=bool(name)):
        return _path(text, bare.strip(), name, place)
    return _distribution(text, place)


def applies(marker: Marker | None) -> bool:
    """Whether a marker holds on the organisers' machine; one that cannot be told does."""
    try:
        return marker is None or marker.evaluate(dict(ENVIRONMENT))
    except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion, KeyError, TypeError, RecursionError):
        return True


def _distribution(text: str, place: Place) -> Meaning:
    try:
        found = Requirement(text.rstrip().removesuffix(";"))
    except (InvalidRequirement, RecursionError) as error:
        reason = str(error).split("\n", maxsplit=1)[0].strip().rstrip(".")
        reason = f"{reason[:1].lower()}{reason[1:]}" if isinstance(error, InvalidRequirement) else "nested too deeply"
        return Meaning(flaw=_flaw(FlawKind.REFUSED, text, place, shown(reason), mended(text)))
    return Meaning(
        Required(
            file=place.file,
            line=place.line,
            name=canonicalize_name(found.name),
            text=shown(text),
            specifier=shown(str(found.specifier)),
            standing=place.standing,
            applies=applies(found.marker),
        )
    )


def mended(text: str) -> str:
    """How a line that pip refuses was most likely meant; empty if nobody knows."""
    found = COMMAND.fullmatch(text)
    guess = found[1] if found else text
    for pattern in (SINGLE_EQUALS, VERSION_BEHIND):
        match = pattern.fullmatch(guess.strip().rstrip(",;"))
        guess = f"{match[1]}=={match[2]}" if match else guess
    guess = STARRED.sub(r"\1\2", guess).replace("=>", ">=").replace("=<", "<=").strip().rstrip(",;")
    try:
        Requirement(guess)
    except (InvalidRequirement, RecursionError):
        return ""
    return shown(guess) if guess != text else ""


def _flaw(kind: FlawKind, text: str, place: Place, detail: str = "", better: str = "") -> Flaw:
    return Flaw(kind, place.file, place.line, shown(text), detail, better)


def _direct(text: str, name: str, place: Place, marker: str = "") -> Required:
    try:
        holds = applies(Marker(marker)) if marker.strip() else True
    except (InvalidMarker, RecursionError):
        holds = True
    normal = canonicalize_name(name)
    return Required(place.file, place.line, normal, shown(text), "", place.standing, holds, direct=True)


def _vcs(text: str, url: str, name: str, place: Place, *, editable: bool) -> Meaning:
    """A repository: `git+https://HOST/OWNER/NAME@REF#egg=NAME`."""
    address, _, fragment = url.partition("#")
    egg = re.search(r"(?:^|&)egg=([\w.-]+)", fragment)
    body, at, ref = address.rpartition("@")
    if not at or "/" in ref.split(":")[0] or "://" not in body:
        body, ref = address, ""
    repository = body.rstrip("/").rpartition("/")[2].removesuffix(".git")
    known = name or (egg[1] if egg else "")
    required = _direct(text, known or repository, place)
    if "$" in address or NEEDS_KEY.search(address.lower()):
        host = re.sub(r"^[^/@]*@", "", body.rpartition("//")[2]).replace(":", "/", 1)
        better = shown(f"{known or repository} @ git+https://{host}@COMMIT")
        return Meaning(required, _flaw(FlawKind.VCS_PRIVATE, text, place, "", better))
    if FILE.match(VCS.sub("", address)):
        return Meaning(required, _flaw(FlawKind.LOCAL_OUTSIDE, text, place))
    if editable and not known:
        better = shown(f"{url.partition('#')[0]}#egg={repository}")
        return Meaning(required, _flaw(FlawKind.VCS_NAMELESS, text, place, "", f"-e {better}"))
    if COMMIT.fullmatch(ref) or RELEASE.fullmatch(ref):
        return Meaning(required, _flaw(FlawKind.VCS_COMMIT, text, place))
    better = shown(f"{known or repository} @ {body}@COMMIT")
    return Meaning(required, _flaw(FlawKind.VCS_OPEN, text, place, shown(ref), better))


def _address(text: str, url: str, name: str, place: Place, marker: str, *, editable: bool) -> Meaning:
    """A file elsewhere."""
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        return Meaning(flaw=_flaw(FlawKind.REFUSED, text, place, "this is no address"))
    file = path.rstrip("/").rpartition("/")[2]
    if REPOSITORY.fullmatch(url) or editable:
        better = f"{name} @ git+{url}" if name else f"git+{url}"
        return Meaning(flaw=_flaw(FlawKind.REFUSED, text, place, "the address is not of an archive", shown(better)))
    return Meaning(_direct(text, name or re.split(r"-\d", file)[0], place, marker))


def _is_path(text: str, *, named: bool) -> bool:
    """Whether pip looks for a file or folder: by a slash or dot, or by an archive's ending."""
    plain = EXTRAS.sub("", text.strip())
    return not named and ("/" in plain or plain.startswith(".") or ARCHIVE.search(plain) is not None)


def _path(text: str, path: str, name: str, place: Place) -> Meaning:
    """A path, which pip takes from the folder that it was started in: the root."""
    plain = EXTRAS.sub("", path.partition("#")[0]).strip()
    if FILE.match(plain):
        plain = unquote(FILE.sub("", plain, count=1))
        plain = plain.removeprefix("//localhost") if plain.startswith("//localhost") else plain
        plain = "/" + plain.lstrip("/") if plain.startswith("//") else plain
    relative = inside(place.root, "", plain)
    file = plain.rstrip("/").rpartition("/")[2]
    required = _direct(text, name or re.split(r"-\d", file)[0], place)
    if relative is None:
        better = name if name and not ARCHIVE.search(file) else ""
        return Meaning(required, _flaw(FlawKind.LOCAL_OUTSIDE, text, place, "", better))
    found = place.root / relative
    if found.is_dir():
        if not any((found / one).is_file() for one in PROJECT_FILES):
            detail = "there is no pyproject.toml or setup.py in that folder"
            return Meaning(None, _flaw(FlawKind.LOCAL_ABSENT, text, place, detail))
        flaw = _flaw(FlawKind.LOCAL_PROJECT, text, place)
        return Meaning(None, flaw, is_root=True) if found == place.root else Meaning(required, flaw)
    if not found.is_file():
        return Meaning(None, _flaw(FlawKind.LOCAL_ABSENT, text, place, "it is not in the submission"))
    return Meaning(required)
