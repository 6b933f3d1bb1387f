"""What a project's own files require: pyproject.toml, setup.cfg, setup.py and environment.yml, read as text."""

from __future__ import annotations

import ast
import configparser
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from audio_encoder_checker import toml
from audio_encoder_checker.archive.repository_text import read_inside, shown
from audio_encoder_checker.archive.requirement_parts import TARGET, Place, understand
from audio_encoder_checker.archive.syntax import dotted, parse_source
from audio_encoder_checker.evidence.requirements import Flaw, FlawKind, Required, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

MOST = 2_000
"""Requirements of one project; no honest one has more."""
LONGEST_LINE = 300
ENVIRONMENTS = ("environment.yml", "environment.yaml", "conda.yml", "conda.yaml")
ITEM = re.compile(r"\s*-\s+['\"]?([A-Za-z0-9][^'\"#]*?)['\"]?\s*(?:#.*)?")
CONDA = re.compile(r"(?:[\w.-]+::)?([A-Za-z0-9][\w.-]*)\s*(?:[=<>!~].*)?")
POETRY_PYTHON = re.compile(r"[\^~]?\s*3\.(\d+)(?:\.\d+)?")


class Project:
    """What the files of a project say, as it is read.

    Attributes:
        files: those that were read and require something.
        required: in order.
        flaws: in order.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: list[str] = []
        self.required: list[Required] = []
        self.flaws: list[Flaw] = []

    def add(self, file: str, requirements: object, standing: Standing, text: str = "") -> None:
        """Take requirements as they stand in a file.

        Args:
            file: relative to the root.
            requirements: a list of texts; anything else is left aside.
            standing: whether all of the project or a part needs them.
            text: of the file, to find their lines.
        """
        given = requirements if isinstance(requirements, list) else []
        texts = (one.strip() for one in given if isinstance(one, str))
        full = (one for one in texts if one and not one.startswith("#"))
        for one in islice(full, max(0, MOST - len(self.required) - len(self.flaws))):
            meaning = understand(one, Place(self.root, file, _line_of(one, text), standing))
            self.required += [meaning.required] if meaning.required else []
            self.flaws += [meaning.flaw] if meaning.flaw else []

    def needs_python(self, file: str, versions: object, text: str = "") -> None:
        """Take what a file says of Python, and say so if that leaves the organisers' out."""
        if not isinstance(versions, str) or not versions.strip():
            return
        try:
            specifier = SpecifierSet(versions)
        except InvalidSpecifier:
            return
        if not any(specifier.contains(f"{TARGET}.{patch}", prereleases=True) for patch in range(30)):
            self.flaws.append(Flaw(FlawKind.WRONG_PYTHON, file, _line_of(versions, text), f"Python {shown(versions)}"))


def read_project(root: Path) -> Project:
    """All files at the root in which a project says what it requires.

    Args:
        root: without links in it.
    """
    project = Project(root)
    for file, read in (("pyproject.toml", _pyproject), ("setup.cfg", _setup_cfg), ("setup.py", _setup_py)):
        _read(project, file, read)
    for file in ENVIRONMENTS:
        _read(project, file, _environment)
    return project


def _read(project: Project, file: str, read: Callable[[Project, str, str], None]) -> None:
    found = read_inside(project.root, file)
    if found is None:
        return
    if found.too_large:
        project.flaws.append(Flaw(FlawKind.TOO_LARGE, file, 0, "more than 1 MiB"))
        return
    before = len(project.required)
    read(project, file, found.data.decode("utf-8", "replace").removeprefix("\ufeff"))
    project.files += [file] if len(project.required) > before else []


