"""Which foreign modules an encoder imports, and how surely: its files are read, nothing is run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.archive.syntax import Function, caught, dotted, never_at_import, parse_source
from audio_encoder_checker.evidence.requirements import Reach
from audio_encoder_checker.evidence.source import ENCODER_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from audio_encoder_checker.evidence.source import SourceFacts

OUTLIVED = {"", "ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
"""What a handler catches that survives a missing module."""
SURE_METHODS = {"__init__", "forward"}
"""X-ARES constructs the encoder and calls it."""
ENDS = {"exit", "sys.exit", "os._exit", "quit"}
Step = tuple[ast.AST, Reach]


class ForeignImport(NamedTuple):
    """A top module that is not the repository's.

    Attributes:
        module: the first part of its name.
        file: that imports it.
        line: where.
        reach: how surely.
        dotted: the whole name.
    """

    module: str
    file: str
    line: int
    reach: Reach
    dotted: str


def foreign_imports(sources: SourceFacts) -> list[ForeignImport]:
    """The imports of the encoder file and of all local files that it reaches, each module once, the surest first."""
    if not sources.chosen:
        return []
    reached: dict[str, Reach] = {sources.chosen.path: Reach.SURE}
    waiting = [sources.chosen.path]
    lines: dict[str, dict[int, Reach]] = {}
    found: dict[str, ForeignImport] = {}
    while waiting:
        path = waiting.pop()
        file = sources.file(path)
        if file is None or path not in sources.in_depth:
            continue
        if path not in lines:
            lines[path] = _import_lines(sources, path)
        for one in file.imports:
            reach = lines[path].get(one.line)
            if reach is None:
                continue
            reach = _less(reach, reached[path])
            for target in one.local:
                if target not in reached or reach.rank < reached[target].rank:
                    reached[target] = reach
                    waiting.append(target)
            top = "" if one.local else one.module.partition(".")[0]
            if top and (top not in found or reach.rank < found[top].reach.rank):
                found[top] = ForeignImport(top, path, one.line, reach, one.module)
    return sorted(found.values(), key=lambda it: it.reach.rank)


def _import_lines(sources: SourceFacts, path: str) -> dict[int, Reach]:
    """How surely the imports of a file are run once it is imported, by line; those that never are left out."""
    tree = parse_source(sources.root / path, path).tree
    if tree is None:
        return {}
    definition = sources.chosen.definition if sources.chosen else None
    encoder = definition.source.name if definition and definition.path == path else ""
    lines: dict[int, Reach] = {}
    waiting: list[Step] = [(tree, Reach.SURE)]
    while waiting:
        node, reach = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            known = lines.get(node.lineno, reach)
            lines[node.lineno] = min(known, reach, key=lambda it: it.rank)
        else:
            waiting.extend(_inner(node, reach, encoder))
    return lines


def _inner(node: ast.AST, reach: Reach, encoder: str) -> Iterator[Step]:
    """The statements within one, each with how surely it is run."""
    if isinstance(node, ast.If):
        yield from _condition(node, reach)
    elif isinstance(node, ast.Try):
        yield from _attempt(node, reach)
    elif isinstance(node, ast.ClassDef):
        yield from _members(node, reach, encoder)
    elif isinstance(node, ast.With | ast.AsyncWith):
        guarded = any(_suppresses(one.context_expr) for one in node.items)
        yield from _all(node.body, Reach.GUARDED if guarded else reach)
    elif isinstance(node, Function):
        yield from _all(node.body, _less(reach, Reach.LATER))
    elif isinstance(node, ast.Match):
        yield from _all((one for case in node.cases for one in case.body), Reach.GUARDED)
    elif isinstance(node, ast.While | ast.For | ast.AsyncFor):
        yield from _all((*node.body, *node.orelse), Reach.GUARDED)
    elif isinstance(node, ast.Module):
        yield from _all(node.body, reach)


def _members(node: ast.ClassDef, reach: Reach, encoder: str) -> Iterator[Step]:
    """The body of a class; what X-ARES calls of the encoder is run as surely as the class is defined."""
    is_encoder = node.name == encoder or (not encoder and node.name.endswith(ENCODER_SUFFIX))
    for one in node.body:
        if is_encoder and isinstance(one, Function) and one.name in SURE_METHODS:
            yield from _all(one.body, reach)
        else:
            yield one, reach


def _all(body: Iterable[ast.stmt], reach: Reach) -> Iterator[Step]:
    return ((one, reach) for one in body)


def _less(one: Reach, other: Reach) -> Reach:
    return max(one, other, key=lambda it: it.rank)


def _condition(node: ast.If, reach: Reach) -> Iterator[Step]:
    """Both branches, unless the condition only holds for type checkers and for scripts."""
    if never_at_import(node.test):
        yield from _all(node.orelse, reach)
        return
    yield from _all((*node.body, *node.orelse), Reach.GUARDED)


def _attempt(node: ast.Try, reach: Reach) -> Iterator[Step]:
    """A `try` guards its imports if a handler that catches a missing module goes on without it."""
    survives = any(OUTLIVED & caught(one) and not _ends(one.body) for one in node.handlers)
    yield from _all((*node.body, *node.orelse), Reach.GUARDED if survives else reach)
    yield from _all((inner for one in node.handlers for inner in one.body), Reach.GUARDED)
    yield from _all(node.finalbody, reach)


def _ends(body: list[ast.stmt]) -> bool:
    """Whether a handler surely ends in an exception or with the program."""
    last = body[-1]
    call = last.value if isinstance(last, ast.Expr) else None
    return isinstance(last, ast.Raise) or (isinstance(call, ast.Call) and dotted(call.func) in ENDS)


def _suppresses(expression: ast.expr) -> bool:
    """Whether it is `suppress(ImportError)` or one that catches more."""
    if not isinstance(expression, ast.Call) or dotted(expression.func).rpartition(".")[2] != "suppress":
        return False
    return any(dotted(one).rpartition(".")[2] in OUTLIVED for one in expression.args)
