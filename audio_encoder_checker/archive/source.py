"""The sources of a repository: which files there are, which is the encoder's, and what its import runs."""

from __future__ import annotations

import ast
import os
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.import_work import find_import_work
from audio_encoder_checker.archive.layout import is_macos_metadata, single_top_folder
from audio_encoder_checker.archive.modules import top_modules
from audio_encoder_checker.archive.syntax import parse_source, top_level
from audio_encoder_checker.archive.walking import files_below, is_environment
from audio_encoder_checker.evidence.source import (
    BoundName,
    ChosenEncoder,
    Definition,
    Import,
    SourceFacts,
    SourceFile,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_SOURCES = 5_000
MAX_SOURCES_BYTES = 32 << 20
"""Of all files together. To parse a mebibyte takes a second."""
MAX_IN_DEPTH_BYTES = 2 << 20
"""Of the files that are looked through line by line, which takes ten times as long."""
NOT_SOURCES = {"venv", "env", "node_modules", "__pycache__", "site-packages", "__MACOSX"}
"""Folders whose Python files are not the submission's; hidden folders are left aside too."""
TEST_FOLDERS = {"test", "tests", "testing"}


def read_sources(root: Path, encoder: str | None = None) -> SourceFacts:
    """Read the Python sources of a repository as text.

    Args:
        root: the folder; if all it holds is one other folder, that one is the root.
        encoder: `FILE` or `FILE:CLASS` relative to the root. Then only this file and the local modules that it
            imports are read. Without it every Python file is, and the encoder is looked for.
    """
    root = root.resolve()
    asked, class_name = _split(encoder or "")
    root = repository_root(root, asked)
    repository = _Repository(root)
    if encoder:
        path = _relative(root, asked)
        candidates = [path] if path and repository.holds(path) else []
        unread = 0
    else:
        paths = list(_python_files(root))
        chosen = _fitting(root, paths[:MAX_SOURCES], MAX_SOURCES_BYTES)
        unread = len(paths) - len(chosen)
        candidates = _best([repository.read(path) for path in chosen])
    single = candidates[0] if len(candidates) == 1 else ""
    reached = repository.reach(single) if single else []
    files = sorted(repository.files)
    return SourceFacts(
        root=root,
        files=tuple(repository.files[path] for path in files),
        chosen=_chosen(repository, single, class_name) if single else None,
        candidates=tuple(candidates),
        asked=encoder or "",
        reached=tuple(reached),
        run_by_import=tuple(repository.reach(single, deferred=False)) if single else (),
        top_modules=top_modules(root),
        in_depth=_fitting(root, reached or files, MAX_IN_DEPTH_BYTES),
        unread_files=unread,
    )


def _fitting(root: Path, paths: Iterable[str], most: int) -> tuple[str, ...]:
    """The files that are not too large together; those that come first go before."""
    fitting = []
    for path in paths:
        try:
            size = (root / path).stat().st_size
        except OSError:
            size = 0  # whoever reads it says that it cannot be read
        if size <= most:
            fitting.append(path)
            most -= size
    return tuple(fitting)


def repository_root(root: Path, encoder: str = "") -> Path:
    """The folder that X-ARES would be run in: `root`, or the only folder in it.

    Args:
        root: the folder given.
        encoder: a file that, if it lies in `root`, keeps that as the root.
    """
    if encoder and _inside(root, root / encoder):
        return root
    names = [entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name for entry in os.scandir(root)]
    visible = [name for name in names if not is_macos_metadata(name)]
    if len(visible) != 1 or not visible[0].endswith("/"):
        return root
    inside = [visible[0] + entry.name for entry in os.scandir(root / visible[0])]
    top = single_top_folder([*visible, *inside])
    return root / top if top else root


def _split(encoder: str) -> tuple[str, str]:
    """`FILE:CLASS` as its two parts."""
    file, colon, class_name = encoder.rpartition(":")
    return (file, class_name) if colon and class_name.isidentifier() else (encoder, "")


def _relative(root: Path, asked: str) -> str:
    """A file as the user named it, relative to the root; nothing if it lies outside."""
    if "\0" in asked:
        return ""
    path = Path(os.path.normpath(root / asked))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else ""


def _python_files(root: Path) -> Iterator[str]:
    """Every Python file below the root, those at the top first."""
    for path, entry in files_below(root, _left_aside):
        if entry.name.endswith(".py") and not entry.name.startswith("._") and _inside(root, Path(entry.path)):
            yield path


def _left_aside(folder: os.DirEntry[str]) -> bool:
    return folder.name in NOT_SOURCES or folder.name.startswith(".") or is_environment(folder)


def _inside(root: Path, path: Path) -> bool:
    """Whether a path is a regular file that lies below the root even once its links are followed."""
    try:
        real = path.resolve()
        return real.is_relative_to(root) and real.is_file()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a name that is none
        return False


class _Repository:
    """The files of a repository, each read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: dict[str, SourceFile] = {}

    def holds(self, path: str) -> bool:
        """Whether a file of this name can be read."""
        return path in self.files or _inside(self.root, self.root / path)

    def read(self, path: str) -> SourceFile:
        """A file with its imports resolved."""
        if path not in self.files:
            parsed = parse_source(self.root / path, path)
            imports = tuple(self._imports(path, parsed.tree)) if parsed.tree else ()
            local = {one.line for one in imports if one.local}
            names = [name.name for name in parsed.file.names if name.how == "import" and name.line in local]
            self.files[path] = replace(parsed.file, imports=imports, work=find_import_work(parsed, names))
        return self.files[path]

    def reach(self, path: str, *, deferred: bool = True) -> list[str]:
        """A file, the packages it lies in, and every local file that importing it runs, in order.

        Args:
            path: of the file.
            deferred: whether to count what is imported later too.
        """
        package = ".".join(PurePosixPath(path).parts[:-1])
        reached = [*self._local(package), path]
        for one in reached:
            imports = [imported for imported in self.read(one).imports if deferred or not imported.deferred]
            wanted = [target for imported in imports for target in imported.local]
            reached.extend(target for target in dict.fromkeys(wanted) if target not in reached)
        return list(dict.fromkeys(reached))

    def _imports(self, path: str, tree: ast.Module) -> Iterator[Import]:
        now = set(top_level(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, node.lineno, self._local(alias.name), deferred=node not in now)
            elif isinstance(node, ast.ImportFrom):
                yield replace(self._from_import(path, node), deferred=node not in now)

    def _from_import(self, path: str, node: ast.ImportFrom) -> Import:
        module = absolute_module(path, node.level, node.module or "")
        if module is None:
            return Import("", node.lineno)
        wanted = [module, *(f"{module}.{alias.name}".lstrip(".") for alias in node.names)]
        local = dict.fromkeys(found for name in wanted for found in self._local(name))
        return Import(module, node.lineno, tuple(local), any(alias.name == "*" for alias in node.names))

    def _local(self, module: str) -> tuple[str, ...]:
        """The files of the repository that importing a dotted name runs: packages first, then the module."""
        found = []
        parts = module.split(".") if module else []
        for depth in range(1, len(parts) + 1):
            stem = "/".join(parts[:depth])
            choices = (f"{stem}/__init__.py", f"{stem}.py")
            found += [path for path in choices if self.holds(path)][:1]
        return tuple(found)


def absolute_module(path: str, level: int, module: str) -> str | None:
    """The dotted name that an import in a file means; None if its dots lead out of the repository."""
    if not level:
        return module
    package = PurePosixPath(path).parts[:-1]
    if level > len(package):
        return None
    kept = package[: len(package) - (level - 1)]
    return ".".join([*kept, *([module] if module else [])])


def _best(files: list[SourceFile]) -> list[str]:
    """The files that most likely hold the encoder: one, or several that are equally likely."""
    ranked = [(rank, file.path) for file in files if (rank := _rank(file)) is not None]
    best = min((rank for rank, _ in ranked), default=None)
    return [path for rank, path in ranked if rank == best]


def _rank(file: SourceFile) -> tuple[int, int, int, int] | None:
    """How likely a file holds the encoder, smaller is likelier; None if it does not.

    A class with `forward` comes before one without, and that before a mere assignment; then files outside
    tests, those that set the attributes of the contract, and those at the root.
    """
    encoders = [one for one in file.classes if one.name.endswith("Encoder")]
    guessed = file.trouble is not None and any(name.is_encoder for name in file.names)
    if any(one.has_forward for one in encoders):
        tier = 0
    elif encoders or guessed:
        tier = 1
    elif any(name.is_encoder and name.how == "assignment" for name in file.names):
        tier = 2
    else:
        return None
    parts = file.path.split("/")
    is_test = bool(TEST_FOLDERS.intersection(parts[:-1])) or parts[-1].startswith("test_") or parts[-1] == "conftest.py"
    attributes = max((len(one.attributes) for one in encoders), default=0)
    return tier, int(is_test), -attributes, int(len(parts) > 1)


def _chosen(repository: _Repository, path: str, class_name: str) -> ChosenEncoder:
    file = repository.read(path)
    bound = _visible(repository, path)
    names = tuple(name for name in bound if name.is_encoder)
    wanted = next((name for name in bound if name.name == class_name), None)
    foreign_star = any(one.star and not one.local for one in file.imports)
    single = wanted if class_name else names[0] if len(names) == 1 else None
    return ChosenEncoder(
        path=path,
        module=file.module,
        class_name=class_name,
        names=names,
        class_missing=bool(class_name) and not wanted and not foreign_star and file.trouble is None,
        definition=_definition(repository, path, single) if single else None,
    )


def _visible(repository: _Repository, path: str) -> list[BoundName]:
    """What `dir()` shows of a file's module: its own names and those of local star imports."""
    file = repository.read(path)
    found = {name.name: name for name in file.names if name.name != "*"}
    seen = {path}
    for one in file.imports:
        for name in (name for starred in _starred(repository, one, seen) for name in starred.names):
            if name.name != "*" and not name.name.startswith("_"):
                found.setdefault(name.name, replace(name, line=one.line, how="import", origin=f"{one.module}:*"))
    return list(found.values())


def _starred(repository: _Repository, one: Import, seen: set[str]) -> Iterator[SourceFile]:
    """The local file whose names an import takes if it is a star import, and those whose names that one takes so."""
    waiting = [one]
    while waiting:
        taken = waiting.pop()
        if taken.star and taken.local and taken.local[-1] not in seen:
            seen.add(taken.local[-1])
            file = repository.read(taken.local[-1])
            yield file
            waiting.extend(reversed(file.imports))


def _definition(repository: _Repository, path: str, name: BoundName) -> Definition | None:
    """Where a name's class is written, if that is in the repository and at most one import away."""
    place = defining_file(repository.files.values(), path, name)
    classes = repository.read(place[0]).classes if place else ()
    return next((Definition(place[0], one) for one in classes if place and one.name == place[1]), None)


def defining_file(files: Iterable[SourceFile], path: str, name: BoundName) -> tuple[str, str] | None:
    """The file that a name comes from, and what it is called there; None if an import brings it from elsewhere.

    Args:
        files: those of the repository that were read.
        path: of the file that binds the name.
        name: as bound there.
    """
    if name.how != "import":
        return path, name.name
    module, _, original = name.origin.partition(":")
    dots = len(module) - len(module.lstrip("."))
    absolute = absolute_module(path, dots, module.lstrip("."))
    wanted = name.name if original == "*" else original
    places = (file.path for file in files if absolute and _same_module(file.path, absolute))
    return next(((place, wanted) for place in places), None)


def _same_module(path: str, module: str) -> bool:
    stem = module.replace(".", "/")
    return path in (f"{stem}.py", f"{stem}/__init__.py")
