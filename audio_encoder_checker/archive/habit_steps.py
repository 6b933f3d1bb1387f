"""A file's syntax tree, node by node, and what is known of each place: does it run, was a GPU asked for.

Functions and methods of the file are followed where they are surely called. Nothing here recurses: foreign code may be
nested deeply.
"""

from __future__ import annotations

import ast
import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.archive.syntax import Function, dotted, never_at_import, top_classes, top_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RUNS = ("__init__", "forward")
"""Methods of the encoder that are surely called."""
MOVERS = ("cuda", "to", "_apply")
"""Methods that are told the device, whatever they write out."""
MAX_LINEAGE = 20
MAX_TEST = 200
"""Nodes of a condition that are looked at."""
SAID = ("print", "warn", "warning", "info", "debug", "error", "exception", "critical", "add_argument")
"""Calls whose texts are words for people."""
KEYED = (
    *("get", "pop", "create_dataset", "require_dataset", "create_group", "route", "find", "findall", "xpath"),
    *("startswith", "endswith", "removeprefix", "replace", "exists", "lexists", "isfile", "isdir", "ismount"),
)
"""Calls whose first argument is a key or a question, not a file that they open."""
JOINS = ("join", "safe_join")
PATHS = ("Path", "PosixPath", "PurePath", "PurePosixPath", "str", "fspath", "abspath", "realpath", "expanduser")
ASKS = re.compile(r"cuda|gpu|mps|is_available", re.IGNORECASE)
DEVICES = re.compile(r"(cuda|cpu|gpu|mps)(:\d+)?")
Try = (ast.Try, getattr(ast, "TryStar", ast.Try))
Branch = (ast.If, ast.IfExp, ast.While)


class Context(NamedTuple):
    """What is known of a place.

    Attributes:
        sure: it runs whenever the encoder is used.
        asked: whether there is a GPU was asked for before.
        part: what stands there is the later part of a path, a key, or asked about.
        receiver: of a method its object's class, as far as known.
        home: the class in whose body the place is.
    """

    sure: bool = True
    asked: bool = False
    part: bool = False
    receiver: str = ""
    home: str = ""


Step = tuple[ast.AST, Context]
Method = ast.FunctionDef | ast.AsyncFunctionDef


