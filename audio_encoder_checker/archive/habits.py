"""Lines of the encoder's sources that work on the author's machine and may not elsewhere, found in the syntax tree.

Only the files that the encoder reaches are looked at. What runs as a script only is left aside, and what stands under
a condition, in a `try` or in a function that may never be called is not called sure.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.archive.downloads import find_downloads
from audio_encoder_checker.archive.imports import Imports
from audio_encoder_checker.archive.syntax import (
    NEWLINE,
    Function,
    dotted,
    never_at_import,
    parse_source,
    shown_line,
    top_classes,
)
from audio_encoder_checker.evidence.habits import Habit, HabitFacts, HabitKind
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from audio_encoder_checker.archive.syntax import ParsedSource
    from audio_encoder_checker.evidence.source import SourceFacts

MOST = 100
"""So many of a file are enough to point at."""
OPENERS = {
    *("open", "load", "load_file", "safe_open", "load_model", "load_from_checkpoint", "load_checkpoint"),
    *("from_pretrained", "fromfile", "loadtxt", "genfromtxt", "memmap", "read_csv", "read_json", "InferenceSession"),
    *("restore", "Path", "PosixPath", "PurePath", "load_learner", "load_state", "parse_config", "read_yaml"),
    "load_config",
}
"""Calls that take the path of a file first, by the last part of their name."""
PATH_ARGUMENTS = {"f", "file", "path", "filename", "fname", "pretrained_model_name_or_path", "checkpoint_path"}
PATH_ARGUMENTS |= {"ckpt_path", "model_path", "weights_path", "path_or_bytes", "model_file", "config_path"}
HOMES = re.compile(
    r"(/(home|Users|root|content|kaggle|mnt|media|workspace|scratch|gpfs\w*|lustre|nfs\w*|ssd\w*|hdd\w*|data\d*|disk\d*)"
    r"|[A-Za-z]:[\\/])[\\/]*[^\s\"'<>|*?]+"
)
"""Paths below which everyone has something else."""
LONGEST_PATH = 300
CUDA = re.compile(r"cuda(:\d{1,3})?")
DEVICE_CALLS = {"to", "device", "load", "empty", "zeros", "ones", "full", "tensor", "arange", "rand", "randn"}
DEVICE_ARGUMENTS = {"device", "map_location", "torch_device"}
ASKS_FOR_CUDA = {"is_available", "device_count", "cuda_available", "use_cuda", "is_cuda"}
MADE_UP = {"rand", "randn", "zeros", "ones", "empty", "randint", "normal"}
COMMIT = re.compile(r"[0-9a-f]{7,64}")
RUNS = {"__init__", "forward"}
"""Methods of the encoder that are surely called."""
SAID = {"print", "warn", "warning", "info", "debug", "error", "log", "add_argument"}
"""Calls whose texts are words for people."""


class _Context(NamedTuple):
    """What is known of a place.

    `sure`: it runs whenever the encoder is used. `asked`: whether there is a GPU was asked for before.
    """

    sure: bool = True
    asked: bool = False


Step = tuple[ast.AST, _Context]


def find_habits(sources: SourceFacts) -> HabitFacts:
    """The habits in the files that the encoder reaches, or in all if it is not known."""
    found: list[Habit] = []
    imports = Imports(sources.root)
    for path in sources.reached or [file.path for file in sources.files]:
        file = sources.file(path)
        parsed = parse_source(sources.root / path, path) if file and not file.trouble else None
        if file and parsed and parsed.tree:
            lines = NEWLINE.split(parsed.text)
            for one in islice(_of_file(sources, imports, parsed, path), MOST):
                text = shown_line(lines[one.line - 1]) if one.line <= len(lines) else ""
                found.append(replace(one, file=path, text=text))
    return HabitFacts(tuple(found))


def _of_file(sources: SourceFacts, imports: Imports, parsed: ParsedSource, path: str) -> Iterator[Habit]:
    """Those of one file by line, each kind once a line."""
    tree = parsed.tree
    if tree is None:
        return
    definition = sources.chosen.definition if sources.chosen else None
    encoder = definition.source.name if definition and definition.path == path else ""
    now = path in sources.run_by_import
    found = [*_Reader(sources.root, tree, encoder).read(tree, sure=now), *imports.wrong_case(tree, path)]
    found += [*_downloads(sources, tree), *_made_up(tree, encoder)]
    seen: dict[tuple[HabitKind, int], Habit] = {}
    for one in sorted(found, key=lambda one: (one.line, not one.sure)):
        seen.setdefault((one.kind, one.line), one)
    yield from seen.values()


def _downloads(sources: SourceFacts, tree: ast.Module) -> Iterator[Habit]:
    for one in find_downloads(tree, lambda text: (sources.root / text).exists()).downloads:
        yield Habit(HabitKind.UNPINNED, "", one.call.lineno, printable(one.repository))


def _made_up(tree: ast.Module, encoder: str) -> Iterator[Habit]:
    """Classes whose `forward` returns tensors that no layer has made: the encoder's, random ones in others too."""
    for name, node in top_classes(tree).items():
        forward = next((one for one in node.body if isinstance(one, Function) and one.name == "forward"), None)
        returned = _returned(forward) if forward else None
        if returned and (name == encoder or dotted(returned.func).startswith("torch.rand")):
            what = f"{name}.forward returns {dotted(returned.func)}(...)"
            yield Habit(HabitKind.PLACEHOLDER, "", returned.lineno, printable(what), sure=True)


