"""What the encoder's sources and requirements ask of the card that a T4 cannot do or does badly.

The text is read, nothing is imported or run. What stands under a condition that is false on a T4, or that asks for
the card's capability, is left aside: whoever asks has thought of older cards.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from audio_encoder_checker.archive.repository_text import read_inside
from audio_encoder_checker.archive.syntax import (
    NEWLINE,
    Function,
    caught,
    defaults,
    dotted,
    full_name,
    imported,
    parse_source,
    shown_line,
    targets,
)
from audio_encoder_checker.evidence.traps import Trap, TrapFacts, TrapKind
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from audio_encoder_checker.evidence.source import SourceFacts

MOST = 100
"""So many of a kind are enough to point at."""
REQUIREMENTS = "requirements.txt"
WHEELS = ("causal-conv1d", "mamba-ssm", "natten", "sageattention", "xformers")
MODULES = {
    **dict.fromkeys(("flash_attn", "flash_attn_3", "flash_attn_interface"), TrapKind.FLASH),
    **dict.fromkeys(("transformer_engine", "torchao.float8"), TrapKind.FP8),
    **{one.replace("-", "_"): TrapKind.WHEEL for one in WHEELS},
}
DISTRIBUTIONS = {*WHEELS, "flash-attn", "flash-attn-3", "transformer-engine"}
REPOSITORIES = {"flash-attention": "flash-attn", "mamba": "mamba-ssm", "transformerengine": "transformer-engine"}
"""Distributions whose repository is called otherwise; on PyPI these names are something else."""
OTHERWISE = re.compile(r"""^-(?!e )|;\s*(sys_platform|platform_system|os_name)\s*==\s*['"](?!linux|Linux|posix)""")
"""Options of pip, and what is only required on other systems."""
CARD = {"get_device_capability", "get_device_properties", "get_device_name", "including_emulation"}
"""Whoever mentions one of these tells cards apart."""
TRUE, FALSE, ASKED, OPEN = "true on a T4", "false on a T4", "tells cards apart", "open"
"""What a condition can be."""
FAILURES = {"", "ImportError", "ModuleNotFoundError", "RuntimeError", "Exception", "BaseException"}
QUANTISATION = re.compile(
    r"torch\.(ao\.)?quantization\.(\w+\.)*(quantize(_dynamic|_qat|_fx)?|prepare(_qat)?(_fx)?|convert(_fx)?)"
)
ENGINE = "torch.backends.quantized.engine"
DTYPE = re.compile(r"torch\.(u?int|b?float|complex|half|double|long|short|bool)\w*")
ATTENTION, NUMBERS, ALLOW, PRECISION, MATMUL = "attention", "numbers", "allow", "precision", "matmul"
ROLES = {"attn_implementation": ATTENTION, "allow_tf32": ALLOW, "fp32_precision": PRECISION}
ARGUMENTS = {"set_attn_implementation": ATTENTION, "get_kernel": ATTENTION, "set_float32_matmul_precision": MATMUL}
VALUES = {
    ATTENTION: (TrapKind.FLASH, re.compile(r".*flash[-_]?att(ention|n).*", re.DOTALL)),
    NUMBERS: (TrapKind.BF16, re.compile(r"(torch\.)?(bfloat16|bf16)(-mixed|-true)?")),
    ALLOW: (TrapKind.TF32, re.compile("True")),
    PRECISION: (TrapKind.TF32, re.compile("tf32")),
    MATMUL: (TrapKind.TF32, re.compile("high|medium")),
}
"""What a constant in a role means if it is such a value."""


class _Context(NamedTuple):
    """What is known of a place: whether it surely runs, in a function that may not be called, what a value is for."""

    sure: bool = True
    aside: bool = False
    role: str = ""


Step = tuple[ast.AST, _Context]


def find_traps(sources: SourceFacts) -> TrapFacts:
    """The traps in the files that the encoder reaches, or in all if it is not known, and in requirements.txt."""
    traps: list[Trap] = []
    counts = Counter[TrapKind]()
    for path in sources.in_depth:
        file = sources.file(path)
        parsed = parse_source(sources.root / path, path) if file and not file.trouble else None
        if file and parsed and parsed.tree:
            local = {one.module.partition(".")[0] for one in file.imports if one.local}
            lines = NEWLINE.split(parsed.text)
            for one in _Reader(parsed.tree, local).read(parsed.tree):
                counts[one.kind] += 1
                if counts[one.kind] <= MOST:
                    traps.append(replace(one, file=path, text=shown_line(lines[one.line - 1])))
    traps.extend(islice(_required(sources.root), MOST))
    return TrapFacts(tuple(traps))


class _Reader:
    """One file's tree, walked without recursion: foreign code may be nested deeply."""

    def __init__(self, tree: ast.Module, local: set[str]) -> None:
        self.local = local
        self.names = imported(tree)
        self.tells_cards_apart = CARD | _named_after_card(tree, CARD)
        self.tells_cards_apart |= _named_after_card(tree, self.tells_cards_apart)
        self.found: dict[tuple[TrapKind, int], Trap] = {}
        self.compiled: list[tuple[int, bool]] = []
        self.steps: dict[type[ast.AST], Callable[[Any, _Context], Iterator[Step]]] = {
            ast.If: self._condition,
            ast.IfExp: self._condition,
            ast.Try: _attempt,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.Call: self._call,
            ast.Assign: _assignment,
            ast.AnnAssign: _assignment,
            ast.keyword: lambda node, context: iter([(node.value, context._replace(role=_role(node.arg or "")))]),
            ast.Dict: self._dict,
            ast.BoolOp: lambda node, context: ((one, context) for one in node.values),
            ast.Compare: _comparison,
            ast.Attribute: _chain,
        }

    def read(self, tree: ast.Module) -> list[Trap]:
        """The traps by line, each kind once a line; file and text are left to the caller."""
        waiting: list[Step] = [(tree, _Context())]
        while waiting:
            node, context = waiting.pop()
            self._judge(node, context)
            waiting.extend(self.steps.get(type(node), self._children)(node, context))
        if any(kind is TrapKind.BF16 for kind, _ in self.found):
            for line, sure in self.compiled:
                self._add(TrapKind.COMPILE_BF16, line, "torch.compile", sure=sure)
        return sorted(self.found.values(), key=lambda one: one.line)

    def _add(self, kind: TrapKind, line: int, what: str, *, sure: bool) -> None:
        known = self.found.get((kind, line))
        if known is None or (sure and not known.sure):
            self.found[kind, line] = Trap(kind, "", line, "", printable(what, limit=60), sure)

    def _full(self, node: ast.expr) -> str:
        """A dotted name with what its first part was imported as."""
        return full_name(node, self.names)

    def _judge(self, node: ast.AST, context: _Context) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._judge_import(alias.name, node.lineno, context)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            for alias in node.names:
                self._judge_import(f"{node.module}.{alias.name}", node.lineno, context)
        elif isinstance(node, ast.Constant):
            self._judge_constant(node, context)
        elif isinstance(node, ast.Call):
            self._judge_call(node, context)
        elif isinstance(node, ast.Name | ast.Attribute):
            self._judge_name(node, context)

    def _judge_constant(self, node: ast.Constant, context: _Context) -> None:
        value = node.value if isinstance(node.value, str) else "True" if node.value is True else ""
        if context.role in VALUES and VALUES[context.role][1].fullmatch(value):
            self._add(VALUES[context.role][0], node.lineno, value, sure=context.sure)
        elif context.role == NUMBERS and value.removeprefix("torch.").startswith("float8_"):
            self._add(TrapKind.FP8, node.lineno, value, sure=False)

    def _judge_import(self, module: str, line: int, context: _Context) -> None:
        parts = module.split(".")
        name = parts[0] if parts[0] in MODULES else ".".join(parts[:2])
        if name in MODULES and parts[0] not in self.local:
            sure = context.sure and not context.aside and "bert_padding" not in parts  # which has no kernels
            self._add(MODULES[name], line, name.replace("_", "-"), sure=sure)

    def _judge_call(self, call: ast.Call, context: _Context) -> None:
        if not isinstance(call.func, ast.Name | ast.Attribute):
            return
        name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
        if name == "bfloat16" and isinstance(call.func, ast.Attribute) and not call.args:
            self._add(TrapKind.BF16, call.func.end_lineno or call.lineno, ".bfloat16()", sure=context.sure)
        elif name == "sdpa_kernel":
            given = [*call.args, *(one.value for one in call.keywords)]
            inner = [part for one in given for part in (one.elts if isinstance(one, ast.List | ast.Tuple) else [one])]
            dots = [dotted(one).split(".") for one in inner]
            backends = {one[-1] for one in dots if one[-2:-1] == ["SDPBackend"]}
            if backends and backends <= {"FLASH_ATTENTION", "CUDNN_ATTENTION"}:
                self._add(TrapKind.FLASH, call.lineno, "SDPBackend.FLASH_ATTENTION alone", sure=context.sure)

    def _judge_name(self, node: ast.Name | ast.Attribute, context: _Context) -> None:
        name, line = self._full(node), node.end_lineno or node.lineno
        if name == "torch.bfloat16" or name.startswith("torch.bfloat16."):
            self._add(TrapKind.BF16, line, "torch.bfloat16", sure=context.sure)
        elif name.startswith("torch.float8_"):
            self._add(TrapKind.FP8, line, name, sure=False)  # kept in it and cast back, weights work on any card
        elif name == "torch._scaled_mm":
            self._add(TrapKind.FP8, line, name, sure=context.sure and not context.aside)
        elif name == "torch.compile":
            self.compiled.append((line, context.sure))
        elif QUANTISATION.fullmatch(name) or (name == ENGINE and isinstance(node.ctx, ast.Store)):
            self._add(TrapKind.QUANTISED, line, name, sure=context.sure)

    def _children(self, node: ast.AST, context: _Context) -> Iterator[Step]:
        for _, value in ast.iter_fields(node):
            inner = self._kept(value) if isinstance(value, list) else [value] if isinstance(value, ast.AST) else []
            yield from ((one, context._replace(role="")) for one in inner)

    def _kept(self, block: Iterable[object]) -> Iterator[ast.AST]:
        """A block up to where a T4, or a card that was told from others, surely leaves it."""
        for one in block:
            if isinstance(one, ast.AST):
                yield one
            returns = isinstance(one, ast.If) and isinstance(one.body[-1], ast.Return)
            if isinstance(one, ast.If) and returns and self._test(one.test) in (TRUE, ASKED):
                return

    def _condition(self, node: ast.If | ast.IfExp, context: _Context) -> Iterator[Step]:
        test = self._test(node.test)
        yield node.test, context._replace(role="")
        inner = context if test in (TRUE, FALSE) else context._replace(sure=False)
        for branch, left_aside in ((node.body, FALSE), (node.orelse, TRUE)):
            if test not in (left_aside, ASKED):
                yield from ((one, inner) for one in (self._kept(branch) if isinstance(branch, list) else [branch]))

    def _test(self, test: ast.expr) -> str:
        negated = False
        while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            negated, test = not negated, test.operand
        if isinstance(test, ast.BoolOp):
            found = {self._test(one) for one in test.values}
            deciding = FALSE if isinstance(test.op, ast.And) else TRUE
            known = found.pop() if len(found) == 1 else deciding if deciding in found else OPEN
            result = ASKED if ASKED in found else known
        else:
            result = self._plain_test(test)
        return {TRUE: FALSE, FALSE: TRUE}.get(result, result) if negated else result

    def _plain_test(self, test: ast.expr) -> str:
        if any(_word(one) in self.tells_cards_apart for one in islice(ast.walk(test), 1_000)):  # none is longer
            return ASKED
        name = self._full(test.func if isinstance(test, ast.Call) else test)
        if name.endswith((".is_cuda", "cuda.is_available", "cuda.is_bf16_supported")):
            return TRUE
        if name.endswith("TYPE_CHECKING"):
            return FALSE
        if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq | ast.NotEq):
            return OPEN
        device = next((_string(one) for one in (test.left, *test.comparators) if _string(one)), "")
        if device not in ("cuda", "cpu", "__main__"):
            return OPEN
        return TRUE if (device == "cuda") is isinstance(test.ops[0], ast.Eq) else FALSE

    def _function(self, node: Function, context: _Context) -> Iterator[Step]:
        """Defaults and body; what it is annotated with is no use of it."""
        yield from ((one, context) for one in node.decorator_list)
        for one, value in defaults(node.args):
            yield value, context._replace(sure=False, role=_role(one.arg))
        aside = context.aside or node.name not in ("__init__", "forward")
        yield from ((one, context._replace(aside=aside)) for one in self._kept(node.body))

    def _call(self, call: ast.Call, context: _Context) -> Iterator[Step]:
        plain = context._replace(role="")
        name = self._full(call.func)
        last = call.func.attr if isinstance(call.func, ast.Attribute) else name.rpartition(".")[2]
        given = {one.arg: getattr(one.value, "value", None) for one in call.keywords}
        first = getattr(call.args[0], "value", None) if call.args else given.get("device_type")
        if last == "autocast" and (first == "cpu" or ".cpu." in name or given.get("enabled") is False):
            return
        idle = given.get("backend") in ("eager", "aot_eager") or given.get("disable") is True
        if name != "torch.compile" or not idle:
            yield call.func, plain
        role = ARGUMENTS.get(last, "")
        if name == "getattr" and len(call.args) > 1 and self._full(call.args[0]) == "torch":
            yield call.args[1], context._replace(role=NUMBERS)
        for number, argument in enumerate(call.args):
            yield argument, plain if number else context._replace(role=role)
        yield from ((one, plain) for one in call.keywords)

    def _dict(self, node: ast.Dict, context: _Context) -> Iterator[Step]:
        """Values, with what their keys say they are for; of a table of number formats none is chosen there."""
        formats = {one for one in node.values if DTYPE.fullmatch(self._full(one))}
        for key, value in zip(node.keys, node.values, strict=True):
            role = _role(_string(key))
            if len(formats) < 2 or value not in formats or role:
                yield value, context._replace(role=role)


