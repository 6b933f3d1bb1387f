"""Break a module in one place at a time, and tell which breaks its tests do not notice.

    python tools/mutate.py audio_encoder_checker/checks/hop.py
    python tools/mutate.py audio_encoder_checker/checks/few.py tests/checks/test_network.py --most 100

Without tests named, those that mirror the module are run: `tests/checks/test_hop*.py`. Tests that start boxes are
left out. No file is changed: every break is made in memory, in a process of its own. POSIX only.
"""

from __future__ import annotations

import argparse
import ast
import copy
import gc
import importlib
import json
import os
import random
import select
import signal
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import click
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "audio_encoder_checker"
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
    ast.Break: ast.Continue, ast.Continue: ast.Break,
}  # fmt: skip
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
ASSIGNMENTS = (ast.Assign, ast.AnnAssign)
RENAMED = {"min": "max", "max": "min", "any": "all", "all": "any", "startswith": "endswith", "endswith": "startswith"}


def changes(tree: ast.Module) -> Iterator[tuple[int, str, ast.AST, str, Any]]:
    """Every break of a module: its line, its description, and which field of which node takes which value."""
    for node in _code(tree):
        line = getattr(node, "lineno", 0)
        for field, value in ast.iter_fields(node):
            for at, one in enumerate(value) if isinstance(value, list) else [(None, value)]:
                for found, new in _instead(node, field, one):
                    whole = new if at is None else [*value[:at], *([] if new is None else [new]), *value[at + 1 :]]
                    yield getattr(one, "lineno", line), found, node, field, whole


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that are run and are not the wording of a message."""
    yield node
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list"} or isinstance(value, ast.JoinedStr):
            continue
        for child in value if isinstance(value, list) else [value]:
            typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr) and not typing:
                yield from _code(child)


def _instead(node: ast.AST, field: str, one: Any) -> Iterator[tuple[str, Any]]:
    """What may stand in the place of `one`, each with a description."""
    if type(one) in SWAPPED:
        new = SWAPPED[type(one)]()
        yield f"{type(one).__name__} -> {type(new).__name__}", new
    yield from _conditions(node, field, one)
    if isinstance(node, ast.Constant) and field == "value" and isinstance(one, bool | int | float):
        number = (not one) if isinstance(one, bool) else one + 1 if isinstance(one, int) else one * 1.5 + 0.1
        yield f"{one} -> {number}", number
    if isinstance(one, str) and one in RENAMED and isinstance(node, ast.Name | ast.Attribute):
        yield f"{one} -> {RENAMED[one]}", RENAMED[one]
    if isinstance(one, ast.Expr) and not isinstance(one.value, ast.Constant):
        yield f"dropped: {_short(one)}", ast.Pass()
    if isinstance(node, ast.Return) and isinstance(one, ast.Call | ast.Name | ast.BinOp | ast.BoolOp | ast.Tuple):
        yield f"returned None: {_short(one)}", ast.Constant(None)


def _conditions(node: ast.AST, field: str, one: Any) -> Iterator[tuple[str, Any]]:
    """Other conditions than this one."""
    if isinstance(one, ast.BoolOp):
        for value in one.values:
            rest = [other for other in one.values if other is not value]
            left = rest[0] if len(rest) == 1 else ast.BoolOp(one.op, rest)
            yield f"dropped from {type(one.op).__name__}: {_short(value)}", left
    if isinstance(one, ast.UnaryOp) and isinstance(one.op, ast.Not):
        yield f"dropped not: {_short(one)}", one.operand
    if isinstance(node, ast.comprehension) and field == "ifs":
        yield f"dropped if: {_short(one)}", None
    if field == "test" and not isinstance(one, ast.Compare | ast.UnaryOp):
        yield f"negated: {_short(one)}", ast.UnaryOp(ast.Not(), one)


def _short(node: ast.AST) -> str:
    text = ast.unparse(node).replace("\n", " ")
    return text if len(text) <= 70 else f"{text[:67]}..."


def broken(module: Path, number: int) -> ast.Module:
    """The module with its change of this number made."""
    tree = ast.parse(module.read_text())
    for at, (_, _, node, field, value) in enumerate(changes(tree)):
        if at == number:
            setattr(node, field, copy.deepcopy(value))
            break
    return ast.fix_missing_locations(tree)


def apart(work: Callable[[], Any], timeout_s: float) -> Any:
    """Do something in a process of its own, and give what it returns; None if it died or took too long."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(null, stream)
        with os.fdopen(into, "w") as file:
            try:
                json.dump({"done": work()}, file)
            except Exception as error:
                json.dump({"fault": repr(error)}, file)
                raise
            finally:
                file.flush()
                os._exit(0)
    os.close(into)
    end, data, block = time.monotonic() + timeout_s, b"", b"-"
    while block and select.select([out], [], [], max(0.0, end - time.monotonic()))[0]:
        block = os.read(out, 1 << 16)
        data += block
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(out)
    told = json.loads(data) if data and not block else {"done": None}
    if "fault" in told:
        raise RuntimeError(f"this script is at fault: {told['fault']}")
    return told["done"]


