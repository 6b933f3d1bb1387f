"""Landmarks of the encoder's class, found in its syntax tree and in those of its bases."""

from __future__ import annotations

import ast
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.archive.source import defining_file
from audio_encoder_checker.archive.syntax import (
    MAX_LINEAGE,
    ParsedSource,
    assigned,
    dotted,
    full_name,
    functions,
    imported,
    parse_source,
    source_line,
    targets,
    top_classes,
)
from audio_encoder_checker.evidence.landmarks import Landmark, LandmarkKind, Landmarks
from audio_encoder_checker.evidence.source import CONTRACT_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from audio_encoder_checker.evidence.source import SourceFacts

MOST = 20
"""So many of a kind are enough to point at."""
MODULES = {"torch", "np", "numpy"}
"""What is squeezed is then the first argument: `torch.squeeze(x)`."""
FUNCTIONAL = {"torch", "functional", "F", "nn.functional", "torch.nn.functional"}
"""What they change is then the first argument: `torch.relu_(x)`."""
DROPOUTS = {
    f"torch.nn.functional.{name}" for name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout")
}
DRAWN = {"rand", "randn", "randint", "randperm", "rand_like", "randn_like", "normal", "bernoulli", "multinomial"}
"""Functions of torch that draw random numbers."""
DRAWN_IN_PLACE = {"uniform_", "normal_", "bernoulli_", "exponential_"}
GENERATORS = ("random.", "numpy.random.")
SEEDED = ("seed", "Random", "RandomState", "default_rng")
PREPARING = ("init", "reset", "build")
"""Parts of the names of functions that make weights, where random numbers belong."""
HARMLESS = {"requires_grad_", "detach_", "share_memory_"}
"""Methods whose name ends in `_` that leave the samples as they are."""


class _Class(NamedTuple):
    """A class with the file that it was parsed from."""

    parsed: ParsedSource
    node: ast.ClassDef


class _Place(NamedTuple):
    """A node with the file that it was parsed from."""

    parsed: ParsedSource
    node: ast.stmt | ast.expr


def find_landmarks(sources: SourceFacts) -> Landmarks:
    """The landmarks of the chosen encoder: of its class and of its bases as far as the repository defines them."""
    lineage = _lineage(sources)
    constructor, forward = (_method(lineage, name) for name in ("__init__", "forward"))
    calls = list(_calls(lineage, forward))
    places: dict[LandmarkKind, Iterable[_Place]] = {
        LandmarkKind.CONSTRUCTOR: [_Place(*constructor)] if constructor else [],
        LandmarkKind.FORWARD: [_Place(*forward)] if forward else [],
        LandmarkKind.RETURN: reversed(list(_returns(forward))) if forward else [],
        LandmarkKind.SQUEEZE: _squeezes(lineage),
        LandmarkKind.IN_PLACE: _in_place(forward) if forward else [],
        LandmarkKind.DROPOUT: (place for place, call, name in calls if _drops_always(call, name)),
        LandmarkKind.CHANCE: (place for place, call, name in calls if _draws(call, name)),
        **{LandmarkKind(name): _setting(lineage, name) for name in CONTRACT_ATTRIBUTES},
    }
    return Landmarks(tuple(_landmark(kind, place) for kind, found in places.items() for place in islice(found, MOST)))


def _landmark(kind: LandmarkKind, place: _Place) -> Landmark:
    line = place.node.lineno
    return Landmark(kind, place.parsed.file.path, line, source_line(place.parsed.text, line))


def _lineage(sources: SourceFacts) -> list[_Class]:
    """The encoder's class and its bases in the repository, nearest first."""
    definition = sources.chosen.definition if sources.chosen else None
    if definition is None:
        return []
    read: dict[str, ParsedSource] = {}
    waiting = [(definition.path, definition.source.name)]
    found: list[_Class] = []
    for path, name in waiting:
        if path not in read:
            read[path] = parse_source(sources.root / path, path)
        tree = read[path].tree
        node = top_classes(tree).get(name) if tree else None
        if node is None or len(found) == MAX_LINEAGE:
            continue
        found.append(_Class(read[path], node))
        bases = [_base(sources, path, dotted(base)) for base in node.bases[:MAX_LINEAGE]]
        waiting.extend(base for base in bases if base and base not in waiting)
    return found


def _base(sources: SourceFacts, path: str, name: str) -> tuple[str, str] | None:
    """The file and name of a base class that a file names, if the repository defines it."""
    file = sources.file(path)
    bound = next((one for one in file.names if one.name == name), None) if file else None
    return defining_file(sources.files, path, bound) if bound else None


def _method(lineage: list[_Class], name: str) -> tuple[ParsedSource, ast.FunctionDef] | None:
    """The method of this name that runs: the nearest class's last definition."""
    for parsed, node in lineage:
        found = [one for one in functions(node) if one.name == name]
        if found:
            return parsed, found[-1]
    return None


def _own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """What a function's body holds in the order of the text, functions and classes inside it left out."""
    waiting: list[ast.AST] = list(reversed(function.body))
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield node
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _returns(forward: tuple[ParsedSource, ast.FunctionDef]) -> Iterator[_Place]:
    parsed, function = forward
    return (_Place(parsed, node) for node in _own(function) if isinstance(node, ast.Return))


