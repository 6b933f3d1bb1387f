"""One Python file as facts, by its syntax tree: nothing is imported and nothing is run.

A hostile file may be no text, enormous or nested without end; each of these is a fact too.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import warnings
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.secrets import hide_secrets
from audio_encoder_checker.evidence.source import (
    CONTRACT_ATTRIBUTES,
    TARGET_PYTHON,
    BoundName,
    SourceClass,
    SourceFile,
    Trouble,
    TroubleKind,
)
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

MAX_SOURCE_BYTES = 1 << 20 if sys.version_info >= (3, 11) else 200_000
"""Larger files are data; parsing takes some hundred times their size in memory.

Python 3.10 checks no depth while it builds the tree: chains of 500,000 attributes end the process, those of
100,000, which need 200,000 bytes, do not.
"""
MAX_LINEAGE = 20
"""No honest class has more ancestors in its own file."""
NEWLINE = re.compile(r"\r\n|\r|\n")
"""Form feeds and Unicode's separators, which `str.splitlines` takes for line ends, are none to Python."""
CLASS_LINE = re.compile(rb"^class[ \t]+(\w+)", re.MULTILINE)
TEXT_ENCODINGS = re.compile(
    r"utf[-_]?8([-_]sig)?|u8|(us-?)?ascii|latin[-_]?\d+|iso-?8859[-_]\d+|(cp|windows-)\d+|koi8[-_]\w|gb\w+|big5\w*"
    r"|euc[-_]\w+|shift[-_]?jis\w*|s?jis\w*|hz|mac[-_]?\w+",
    re.IGNORECASE,
)
"""Others are no text, or take time that grows with the square of the size (punycode)."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


class ParsedSource:
    """A file read and, if possible, parsed."""

    def __init__(self, file: SourceFile, tree: ast.Module | None, text: str = "") -> None:
        self.file = file
        self.tree = tree
        self.text = text


def parse_source(path: Path, relative: str) -> ParsedSource:
    """Read a Python file; its imports are left to whoever knows the repository.

    Args:
        path: on disk.
        relative: what it is called in the repository.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SOURCE_BYTES + 1)
    except OSError as error:
        return _troubled(relative, b"", Trouble(TroubleKind.UNREADABLE, error.strerror or "it cannot be read"))
    if len(data) > MAX_SOURCE_BYTES:
        detail = f"more than {MAX_SOURCE_BYTES // 1000} kB of source"
        return _troubled(relative, data, Trouble(TroubleKind.TOO_LARGE, detail))
    text = _decode(data)
    if isinstance(text, Trouble):
        return _troubled(relative, data, text)
    tree = _parse(text)
    if isinstance(tree, ast.Module) and sys.version_info[:2] > TARGET_PYTHON:
        tree = _as_target(text, tree)
    if isinstance(tree, Trouble):
        return _troubled(relative, data, tree)
    classes = top_classes(tree)
    facts = SourceFile(
        path=relative,
        names=tuple(_names(tree)),
        classes=tuple(_class(node, classes) for node in classes.values()),
    )
    return ParsedSource(facts, tree, text)


def _troubled(relative: str, data: bytes, trouble: Trouble) -> ParsedSource:
    """A file that cannot be parsed, with the classes that its text seems to define."""
    names = [
        BoundName(match[1].decode("ascii", "replace"), data.count(b"\n", 0, match.start()) + 1, "class")
        for match in CLASS_LINE.finditer(data)
    ]
    return ParsedSource(SourceFile(relative, trouble, tuple(names)), None)


def _parse(text: str) -> ast.Module | Trouble:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in foreign code is no warning of ours
            return ast.parse(text)
    except SyntaxError as error:
        line = error.lineno or 0
        return Trouble(TroubleKind.SYNTAX, printable(error.msg), line, source_line(text, line))
    except (RecursionError, MemoryError):
        return Trouble(TroubleKind.TOO_DEEP, "nested too deeply for Python's own parser")
    except ValueError as error:
        return Trouble(TroubleKind.SYNTAX, printable(str(error)))


