"""What of this machine a child needs, and what a box on it can count on."""

from __future__ import annotations

import importlib.util
import os
import stat
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from audio_encoder_checker.sandbox.box import Interpreter
from audio_encoder_checker.sandbox.launch import unused_uid

SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
SETTINGS = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime")
CPU_FACTS = "/sys/devices/system/cpu"  # torch counts cores there
OPEN_FILES = 4096
PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Threads that wait must not burn the cores they wait for."""
NEEDED = ("torch", "numpy")
MANY_FILES = 20_000


@dataclass(frozen=True)
class Machine:
    """What this machine lets every box do, found by trying.

    Attributes:
        cgroup: kind of control group, empty where none can be made.
        why_no_cgroup: the reason.
        counts_memory: whether the group holds the memory limit.
        counts_tasks: whether the group holds the limit of processes and threads.
        watched: whether the kernel tells what was tried and refused.
    """

    cgroup: str
    why_no_cgroup: str
    counts_memory: bool
    counts_tasks: bool
    watched: bool

    @property
    def memory(self) -> str:
        """How the memory limit is kept."""
        if self.counts_memory:
            return f"counted by the kernel ({self.cgroup}), killed at the limit"
        return "polled every 50 ms, tree killed at the limit"

    @property
    def gaps(self) -> tuple[str, ...]:
        """What is not protected from for want of control groups."""
        if self.counts_memory and self.counts_tasks:
            return ()
        what = [
            *([] if self.counts_memory else ["memory"]),
            *([] if self.counts_tasks else ["processes"]),
        ]
        kernel = () if self.counts_memory else ("memory that the kernel holds for sockets and pipes",)
        return (
            f"a short overrun of the limit of {' and '.join(what)} between two polls ({self.why_no_cgroup})",
            *kernel,
        )


def neutral_environment(home_folder: str, temporary: str) -> dict[str, str]:
    """The variables of a child that is to learn nothing of this machine."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": home_folder,
        "TMPDIR": temporary,
        "USER": "user",
        "LANG": "C.UTF-8",
        **PASSIVE,
    }


def home() -> Path:
    """The user's home folder; a user that the system does not know has none, and gets a path that is not there."""
    return Path(os.path.expanduser("~")).absolute()  # noqa: PTH111 - Path.home raises for such users


@cache
def own_interpreter() -> Interpreter:
    """The running interpreter, with its environment, and every link on the way to it."""
    folders = {Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    files = set()
    link = Path(sys.executable)
    while link.is_symlink():
        files.add(link)
        link = link.parent / link.readlink()
    files.add(link)
    shown = {*folders, Path("/usr")}
    paths = [folder for folder in sorted(folders) if not folder.is_relative_to("/usr")]
    paths += [file for file in sorted(files) if not any(file.is_relative_to(folder) for folder in shown)]
    return Interpreter(sys.executable, tuple(str(path) for path in paths))


def box_uid(repository: Path) -> int | None:
    """A user id of its own for a box's child, or None where we are not root or that user could not read its files.

    The way to a file does not matter (the strong box shows it elsewhere), its own mode does.
    """
    if os.geteuid() != 0 or not _interpreter_open() or not _whole_tree_open(repository):
        return None
    return unused_uid()


@cache
def _interpreter_open() -> bool:
    packages = [importlib.util.find_spec(name) for name in NEEDED]
    origins = [Path(spec.origin) for spec in packages if spec and spec.origin]
    return all(_open_to_all(path) for path in (Path(sys.executable), *origins))


def reachable(path: Path) -> bool:
    """Whether any user can get at a path, every folder on the way included."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents) and _open_to_all(path)


def _whole_tree_open(folder: Path) -> bool:
    count = 0
    for place, folders, files in os.walk(folder):
        count += len(folders) + len(files)
        if count > MANY_FILES or not all(_open_to_all(Path(place, name)) for name in (".", *files)):
            return False
    return True


def _open_to_all(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return True  # a broken link is broken for everybody
    wanted = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
    return mode & wanted == wanted