def _squeezes(lineage: list[_Class]) -> Iterator[_Place]:
    """Calls that squeeze every axis; in a constructor they meet weights, not clips."""
    methods = [(parsed, one) for parsed, node in lineage for one in functions(node) if one.name != "__init__"]
    for parsed, one in sorted(methods, key=lambda method: method[1].name != "forward"):
        yield from (
            _Place(parsed, node) for node in ast.walk(one) if isinstance(node, ast.Call) and _squeezes_all(node)
        )


def _squeezes_all(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "squeeze" or call.keywords:
        return False
    return len(call.args) == int(dotted(call.func.value) in MODULES)


def _calls(
    lineage: list[_Class], forward: tuple[ParsedSource, ast.FunctionDef] | None
) -> Iterator[tuple[_Place, ast.Call, str]]:
    """Calls in the lineage's files and their full names, outside of what makes weights: those of `forward` first."""
    for parsed in {parsed.file.path: parsed for parsed, _ in lineage}.values():
        if parsed.tree is None:
            continue
        names = imported(parsed.tree)
        found = [one for one in ast.walk(parsed.tree) if isinstance(one, ast.FunctionDef)]
        working = [one for one in found if not any(part in one.name for part in PREPARING)]
        for one in sorted(working, key=lambda one: not forward or one is not forward[1]):
            calls = (node for node in _own(one) if isinstance(node, ast.Call))
            yield from ((_Place(parsed, call), call, full_name(call.func, names)) for call in calls)


def _drops_always(call: ast.Call, name: str) -> bool:
    """`dropout(x, p)`: its third argument says that it is training, and does so by default."""
    return name in DROPOUTS and len(call.args) < 3 and all(one.arg not in {"training", None} for one in call.keywords)


def _draws(call: ast.Call, name: str) -> bool:
    """Whether a call draws random numbers from what every call of the encoder moves on."""
    in_place = isinstance(call.func, ast.Attribute) and call.func.attr in DRAWN_IN_PLACE
    drawn = name.removeprefix("torch.") in DRAWN and name.startswith("torch.")
    drawn |= name.startswith(GENERATORS) and not name.endswith(SEEDED)
    return (drawn or in_place) and all(one.arg != "generator" for one in call.keywords)


def _in_place(forward: tuple[ParsedSource, ast.FunctionDef]) -> Iterator[_Place]:
    """Operations on forward's audio, up to where its name is given to a tensor that is surely another."""
    parsed, function = forward
    parameters = [*function.args.posonlyargs, *function.args.args][1:]
    if not parameters:
        return
    name = parameters[0].arg
    for node in _own(function):
        if isinstance(node, ast.Assign) and name in targets(node.targets) and _is_fresh(node.value):
            return
        if isinstance(node, ast.Assign | ast.AugAssign | ast.Call):
            changed = _written(node) if isinstance(node, ast.Call) else _stored_in(node)
            if any(_is_part(one, name) for one in changed):
                yield _Place(parsed, node)


def _stored_in(node: ast.Assign | ast.AugAssign) -> list[ast.expr]:
    """What an assignment changes in place: what `x[...] = ` and `x += ` name."""
    if isinstance(node, ast.AugAssign):
        return [node.target]
    return [target for target in node.targets if isinstance(target, ast.Subscript)]


def _is_part(target: ast.expr, name: str) -> bool:
    """Whether an expression is a name, or a part of it: `x`, `x[0]`, `x.data[:, 1]`."""
    while isinstance(target, ast.Subscript | ast.Attribute):
        target = target.value
    return isinstance(target, ast.Name) and target.id == name


def _written(call: ast.Call) -> list[ast.expr]:
    """What a call changes in place: `x` in `x.mul_()`, `torch.relu_(x)`, `relu(x, inplace=True)`, `abs(y, out=x)`."""
    written = [one.value for one in call.keywords if one.arg == "out"]
    if any(one.arg == "inplace" and isinstance(one.value, ast.Constant) and one.value.value for one in call.keywords):
        written += call.args[:1]
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr.endswith("_") and not function.attr.endswith("__"):
        written += [function.value] if function.attr not in HARMLESS else []
        written += call.args[:1] if dotted(function.value) in FUNCTIONAL else []
    return written


def _is_fresh(value: ast.expr) -> bool:
    """Whether a value is surely not what it was made of: arithmetic, or a copy."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        return value.func.attr in {"clone", "copy", "deepcopy", "pad", "cat", "stack"}
    return isinstance(value, ast.BinOp)


def _setting(lineage: list[_Class], name: str) -> list[_Place]:
    """What gives an attribute its value, first what stands in the end."""
    ranked: list[tuple[int, int, int, _Place]] = []
    for distance, (parsed, node) in enumerate(lineage):
        for rank, setting in _set_in(node, name):
            ranked.append((rank, distance, -setting.lineno, _Place(parsed, setting)))
    return [one[-1] for one in sorted(ranked, key=lambda one: one[:-1])]


def _set_in(node: ast.ClassDef, name: str) -> Iterator[tuple[int, ast.stmt | ast.expr]]:
    """Where a class has a property of this name (0), sets it in its constructor (1), a method (2) or its body (3)."""
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef):
            if statement.name == name:
                yield 0, statement
            rank = 1 if statement.name == "__init__" else 2
            yield from ((rank, stored) for stored in _stored(statement, name))
        elif name in targets(assigned(statement)):
            yield 3, statement


def _stored(method: ast.FunctionDef, name: str) -> Iterator[ast.expr]:
    """Where a method sets an attribute of its object."""
    itself = {one.arg for one in [*method.args.posonlyargs, *method.args.args][:1]}
    for node in ast.walk(method):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == name:
            yield from [node] if dotted(node.value) in itself else []