def _pyproject(project: Project, file: str, text: str) -> None:
    try:
        document = toml.loads(text.replace("\r\n", "\n"))
    except toml.BrokenTomlError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else 0
        project.flaws.append(Flaw(FlawKind.REFUSED, file, line, "the file", shown(str(error))))
        return
    table = _table(document.get("project"))
    project.add(file, table.get("dependencies"), Standing.PROJECT, text)
    project.needs_python(file, table.get("requires-python"), text)
    for group in _table(table.get("optional-dependencies")).values():
        project.add(file, group, Standing.EXTRA, text)
    for group in _table(document.get("dependency-groups")).values():
        project.add(file, group, Standing.EXTRA, text)
    poetry = _table(_table(_table(document.get("tool")).get("poetry")).get("dependencies"))
    names = [name for name in poetry if name.lower() != "python"]
    project.add(file, names, Standing.PROJECT, text)
    project.needs_python(file, _poetry_python(poetry.get("python")), text)


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _poetry_python(versions: object) -> str:
    """Poetry's own way to write versions of Python as everyone's; only what every reader takes alike."""
    found = POETRY_PYTHON.fullmatch(versions.strip()) if isinstance(versions, str) else None
    if not found or not isinstance(versions, str):
        return versions if isinstance(versions, str) else ""
    return f">=3.{found[1]},<4" if versions.strip().startswith("^") else f"==3.{found[1]}.*"


def _setup_cfg(project: Project, file: str, text: str) -> None:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return  # setuptools says so to whoever installs it
    project.add(file, parser.get("options", "install_requires", fallback="").split("\n"), Standing.PROJECT, text)
    project.needs_python(file, parser.get("options", "python_requires", fallback=""), text)
    if parser.has_section("options.extras_require"):
        for _, value in parser.items("options.extras_require"):
            project.add(file, value.split("\n"), Standing.EXTRA, text)


def _setup_py(project: Project, file: str, text: str) -> None:
    """The arguments of `setup(...)` that are written out, there or in a list of the file."""
    tree = parse_source(project.root / file, file).tree
    if tree is None:
        return
    lists = {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if dotted(call.func).rpartition(".")[2] == "setup":
            for argument in call.keywords:
                value = lists.get(argument.value.id) if isinstance(argument.value, ast.Name) else argument.value
                _argument(project, argument.arg or "", value, (file, text))


def _argument(project: Project, name: str, value: ast.expr | None, source: tuple[str, str]) -> None:
    file, text = source
    if name == "install_requires":
        project.add(file, _texts(value), Standing.PROJECT, text)
    elif name == "extras_require" and isinstance(value, ast.Dict):
        for one in value.values:
            project.add(file, _texts(one), Standing.EXTRA, text)
    elif name == "python_requires" and isinstance(value, ast.Constant):
        project.needs_python(file, value.value, text)


def _texts(value: ast.expr | None) -> list[str]:
    """The texts that are written out in a list."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value.split("\n")
    elements = value.elts if isinstance(value, ast.List | ast.Tuple) else []
    return [one.value for one in elements if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def _environment(project: Project, file: str, text: str) -> None:
    """The names in an environment of conda, which pip does not read: those of conda and those under `- pip:`."""
    required: list[tuple[int, str]] = []
    within = ""
    for number, line in enumerate(text.split("\n")[:MOST], 1):
        if re.match(r"[A-Za-z]", line):
            within = line.partition(":")[0]
        found = ITEM.fullmatch(line) if within == "dependencies" and len(line) < LONGEST_LINE else None
        name = CONDA.match(found[1]) if found and found[1] != "pip:" else None
        if name and name[1] not in ("python", "pip"):
            required.append((number, name[1]))
    _named(project, file, required)


def _named(project: Project, file: str, names: Iterable[tuple[int, str]]) -> None:
    for line, name in names:
        written = shown(name)
        project.required.append(Required(file, line, canonicalize_name(name), written, standing=Standing.EXTRA))


def _line_of(requirement: str, text: str) -> int:
    """The line where a text stands, 0 if it stands nowhere as it is."""
    at = text.find(requirement) if requirement.strip() else -1
    return text.count("\n", 0, at) + 1 if at >= 0 else 0