class Breaker:
    """A plug-in that collects once, and then runs the tests of each break in a process of its own."""

    def __init__(self, module: Path, numbers: list[int]) -> None:
        self.module = module
        self.numbers = numbers
        self.outcomes: dict[int, str] = {}
        self.loaded: dict[str, Any] = {}
        self.seconds = 0.0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of running the tests once."""
        name = ".".join(self.module.relative_to(ROOT).with_suffix("").parts)
        self.loaded = vars(importlib.import_module(name))
        found = apart(partial(self._survey, session), 600.0)
        if not found or not apart(partial(self._passes, session, -1, session.items), 600.0):
            pytest.exit("the tests do not pass on the module as it is", 2)
        self.seconds = found["seconds"]
        inside = {line for lines in found["lines"].values() for line in lines}
        for number in self.numbers:
            line = _line(self.module, number)
            users = [item for item in session.items if line in found["lines"][item.nodeid]]
            if line in _lines_of(self.module, ASSIGNMENTS, top=True):
                users = session.items
            elif line not in _lines_of(self.module, FUNCTIONS):
                continue  # the module has to be imported anew
            elif line not in inside:
                self.outcomes[number] = "never run"
                continue
            passed = apart(partial(self._passes, session, number, users), 10.0 + 3 * self.seconds)
            self.outcomes[number] = "passed" if passed else "noticed"
        return True

    def _survey(self, session: pytest.Session) -> dict[str, Any] | None:
        """Which lines of the module each test runs; None if one fails."""
        lines: dict[str, set[int]] = {}

        def trace(frame: FrameType, event: str, _arg: object) -> Callable[..., Any] | None:
            if frame.f_code.co_filename != str(self.module):
                return None
            if event in {"line", "call"}:
                lines[now].add(frame.f_lineno)
            return trace

        start = time.monotonic()
        threading.settrace(trace)
        for item in session.items:
            now = item.nodeid
            lines[now] = set()
            sys.settrace(trace)
            if not _passes(session, [item]):
                return None
        return {"seconds": time.monotonic() - start, "lines": {test: sorted(found) for test, found in lines.items()}}

    def _passes(self, session: pytest.Session, number: int, items: list[pytest.Item]) -> bool:
        """Whether no test notices a break, made in the functions and the constants that are loaded already."""
        tree = broken(self.module, number)
        code = compile(tree, str(self.module), "exec")
        new = {(code.co_name, code.co_firstlineno): code for code in _functions(code)}
        for one in gc.get_objects():
            if type(one) is FunctionType and one.__code__.co_filename == str(self.module):
                one.__code__ = new.get((one.__code__.co_name, one.__code__.co_firstlineno), one.__code__)
        try:
            assigned = _constants(self.module, tree, _line(self.module, number), self.loaded)
        except Exception:  # noqa: BLE001 - as at an import
            return False
        for name, value in assigned.items():
            old = self.loaded[name]
            for other in list(sys.modules.values()):
                if getattr(other, "__dict__", {}).get(name) is old:
                    vars(other)[name] = value
        return _passes(session, items)


def _constants(module: Path, tree: ast.Module, line: int, names: dict[str, Any]) -> dict[str, Any]:
    """What a break at a line makes of the module's constants: those from there on are worked out anew."""
    if line not in _lines_of(module, ASSIGNMENTS, top=True):
        return {}
    late: list[ast.stmt] = [one for one in tree.body if isinstance(one, ASSIGNMENTS) and (one.end_lineno or 0) >= line]
    scope = dict(names)
    exec(compile(ast.Module(late, []), str(module), "exec"), scope)  # noqa: S102 - our own module
    return {name: value for name, value in scope.items() if name in names and value is not names[name]}


