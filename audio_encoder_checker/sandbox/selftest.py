"""Try to get out of a box before it is trusted: what a tier promises is tried, not read from a version number."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.child import wire
from audio_encoder_checker.evidence.run import Ending, Probe
from audio_encoder_checker.launcher.tree import start_time
from audio_encoder_checker.network.policy import Policy
from audio_encoder_checker.printable import printable
from audio_encoder_checker.sandbox.box import Limits
from audio_encoder_checker.sandbox.host import home, own_interpreter
from audio_encoder_checker.sandbox.outside import Outside
from audio_encoder_checker.sandbox.running import Running
from audio_encoder_checker.sandbox.sweep import subfolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audio_encoder_checker.sandbox.box import Box

CAP_BYTES = 64 << 20
LIMITS = Limits(
    memory_bytes=CAP_BYTES,
    tasks=64,
    cpu_s=30,
    output_bytes=1 << 16,
    scratch_bytes=1 << 20,
    scratch_files=100,
    home_bytes=1 << 30,
    home_files=1000,
    answer_bytes=1 << 16,
)
SECONDS = 60.0
MEMORY = "use more memory than allowed"
START = "start"


def probe_box(box: Box, workspace: Path, *, gpu: bool = False) -> tuple[Probe, ...]:
    """Start a box with the checker's own probe in it, and have it try to get out.

    Args:
        box: the candidate.
        workspace: an empty private folder.
        gpu: pass the GPU through, which opens more than a box without one.

    Returns:
        What was tried. A box that does not even start gives one open probe with the reason.
    """
    repository = workspace / "repository"
    repository.mkdir()
    repository.chmod(0o755)
    outside = Outside(Policy(hosts=()), subfolder(workspace), cut=True) if box.observes else None
    with _bait(workspace) as (aims, datagrams):
        try:
            running = Running(box, repository, workspace, LIMITS, gpu=gpu, outside=outside)
        except OSError as error:
            return (Probe(START, shut=False, detail=str(error)),)
        try:
            aims["repository"] = box.repository_path(running.job)
            running.begin("probe")
            probes = _converse(running, aims)
        except (wire.ClosedError, wire.GarbledError, TimeoutError, KeyError, TypeError) as error:
            return (Probe(START, shut=False, detail=running.last_words() or str(error) or "no answer"),)
        finally:
            running.close()
        return tuple(_unless_arrived(probe, datagrams) for probe in probes)


def _converse(running: Running, aims: dict[str, Any]) -> list[Probe]:
    deadline = time.monotonic() + SECONDS
    wire.send(running.channel, aims, deadline=deadline)
    header, _ = wire.receive(running.channel, 0, deadline=deadline)
    probes = [_probe(str(name), bool(shut), printable(str(detail))) for name, shut, detail in header["results"]]
    wire.send(running.channel, {"ask": "fill", "bytes": 4 * CAP_BYTES, "seconds": SECONDS}, deadline=deadline)
    with contextlib.suppress(wire.ClosedError):
        wire.receive(running.channel, 0, deadline=deadline)
    over = running.meter.look()
    held = over is not None and over[0] is Ending.OUT_OF_MEMORY
    return [*probes, Probe(MEMORY, held, over[1] if over else f"{4 * CAP_BYTES >> 20} MiB were held")]


def _probe(name: str, shut: bool, detail: str) -> Probe:
    """What was reached in full, of what was met only the error's name: two reports of one machine are to be equal."""
    return Probe(name, shut, detail.partition(":")[0] if shut else detail)


@contextlib.contextmanager
def _bait(workspace: Path) -> Iterator[tuple[dict[str, Any], socket.socket]]:
    """Things on the host that a prisoner would reach for, and the socket on which datagrams would arrive."""
    canary = workspace / "canary"
    canary.write_text(secrets.token_hex(8), encoding="utf-8")
    canary.chmod(0o644)
    abstract = f"aecc-{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        for address in (str(workspace / "socket"), "\0" + abstract):
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(address)
            server.listen()
        (workspace / "socket").chmod(0o777)  # the box's walls are tested, not the socket's own mode
        outside = workspace / "outside"
        outside.mkdir()
        outside.chmod(0o777)
        yield (
            {
                "canary": str(canary),
                "home": str(home()),
                "home_names": _home_names(),
                "outside": str(outside / "written"),
                "pid": os.getpid(),
                "started": start_time("self"),
                "tcp": tcp.getsockname()[1],
                "udp": udp.getsockname()[1],
                "unix": str(workspace / "socket"),
                "abstract": abstract,
            },
            udp,
        )


def _home_names() -> list[str]:
    """What lies in the home folder and is not on the way to the interpreter."""
    shown = [Path(path) for path in own_interpreter().paths]
    if home() == Path("/"):  # of users that the system does not know
        return []
    try:
        return [entry.name for entry in home().iterdir() if not any(path.is_relative_to(entry) for path in shown)][:500]
    except OSError:
        return []


def _unless_arrived(probe: Probe, datagrams: socket.socket) -> Probe:
    if "UDP" not in probe.name:
        return probe
    try:
        datagrams.recv(1)
    except BlockingIOError:
        return probe
    return Probe(probe.name, shut=False, detail="a datagram arrived")
