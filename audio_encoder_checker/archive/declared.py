"""Numbers that an encoder's sources give its attributes, as far as they can be told without running anything."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.syntax import dotted, parse_source, top_classes
from audio_encoder_checker.evidence.source import CONTRACT_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from audio_encoder_checker.evidence.source import SourceFacts

    Number = int | float

OPERATORS: Mapping[type, Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
LARGEST = 1e12
"""No rate, width or hop is larger."""
MAX_DEPTH = 20
"""Names that stand for names, and sums of sums, are followed so far."""


def declared_attributes(sources: SourceFacts) -> dict[str, Number | None]:
    """`sampling_rate` (Hz), `output_dim` and `hop_size_in_ms` of the chosen encoder.

    Told are numbers, and plain arithmetic with numbers that the file or the class gives a name, once.

    Returns:
        None for each that cannot be told so.
    """
    found: dict[str, Number | None] = dict.fromkeys(CONTRACT_ATTRIBUTES)
    definition = sources.chosen.definition if sources.chosen else None
    tree = parse_source(sources.root / definition.path, definition.path).tree if definition else None
    node = top_classes(tree).get(definition.source.name) if tree and definition else None
    if tree is None or node is None:
        return found
    constructors = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
    inside = [statement for one in constructors[-1:] for statement in ast.walk(one)]
    own = {f"self.{name}": value for name, value in _bound(node.body).items()}
    known = {**_bound(tree.body), **own, **_bound(inside)}
    return {name: _value(known.get(f"self.{name}"), known) for name in found}


def _bound(statements: Iterable[ast.AST]) -> dict[str, ast.expr]:
    """What dotted names are bound to, of those that are bound once."""
    seen: dict[str, ast.expr | None] = {}
    for statement in statements:
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            single = [statement.target] if not isinstance(statement, ast.Assign) else statement.targets
            value = None if isinstance(statement, ast.AugAssign) else statement.value
            for name in filter(None, map(dotted, single)):
                seen[name] = None if name in seen else value
    return {name: value for name, value in seen.items() if value is not None}


def _value(node: ast.expr | None, known: Mapping[str, ast.expr], depth: int = 0) -> Number | None:
    if node is None or depth > MAX_DEPTH:
        return None
    if isinstance(node, ast.Constant):
        number = node.value
        if isinstance(number, bool) or not isinstance(number, int | float):
            return None
        return number if abs(number) < LARGEST else None
    if isinstance(node, ast.BinOp):
        return _computed(node, known, depth)
    return _value(known.get(dotted(node)), known, depth + 1)


def _computed(node: ast.BinOp, known: Mapping[str, ast.expr], depth: int) -> Number | None:
    left = _value(node.left, known, depth + 1)
    right = _value(node.right, known, depth + 1) if left is not None else None
    apply = OPERATORS.get(type(node.op))
    if left is None or right is None or apply is None:
        return None
    try:
        result = apply(left, right)
    except ZeroDivisionError:
        return None
    return result if abs(result) < LARGEST else None
