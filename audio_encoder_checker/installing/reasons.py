"""What an installer said, in words: why a set cannot be had, or why this machine cannot get it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename

from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evidence.installing import Trouble, Unresolved
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

REASON_CHARACTERS = 400
NO_ROOM = re.compile(r"No space left on device|os error 28|Errno 28|Disk quota exceeded", re.IGNORECASE)
NO_INDEX = re.compile(
    r"NewConnectionError|ConnectTimeoutError|ReadTimeoutError|NameResolutionError|SSLError|ProxyError|ProtocolError"
    r"|Max retries exceeded|error sending request|Failed to fetch|Could not connect|dns error|tcp connect error"
    r"|Network connectivity is disabled|operation timed out|certificate verify failed|HTTP status (server|client) error"
    r"|HTTPError: (401|403|407|429|5\d\d)"
)
_NAME = r"`?([A-Za-z0-9][A-Za-z0-9._-]*?)`?"
_UV = (
    (Trouble.BUILD, re.compile(rf"Failed to (?:download and )?build `?{_NAME}(?:==[^`\s]+)?`")),
    (Trouble.MISSING, re.compile(rf"[Bb]ecause {_NAME} was not found in")),
    (Trouble.SOURCE, re.compile(rf"{_NAME}(?:[=<>!~][^\s]*)? ha(?:s|ve) no usable wheels")),
    (Trouble.PLATFORM, re.compile(rf"{_NAME}(?:[=<>!~][^\s]*)? ha(?:s|ve) no wheels with a matching")),
    (Trouble.PLATFORM, re.compile(rf"the requested Python version .* does not satisfy .* and {_NAME}[=<>!~ ]")),
    (Trouble.VERSION, re.compile(rf"there (?:is|are) no versions? of {_NAME}[=<>!~ ,]")),
    (Trouble.VERSION, re.compile(rf"only {_NAME}(?:[=<>!~][^\s]*)? (?:is|are) available and you require")),
)
_TAIL = re.compile(r",? we can conclude that your requirements are unsatisfiable\.?|, we can conclude that")
_UNMET = re.compile(r"satisfies the requirement (\S.*?)(?: \(from (?!versions)(.*?)\))? \(from versions: (.*?)\)")
_PIP_CAUSE = re.compile(r"The conflict is caused by:\s*\n(.*?)To fix this", re.DOTALL)
_PIP_PARTIES = re.compile(
    r"^(?:The user requested (?!\(constraint\)))?([A-Za-z0-9][\w.-]*?)(?=[\s=<>!~\[;]|$)", re.MULTILINE
)
_NOT_FETCHED = re.compile(r"Could not fetch URL .*")
_LOG_TIME = re.compile(r"^\d{4}-\d\d-\d\dT[\d:,]+ ?", re.MULTILINE)
_NO_SOURCES = re.compile(r"No sources permitted for \S+: \S*?([^/\s#]+\.(?:tar\.gz|zip))")
_NO_TAGS = re.compile(r"none of the wheel's tags \((.*?)\) are compatible.*?: \S*?([^/\s#]+\.whl)")
_PIP_BUILD = re.compile(
    r"(?:Failed building wheel for|Failed to build '?)\s*([A-Za-z0-9._-]+)|metadata-generation-failed"
)


def blame_machine(text: str) -> None:
    """Find out whether it is this machine that failed.

    Raises:
        MachineError: it is.
    """
    if NO_ROOM.search(text):
        raise MachineError("the disk is full while the submission's packages are installed", "free disk space")
    if found := NO_INDEX.search(text):
        line = next(one for one in text.splitlines() if found.group() in one)
        hint = "is there a network? try again, or run without `--install`; PIP_INDEX_URL or UV_INDEX_URL name a mirror"
        raise MachineError(f"the package index cannot be reached: {printable(line.strip(), limit=160)}", hint)


def uv_reason(text: str) -> Unresolved:
    """Why uv found no solution.

    Raises:
        MachineError: it did not say so, or this machine is at fault.
    """
    for trouble, pattern in _UV:
        if found := pattern.search(text):
            return Unresolved(trouble, _uv_words(text), (canonicalize_name(found.group(1)),))
    blame_machine(text)
    if "No solution found" not in text:
        raise _crashed("uv", text)
    names = dict.fromkeys(
        canonicalize_name(one) for one in re.findall(rf"(?:of|require) {_NAME}(?=[\s,.=<>!~]|$)", text)
    )
    return Unresolved(Trouble.CONFLICT, _uv_words(text), tuple(names))


def pip_reason(text: str, log: str) -> Unresolved:
    """Why pip found no solution.

    Args:
        text: what it printed.
        log: its full log.

    Raises:
        MachineError: it did not say so, or this machine is at fault.
    """
    errors = [line for line in text.splitlines() if line.startswith("ERROR")]
    blame_machine("\n".join([*errors, *_NOT_FETCHED.findall(log)]))
    if found := _UNMET.search(text):
        return _unmet(found.group(1), found.group(2) or "", found.group(3), log)
    if "ResolutionImpossible" in text:
        cause = _PIP_CAUSE.search(_LOG_TIME.sub("", log))
        told = [" ".join(line.split()) for line in (cause.group(1).splitlines() if cause else ()) if line.strip()]
        words = "; ".join(told) or "the requirements contradict one another"
        names = dict.fromkeys(canonicalize_name(one) for one in _PIP_PARTIES.findall("\n".join(told)))
        return Unresolved(Trouble.CONFLICT, printable(words, limit=REASON_CHARACTERS), tuple(names))
    if found := _PIP_BUILD.search(text):
        names_built = (canonicalize_name(found.group(1)),) if found.group(1) else ()
        return Unresolved(Trouble.BUILD, _last_error(text), names_built)
    raise _crashed("pip", text)


def _unmet(asked: str, by: str, versions: str, log: str) -> Unresolved:
    """A requirement that no file of the index meets: the log tells whether there were others."""
    try:
        requirement = Requirement(asked)
    except InvalidRequirement:
        return Unresolved(Trouble.OTHER, printable(f"nothing meets {asked}", limit=REASON_CHARACTERS))
    name = canonicalize_name(requirement.name)
    behind = (canonicalize_name(by.split(maxsplit=1)[0]),) if by and not by.startswith("-r") else ()
    wanted = f"{asked}{f', which {by} needs,' if behind else ''}"
    if _in_source(requirement, _NO_SOURCES.findall(log)):
        trouble, reason = Trouble.SOURCE, f"there is only source of {wanted} and no wheel"
    elif tags := _other_tags(name, _NO_TAGS.findall(log)):
        trouble, reason = Trouble.PLATFORM, f"the wheels of {wanted} are for other systems or Pythons: {tags}"
    elif versions == "none":
        trouble, reason = Trouble.MISSING, f"{wanted} is not in the package index"
    else:
        trouble, reason = Trouble.VERSION, f"there is no {wanted} in the package index, but {_newest(versions)}"
    return Unresolved(trouble, printable(reason, limit=REASON_CHARACTERS), (name, *behind))


def _in_source(requirement: Requirement, files: Iterable[str]) -> bool:
    for file in files:
        try:
            name, version = parse_sdist_filename(file)
        except InvalidSdistFilename:
            continue
        if name == canonicalize_name(requirement.name) and requirement.specifier.contains(version, prereleases=True):
            return True
    return False


def _other_tags(name: str, found: Iterable[tuple[str, str]]) -> str:
    tags = [tag for tag, file in found if canonicalize_name(file.split("-")[0]) == name]
    return ", ".join(dict.fromkeys(tags[-3:]))


def _newest(versions: str) -> str:
    known = versions.split(", ")
    return ", ".join(known[-5:]) + (f" and {len(known) - 5} older ones" if len(known) > 5 else "")


def _uv_words(text: str) -> str:
    """Its explanation as one sentence, without what every one of them ends with."""
    kept = [
        line.strip().removeprefix("cause: ").removeprefix("error: ")
        for line in text.splitlines()
        if "No solution found" not in line and not line.startswith(("warning", "hint: Wheels are required"))
    ]
    return printable(" ".join(_TAIL.sub("", " ".join(kept)).split()), limit=REASON_CHARACTERS)


def _last_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return printable((errors or lines or ["it said nothing"])[-1], limit=REASON_CHARACTERS)


def _crashed(tool: str, text: str) -> MachineError:
    return MachineError(f"{tool} failed: {_last_error(text)}", "run without `--install`, or renew the installer")