def _attempt(node: ast.Try, context: _Context) -> Iterator[Step]:
    """What a `try` that outlives a failed import holds is not sure, nor is what it does then."""
    doubtful = context._replace(sure=False)
    inside = doubtful if any(FAILURES & caught(handler) for handler in node.handlers) else context
    yield from ((one, inside) for one in (*node.body, *node.orelse))
    yield from ((one, doubtful) for handler in node.handlers for one in handler.body)
    yield from ((one, context) for one in node.finalbody)


def _assignment(node: ast.Assign | ast.AnnAssign, context: _Context) -> Iterator[Step]:
    stored = node.targets if isinstance(node, ast.Assign) else [node.target]
    role = ""
    for target in stored:
        if isinstance(target, ast.Attribute):
            role = role or _role(target.attr)
        elif isinstance(target, ast.Subscript):
            role = role or _role(_string(target.slice))
        elif isinstance(target, ast.Name) and _role(target.id) in (ATTENTION, NUMBERS):
            role = _role(target.id)
        yield target, context._replace(role="")
    if node.value:
        yield node.value, context._replace(role=role)


def _comparison(node: ast.Compare, context: _Context) -> Iterator[Step]:
    """To ask for a number format is not to use it."""
    plain = (ast.Name, ast.Attribute, ast.Constant, ast.Tuple, ast.List, ast.Set)
    sides = (one for one in (node.left, *node.comparators) if not isinstance(one, plain))
    yield from ((one, context._replace(role="")) for one in sides)


