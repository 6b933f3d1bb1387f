"""A requirements file as pip reads it: bytes to text, text to lines, lines to a requirement or options.

The rules are pip's own (`pip/_internal/req/req_file.py`): a comment begins at a `#` after a space, a backslash at the
end continues a line, and what follows the first word with a dash are options. The one difference is that variables
are not replaced, as nobody knows the organisers' environment.
"""

from __future__ import annotations

import codecs
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINES = 10_000
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Marks at the start of a file; that of UTF-32 begins with that of UTF-16."""
CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")
CODINGS = re.compile(r"utf[-_]?8([-_]sig)?|(us-?)?ascii|latin[-_]?1|iso-?8859[-_]\d+|(cp|windows-)\d+", re.IGNORECASE)
COMMENT = re.compile(r"(?<!\S)#.*$")
"""pip's own expression takes the space before it too, in time that grows with the square of that space."""
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
VALUED = {
    "-i": "--index-url",
    "--pypi-url": "--index-url",
    "-c": "--constraint",
    "-r": "--requirement",
    "-e": "--editable",
    "-f": "--find-links",
    "-C": "--config-settings",
    "--index-url": "--index-url",
    "--extra-index-url": "--extra-index-url",
    "--constraint": "--constraint",
    "--requirement": "--requirement",
    "--editable": "--editable",
    "--find-links": "--find-links",
    "--no-binary": "--no-binary",
    "--only-binary": "--only-binary",
    "--trusted-host": "--trusted-host",
    "--use-feature": "--use-feature",
    "--all-releases": "--all-releases",
    "--only-final": "--only-final",
    "--hash": "--hash",
    "--global-option": "--global-option",
    "--config-setting": "--config-settings",
    "--config-settings": "--config-settings",
}
"""Options that take a value, by what may be written for them."""
PLAIN = {"--no-index", "--prefer-binary", "--require-hashes", "--pre"}
BESIDE = {"--hash", "--global-option", "--config-settings"}
"""Options that may stand beside a requirement."""


@dataclass(frozen=True)
class Line:
    """One logical line.

    Attributes:
        number: of its first physical line, from 1.
        text: without its comment, continued lines joined.
        requirement: what stands in front of the options; with `-e` its value.
        editable: whether it is one of `-e`.
        options: the other options, by their long names, with values; empty for a value where there is none, and for
            the name of a word that stands behind them.
        error: why pip would refuse the options; empty if it would not.
        variables: the names of those it uses.
    """

    number: int
    text: str
    requirement: str = ""
    editable: bool = False
    options: tuple[tuple[str, str], ...] = ()
    error: str = ""
    variables: tuple[str, ...] = ()

    @property
    def ignored(self) -> tuple[str, ...]:
        """What pip silently ignores: options beside a requirement, and words behind options."""
        beside = (name for name, _ in self.options if name and name not in BESIDE) if self.requirement else ()
        return (*beside, *(value for name, value in self.options if not name))


@dataclass(frozen=True)
class RequirementText:
    """A requirements file.

    Attributes:
        lines: the logical ones that hold something.
        encoding: how it was read: `utf-8`, that of its mark or its coding line, or empty if it fits none.
        cut: whether there are more lines than are read.
    """

    lines: tuple[Line, ...]
    encoding: str = "utf-8"
    cut: bool = False


def read_text(data: bytes) -> RequirementText:
    """A file's lines, whatever it holds."""
    text, encoding = _decode(data)
    physical = text.splitlines()
    lines = tuple(_parse(number, line) for number, line in _logical(physical[:MAX_LINES]))
    return RequirementText(lines, encoding, cut=len(physical) > MAX_LINES)


def _decode(data: bytes) -> tuple[str, str]:
    """The text, and how it was read; of a file that is none, something to go on with."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace"), encoding
    for line in data.split(b"\n")[:2]:
        found = CODING.search(line) if line.startswith(b"#") else None
        name = found[1].decode("ascii", "replace") if found else ""
        if CODINGS.fullmatch(name):
            try:
                return data.decode(name), name.lower()
            except (UnicodeDecodeError, LookupError):
                return data.decode("latin-1"), ""
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), ""


def _logical(physical: list[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers: continued ones joined, comments and empty ones left out."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(physical, 1):
        is_comment = line.lstrip().startswith("#")
        first = first if parts else number
        if line.endswith("\\") and not is_comment:
            parts.append(line.strip("\\"))
            continue
        joined = "".join([*parts, " " + line if is_comment else line])
        parts = []
        yield from _full(first, joined)
    if parts:
        yield from _full(first, "".join(parts))


def _full(number: int, line: str) -> Iterator[tuple[int, str]]:
    text = COMMENT.sub("", line).strip()
    if text:
        yield number, text


def _parse(number: int, text: str) -> Line:
    """A logical line, split where its options begin."""
    variables = tuple(VARIABLE.findall(text))
    words = text.split(" ")
    start = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    requirement = " ".join(words[:start]).strip()
    options: list[tuple[str, str]] = []
    try:
        error = _read_options(shlex.split(" ".join(words[start:])), options)
    except ValueError as reason:  # a quote that nothing closes
        error = str(reason).lower()
    editable = [value for name, value in options if name == "--editable"]
    rest = tuple(one for one in options if one[0] != "--editable")
    if editable and not requirement and not error:
        return Line(number, text, editable[0], editable=True, options=rest, variables=variables)
    return Line(number, text, requirement, options=rest, error=error, variables=variables)


def _read_options(words: list[str], found: list[tuple[str, str]]) -> str:
    """Put a line's options into a list; the result says what is wrong with them, if anything is."""
    waiting = list(reversed(words))
    while waiting:
        word = waiting.pop()
        name, value = _split(word) if len(word.strip("-")) else ("", word)
        long = _long(name) if name.startswith("-") else ""
        if not long:
            if long is None:
                return f"no such option: {name}"
            found.append(("", word))
            continue
        if long in PLAIN:
            if value is not None:
                return f"{long} takes no value"
        elif value is None:
            if not waiting:
                return f"{name} needs a value"
            value = waiting.pop()
        found.append((long, value or ""))
    return ""


def _split(word: str) -> tuple[str, str | None]:
    """An option and the value that is written to it: `--name=value` or `-rvalue`."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value if equals else None
    return (word[:2], word[2:]) if word[:2] in VALUED and len(word) > 2 else (word, None)


def _long(name: str) -> str | None:
    """The full name of an option, which may be cut as long as it is no other's start."""
    if name in VALUED:
        return VALUED[name]
    if not name.startswith("--") or len(name) < 4:
        return None
    full = {VALUED.get(one, one) for one in (*VALUED, *PLAIN) if one.startswith(name)}
    return name if name in PLAIN else full.pop() if len(full) == 1 else None
