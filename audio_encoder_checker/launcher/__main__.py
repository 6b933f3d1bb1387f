"""Become the program in the box: the last steps of a new process before foreign code, in an order that matters.

Started as `python -I -S -B -c ...` with one argument, the number of a descriptor that holds the plan (`words.py`).
Trusted: it holds the checker's rights until it has given them up. Standard library only, because it runs without
site-packages, and of that only what is quick to import: every box waits for it.

1. die with the checker   2. join the control groups   3. set resource limits
4. private mounts         5. give up the user's id      6. adopt and supervise (a process of its own)
7. Landlock               8. system-call filter         9. exec

Whatever goes wrong ends the process with status 125 and one line on stderr: nothing is ever run in half a box.
"""

from __future__ import annotations

import os
import resource
import sys

from . import landlock, libc, stage, supervise, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from .words import Words

FAILED = 125


def main() -> NoReturn:
    """Read the plan, follow it, exec."""
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        plan = words.read(file.read())
    try:
        _follow(plan)
    except (OSError, ValueError) as error:
        os.write(2, f"the box could not be set up: {error}\n".encode())
    os._exit(FAILED)


def _follow(plan: Words) -> None:
    parent = plan.number("parent")
    _die_with(parent)
    for group in plan.all("join"):
        with open(group, "w", encoding="ascii") as file:
            file.write("0")
    for name, value in plan.pairs("rlimit"):
        _limit(getattr(resource, name), int(value))
    if plan.all("bind"):
        _stage(plan.all("bind"))
    if plan.all("lifeline"):
        parent = _supervise(plan)
    _give_up_rights(plan, parent)
    if plan.all("write"):
        landlock.restrict([*plan.all("read"), f"/proc/{os.getpid()}"], plan.all("write"), plan.all("device"))
    for program in plan.all("filter"):
        libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
        libc.install_filter(bytes.fromhex(program))
    os.chdir(plan.one("cwd"))
    command = plan.all("command")
    os.execve(command[0], command, dict(plan.pairs("env")))  # noqa: S606 - to exec is what it is for


def _die_with(parent: int) -> None:
    """Have the kernel kill us when the checker ends; if it ended before we could ask, end now."""
    libc.prctl(libc.PR_SET_PDEATHSIG, libc.SIGKILL)
    if os.getppid() != parent:
        os._exit(FAILED)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _stage(binds: list[str]) -> None:
    """Show files and folders under names that a user without rights can reach: `/mnt/0`, `/mnt/1`, ...

    Only this process and its children see them. It is needed because the way to the interpreter or to the
    submission may lead through a folder that only root may enter, and we are about to stop being root.
    """
    libc.private_mounts()
    places = [os.open(path, os.O_PATH) for path in binds]  # before the stage covers any of them
    folder = stage.stage_folder()
    libc.mount("none", folder, "tmpfs", libc.MS_NOSUID)
    os.chmod(folder, 0o755)  # noqa: S103 - of a file system that only the box sees
    for number, place in enumerate(places):
        target = f"{folder}/{number}"
        if os.path.isdir(f"/proc/self/fd/{place}"):
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))
        libc.mount(f"/proc/self/fd/{place}", target, None, libc.MS_BIND | libc.MS_REC)
        os.close(place)


def _supervise(plan: Words) -> int:
    """Fork; the child returns its parent's pid, this process stays beside it and ends with its status."""
    supervise.become_parent_of_orphans()
    lifeline = plan.number("lifeline")
    inside = bool(plan.all("write")) and landlock.keep_signals_inside()
    me = os.getpid()
    child = os.fork()
    if child == 0:
        os.setsid()
        _die_with(me)
        os.close(lifeline)
        return me
    for descriptor in plan.all("pass"):
        os.close(int(descriptor))  # the child's alone
    libc.prctl(libc.PR_SET_PDEATHSIG, 0)  # from here on the lifeline tells, so that we can clear up
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)  # the streams end when the child's end
    os.dup2(silent, 2)
    os._exit(supervise.supervise(child, lifeline, plan.number("parent"), signals_inside=inside))


def _give_up_rights(plan: Words, parent: int) -> None:
    if os.geteuid() != 0:
        return
    if plan.all("uid"):
        uid = plan.number("uid")
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        _die_with(parent)  # the kernel forgets that wish when the user changes
    elif plan.all("write"):
        libc.drop_capabilities()


if __name__ == "__main__":
    main()
