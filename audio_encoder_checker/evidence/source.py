"""What the Python sources of a submission say, read as text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ENCODER_SUFFIX = "Encoder"
"""X-ARES takes the one name in `dir(module)` that ends so."""
TARGET_PYTHON = (3, 12)
"""What Colab runs, where the organisers start every encoder."""
CONTRACT_ATTRIBUTES = ("sampling_rate", "output_dim", "hop_size_in_ms")


class TroubleKind(str, Enum):
    """Why a source file could not be read."""

    SYNTAX = "syntax error"
    ENCODING = "not UTF-8"
    NUL = "NUL byte"
    TOO_DEEP = "nested too deeply"
    TOO_LARGE = "too large"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Trouble:
    """What keeps a source file from being parsed.

    Attributes:
        kind: the class of trouble.
        detail: in words.
        line: from 1, 0 if unknown.
        text: that line, cut and made printable.
    """

    kind: TroubleKind
    detail: str
    line: int = 0
    text: str = ""


@dataclass(frozen=True)
class BoundName:
    """A name that a module binds at its top level, as `dir(module)` will show it.

    Attributes:
        name: as bound, so after `as`.
        line: where.
        how: `class`, `function`, `assignment` or `import`.
        origin: of imports, the dotted name of what is imported.
    """

    name: str
    line: int
    how: str
    origin: str = ""

    @property
    def is_encoder(self) -> bool:
        """Whether X-ARES would take it for an encoder."""
        return self.name.endswith(ENCODER_SUFFIX)


@dataclass(frozen=True)
class SourceClass:
    """A class at the top level of a module.

    Attributes:
        name: of the class.
        line: where it starts.
        bases: as written.
        has_forward: it or a base in the same file defines `forward`.
        required: parameters of its constructor without a default.
        attributes: those of the contract that its body sets.
    """

    name: str
    line: int
    bases: tuple[str, ...]
    has_forward: bool
    required: tuple[str, ...]
    attributes: tuple[str, ...]


class WorkKind(str, Enum):
    """What a file does while it is imported."""

    ARGUMENTS = "reads the command line"
    ENCODER = "constructs the encoder"
    TRAINING = "trains"
    PROGRAM = "runs a program"


@dataclass(frozen=True)
class ImportWork:
    """A statement at the top level of a file that does surely more than to define something.

    Attributes:
        kind: what it does, may be through functions of the file that it calls.
        line: where.
        calls: what it calls, such as `main` or `parser.parse_args`.
        text: the line, cut and made printable.
    """

    kind: WorkKind
    line: int
    calls: str
    text: str


@dataclass(frozen=True)
class TopModule:
    """A module or package at the root of the repository.

    Attributes:
        name: as it is imported.
        path: of its file, that of a package is `NAME/__init__.py`.
        installed: a package of this name is installed beside the checker.
    """

    name: str
    path: str
    installed: bool = False


@dataclass(frozen=True)
class Import:
    """An import anywhere in a file.

    Attributes:
        module: dotted and absolute; empty where a relative import leaves the repository.
        line: where.
        local: files of the repository that it runs, packages first; empty for foreign modules.
        star: whether it is `from module import *`.
        deferred: it runs in a function or as a script only, not when the file is imported.
    """

    module: str
    line: int
    local: tuple[str, ...] = ()
    star: bool = False
    deferred: bool = False


@dataclass(frozen=True)
class SourceFile:
    """One Python file.

    Attributes:
        path: relative to the root, with `/`.
        trouble: why it could not be parsed, or None; names are then a guess.
        names: what it binds at its top level.
        classes: at its top level.
        imports: anywhere in it.
        work: what importing it does beyond defining things.
    """

    path: str
    trouble: Trouble | None = None
    names: tuple[BoundName, ...] = ()
    classes: tuple[SourceClass, ...] = ()
    imports: tuple[Import, ...] = ()
    work: tuple[ImportWork, ...] = ()

    @property
    def module(self) -> str:
        """The dotted name under which X-ARES imports it from the root."""
        return self.path.removesuffix(".py").replace("/", ".")


@dataclass(frozen=True)
class Definition:
    """Where the encoder's class is defined: its file and the class."""

    path: str
    source: SourceClass


@dataclass(frozen=True)
class ChosenEncoder:
    """The encoder file, and what X-ARES would see in it.

    Attributes:
        path: relative to the root.
        module: dotted, from the root.
        class_name: only where the user named one, else empty.
        names: all names that end in `Encoder`, those from local star imports included.
        class_missing: the class that the user named is not in the file.
        definition: the class that the user named, else of the only such name, if the repository defines it.
    """

    path: str
    module: str
    class_name: str = ""
    names: tuple[BoundName, ...] = ()
    class_missing: bool = False
    definition: Definition | None = None


@dataclass(frozen=True)
class SourceFacts:
    """All sources of a submission that were read.

    Where the user named the encoder, these are its file and the local modules that it imports; else every
    Python file of the repository.

    Attributes:
        root: the repository's root: the folder given, or the only folder in it.
        files: by path.
        chosen: the encoder file, None if there is none or several are equally likely.
        candidates: the files that are equally likely; the chosen one alone if there is one.
        asked: the encoder as the user named it, may be empty.
        reached: the encoder file and every local file that it imports, now or later.
        run_by_import: those of them that run when the encoder file is imported.
        top_modules: what lies at the root.
        in_depth: those that are looked through line by line: of the reached ones, or of all if the encoder is not
            known, as many as are not too large together.
        unread_files: how many Python files were too many, or too large together, to read.
    """

    root: Path
    files: tuple[SourceFile, ...]
    chosen: ChosenEncoder | None = None
    candidates: tuple[str, ...] = ()
    asked: str = ""
    reached: tuple[str, ...] = ()
    run_by_import: tuple[str, ...] = ()
    top_modules: tuple[TopModule, ...] = ()
    in_depth: tuple[str, ...] = ()
    unread_files: int = 0

    def file(self, path: str) -> SourceFile | None:
        """One file by its path."""
        return next((file for file in self.files if file.path == path), None)
