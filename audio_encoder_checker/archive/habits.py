"""Lines of the encoder's sources that work on the author's machine and may not elsewhere, found in the syntax tree.

Only the files that the encoder reaches are looked at. What runs as a script only is left aside, and what stands under
a condition, in a `try` or in a function that may never be called is not called sure.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.downloads import NAMES, REPOSITORY, find_downloads
from audio_encoder_checker.archive.habit_paths import Files, constants, has_data_suffix, is_elsewhere, literal
from audio_encoder_checker.archive.habit_steps import PATHS, Steps, called_name
from audio_encoder_checker.archive.imports import Imports
from audio_encoder_checker.archive.placeholders import find_placeholders
from audio_encoder_checker.archive.syntax import (
    NEWLINE,
    Function,
    defaults,
    dotted,
    parse_source,
    shown_line,
    top_classes,
)
from audio_encoder_checker.evidence.habits import Habit, HabitFacts, HabitKind
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from audio_encoder_checker.archive.habit_steps import Context
    from audio_encoder_checker.evidence.source import SourceFacts

MOST = 100
"""So many of a file are enough to point at."""
OPENERS = {
    *("open", "load", "load_file", "safe_open", "load_model", "load_from_checkpoint", "load_checkpoint", "load_ckpt"),
    *("from_pretrained", "fromfile", "loadtxt", "genfromtxt", "memmap", "read_csv", "read_json", "InferenceSession"),
    *("restore", "load_learner", "load_state", "parse_config", "read_yaml", "load_config", "read_text", "read_bytes"),
    *("Path", "PosixPath", "PurePath"),
}
"""Calls that take the path of a file first, by the last part of their name."""
PATH_ARGUMENTS = {"f", "file", "path", "filename", "fname", "pretrained_model_name_or_path", "checkpoint_path"}
PATH_ARGUMENTS |= {"ckpt_path", "model_path", "weights_path", "path_or_bytes", "model_file", "config_path", "ckpt"}
READS = ("read_text", "read_bytes")
OWN, FOREIGN = "own", "foreign"
DOWNLOADS = re.compile(r"download|retrieve|fetch|wget|urlopen|from_url|cached_path|get_file", re.IGNORECASE)
PROGRAMS = {"os.system", "os.popen", "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.Popen"}
PROGRAMS |= {"subprocess.check_output"}
WRITES = {"save", "savez", "save_file", "dump", "save_pretrained", "tofile", "write_bytes", "write_text", "copyfile"}
WRITES |= {"copy2", "copytree", "move", "rename", "extractall", "unpack_archive", "symlink", "symlink_to", "to_csv"}
WRITING = {"shutil.copy", "torch.onnx.export", "os.replace", "os.link"}
CUDA = re.compile(r"cuda(:\d{1,3})?")
DEVICE_ARGUMENTS = {"device", "map_location", "torch_device"}
DEVICE_NAMES = {*DEVICE_ARGUMENTS, "dev"}
FIXED = re.compile(r"[0-9a-f]{7,64}|v\d[\w.-]*|\d+(\.\d+)+[\w.-]*")
"""Commits, and what is named like the tag of a release: these are not moved in practice, branches are."""
REMOTE = {"repo_or_dir", "pretrained_model_name_or_path", "model", "repo_id", "path", "model_id", "model_name"}
"""Arguments that name a repository with code."""


@dataclass
class _Found:
    """What one file has.

    Attributes:
        habits: in whatever order.
        downloads: it fetches something.
        writes: it writes a file.
    """

    habits: list[Habit] = field(default_factory=list)
    downloads: bool = False
    writes: bool = False


def find_habits(sources: SourceFacts) -> HabitFacts:
    """The habits in the files that the encoder reaches, or in all if it is not known."""
    imports, files = Imports(sources.root), Files(sources.root)
    troubled = {file.path for file in sources.files if file.trouble}
    found: dict[str, _Found] = {}
    for path in sources.in_depth:
        if path not in troubled:
            found[path] = _read(sources, imports, files, path)
    fetched = any(one.downloads for one in found.values())
    return HabitFacts(tuple(habit for one in found.values() for habit in _settled(one, fetched=fetched)))


def _read(sources: SourceFacts, imports: Imports, files: Files, path: str) -> _Found:
    parsed = parse_source(sources.root / path, path)
    if parsed.tree is None:
        return _Found()
    reader = _Reader(sources, imports, files, path)
    found = reader.read(parsed.tree)
    lines = NEWLINE.split(parsed.text)
    chosen = _chosen(found.habits)
    shown = {line: shown_line(lines[line - 1]) for line in {one.line for one in chosen} if line <= len(lines)}
    found.habits = [replace(one, file=path, text=shown.get(one.line, "")) for one in chosen]
    return found


def _chosen(habits: Iterable[Habit]) -> list[Habit]:
    """Those of one file by line, each once a line; of too many the surest."""
    seen: dict[tuple[HabitKind, int, str], Habit] = {}
    for one in sorted(habits, key=lambda one: (one.line, not one.sure, one.what)):
        seen.setdefault((one.kind, one.line, "" if one.kind is HabitKind.DEVICE else one.what), one)
    opened = {one.what for one in seen.values() if one.kind is HabitKind.ABSOLUTE_PATH and one.sure}
    code = {(one.line, one.what) for one in seen.values() if one.kind is HabitKind.REMOTE_CODE}
    kept = [
        one
        for one in seen.values()
        if (one.kind is not HabitKind.ABSOLUTE_PATH or one.sure or one.what not in opened)
        and (one.kind is not HabitKind.UNPINNED or (one.line, one.what) not in code)
    ]
    return sorted(sorted(kept, key=lambda one: not one.sure)[:MOST], key=lambda one: one.line)


def _settled(found: _Found, *, fetched: bool) -> Iterator[Habit]:
    """What is left once it is known whether the sources make files themselves."""
    made = fetched or found.writes
    for one in found.habits:
        if one.kind is HabitKind.MISSING_FILE and made:
            continue
        yield replace(one, sure=False) if one.kind is HabitKind.ABSOLUTE_PATH and made else one


class _Reader:
    """One file of a repository."""

    def __init__(self, sources: SourceFacts, imports: Imports, files: Files, path: str) -> None:
        definition = sources.chosen.definition if sources.chosen else None
        self.path = path
        self.now = path in sources.run_by_import
        self.encoder = definition.source.name if definition and definition.path == path else ""
        self.main = bool(self.encoder) or not definition
        file = sources.file(path)
        self.local = {one.module for one in file.imports if one.local} if file else set()
        self.imports = imports
        self.files = files
        self.found = _Found()
        self.texts: Mapping[str, str] = {}
        self.foreign: set[str] = set()
        self.own: set[str] = set()
        self.moves = False

    def read(self, tree: ast.Module) -> _Found:
        """The habits of the file; path of the file and text of the line are left to the caller."""
        self.texts = constants(tree, self.encoder)
        self._names(tree)
        calls: set[int] = set()
        for node, context in Steps(tree, self.encoder).walk(sure=self.now):
            if isinstance(node, ast.Call):
                calls.add(id(node))
                self._call(node, context)
            elif isinstance(node, ast.Constant):
                self._text(node, context)
            elif isinstance(node, Function):
                self._defaults(node, context)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                self._assigned(node, context)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                sure = context.sure and not self.moves
                self.found.habits += self.imports.wrong_case(node, self.path, sure=sure)
        for one in find_downloads(tree, self._is_local).downloads:
            if id(one.call) in calls:
                self._add(HabitKind.UNPINNED, one.call, one.repository)
        if self.encoder or (self.main and any(name.endswith("Encoder") for name in top_classes(tree))):
            self.found.habits += find_placeholders(tree, self.encoder)
        return self.found

    def _names(self, tree: ast.Module) -> None:
        """Which names stand for foreign modules and what is in them, and which for what this file defines."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for one in node.names:
                    bound = self.own if one.name in self.local else self.foreign
                    bound.add(one.asname or one.name.partition(".")[0])
            elif isinstance(node, ast.ImportFrom):
                own = node.level > 0 or node.module in self.local
                (self.own if own else self.foreign).update(one.asname or one.name for one in node.names)
            elif isinstance(node, Function | ast.ClassDef):
                self.own.add(node.name)
            elif isinstance(node, ast.Attribute) and node.attr in ("path", "chdir"):
                self.moves = self.moves or dotted(node) in ("sys.path", "os.chdir", "contextlib.chdir")

    def _is_local(self, text: str) -> bool:
        return self.files.place(text, self.path) is not None

    def _add(self, kind: HabitKind, node: ast.expr, what: str, *, sure: bool = False, better: str = "") -> None:
        habit = Habit(kind, "", node.lineno, printable(what, limit=120), sure=sure, better=printable(better, limit=160))
        self.found.habits.append(habit)

    def _call(self, call: ast.Call, context: Context) -> None:
        last, full = called_name(call), dotted(call.func)
        given = {one.arg: one.value for one in call.keywords if one.arg}
        self.found.downloads |= bool(DOWNLOADS.search(last)) or full in PROGRAMS or full.startswith("gdown.")
        self.found.writes |= last in WRITES or full in WRITING or (last in OPENERS and _writes(call, given))
        if last in OPENERS and not (context.part and last in PATHS) and not _writes(call, given):
            self._opened(call, last, given, context)
        self._device(call, last, given, context)
        self._remote(call, last, given)

    def _opened(self, call: ast.Call, last: str, given: Mapping[str, ast.expr], context: Context) -> None:
        """A path that a call opens: a relative one is looked for, seen from the root."""
        origin = self._origin(call, last)
        if origin == OWN:
            return  # it may well start from the source
        foreign = origin == FOREIGN
        value = _path_of(call, last, given, foreign=foreign)
        text = literal(value, self.texts) if value else ""
        if value is None or not text or "://" in text:
            return
        if is_elsewhere(text, opened=True):
            self._add(HabitKind.ABSOLUTE_PATH, value, text, sure=context.sure and last not in PATHS)
        elif not self.moves:
            self._relative(value, text, last, surely=foreign and context.sure)

    def _relative(self, value: ast.expr, text: str, last: str, *, surely: bool) -> None:
        """A path from the working folder that is opened: what it names is in the repository, or is missing."""
        place = self.files.place(text, self.path)
        if place and (last == "from_pretrained" or not place.is_dir()):
            self._add(HabitKind.WORKING_FOLDER, value, text, better=_from_source(self.files.root / self.path, place))
        opens = surely and last not in {*PATHS, "from_pretrained"}
        if opens and place is None and has_data_suffix(text) and not text.startswith(("/", "~", "../")):
            self._add(HabitKind.MISSING_FILE, value, text, sure=True, better=self.files.other_letters(text))

    def _origin(self, call: ast.Call, last: str) -> str:
        """Whose function is called: one of this repository, of a package or Python itself; empty if it is unknown."""
        root = dotted(call.func).partition(".")[0]
        if last in READS and isinstance(call.func, ast.Attribute) and literal(call.func.value, self.texts):
            return FOREIGN
        if root in self.own or dotted(call.func) in (f"self.{last}", f"cls.{last}"):
            return OWN
        if root in self.foreign or root == "open":
            return FOREIGN
        return OWN if isinstance(call.func, ast.Name) else ""

    def _text(self, node: ast.Constant, context: Context) -> None:
        """An absolute path wherever it stands."""
        if isinstance(node.value, str) and not context.part and is_elsewhere(node.value, opened=False):
            self._add(HabitKind.ABSOLUTE_PATH, node, node.value)

    def _defaults(self, function: ast.FunctionDef | ast.AsyncFunctionDef, context: Context) -> None:
        """`device="cuda"` as what a parameter is if nobody says otherwise; in other files somebody may."""
        for parameter, default in defaults(function.args) if self.main and not context.asked else []:
            if parameter.arg in DEVICE_ARGUMENTS and _cuda(default):
                self._add(HabitKind.DEVICE, default, _cuda(default))

    def _assigned(self, node: ast.Assign | ast.AnnAssign, context: Context) -> None:
        """`device = "cuda"`, if that is all that the name is ever given."""
        device = _cuda(node.value) if node.value and not context.asked else ""
        if not device or not node.value or (isinstance(node, ast.AnnAssign) and not self.main):
            return
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            name = dotted(target)
            if name.rpartition(".")[2].lower() in DEVICE_NAMES and self.texts.get(name) == device:
                self._add(HabitKind.DEVICE, node.value, device)

    def _device(self, call: ast.Call, last: str, given: Mapping[str, ast.expr], context: Context) -> None:
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
        """Code and weights of somebody else's repository, without a commit that stays."""
        values = [*call.args[:1], *(value for name, value in given.items() if name in REMOTE)]
        name = self._repository(values)
        trusted = given.get("trust_remote_code")
        revision = given.get("code_revision") or given.get("revision")
        if isinstance(trusted, ast.Constant) and trusted.value is True:
            if "/" in name and not _stays(revision):
                self._add(HabitKind.REMOTE_CODE, call, name, better="revision")
        elif last in NAMES and name and isinstance(revision, ast.Constant) and not _stays(revision):
            self._add(HabitKind.UNPINNED, call, name)
        if last == "load" and dotted(call.func).endswith("hub.load"):
            self._torch_hub(call, literal(values[0], self.texts) if values else "", given)

    def _repository(self, values: Iterable[ast.expr]) -> str:
        """The repository on a Hub that some arguments name, one with an owner first; empty if none does."""
        texts = [text for text in (literal(value, self.texts) for value in values) if REPOSITORY.fullmatch(text)]
        names = [text for text in texts if not self._is_local(text)]
        return next((text for text in names if "/" in text), names[0] if names else "")

    def _torch_hub(self, call: ast.Call, repository: str, given: Mapping[str, ast.expr]) -> None:
        local = "source" in given and literal(given["source"], self.texts) == "local"
        if "/" in repository and not local and not FIXED.fullmatch(repository.partition(":")[2]):
            self._add(HabitKind.REMOTE_CODE, call, repository, better="ref")


