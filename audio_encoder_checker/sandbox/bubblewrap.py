"""A box made of Linux namespaces by bubblewrap: the strong tier.

Setup, in order: an empty root; the system's libraries and the interpreter read-only; private /dev, /proc,
/tmp and /dev/shm; the repository and the child read-only under neutral names; everything made read-only;
all capabilities dropped. `/proc` is remounted read-only because bubblewrap started by root leaves
`/proc/sys` writable otherwise, `core_pattern` among it, which is a way out of the box.
"""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.run import Isolation
from audio_encoder_checker.launcher.stage import stage_folder
from audio_encoder_checker.sandbox.box import SLACK, child_command
from audio_encoder_checker.sandbox.gauge import MountGauge
from audio_encoder_checker.sandbox.host import CPU_FACTS, OPEN_FILES, SETTINGS, SYSTEM, box_uid, neutral_environment
from audio_encoder_checker.sandbox.launch import Plan, in_memory, launch, nproc_limit
from audio_encoder_checker.sandbox.outside import NAME_SERVERS
from audio_encoder_checker.sandbox.seccomp import Policy, static_program

if TYPE_CHECKING:
    import subprocess

    from audio_encoder_checker.sandbox.box import Job
    from audio_encoder_checker.sandbox.host import Machine

REPOSITORY = "/w/repo"
HOST = "/w/host"
HOME = "/tmp/home"  # noqa: S108 - inside the box, where /tmp is private
READ_ONLY, WRITABLE = "--ro-bind", "--bind"
CERTIFICATES = ("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/nsswitch.conf")
"""What it takes to trust a host, and to look for its name."""
SCRATCH = ("/tmp", "/dev/shm")  # noqa: S108 - inside the box, where both are private


class BubblewrapBox:
    """Starts children in namespaces of their own.

    Args:
        program: the bubblewrap binary.
        machine: what else this machine lets a box do.
        drop_user: whether to stop being root before bubblewrap starts, when we are.
        observes: whether a job's network can be opened: the child makes sockets for it, which takes a right.
    """

    tier = "strong"
    holds_orphans = True

    def __init__(self, program: str, machine: Machine, *, drop_user: bool, observes: bool = True) -> None:
        self.program = program
        self.machine = machine
        self.drop_user = drop_user
        self.observes = observes
        self.policy = Policy(
            others_refused=False,
            sockets_refused=False,
            ipc_refused=not machine.counts_memory,  # System V segments belong to no process
            metadata_faked=False,
            memory_files_refused=not machine.counts_memory,
            watched=machine.watched,
        )
        self._dropped = os.geteuid() != 0

    def start(self, job: Job) -> subprocess.Popen[bytes]:
        """Start the child; options travel through a descriptor, so that no host path shows in /proc/1/cmdline."""
        uid = box_uid(job.repository) if self.drop_user else None
        if job.outside and uid is not None and job.outside.uid is not None:  # one user for all that share a home
            uid = job.outside.uid
            os.chown(job.outside.home, uid, uid)
        self._dropped = uid is not None or os.geteuid() != 0
        binds = _binds(job)
        sources = [source for _, source, _ in binds]
        if uid is not None:
            shown = [f"{stage_folder()}/{number}" for number in range(len(binds))]
            binds = [(how, there, target) for there, (how, _, target) in zip(shown, binds, strict=True)]
        own_facts = job.gpu and self._dropped  # CUDA names its threads there; to root the settings would be open too
        program = in_memory(static_program(self.policy, platform.machine()))
        words = [*_options(job, binds, own_facts=own_facts), "--seccomp", str(program)]
        options = in_memory(b"".join(word.encode() + b"\0" for word in words))
        command = child_command(job.interpreter.python, HOST, job.module, job.channel)
        plan = Plan(
            command=(self.program, "--args", str(options), "--", *command),
            cwd="/",
            env={},
            rlimits={"RLIMIT_NPROC": nproc_limit(uid, job.limits.tasks), "RLIMIT_NOFILE": OPEN_FILES},
            binds=tuple(sources) if uid is not None else (),
            uid=uid,
        )
        try:
            return launch(plan, job, (options, program))
        finally:
            os.close(options)
            os.close(program)

    def repository_path(self, _job: Job) -> str:
        """Always the same neutral path."""
        return REPOSITORY

    def writable(self, _job: Job) -> tuple[str, ...]:
        """The private file systems."""
        return SCRATCH

    def gauge(self, _job: Job) -> MountGauge:
        """The private file systems tell exactly."""
        return MountGauge(SCRATCH)

    def isolation(self) -> Isolation:
        """What is and what is not kept out."""
        return Isolation(
            tier=self.tier,
            mechanisms=(
                "bubblewrap",
                "user, mount, PID, network, IPC, UTS and cgroup namespaces",
                "no capabilities",
                *(("a user of its own",) if self._dropped and os.geteuid() == 0 else ()),
                "system-call filter",
                "read-only system and repository",
                "private /tmp and /dev/shm of limited size",
                "cleared environment",
            ),
            memory=self.machine.memory,
            network="observed" if self.observes else "denied",
            unprotected=(
                "bugs of the kernel",
                *(("what the encoder sends to the hosts that are let through",) if self.observes else ()),
                "bugs of the GPU driver, when a GPU is passed through",
                *(() if self._dropped else ("files that only root may read are readable if they are in /usr",)),
                *self.machine.gaps,
            ),
        )