class Steps:
    """One file, walked once."""

    def __init__(self, tree: ast.Module, encoder: str) -> None:
        self.tree = tree
        self.encoder = encoder
        classes = top_classes(tree)
        self.bases = {name: [dotted(base) for base in node.bases[:MAX_LINEAGE]] for name, node in classes.items()}
        self.methods = {
            name: {one.name: one for one in node.body if isinstance(one, Function)} for name, node in classes.items()
        }
        self.functions = {one.name: one for one in top_level(tree) if isinstance(one, Function)}
        self.held: dict[int, tuple[Method, Context]] = {}
        self.called: dict[int, str] = {}
        self.ready: list[int] = []

    def walk(self, *, sure: bool) -> Iterator[Step]:
        """Every node but docstrings, messages and what runs as a script only.

        Args:
            sure: importing the encoder runs the file.
        """
        waiting: list[Step] = [(self.tree, Context(sure=sure))]
        for name in RUNS:
            self._want(self.encoder, name)
        while waiting:
            while waiting:
                node, context = waiting.pop()
                yield node, context
                if context.sure and isinstance(node, ast.Call):
                    self._follow(node, context)
                waiting.extend(self._inner(node, context))
            waiting = [*self._release()]

    def _release(self) -> Iterator[Step]:
        """The bodies of functions that were found to be called; if there are none, those of all others."""
        ready = [one for one in self.ready if one in self.held]
        self.ready = []
        for one in ready or [*self.held]:
            node, context = self.held.pop(one)
            receiver = self.called.get(one, context.home)
            inner = context._replace(sure=bool(ready), receiver=receiver, asked=context.asked or node.name in MOVERS)
            yield from self._block(node.body, inner)

    def _mark(self, function: Method, receiver: str) -> None:
        if id(function) not in self.called:
            self.called[id(function)] = receiver
            self.ready.append(id(function))

    def _want(self, owner: str, method: str, *, above: bool = False) -> None:
        """Note that a method of a class of this file, or of its bases in it, is called.

        Args:
            owner: the class.
            method: what is called.
            above: of the bases only.
        """
        lineage = [*self.bases.get(owner, [])] if above else [owner]
        for name in lineage:
            found = self.methods.get(name, {}).get(method)
            if found:
                self._mark(found, owner)
                return
            new = [one for one in self.bases.get(name, []) if one not in lineage]
            lineage += new[: max(0, MAX_LINEAGE - len(lineage))]

    def _follow(self, call: ast.Call, context: Context) -> None:
        """Note which function of the file a call runs."""
        target = call.func
        if isinstance(target, ast.Name):
            if target.id in self.functions:
                self._mark(self.functions[target.id], "")
            self._want(target.id, "__init__")
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            owner = context.receiver if target.value.id in ("self", "cls") else target.value.id
            self._want(owner, target.attr)
        elif isinstance(target, ast.Attribute) and _is_super(target.value):
            self._want(context.home, target.attr, above=True)

    def _inner(self, node: ast.AST, context: Context) -> Iterable[Step]:
        """What is below a node, and what is known of it there."""
        if isinstance(node, Branch):
            return self._branches(node, context)
        if isinstance(node, Function):
            return self._function(node, context)
        if isinstance(node, Try):
            return self._attempt(node, context)
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return []  # a message, a docstring
        return self._plain(node, context)

    def _plain(self, node: ast.AST, context: Context) -> Iterable[Step]:
        if isinstance(node, ast.Call):
            return _call(node, context)
        if isinstance(node, ast.BinOp | ast.JoinedStr | ast.Subscript | ast.Compare | ast.Dict):
            return _pieces(node, context)
        unsure = isinstance(node, ast.BoolOp | ast.Lambda | ast.match_case)
        inner = context._replace(sure=context.sure and not unsure)
        if isinstance(node, ast.ClassDef):
            inner = inner._replace(home="" if context.home else node.name)
        return self._children(node, inner)

    def _children(self, node: ast.AST, context: Context) -> Iterator[Step]:
        for _, value in ast.iter_fields(node):
            if isinstance(value, list):
                yield from self._block(value, context)
            elif isinstance(value, ast.AST):
                yield value, context

    def _block(self, nodes: Iterable[object], context: Context) -> Iterator[Step]:
        """A list of nodes; behind a statement that leaves where there is no GPU, that was asked for."""
        for node in nodes:
            if isinstance(node, ast.AST):
                yield node, context
            leaves = isinstance(node, ast.If) and isinstance(node.body[-1], ast.Return | ast.Continue | ast.Raise)
            if isinstance(node, ast.If) and leaves and _asks(node.test):
                context = context._replace(asked=True)

    def _branches(self, node: ast.If | ast.IfExp | ast.While, context: Context) -> Iterator[Step]:
        unsure = context._replace(sure=False, asked=context.asked or _asks(node.test))
        otherwise = node.orelse if isinstance(node.orelse, list) else [node.orelse]
        if isinstance(node, ast.If) and never_at_import(node.test):
            yield from self._block(otherwise, context)
            return
        yield node.test, context
        yield from self._block(node.body if isinstance(node.body, list) else [node.body], unsure)
        yield from self._block(otherwise, unsure)

    def _attempt(self, node: ast.Try, context: Context) -> Iterator[Step]:
        """What fails inside is caught."""
        caught = context._replace(sure=False, asked=True) if node.handlers else context
        yield from self._block([*node.body, *node.orelse], caught)
        for handler in node.handlers:
            yield from self._block(handler.body, context._replace(sure=False))
        yield from self._block(node.finalbody, context)

    def _function(self, node: Method, context: Context) -> Iterator[Step]:
        """What runs where a function is defined; its body waits for a call, unless none can be sure."""
        defaults = [*node.args.defaults, *node.args.kw_defaults]
        yield from self._block([*node.decorator_list, *defaults], context._replace(sure=False))
        inner = context._replace(part=False)
        if context.sure:
            self.held[id(node)] = node, inner
        else:
            yield from self._block(node.body, inner._replace(asked=inner.asked or node.name in MOVERS))


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and dotted(node.func) == "super"


def called_name(call: ast.Call) -> str:
    """What is called, without what it belongs to."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else dotted(call.func)


def _call(call: ast.Call, context: Context) -> Iterator[Step]:
    name = called_name(call)
    plain = context if name in PATHS else context._replace(part=False)
    part = context._replace(part=True)
    yield call.func, part if name in KEYED else plain
    if name in SAID:
        return
    for number, one in enumerate(call.args):
        joined = name == "joinpath" or name in (JOINS if number else KEYED)
        yield one, part if joined else plain
    yield from ((one, plain) for one in call.keywords)


def _pieces(
    node: ast.BinOp | ast.JoinedStr | ast.Subscript | ast.Compare | ast.Dict, context: Context
) -> Iterator[Step]:
    """Texts of which only the first can begin a path, keys, and what is asked about."""
    part = context._replace(part=True)
    if isinstance(node, ast.BinOp):
        yield from ((node.left, context), (node.right, part))
    elif isinstance(node, ast.JoinedStr):
        yield from ((one, part if number else context) for number, one in enumerate(node.values))
    elif isinstance(node, ast.Subscript):
        yield from ((node.value, context), (node.slice, part))
    elif isinstance(node, ast.Dict):
        yield from ((one, part) for one in node.keys if one)
        yield from ((one, context) for one in node.values)
    else:
        yield from ((one, part._replace(asked=True)) for one in (node.left, *node.comparators))


def _asks(test: ast.expr) -> bool:
    """Whether a condition is about the device."""
    for node in islice(ast.walk(test), MAX_TEST):
        word = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        value = node.value if isinstance(node, ast.Constant) else ""
        if ASKS.search(word) or (isinstance(value, str) and DEVICES.fullmatch(value)):
            return True
    return False
