"""Where in the tree of control groups we are, and how to get to a place where groups are ours to make.

In a login session, a shell and the checker share one group of version 2: nothing may be made below it as long as it has
members, and the folder above is root's. The user's systemd moves any process of the user into a scope of its own and
delegates that (systemd.io/CGROUP_DELEGATION). The checker moves there itself, once: a scope for each box would be gone,
counters and all, as soon as its last process is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAF = "checker"
CONTROLLERS = {"memory", "pids"}
MANAGER = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
SECONDS = 10.0
"""For systemd to answer, and again to do it."""


def own_groups() -> dict[str, Path]:
    """Our own group of each controller of version 1, and under the empty name that of version 2."""
    mounts = dict(_mounts())
    found = {}
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return {}
    for line in lines:
        _, kinds, path = line.split(":", 2)
        for kind in kinds.split(","):
            if kind in mounts:
                root, place = mounts[kind]
                inside = os.path.relpath(path, root) if path.startswith(root) else path.lstrip("/")
                found[kind] = place / inside
    return {kind: folder for kind, folder in found.items() if folder.is_dir()}


def _mounts() -> Iterator[tuple[str, tuple[str, Path]]]:
    """Controller (empty for version 2) to the root of its mount and where it is mounted (proc(5), mountinfo)."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        mount, _, rest = line.partition(" - ")
        fields, kind = mount.split(), rest.split()
        if fields[3].startswith("/.."):  # of another namespace: what lies below it is not ours
            continue
        if kind[0] == "cgroup2":
            yield "", (fields[3], Path(fields[4]))
        elif kind[0] == "cgroup":
            for option in kind[2].split(","):
                yield option, (fields[3], Path(fields[4]))


@cache
def settle() -> bool:
    """Move this process to where it may make groups beside itself; tried once.

    Returns:
        Whether we are there now: a leaf of our own group, if that is ours alone, or of a scope that is delegated to us.
    """
    return _make_room() or (_enter_scope() and _make_room())


def _make_room() -> bool:
    """Step into a leaf of our own group, if nobody else is in it, and hand its controllers down."""
    own = own_groups().get("")
    if own is None:
        return False
    try:
        if not set((own / "cgroup.controllers").read_text(encoding="ascii").split()) >= CONTROLLERS:
            return False
        if (own / "cgroup.procs").read_text(encoding="ascii").split() != [str(os.getpid())]:
            return False
        (own / LEAF).mkdir(exist_ok=True)
        (own / LEAF / "cgroup.procs").write_text("0")
        (own / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in sorted(CONTROLLERS)))
    except OSError:
        return False
    return True


def _enter_scope() -> bool:
    """Have the user's systemd put this process into a scope that is delegated to us; it removes that when we end."""
    program = shutil.which("busctl")
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    if program is None or not Path(runtime, "systemd", "private").exists():
        return False
    unit = f"audio-encoder-checker-{os.getpid()}.scope"
    properties = f"PIDs au 1 {os.getpid()} Delegate b true CollectMode s inactive-or-failed"
    call = f"StartTransientUnit ssa(sv)a(sa(sv)) {unit} fail 3 {properties} 0"
    try:
        done = subprocess.run(
            [program, "--user", "--quiet", "call", *MANAGER, *call.split()],
            env={**os.environ, "XDG_RUNTIME_DIR": runtime},
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    deadline = time.monotonic() + SECONDS
    while done.returncode == 0 and time.monotonic() < deadline:  # the call answers before it is done
        if own_groups().get("", Path()).name == unit:
            return True
        time.sleep(0.01)
    return False