def _as_target(text: str, tree: ast.Module) -> ast.Module | Trouble:
    """The tree, unless the text uses syntax that the organisers' Python lacks, as far as `ast` can tell."""
    target = ".".join(map(str, TARGET_PYTHON))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text, feature_version=TARGET_PYTHON)
    except SyntaxError as error:
        line = error.lineno or 0
        detail = f"it needs a later Python than the organisers' {target}: {printable(error.msg)}"
        return Trouble(TroubleKind.SYNTAX, detail, line, source_line(text, line))
    return tree


def _decode(data: bytes) -> str | Trouble:
    """A source as text, by its coding line or as UTF-8 (PEP 263)."""
    if b"\0" in data:
        at = data.index(b"\0")
        return Trouble(TroubleKind.NUL, "a NUL byte", data.count(b"\n", 0, at) + 1)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        declared, encoding = printable(str(error)), "utf-8"
    else:
        declared = (
            "" if TEXT_ENCODINGS.fullmatch(encoding) else f"an encoding that no editor saves: {printable(encoding)}"
        )
        encoding = "utf-8" if declared else encoding
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Trouble(TroubleKind.ENCODING, f"byte 0x{data[error.start]:02x} is not {encoding.upper()}", line)
    except (LookupError, UnicodeError) as error:  # a coding line may name what is no text encoding at all
        return Trouble(TroubleKind.ENCODING, printable(str(error)), 1)
    return Trouble(TroubleKind.ENCODING, declared, 1) if declared else text


def source_line(text: str, number: int) -> str:
    """One line as Python counts them, cut and made printable; empty where there is none."""
    lines = NEWLINE.split(text)
    return shown_line(lines[number - 1]) if 0 < number <= len(lines) else ""


def shown_line(line: str) -> str:
    """A line of source for a report: credentials masked, cut and made printable."""
    return printable(hide_secrets(line).strip(), limit=100)


def top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements that run when a module is imported, in order, those inside `if`, `try`, `with` and loops too."""
    waiting: list[ast.stmt] = list(reversed(tree.body))
    while waiting:
        statement = waiting.pop()
        yield statement
        waiting.extend(reversed(list(_inner(statement))))


def top_classes(tree: ast.Module) -> dict[str, ast.ClassDef]:
    """The classes that a module binds at its top level: of two with one name the last."""
    return {statement.name: statement for statement in top_level(tree) if isinstance(statement, ast.ClassDef)}


def _inner(statement: ast.stmt) -> Iterator[ast.stmt]:
    if isinstance(statement, (*Function.__args__, ast.ClassDef)):
        return
    if isinstance(statement, ast.If) and never_at_import(statement.test):
        yield from statement.orelse
        return
    for field in ("body", "orelse", "finalbody"):
        yield from getattr(statement, field, [])
    for handler in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
        yield from handler.body


def never_at_import(test: ast.expr) -> bool:
    """Whether an `if` is false when X-ARES imports the module: type checking, and running as a script."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(never_at_import(one) for one in test.values if not isinstance(one, ast.BoolOp))
    if isinstance(test, ast.Compare):
        sides = [test.left, *test.comparators]
        return isinstance(test.ops[0], ast.Eq) and any(dotted(side) == "__name__" for side in sides)
    return dotted(test).rpartition(".")[2] == "TYPE_CHECKING"


def _names(tree: ast.Module) -> list[BoundName]:
    """Names bound at the top level, each once; what `del` takes away does not count."""
    found: dict[str, BoundName] = {}
    for statement in top_level(tree):
        if isinstance(statement, ast.Delete):
            for name in targets(statement.targets):
                found.pop(name, None)
        for bound in _bound(statement):
            found[bound.name] = bound
    return list(found.values())


def _bound(statement: ast.stmt) -> Iterator[BoundName]:
    if isinstance(statement, ast.ClassDef):
        yield BoundName(statement.name, statement.lineno, "class")
    elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        yield BoundName(statement.name, statement.lineno, "function")
    elif isinstance(statement, ast.Import):
        for alias in statement.names:
            yield BoundName(alias.asname or alias.name.partition(".")[0], statement.lineno, "import", alias.name)
    elif isinstance(statement, ast.ImportFrom):
        module = "." * statement.level + (statement.module or "")
        for alias in statement.names:
            yield BoundName(alias.asname or alias.name, statement.lineno, "import", f"{module}:{alias.name}")
    else:
        for name in targets(assigned(statement)):
            yield BoundName(name, statement.lineno, "assignment")


