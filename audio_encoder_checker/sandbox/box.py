"""A place to run foreign code under limits.

Theory of operation
===================

The *parent* is the checker: it holds the user's rights and never runs a line of the submission. The *child*
(`audio_encoder_checker/child`) is a Python process that imports the encoder and answers questions. Between
them is one socket pair, created by the parent; one end is inherited by the child and carries length-prefixed
frames (`child/wire.py`). The child's stdin is empty; its stdout and stderr are pipes that the parent drains,
counts and cuts. Nothing else is shared on purpose.

A *box* decides what the child can reach. It is started from a `Job`: which folders the child sees, which
interpreter runs it, which socket it inherits, which limits hold. Three boxes exist, strongest first:

- `bubblewrap` (tier *strong*): new user, mount, PID, network, IPC, UTS and cgroup namespaces. The child sees
  the system, the interpreter and the repository read-only, a private /tmp and /dev/shm of limited size, no
  network device but an own loopback, no process but its own, no capability, an environment of six neutral variables.
  What it may reach beyond that is an *outside* (`outside.py`): sockets that the child makes on its loopback before
  anything foreign runs, and hands over; the parent answers them (`network`). A home folder on disk goes with it.
- `landlock` (tier *medium*), where namespaces are refused: Landlock leaves the same folders to read and one to
  write; no socket of any family can be opened; the names and sizes of other files and the limits of shared
  memory are not covered.
- `process` (tier *weak*): a plain subprocess in its own session with a scrubbed environment and a temporary
  home. It catches accidents and stops nobody who means harm, so the user has to ask for it with `--trust`.

Every box on Linux is entered through the *launcher* (`launcher/__main__.py`), which dies with the checker, joins
the control groups, sets resource limits, stops being root if it was, and becomes bubblewrap or the child. Two
system-call filters (`seccomp.py`) stand behind the namespaces: a *static* one that refuses what no encoder
needs, and a *watch* that the child installs before anything foreign is imported and whose other end the parent
holds (`watch.py`): the kernel, not the child, tells what was tried.

A tier counts only after `selftest.py` failed to get out of it on this very machine (`choose.py`).

Around every box the parent runs the same *meter* (`meter.py`): it reads the counters of the control group where
there is one and polls the process tree for the rest - memory, processes and threads, temporary files, processor
time - and kills the tree at the limit. Every question and every stage has a deadline on the parent's clock; a
stream that prints more than its share ends the run. The cause of an end is always a counter or a clock of ours,
never an exit status alone. A machine that runs out of memory before the limit is reached is told apart: that is no
finding, the verdict stays open.

At the end the child is asked to end as an interpreter does, so that threads and exit handlers that would hang the
organisers' run show; then the whole tree is killed, whatever it says. If the checker itself is killed, the kernel
(PID namespace, parent-death signal) or the supervisor (`launcher/supervise.py`) kills the tree, and the next start
sweeps what is left on disk (`sweep.py`).

What the child says about itself is testimony: the submission shares its process. Only bytes received, the
parent's clock and the kernel's counters lead to verdicts.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from audio_encoder_checker.evidence.run import Isolation
    from audio_encoder_checker.rules import Rules
    from audio_encoder_checker.sandbox.cgroup import Cgroup
    from audio_encoder_checker.sandbox.gauge import Gauge
    from audio_encoder_checker.sandbox.outside import Outside
    from audio_encoder_checker.sandbox.seccomp import Policy


LINUX: bool = sys.platform == "linux"
SLACK = 1.25
"""File systems and files may grow a little past the limit, so that it is the meter that ends an overrun, with a
clear cause, and not an exception inside."""


@dataclass(frozen=True)
class Limits:
    """What a box enforces.

    Attributes:
        memory_bytes: of the whole process tree, its temporary files in memory included.
        tasks: processes and threads at once.
        cpu_s: seconds of processor time of the whole tree.
        output_bytes: of each of stdout and stderr.
        scratch_bytes: of the private /tmp, and again of /dev/shm where the box has its own.
        scratch_files: files and folders in them.
        home_bytes: of the home folder, where the box has one that outlives it.
        home_files: files and folders in it.
        answer_bytes: of one embedding.
    """

    memory_bytes: int
    tasks: int
    cpu_s: float
    output_bytes: int
    scratch_bytes: int
    scratch_files: int
    home_bytes: int
    home_files: int
    answer_bytes: int


@dataclass(frozen=True)
class Interpreter:
    """The Python that runs the child.

    Attributes:
        python: to be started.
        paths: files and folders that it needs, shown read-only under the same names; /usr is left out, it always is.
        environment: a name for all that it can import; empty for the checker's own environment.
    """

    python: str
    paths: tuple[str, ...]
    environment: str = ""


@dataclass(frozen=True)
class Job:
    """One child to start.

    Attributes:
        repository: the submission's folder on the host.
        host_folder: a folder that holds the child's package, on the host.
        module: name of that package.
        channel: descriptor of the child's end of the socket pair.
        lifeline: descriptor of a pipe whose other end the checker holds as long as it lives.
        scratch: an empty folder on the host that is the child's alone.
        limits: what the box enforces.
        gpu: whether the GPU's devices are passed through.
        interpreter: what runs it.
        cgroup: the control group to run in, None where there is none.
        outside: what it may reach, None for nothing; a box that cannot observe a network leaves it aside.
    """

    repository: Path
    host_folder: Path
    module: str
    channel: int
    lifeline: int
    scratch: Path
    limits: Limits
    gpu: bool
    interpreter: Interpreter
    cgroup: Cgroup | None = None
    outside: Outside | None = None


class Box(Protocol):
    """What every box can do."""

    @property
    def tier(self) -> str:
        """`strong`, `medium` or `weak`."""

    @property
    def holds_orphans(self) -> bool:
        """Whether processes that the child leaves behind die with the box, by the kernel's word."""

    @property
    def observes(self) -> bool:
        """Whether a job's network can be opened and observed; where not, there is none, or that of the host."""

    @property
    def policy(self) -> Policy | None:
        """What the system-call filters refuse; None for no filter."""

    def start(self, job: Job) -> subprocess.Popen[bytes]:
        """Start the child; the caller drains its pipes, kills and reaps it."""

    def repository_path(self, job: Job) -> str:
        """The repository as the child sees it."""

    def writable(self, job: Job) -> tuple[str, ...]:
        """Where the child may write, as it sees the paths."""

    def gauge(self, job: Job) -> Gauge:
        """What tells how full the child's temporary folders are."""

    def isolation(self) -> Isolation:
        """What the box is made of and what it does not protect from."""


def child_command(python: str, folder: str, module: str, channel: int) -> list[str]:
    """The child's command line.

    `-I` ignores the environment and the user's site-packages, `-B` writes no byte code; the folder is on the
    path only until the package is imported.
    """
    start = (
        "import sys; folder, module = sys.argv[1:3]; del sys.argv[1:3]; sys.path.insert(0, folder); "
        "main = __import__(module + '.__main__', fromlist=['main']).main; sys.path.remove(folder); main()"
    )
    return [python, "-I", "-B", "-c", start, folder, module, str(channel)]


def limits_of(rules: Rules) -> Limits:
    """What a rule book has a box enforce."""
    limits = rules.limits
    return Limits(
        memory_bytes=rules.budget.ram_bytes,
        tasks=limits.tasks,
        cpu_s=limits.cpu_s,
        output_bytes=limits.output_bytes,
        scratch_bytes=limits.scratch_bytes,
        scratch_files=limits.scratch_files,
        home_bytes=limits.home_bytes,
        home_files=limits.home_files,
        answer_bytes=limits.answer_bytes,
    )
