"""A box made of Linux namespaces by bubblewrap: the strong tier.

Setup, in order: an empty root; the system's libraries and the interpreter read-only; private /dev, /proc,
/tmp and /dev/shm; the repository and the child read-only under neutral names; everything made read-only;
all capabilities dropped. `/proc` is remounted read-only because bubblewrap started by root leaves
`/proc/sys` writable otherwise, `core_pattern` among it, which is a way out of the box.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from audio_encoder_checker.evidence.run import Isolation
from audio_encoder_checker.sandbox.box import Job, child_command

REPOSITORY = "/w/repo"
HOST = "/w/host"
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
SETTINGS = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime")
CPU_FACTS = "/sys/devices/system/cpu"  # torch counts cores there
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp/home",  # noqa: S108 - inside the box, where /tmp is private
    "TMPDIR": "/tmp",  # noqa: S108 - same
    "USER": "user",
    "LANG": "C.UTF-8",
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait must not burn the cores they wait for
}


class BubblewrapBox:
    """Starts children in namespaces of their own."""

    holds_orphans = True

    def __init__(self, program: str) -> None:
        self.program = program

    def start(self, job: Job) -> subprocess.Popen[bytes]:
        """Start the child; options travel through a descriptor, so that no host path shows in /proc/1/cmdline."""
        command = child_command(sys.executable, HOST, job.module, job.channel)
        read_end, write_end = os.pipe()
        try:
            os.write(write_end, b"".join(option.encode() + b"\0" for option in self._options(job)))
            os.close(write_end)
            return subprocess.Popen(
                [self.program, "--args", str(read_end), "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(read_end, job.channel),
                env={},
                cwd="/",
            )
        finally:
            os.close(read_end)

    def repository_path(self, _job: Job) -> str:
        """Always the same neutral path."""
        return REPOSITORY

    def isolation(self) -> Isolation:
        """What is and what is not kept out."""
        return Isolation(
            tier="strong",
            mechanisms=(
                "bubblewrap",
                "user, mount, PID, network, IPC, UTS and cgroup namespaces",
                "no capabilities",
                "read-only system and repository",
                "private /tmp and /dev/shm of limited size",
                "cleared environment",
            ),
            memory="polled every 50 ms, tree killed at the limit; private /tmp is sized apart",
            network="denied",
            unprotected=(
                "bugs of the kernel (no system-call filter yet)",
                "bugs of the GPU driver, when a GPU is passed through",
                "a flood of processes (their number is not limited yet)",
                "a short overrun of the memory limit between two polls",
            ),
        )

    def _options(self, job: Job) -> list[str]:
        return [
            *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
            *("--unshare-cgroup-try", "--uid", "65534", "--gid", "65534", "--hostname", "localhost"),
            *("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"),
            *(word for name, value in ENVIRONMENT.items() for word in ("--setenv", name, value)),
            *_system(),
            *("--dev", "/dev", *(_gpu() if job.gpu else ()), "--proc", "/proc"),
            *("--size", str(job.scratch_bytes), "--tmpfs", "/dev/shm"),  # noqa: S108 - private to the box
            *("--size", str(job.scratch_bytes), "--tmpfs", "/tmp", "--dir", "/tmp/home"),  # noqa: S108 - same
            *_interpreter(),
            *("--ro-bind", str(job.host_folder), HOST, "--ro-bind", str(job.repository), REPOSITORY),
            *("--remount-ro", "/proc", "--remount-ro", "/", "--chdir", REPOSITORY),
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


def _interpreter() -> list[str]:
    """The running interpreter, its environment, and every link on the way to it, at their own paths."""
    folders = {Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    files = set()
    link = Path(sys.executable)
    while link.is_symlink():
        files.add(link)
        link = link.parent / link.readlink()
    files.add(link)
    covered = [f for f in files if not any(f.is_relative_to(folder) for folder in {*folders, Path("/usr")})]
    options = []
    for folder in sorted(folders):
        if not folder.is_relative_to("/usr"):
            options += ["--ro-bind", str(folder), str(folder)]
    for file in sorted(covered):
        options += ["--ro-bind", str(file), str(file)]
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


def find_bubblewrap() -> tuple[BubblewrapBox | None, str]:
    """A box that works here, or why there is none: tried, not asked."""
    program = shutil.which("bwrap")
    if program is None:
        return None, "bubblewrap is not installed (`apt-get install bubblewrap`, `dnf install bubblewrap`)"
    trial = [
        program,
        "--unshare-user",
        "--unshare-net",
        "--unshare-pid",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "true",
    ]
    try:
        done = subprocess.run(trial, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"bubblewrap does not start: {error}"
    if done.returncode != 0:
        return None, f"namespaces are refused here: {done.stderr.strip()[:200] or 'no reason given'}"
    return BubblewrapBox(program), ""
