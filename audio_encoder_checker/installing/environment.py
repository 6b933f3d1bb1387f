"""A fresh environment for one submission: what it requires, what the checker lends, and nothing else.

`KEY/bin/python` is a link to the interpreter that the checker itself runs on; `KEY/pyvenv.cfg` beside it makes Python
look for packages in `KEY/lib/pythonX.Y/site-packages`, where the submission's requirements are installed, and then, as
a `.pth` file there says, in `KEY/base`, which holds links to torch, numpy and what they need. The checker's own
`site-packages` is not on the path. Nothing of a package runs on this machine while it is installed, unless the user
lets packages be built.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import sys
import sysconfig
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evidence.installing import InstallFacts, Origin, Package, TargetDifferences, Unresolved
from audio_encoder_checker.installing.base import COMPANIONS, Lent, lent_distributions, link, write_wheels
from audio_encoder_checker.installing.differences import differences
from audio_encoder_checker.installing.requirements import Line, choose
from audio_encoder_checker.installing.resolve import Resolved, Resolver, located
from audio_encoder_checker.installing.scan import neutralise
from audio_encoder_checker.installing.store import FACTS, ensure_room, environments_folder, kept, prune
from audio_encoder_checker.installing.tools import choose_tool
from audio_encoder_checker.printable import printable
from audio_encoder_checker.progress import Progress
from audio_encoder_checker.sandbox.sweep import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audio_encoder_checker.installing.tools import Tool

LAYOUT = 1
"""Of the folder; another number makes all environments anew."""
SITE = Path("lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
PATH_FILE = "zz-lent.pth"
PYTHON = Path("bin", "python")
QUIET = Progress()


@dataclass(frozen=True)
class Wishes:
    """What is to be installed, and how.

    Attributes:
        lines: of the submission's requirements.
        constraint: the user's own list of constraints.
        allow_source: whether packages without a wheel may be built here, with the rights of the user.
        machine: name of the organisers' machine.
        target: its packages, `NAME==VERSION`.
        progress: hears what is being done.
        tool: `uv` or `pip`, empty for whichever is there.
    """

    lines: tuple[Line, ...] = ()
    constraint: Path | None = None
    allow_source: bool = False
    machine: str = ""
    target: tuple[str, ...] = ()
    progress: Progress = QUIET
    tool: str = ""


@dataclass(frozen=True)
class Environment:
    """Where the encoder runs.

    Attributes:
        python: the interpreter to start.
        binds: folders that a box has to show read-only, under the same paths; /usr is left out.
        facts: what is in it.
        differences: from the organisers' machine.
    """

    python: Path
    binds: tuple[Path, ...]
    facts: InstallFacts
    differences: TargetDifferences


@contextlib.contextmanager
def installed(wishes: Wishes) -> Iterator[Environment]:
    """Make or find the environment; it stays as long as it is used, and is kept for the next run.

    If the requirements cannot be met, it holds only what is lent, and the facts say why.

    Raises:
        MachineError: this machine is at fault: no network, no room, an installer that does not run.
        UsageError: the list of constraints is not there.
    """
    begin = time.monotonic()
    if sys.platform == "win32":
        raise MachineError("environments are made on Linux and macOS only", "run without `--install`")
    if wishes.constraint is not None and not wishes.constraint.is_file():
        raise UsageError(f"no file {printable(str(wishes.constraint))}", "`--constraint` names a list of versions")
    with contextlib.ExitStack() as use:
        try:
            with workspace() as work:
                maker = _Maker(wishes, work, choose_tool(work, wishes.tool))
                folder, facts = maker.made(use)
        except OSError as error:
            raise MachineError(f"the environment cannot be made: {error}", "free disk space, then repeat") from None
        facts = replace(facts, seconds=time.monotonic() - begin)
        yield Environment(
            python=folder / PYTHON,
            binds=_binds(folder, maker.lent),
            facts=facts,
            differences=differences(wishes.machine, wishes.target, facts.packages),
        )


class _Maker:
    """One making of an environment, in a temporary folder `work`."""

    def __init__(self, wishes: Wishes, work: Path, tool: Tool) -> None:
        self.wishes = wishes
        self.work = work
        self.tool = tool
        self.lent = lent_distributions()
        self.wanted, self.refused = choose(wishes.lines)

    def made(self, use: contextlib.ExitStack) -> tuple[Path, InstallFacts]:
        """Resolve and install; the environment is held until `use` is closed."""
        self.wishes.progress.detail("resolving requirements")
        constraint = self.wishes.constraint.resolve() if self.wishes.constraint else None
        links = self.work / "lent"
        links.mkdir()
        (self.work / "uv.toml").touch()  # uv looks for settings here and above, and anybody may write in /tmp
        write_wheels(links, self.lent)
        resolver = Resolver(self.tool, self.work, links, constraint, self.wishes.allow_source)
        found = resolver.resolve(self.wanted, self.wishes.target, self.lent) if self.wanted else None
        try:
            return self._kept(found, use)
        except _BuildError as error:
            return self._kept(located(error.reason, self.wanted), use)

    def _kept(self, found: Resolved | Unresolved | None, use: contextlib.ExitStack) -> tuple[Path, InstallFacts]:
        plan = found if isinstance(found, Resolved) else Resolved({}, _needed(self.lent))
        root = environments_folder()
        key = _key(plan)
        folder, cached = use.enter_context(kept(root, key, partial(self._fill, root, plan)))
        if not cached:
            prune(root)
        stored = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        facts = InstallFacts(
            tool=self.tool.name,
            python=platform.python_version(),
            packages=_packages(plan),
            refused=self.refused,
            failed=found if isinstance(found, Unresolved) else None,
            constraints=plan.held,
            removed=tuple(stored["removed"]),
            cached=cached,
            key=key,
            packages_folder=str(folder / SITE),
        )
        return folder, facts

    def _fill(self, root: Path, plan: Resolved, folder: Path) -> None:
        """Make the environment in a folder that is not there yet."""
        site = folder / SITE
        site.mkdir(parents=True)
        if plan.wheels:
            ensure_room(root, torch="torch" in plan.wheels)
            self.wishes.progress.detail(f"installing {len(plan.wheels)} packages")
            trouble = self.tool.install(plan.wheels, plan.sources, site, self.work)
            if trouble:
                raise _BuildError(trouble)
        removed = neutralise(site, plan.lent)
        _make_interpreter(folder)
        link(folder / "base", plan.lent)
        (site / PATH_FILE).write_text("../../../base\n", encoding="utf-8")
        _open_to_read(folder)
        (folder / FACTS).write_text(json.dumps({"removed": removed}), encoding="utf-8")


class _BuildError(Exception):
    """A package that had to be built could not be."""

    def __init__(self, reason: Unresolved) -> None:
        super().__init__(reason.reason)
        self.reason = reason


def _make_interpreter(folder: Path) -> None:
    base = Path(sys.executable).resolve()
    (folder / PYTHON).parent.mkdir()
    (folder / PYTHON).symlink_to(base)
    settings = f"home = {base.parent}\ninclude-system-site-packages = false\nversion = {platform.python_version()}\n"
    (folder / "pyvenv.cfg").write_text(settings, encoding="utf-8")


def _open_to_read(folder: Path) -> None:
    """A box may run its child under a user of its own, who has to read all this, whatever our umask is."""
    for place, _, files in os.walk(folder):
        Path(place).chmod(0o755)
        for name in files:
            path = Path(place, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _needed(lent: Sequence[Lent]) -> tuple[Lent, ...]:
    """Without the companions of torch, which are lent only if they are required."""
    return tuple(one for one in lent if one.name not in COMPANIONS)


def _key(plan: Resolved) -> str:
    """A name for everything that the environment's contents depend on."""
    index = {n: v for n, v in os.environ.items() if n.startswith(("PIP_", "UV_")) and ("INDEX" in n or "FIND" in n)}
    facts: tuple[Any, ...] = (
        LAYOUT,
        sorted(plan.wheels.items()),
        sorted(plan.sources),
        [(one.name, one.version, str(one.folder)) for one in plan.lent],
        (platform.python_version(), sysconfig.get_platform(), str(Path(sys.executable).resolve())),
        sorted(index.items()),
    )
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:40]


def _packages(plan: Resolved) -> tuple[Package, ...]:
    here = {one.name: Package(one.name, printable(one.version, limit=60), Origin.LENT) for one in plan.lent}
    for name, version in plan.wheels.items():
        origin = Origin.SOURCE if name in plan.sources else Origin.WHEEL
        here[name] = Package(printable(name, limit=100), printable(version, limit=60), origin)
    return tuple(here[name] for name in sorted(here))


def _binds(folder: Path, lent: Sequence[Lent]) -> tuple[Path, ...]:
    """The environment, the interpreter that it links to, and where the lent packages lie."""
    prefix = Path(sys.base_prefix).resolve()
    paths = dict.fromkeys(
        (folder, prefix, Path(sys.executable).resolve().parent.parent, *sorted({one.folder for one in lent}))
    )
    return tuple(path for path in paths if not path.is_relative_to("/usr"))