def _binds(job: Job) -> list[tuple[str, str, str]]:
    """Files and folders of the host: bubblewrap's word for how they are shown, where they lie, under which name."""
    python = ((path, path) for path in job.interpreter.paths)
    folders = [*python, (str(job.host_folder), HOST), (str(job.repository), REPOSITORY)]
    if not job.outside:
        return [(READ_ONLY, source, target) for source, target in folders]
    folders += [(str(job.host_folder / NAME_SERVERS), "/etc/resolv.conf"), *((path, path) for path in CERTIFICATES)]
    binds = [(READ_ONLY, source, target) for source, target in folders if Path(source).exists()]
    return binds if job.outside.disk_bytes else [*binds, (WRITABLE, str(job.outside.home), HOME)]


def _options(job: Job, binds: list[tuple[str, str, str]], *, own_facts: bool) -> list[str]:
    """All but the filter; `own_facts` leaves /proc writable as far as the box's user may write there."""
    size = str(round(job.limits.scratch_bytes * SLACK))
    outside = job.outside
    environment = {**neutral_environment(HOME, SCRATCH[0]), **(outside.variables if outside else {})}
    # a user other than 0 gets a second namespace from bubblewrap, in which no right on the network counts
    user, rights = ("0", ("--cap-add", "CAP_NET_BIND_SERVICE")) if outside else ("65534", ())
    disk = ("--size", str(outside.disk_bytes), "--tmpfs", HOME) if outside and outside.disk_bytes else ()
    return [
        *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
        *("--unshare-cgroup-try", "--uid", user, "--gid", user, "--hostname", "localhost"),
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL", *rights, "--clearenv"),
        *(word for name, value in environment.items() for word in ("--setenv", name, value)),
        *_system(),
        *("--dev", "/dev", *(_gpu() if job.gpu else ()), "--proc", "/proc"),
        *("--size", size, "--tmpfs", "/dev/shm"),  # noqa: S108 - private to the box
        *("--size", size, "--tmpfs", "/tmp", "--dir", HOME, *disk),  # noqa: S108 - same
        *(word for bind in binds for word in bind),
        *(() if own_facts else ("--remount-ro", "/proc")),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", REPOSITORY),
    ]


def _system() -> list[str]:
    """The system's programs and libraries; /lib and its like are links into /usr on merged systems."""
    options = []
    for path in SYSTEM:
        if Path(path).is_symlink():
            options += ["--symlink", str(Path(path).readlink()), path]
        elif Path(path).is_dir():
            options += ["--ro-bind", path, path]
    for path in (*SETTINGS, CPU_FACTS):
        options += ["--ro-bind-try", path, path]
    return options


def _gpu() -> list[str]:
    """Devices and facts that CUDA needs, as far as they are there; its libraries lie in /usr."""
    devices = sorted(str(path) for path in Path("/dev").glob("nvidia*"))
    return [
        *(word for device in devices for word in ("--dev-bind-try", device, device)),
        "--ro-bind-try",
        "/sys",
        "/sys",
    ]


def find_bubblewrap() -> tuple[str | None, str]:
    """The program, or why there is none."""
    program = shutil.which("bwrap")
    return program, "" if program else "bubblewrap is not installed"
