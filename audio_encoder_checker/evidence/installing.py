"""In which environment the encoder ran: what was installed for it, what was not, and how the target's differs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Origin(str, Enum):
    """Where a package came from."""

    WHEEL = "wheel"
    SOURCE = "source"
    LENT = "lent"
    """Of the checker's own environment: torch, numpy and what they need are not installed again."""


class Trouble(str, Enum):
    """Why a set of requirements cannot be installed."""

    MISSING = "no such package"
    VERSION = "no such version"
    PLATFORM = "no wheel for this Python and system"
    SOURCE = "only source"
    CONFLICT = "conflict"
    BUILD = "does not build"
    OTHER = "other"


@dataclass(frozen=True)
class Package:
    """One package of the environment; name and version are printable."""

    name: str
    version: str
    origin: Origin


@dataclass(frozen=True)
class RefusedLine:
    """A requirement that was not handed to the installer.

    Attributes:
        at: `requirements.txt:3`.
        text: the line, cut and made printable.
        reason: why, in words.
        option: it is an option of pip and names no package.
    """

    at: str
    text: str
    reason: str
    option: bool = False


@dataclass(frozen=True)
class Unresolved:
    """Why nothing could be installed.

    Attributes:
        trouble: the kind of reason.
        reason: in words, printable.
        names: packages that it is about, those that the submission itself requires first.
        at: the first line that asks for one of them, empty if none does by itself.
        line: that line, printable.
    """

    trouble: Trouble
    reason: str
    names: tuple[str, ...] = ()
    at: str = ""
    line: str = ""


@dataclass(frozen=True)
class InstallFacts:
    """The environment that was made for the encoder.

    Attributes:
        tool: the installer and its version, such as `uv 0.13.9`.
        python: version of the interpreter.
        packages: all that the encoder can import, by name; nothing else can be imported.
        refused: lines that were not installed.
        failed: why none of the others could be installed either, None if they were.
        constraints: what held versions, in words; less than was asked for if that could not be kept.
        removed: start-up code that a package brought and that was removed, and packages that would hide a lent one.
        seconds: that resolving and installing took.
        cached: whether the environment was there already.
        key: hash of the resolved set; two runs with the same one had the same environment.
        packages_folder: the environment's `site-packages`.
    """

    tool: str
    python: str
    packages: tuple[Package, ...] = ()
    refused: tuple[RefusedLine, ...] = ()
    failed: Unresolved | None = None
    constraints: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    seconds: float = 0.0
    cached: bool = False
    key: str = ""
    packages_folder: str = ""

    @property
    def built(self) -> tuple[str, ...]:
        """Names of the packages that were built from source on this machine."""
        return tuple(one.name for one in self.packages if one.origin is Origin.SOURCE)


@dataclass(frozen=True)
class Difference:
    """A package whose version here is not that of the target."""

    name: str
    here: str
    there: str


@dataclass(frozen=True)
class TargetDifferences:
    """What the environment has otherwise than the machine of the organisers, as far as its packages are known.

    Attributes:
        target: name of that machine.
        differences: by name.
    """

    target: str
    differences: tuple[Difference, ...] = ()