def _chain(node: ast.Attribute, context: _Context) -> Iterator[Step]:
    """What a chain of attributes starts from; a chain of names is judged as a whole."""
    root: ast.expr = node
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        yield root, context._replace(role="")


def _string(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _role(name: str) -> str:
    return ROLES.get(name.lstrip("_")) or (NUMBERS if name.endswith(("dtype", "precision")) else "")


def _word(node: ast.AST) -> str:
    """The name, attribute or keyword that a node is."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else node.arg or "" if isinstance(node, ast.keyword) else ""


def _named_after_card(tree: ast.Module, words: set[str]) -> set[str]:
    """What is assigned from the card's capability, and functions that ask for it."""
    found: dict[int, tuple[str, ...]] = {}
    waiting: list[tuple[ast.AST, tuple[str, ...]]] = [(tree, ())]
    while waiting:
        node, names = waiting.pop()
        if isinstance(node, ast.Assign | ast.AnnAssign):
            stored = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (*names, *targets(stored), *(one.attr for one in stored if isinstance(one, ast.Attribute)))
        elif isinstance(node, Function) and node.name not in ("__init__", "forward"):
            names = (*names, node.name)
        if _word(node) in words:
            found[id(names)] = names
        waiting.extend((one, names) for one in ast.iter_child_nodes(node))
    return {name for names in found.values() for name in names}


def _required(root: Path) -> Iterator[Trap]:
    """The traps in requirements.txt."""
    found = read_inside(root, REQUIREMENTS)
    text = found.data.decode("utf-8-sig", "replace") if found else ""
    for number, line in enumerate(NEWLINE.split(text), 1):
        name = _distribution(line.partition(" #")[0].strip())
        if name:
            kind = TrapKind.FLASH if name.startswith("flash-attn") else TrapKind.WHEEL
            yield Trap(kind, REQUIREMENTS, number, printable(line.strip(), limit=100), name, sure=False)


def _distribution(line: str) -> str:
    """The distribution that a line requires, if it is one of those: by its name, its wheel or its repository."""
    named = re.match(r"[A-Za-z0-9][\w.-]*(?=\s*(?:[\[<>=!~;@\s\\]|$))", line)
    file = re.split(r"[@?;\s]", line.partition("#")[0].rpartition("/")[2])[0]
    name = named[0] if named else re.split(r"-\d", file.removesuffix(".git"))[0]
    name = re.sub(r"[-_.]+", "-", name).lower()
    name = name if named else REPOSITORIES.get(name, name)
    return name if name in DISTRIBUTIONS and not OTHERWISE.search(line) else ""
