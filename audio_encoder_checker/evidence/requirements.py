"""What a submission says is to be installed, and which of its imports that leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from audio_encoder_checker.printable import place


class Standing(str, Enum):
    """In what kind of list a requirement stands: who installs the submission reads the first."""

    LISTED = "requirements.txt"
    CONSTRAINT = "constraints"
    PROJECT = "project"
    EXTRA = "extra"


@dataclass(frozen=True)
class Required:
    """One requirement that was understood.

    Attributes:
        file: relative to the root, with `/`.
        line: from 1, 0 where a format has none.
        name: of the distribution, normalised as PEP 503 says; empty for a path or an address without a name.
        text: as written, credentials masked, cut and made printable.
        specifier: the versions allowed, such as `>=2.2,<3`; empty for any.
        standing: the kind of list; `LISTED` for a project's too where a list installs it, or there is no other.
        applies: its marker holds on the organisers' machine, or it has none.
        direct: it names an address or a path instead of versions.
    """

    file: str
    line: int
    name: str
    text: str
    specifier: str = ""
    standing: Standing = Standing.LISTED
    applies: bool = True
    direct: bool = False

    @property
    def at(self) -> str:
        """`requirements.txt:3`, printable."""
        return place(self.file, self.line)

    @property
    def counts(self) -> bool:
        """Whether `pip install -r requirements.txt` installs it on the organisers' machine."""
        return self.applies and self.standing is Standing.LISTED


class FlawKind(str, Enum):
    """What can be wrong with a line, a pin or a list."""

    LOCAL_PROJECT = "the repository itself"
    LOCAL_ABSENT = "a path that is not there"
    LOCAL_OUTSIDE = "a path outside the repository"
    INDEX = "another index"
    TORCH_INDEX = "torch's own index"
    FIND_LINKS = "another place for files"
    TRUSTED_HOST = "a host that is not verified"
    PRE_RELEASES = "pre-releases"
    FORMATS = "which file formats are taken"
    UNPINNED = "any later version"
    CLASH = "two lines that cannot both hold"
    DISAGREEMENT = "two files that cannot both hold"
    REPEATED = "two lines of one name"
    WRONG_PYTHON = "not for the organisers' Python"
    NO_WHEEL = "no wheel for the organisers' Python"
    MAY_LACK_WHEEL = "versions without a wheel for the organisers' Python"
    UNINSTALLABLE = "cannot be installed"
    DUMMY = "a distribution that is something else"
    MISMATCH = "versions that do not belong together"
    LOCAL_VERSION = "a version that the index does not have"
    NUMPY = "numpy 2 beside a torch for numpy 1"
    NO_DECODER = "torchaudio without a decoder"
    VCS_OPEN = "a repository without a commit"
    VCS_COMMIT = "a commit of a repository"
    VCS_PRIVATE = "a repository that needs a key"
    VCS_NAMELESS = "an editable repository without a name"
    UNUSED = "never imported"
    REFUSED = "refused by pip"
    IGNORED = "ignored by pip"
    ENCODING = "not UTF-8"
    TOO_LARGE = "too large"
    NESTED_MISSING = "another list that is not there"
    NESTED_OUTSIDE = "another list outside the repository"


@dataclass(frozen=True)
class Flaw:
    """One thing that is wrong. All texts are printable, credentials are masked.

    Attributes:
        kind: what.
        file: relative to the root, with `/`.
        line: from 1, 0 for the file as a whole.
        what: the name, line or option that it is about.
        detail: what else has to be known: the other line, the reason, the version.
        better: the line or command that mends it; empty where the check's own is best.
    """

    kind: FlawKind
    file: str
    line: int
    what: str
    detail: str = ""
    better: str = ""

    @property
    def at(self) -> str:
        """`requirements.txt:3`, printable."""
        return place(self.file, self.line)


class Reach(str, Enum):
    """How surely an import is run when the encoder is used, the surest first."""

    SURE = "whenever the encoder is loaded or called"
    LATER = "in a function that may not be called"
    GUARDED = "under a condition, or where its failure is caught"

    @property
    def rank(self) -> int:
        """0 for the surest."""
        return list(Reach).index(self)


class Source(str, Enum):
    """Where a module that no requirement names might come from all the same."""

    NOWHERE = "nowhere"
    UNKNOWN = "no distribution of this name is known"
    PERHAPS = "a requirement may bring it"
    ELSEWHERE = "another list names it"
    XARES = "X-ARES brings it"
    IMAGE = "the organisers' image brings it"
    REMOVED = "it was removed from Python"


@dataclass(frozen=True)
class Undeclared:
    """A foreign module that the encoder imports and no requirement provides.

    Attributes:
        module: the first part of its name, printable.
        file: that imports it, relative to the root.
        line: where, from 1.
        reach: how surely it is run.
        source: where it might come from all the same.
        distribution: that provides it, as one writes it in requirements.txt; empty if unknown.
        better: the line to add; empty if unknown.
        detail: the list or the requirement that may bring it.
    """

    module: str
    file: str
    line: int
    reach: Reach
    source: Source
    distribution: str = ""
    better: str = ""
    detail: str = ""

    @property
    def at(self) -> str:
        """`encoder.py:12`, printable."""
        return place(self.file, self.line)


@dataclass(frozen=True)
class RequirementFacts:
    """All that the lists of requirements and the imports say. They were read, nothing was installed or run.

    Attributes:
        files: the lists that were read, relative to the root; those for pip first.
        required: what they require, in order.
        flaws: what is wrong with them, by file and line.
        undeclared: imports that nothing in them provides, each module once, the surest first.
    """

    files: tuple[str, ...] = ()
    required: tuple[Required, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    undeclared: tuple[Undeclared, ...] = ()

    def of(self, *kinds: FlawKind) -> tuple[Flaw, ...]:
        """The flaws of some kinds, in order."""
        return tuple(one for one in self.flaws if one.kind in kinds)