def assigned(statement: ast.stmt) -> list[ast.expr]:
    """What a statement assigns to."""
    if isinstance(statement, ast.Assign):
        return statement.targets
    if isinstance(statement, ast.AnnAssign):
        return [statement.target] if statement.value else []
    if isinstance(statement, ast.For | ast.AsyncFor):
        return [statement.target]
    if isinstance(statement, ast.With | ast.AsyncWith):
        return [item.optional_vars for item in statement.items if item.optional_vars]
    return []


def targets(expressions: Iterable[ast.expr]) -> Iterator[str]:
    """Plain names among assignment targets, those inside tuples and lists too."""
    for expression in expressions:
        if isinstance(expression, ast.Tuple | ast.List | ast.Starred | ast.Name):
            yield from (node.id for node in ast.walk(expression) if isinstance(node, ast.Name))


def defaults(given: ast.arguments) -> list[tuple[ast.arg, ast.expr]]:
    """The parameters that have a default, each with it."""
    positional = reversed([*given.posonlyargs, *given.args])
    keyed = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return [
        *zip(positional, reversed(given.defaults), strict=False),
        *((parameter, value) for parameter, value in keyed if value),
    ]


def _class(node: ast.ClassDef, known: dict[str, ast.ClassDef]) -> SourceClass:
    lineage = _lineage(node, known)
    constructor = next((f for one in lineage for f in functions(one) if f.name == "__init__"), None)
    return SourceClass(
        name=node.name,
        line=node.lineno,
        bases=tuple(dotted(base) for base in node.bases),
        has_forward=any("forward" in _members(one) for one in lineage),
        required=_required(constructor) if constructor else (),
        attributes=tuple(name for name in CONTRACT_ATTRIBUTES if any(name in _set(one) for one in lineage)),
    )


def _lineage(node: ast.ClassDef, known: dict[str, ast.ClassDef]) -> list[ast.ClassDef]:
    """A class and its bases as far as they stand in the same file, nearest first."""
    found = [node]
    for one in found:
        bases = [known[dotted(base)] for base in one.bases if dotted(base) in known]
        found.extend(base for base in bases if base not in found and len(found) < MAX_LINEAGE)
    return found


def functions(node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    """The methods that a class body defines."""
    return (statement for statement in node.body if isinstance(statement, ast.FunctionDef))


def _members(node: ast.ClassDef) -> set[str]:
    """Names that a class body defines or assigns."""
    set_there = {name for statement in node.body for name in targets(assigned(statement))}
    return set_there | {f.name for f in node.body if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)}


def _set(node: ast.ClassDef) -> set[str]:
    """Names that a class body or `self.name = ...` in its methods sets."""
    stored = {
        inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store)
    }
    return stored | _members(node)


def _required(constructor: ast.FunctionDef) -> tuple[str, ...]:
    """Parameters of a constructor without a default, `self` left aside."""
    given = constructor.args
    positional = [*given.posonlyargs, *given.args]
    without = positional[1 : len(positional) - len(given.defaults)]
    keywords = [arg for arg, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is None]
    return tuple(arg.arg for arg in [*without, *keywords])


def dotted(expression: ast.expr) -> str:
    """`a.b.C` as text, or nothing for any other expression."""
    parts: list[str] = []
    while isinstance(expression, ast.Attribute):
        parts.append(expression.attr)
        expression = expression.value
    return ".".join(reversed([*parts, expression.id])) if isinstance(expression, ast.Name) else ""


def imported(tree: ast.Module) -> dict[str, str]:
    """The names that imports bind anywhere in a file, and what they stand for; a dot begins what is local."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found.update((alias.asname or alias.name, f"{module}.{alias.name}") for alias in node.names)
    return found


def full_name(expression: ast.expr, names: Mapping[str, str]) -> str:
    """`a.b.C` as text, its first part as it was imported; nothing for any other expression."""
    first, dot, rest = dotted(expression).partition(".")
    return names.get(first, first) + dot + rest


def caught(handler: ast.ExceptHandler) -> set[str]:
    """The last parts of the names that a handler catches, an empty one for all."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {dotted(one).rpartition(".")[2] if one else "" for one in kinds}