def _returned(forward: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Call | None:
    """The call that fills the only tensor that a function returns, if it is one of torch's and nothing else is done."""
    returns = [one.value for one in ast.walk(forward) if isinstance(one, ast.Return) and one.value]
    value = returns[0] if len(returns) == 1 else None
    if isinstance(value, ast.Name):
        uses = [one for one in ast.walk(forward) if isinstance(one, ast.Name) and one.id == value.id]
        given = (one.value for one in forward.body if isinstance(one, ast.Assign) and one.targets == [uses[0]])
        value = next(given, None) if len(uses) == 2 else None
    name = dotted(value.func) if isinstance(value, ast.Call) else ""
    made_up = name.startswith("torch.") and name.rpartition(".")[2] in MADE_UP
    return value if isinstance(value, ast.Call) and made_up else None


class _Reader:
    """One file's tree, walked without recursion: foreign code may be nested deeply."""

    def __init__(self, root: Path, tree: ast.Module, encoder: str) -> None:
        self.root = root
        self.encoder = encoder
        self.texts = _constants(tree)
        self.found: list[Habit] = []

    def read(self, tree: ast.Module, *, sure: bool) -> list[Habit]:
        """The habits of the file; path of the file and text of the line are left to the caller.

        Args:
            tree: of the file.
            sure: importing the encoder runs it.
        """
        waiting: list[Step] = [(tree, _Context(sure=sure))]
        while waiting:
            node, context = waiting.pop()
            if isinstance(node, ast.Call):
                self._call(node, context)
            elif isinstance(node, ast.Constant):
                self._text(node)
            elif isinstance(node, Function):
                self._defaults(node)
            waiting.extend(self._inner(node, context))
        return self.found

    def _add(self, kind: HabitKind, node: ast.expr, what: str, *, sure: bool = False, better: str = "") -> None:
        self.found.append(Habit(kind, "", node.lineno, printable(what, limit=120), sure=sure, better=better))

    def _inner(self, node: ast.AST, context: _Context) -> Iterator[Step]:
        """What is below a node, and what is known of it there."""
        unsure = context._replace(sure=False)
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            if isinstance(node, ast.If) and never_at_import(node.test):
                yield from ((one, unsure) for one in node.orelse)
                return
            asks = any(name in ASKS_FOR_CUDA for name in _names(node.test))
            unsure = unsure._replace(asked=context.asked or asks)
            yield node.test, context
            yield from ((one, unsure) for one in ast.iter_child_nodes(node) if one is not node.test)
        elif isinstance(node, ast.Try | ast.BoolOp):
            yield from ((one, unsure) for one in ast.iter_child_nodes(node))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        elif isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _last(node) in SAID):
            return
        elif isinstance(node, ast.ClassDef):
            yield from ((one, self._of_class(node, one, context)) for one in ast.iter_child_nodes(node))
        elif isinstance(node, (*Function.__args__, ast.Lambda)):
            yield from (
                (one, context._replace(sure=context.sure and _runs(node))) for one in ast.iter_child_nodes(node)
            )
        else:
            yield from ((one, context) for one in ast.iter_child_nodes(node))

    def _of_class(self, node: ast.ClassDef, inner: ast.AST, context: _Context) -> _Context:
        if isinstance(inner, Function):
            return context._replace(sure=node.name == self.encoder)
        return context

    def _call(self, call: ast.Call, context: _Context) -> None:
        last = _last(call)
        given = {one.arg: one.value for one in call.keywords if one.arg}
        if last in OPENERS:
            first = [*call.args[:1], *(value for name, value in given.items() if name in PATH_ARGUMENTS)]
            for value in first[:1]:
                self._path(value, context)
        self._device(call, last, given, context)
        self._remote(call, last, given)

    def _path(self, value: ast.expr, context: _Context) -> None:
        """A path that a call opens."""
        text = _literal(value, self.texts)
        if not text or len(text) > LONGEST_PATH or "://" in text:
            return
        if HOMES.fullmatch(text):
            self._add(HabitKind.ABSOLUTE_PATH, value, text, sure=context.sure)
        elif self._is_there(text):
            self._add(HabitKind.WORKING_FOLDER, value, text)

    def _is_there(self, text: str) -> bool:
        parts = PurePosixPath(text.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or "\0" in text or not parts.parts:
            return False
        try:
            return (self.root / parts).exists()
        except OSError:  # a name that no file can have
            return False

    def _text(self, node: ast.Constant) -> None:
        """An absolute path wherever it stands."""
        value = node.value
        if isinstance(value, str) and len(value) <= LONGEST_PATH and HOMES.fullmatch(value) and "/" in value[1:]:
            self._add(HabitKind.ABSOLUTE_PATH, node, value)

    def _defaults(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """`device="cuda"` as what a parameter is if nobody says otherwise."""
        given = function.args
        positional = [*given.posonlyargs, *given.args]
        named = [
            *zip(reversed(positional), reversed(given.defaults), strict=False),
            *zip(given.kwonlyargs, given.kw_defaults, strict=True),
        ]
        for parameter, default in named:
            if default and parameter.arg in DEVICE_ARGUMENTS and _cuda(default):
                self._add(HabitKind.DEVICE, default, _cuda(default))

    def _device(self, call: ast.Call, last: str, given: Mapping[str, ast.expr], context: _Context) -> None:
        if context.asked:
            return
        if last == "cuda" and isinstance(call.func, ast.Attribute) and not dotted(call.func).startswith("torch."):
            self._add(HabitKind.DEVICE, call, ".cuda()")
        named = [value for name, value in given.items() if name in DEVICE_ARGUMENTS]
        first = call.args[:1] if last in {"to", "device", "set_device"} else []
        for value in (*first, *named):
            if _cuda(value):
                self._add(HabitKind.DEVICE, value, _cuda(value))

    def _remote(self, call: ast.Call, last: str, given: Mapping[str, ast.expr]) -> None:
        """Code of somebody else's repository, without a commit that stays."""
        trusted = given.get("trust_remote_code")
        commit = given.get("code_revision") or given.get("revision")
        if isinstance(trusted, ast.Constant) and trusted.value is True and not _commit(commit):
            name = _literal(call.args[0], self.texts) if call.args else ""
            self._add(HabitKind.REMOTE_CODE, call, name or "trust_remote_code=True", better="code_revision")
        if last == "load" and dotted(call.func).endswith("hub.load") and call.args:
            repository = _literal(call.args[0], self.texts)
            source = given.get("source")
            local = isinstance(source, ast.Constant) and source.value == "local"
            if "/" in repository and not local and not COMMIT.fullmatch(repository.partition(":")[2]):
                self._add(HabitKind.REMOTE_CODE, call, repository, better="ref")


def _runs(node: ast.AST) -> bool:
    """Whether a function is one that is surely called; of which class is for the caller to know."""
    return isinstance(node, Function) and node.name in RUNS


def _last(call: ast.Call) -> str:
    """What is called, without what it belongs to."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else dotted(call.func).rpartition(".")[2]


def _names(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute):
            yield one.attr
        elif isinstance(one, ast.Name):
            yield one.id


def _constants(tree: ast.Module) -> dict[str, str]:
    """Names and attributes that are given a text once in the file, and nothing else."""
    values: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name | ast.Attribute):
                    text = node.value.value if isinstance(node.value, ast.Constant) else None
                    values.setdefault(dotted(target), []).append(text if isinstance(text, str) else "")
    return {name: given[0] for name, given in values.items() if name and len(given) == 1 and given[0]}


def _literal(node: ast.expr, texts: Mapping[str, str]) -> str:
    """A path that is written out in the source, its parts joined; empty if only a run would tell it."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.Name | ast.Attribute):
        return texts.get(dotted(node), "")
    if isinstance(node, ast.Call) and dotted(node.func) in {"os.path.join", "Path", "pathlib.Path", "str"}:
        parts = [one.value if isinstance(one, ast.Constant) else "" for one in node.args]
        return "/".join(part for part in parts if isinstance(part, str)) if all(parts) else ""
    return ""


def _cuda(node: ast.expr) -> str:
    value = node.value if isinstance(node, ast.Constant) else ""
    return value if isinstance(value, str) and CUDA.fullmatch(value) else ""


def _commit(node: ast.expr | None) -> bool:
    """Whether it is a commit, or at least nothing that is known to move."""
    return node is not None and not (isinstance(node, ast.Constant) and not COMMIT.fullmatch(str(node.value)))