def _path_of(call: ast.Call, last: str, given: Mapping[str, ast.expr], *, foreign: bool) -> ast.expr | None:
    """What a call opens, if it is an argument, or the path whose method is called."""
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    if last in READS or (last == "open" and receiver and not foreign):
        return receiver
    if last == "load" and dotted(call.func).endswith("hub.load") and "source" not in given:
        return None
    first = [*call.args[:1], *(value for name, value in given.items() if name in PATH_ARGUMENTS)]
    return first[0] if first and "repo_id" not in given else None


def _writes(call: ast.Call, given: Mapping[str, ast.expr]) -> bool:
    """Whether an opening call writes, or may."""
    last = called_name(call)
    if last not in ("open", "memmap"):
        return False
    on_path = last == "open" and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call)
    at = 0 if on_path else 2 if last == "memmap" else 1
    mode = given.get("mode", call.args[at] if len(call.args) > at else ast.Constant("r"))
    return not isinstance(mode, ast.Constant) or (isinstance(mode.value, str) and bool(set(mode.value) & set("wax+")))


def _from_source(source: Path, place: Path) -> str:
    """A path as it should be written, seen from the file that opens it."""
    folder = source.parent
    up = 0
    while not place.is_relative_to(folder):
        folder, up = folder.parent, up + 1
    start = f"Path(__file__).parents[{up}]" if up else "Path(__file__).parent"
    return f'{start} / "{place.relative_to(folder).as_posix()}"'


def _cuda(node: ast.expr) -> str:
    value = node.value if isinstance(node, ast.Constant) else ""
    return value if isinstance(value, str) and CUDA.fullmatch(value) else ""


def _stays(node: ast.expr | None) -> bool:
    """Whether it is a commit or a release, or at least nothing that is known to move."""
    if not isinstance(node, ast.Constant):
        return node is not None
    return isinstance(node.value, str) and FIXED.fullmatch(node.value) is not None