def _passes(session: pytest.Session, items: list[pytest.Item]) -> bool:
    for item, following in zip(items, [*items[1:], None], strict=True):
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        except BaseException:  # noqa: BLE001 - a break may end anything
            return False
        if session.testsfailed:
            return False
    return True


def _functions(code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one
            yield from _functions(one)


def _lines_of(module: Path, kinds: tuple[type[ast.stmt], ...], *, top: bool = False) -> set[int]:
    """Lines of nodes of some kinds, of functions their bodies alone."""
    tree = ast.parse(module.read_text())
    return {
        line
        for node in (tree.body if top else ast.walk(tree))
        if isinstance(node, kinds)
        for line in range((node.body[0] if isinstance(node, FUNCTIONS) else node).lineno, (node.end_lineno or 0) + 1)
    }


def _line(module: Path, number: int) -> int:
    return list(changes(ast.parse(module.read_text())))[number][0]


def run(tests: list[str], plugin: object = None) -> int:
    """Run tests in this process."""
    options = ["-x", "-q", "-n", "0", "-m", "not box", "-p", "no:randomly", "--no-header", "--tb=no", "--no-summary"]
    return int(pytest.main([*options, *tests], plugins=[plugin] if plugin else []))


def noticed(module: Path, number: int, tests: list[str]) -> bool:
    """Whether tests notice a break in what runs when the module is imported."""
    code, real = compile(broken(module, number), str(module), "exec"), SourceFileLoader.get_code

    def get_code(loader: Any, fullname: str) -> CodeType | None:
        return code if loader.path == str(module) else real(loader, fullname)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]  # the one place where a module's code comes from
    return run(tests) != 0


def mirrored(module: Path) -> list[str]:
    """The tests that stand where the module stands."""
    place = module.relative_to(ROOT / PACKAGE)
    return sorted(str(path) for path in (ROOT / "tests" / place.parent).glob(f"test_{place.stem}*.py"))


def mutate(module: Path, tests: list[str], most: int, seed: int) -> int:
    """Make at most so many breaks, and print those that no test notices."""
    possible = list(enumerate(changes(ast.parse(module.read_text()))))
    random.Random(seed).shuffle(possible)  # noqa: S311 - a sample, no secret
    chosen = sorted(possible[:most])
    breaker = Breaker(module, [number for number, _ in chosen])
    status = apart(lambda: (run(tests, breaker), breaker.outcomes), 3600.0)
    if not status or status[0]:
        click.echo(f"{module.name}: the tests do not pass on the module as it is")
        return 2
    outcomes = {int(number): outcome for number, outcome in status[1].items()}
    left = 0
    for number, (line, text, *_) in chosen:
        if number not in outcomes:
            seen = apart(partial(noticed, module, number, tests), 60.0)
            outcomes[number] = "passed" if seen is False else "noticed"
        if outcomes[number] != "noticed":
            left += 1
            never = "  (never run)" if outcomes[number] == "never run" else ""
            click.echo(f"{module.relative_to(ROOT)}:{line}: {text}{never}")
    made = len(chosen)
    click.echo(f"{module.name}: {made} of {len(possible)} breaks made, {made - left} noticed, {left} not")
    return int(left > 0)


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("module", type=Path)
    parser.add_argument("tests", nargs="*", help="default: those that mirror the module")
    parser.add_argument("--most", type=int, default=25, help="how many breaks to make, drawn by chance (25)")
    parser.add_argument("--seed", type=int, default=0, help="of that chance")
    given = parser.parse_args()
    module = given.module.resolve()
    tests = given.tests or mirrored(module)
    if not tests:
        parser.error(f"no test mirrors {module.name}: name some")
    sys.path.insert(0, str(ROOT))
    return mutate(module, tests, given.most, given.seed)


if __name__ == "__main__":
    sys.exit(main())
