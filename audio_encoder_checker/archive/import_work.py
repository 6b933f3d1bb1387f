"""Work that importing a file does, where an encoder's file should only define things.

Only what is surely work counts, as honest files call a lot at their top level: they compute constants, set up logging,
register and patch. Code inside an `if` is left aside, since it need not run.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.archive.syntax import caught, dotted, source_line
from audio_encoder_checker.evidence.source import ENCODER_SUFFIX, ImportWork, WorkKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from audio_encoder_checker.archive.syntax import ParsedSource

PROGRAMS = {"main", "test", "train", "run", "demo", "evaluate", "benchmark"}
"""A function of the repository with such a name is a program; `_main` is too."""
MOST = 20
EXITS = {"", "SystemExit", "BaseException"}
"""Handlers that catch the end of the program."""
Simple = ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Assert | ast.Return
Bodies = ast.With | ast.AsyncWith | ast.For | ast.AsyncFor | ast.While | ast.Try


class _Call(NamedTuple):
    """A call that surely happens when the statements around it are run."""

    node: ast.Call
    alone: bool
    """It is a statement of its own: its result is not used."""


def find_import_work(parsed: ParsedSource, imported: Iterable[str]) -> tuple[ImportWork, ...]:
    """The work that importing a file does, each statement once.

    Args:
        parsed: the file.
        imported: names at its top level that come from other files of the repository.
    """
    if parsed.tree is None:
        return ()
    functions = {one.name: one for one in parsed.tree.body if isinstance(one, ast.FunctionDef) and not _is_lazy(one)}
    encoders = {
        one.name
        for one in parsed.file.classes
        if one.name.endswith(ENCODER_SUFFIX) and one.has_forward and one.attributes
    }
    programs = {name for name in (*functions, *imported) if name.lstrip("_") in PROGRAMS}
    working = _working(functions, encoders)
    found: dict[int, ImportWork] = {}
    for call in _calls(parsed.tree.body):
        name = dotted(call.node.func)
        kind = working.get(name) or _work(call.node, encoders)
        if kind is None and call.alone and name in programs:
            kind = WorkKind.PROGRAM
        if kind and len(found) < MOST:
            line = call.node.lineno
            found.setdefault(line, ImportWork(kind, line, _named(call.node), source_line(parsed.text, line)))
    return tuple(found.values())


def _is_lazy(function: ast.FunctionDef) -> bool:
    """Whether a call makes a generator, which runs later if at all."""
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


def _named(call: ast.Call) -> str:
    """What is called, as a reader would say it."""
    name = dotted(call.func)
    return name or (call.func.attr if isinstance(call.func, ast.Attribute) else "")


def _work(call: ast.Call, encoders: set[str]) -> WorkKind | None:
    """What a call does by itself, whatever the functions of the file do."""
    if isinstance(call.func, ast.Attribute) and not call.args and not call.keywords:
        if call.func.attr == "parse_args":
            return WorkKind.ARGUMENTS
        if call.func.attr == "backward":
            return WorkKind.TRAINING
    return WorkKind.ENCODER if dotted(call.func) in encoders else None


def _working(functions: dict[str, ast.FunctionDef], encoders: set[str]) -> dict[str, WorkKind]:
    """The functions that do such work when they are called, by themselves or through another one of them."""
    callers: dict[str, list[str]] = defaultdict(list)
    working: dict[str, WorkKind] = {}
    for name, function in functions.items():
        for call in _calls(function.body):
            kind = _work(call.node, encoders)
            if kind:
                working.setdefault(name, kind)
            callers[dotted(call.node.func)].append(name)
    waiting = list(working)
    for name in waiting:
        for caller in callers[name]:
            if caller not in working:
                working[caller] = working[name]
                waiting.append(caller)
    return working


def _calls(body: list[ast.stmt]) -> Iterator[_Call]:
    """The calls that running some statements makes, in order; those in functions, classes and `if`s left out."""
    waiting = list(reversed(body))
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, Bodies):
            waiting.extend(reversed(_inner(statement)))
        if isinstance(statement, Simple):
            for node in _evaluated(statement):
                if isinstance(node, ast.Call):
                    yield _Call(node, isinstance(statement, ast.Expr) and statement.value is node)


def _inner(statement: Bodies) -> list[ast.stmt]:
    """The statements of a block that run if all goes well; none of a `try` that outlives the end of the program."""
    if isinstance(statement, ast.Try) and any(EXITS & caught(one) for one in statement.handlers):
        return []
    return statement.body


def _evaluated(statement: Simple) -> Iterator[ast.AST]:
    """The expressions of a statement that are surely evaluated: no lambdas, no generators, no later operands."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.IfExp):
            waiting.append(node.test)
        elif isinstance(node, ast.BoolOp):
            waiting.append(node.values[0])
        elif not isinstance(node, ast.Lambda | ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp):
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))
