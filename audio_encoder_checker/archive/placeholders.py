"""Encoders whose `forward` returns numbers that no model has made, as a template does before the model is put in."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.syntax import Function, dotted, top_classes
from audio_encoder_checker.evidence.habits import Habit, HabitKind
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

MADE_UP = {"rand", "randn", "zeros", "ones", "empty", "randint", "rand_like", "randn_like", "zeros_like", "ones_like"}
KEEPS = ("to", "float", "cuda", "cpu", "detach", "contiguous", "clone", "type_as")
"""Methods of a tensor that leave made-up numbers made up."""


def find_placeholders(tree: ast.Module, encoder: str) -> Iterator[Habit]:
    """The encoder whose output is made up, or the model beside it that returns random numbers.

    Args:
        tree: of the encoder's file.
        encoder: its class.
    """
    for name, node in top_classes(tree).items():
        forward = next((one for one in node.body if isinstance(one, Function) and one.name == "forward"), None)
        made = _returned(forward) if forward else None
        shaped = made and dotted(made.func) in ("torch.rand", "torch.randn")
        if made and (name == encoder or shaped):
            what = f"{name}.forward returns {dotted(made.func)}(...)"
            yield Habit(HabitKind.PLACEHOLDER, "", made.lineno, printable(what), sure=True)


def _returned(forward: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Call | None:
    """The call that fills the only tensor that a function returns, if it is one of torch's and nothing else is done."""
    value = _only_value(forward)
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in KEEPS:
        value = value.func.value
    if not isinstance(value, ast.Call):
        return None
    package, _, name = dotted(value.func).rpartition(".")
    return value if name in MADE_UP and package.partition(".")[0] == "torch" else None


def _only_value(forward: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    """What a function returns, if it does so once; of a name that has no other use, what it is given."""
    nodes = list(ast.walk(forward))
    returns = [one.value for one in nodes if isinstance(one, ast.Return) and one.value]
    value = returns[0] if len(returns) == 1 else None
    if not isinstance(value, ast.Name):
        return value
    uses = [one for one in nodes if isinstance(one, ast.Name) and one.id == value.id]
    given = (one.value for one in forward.body if isinstance(one, ast.Assign) and one.targets == uses[:1])
    return next(given, None) if len(uses) == 2 else None
