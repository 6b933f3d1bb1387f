"""Our place among control groups, as files of ours tell it; the real systemd is played by a script."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.sandbox import delegation
from audio_encoder_checker.sandbox.delegation import own_groups, settle

if TYPE_CHECKING:
    from collections.abc import Iterator

HYBRID = """\
30 25 0:26 / {folder}/memory rw - cgroup cgroup rw,memory
31 25 0:27 / {folder}/cpu rw - cgroup cgroup rw,cpu,cpuacct
32 25 0:28 /docker/1 {folder}/pids rw - cgroup cgroup rw,pids
33 25 0:29 / {folder}/unified rw - cgroup2 cgroup2 rw
34 25 0:30 /../.. {folder}/foreign rw - cgroup cgroup rw,devices
"""


def machine(folder: Path, monkeypatch: pytest.MonkeyPatch, own: str, mounts: str) -> None:
    """Make /proc/self/cgroup and mountinfo say this."""
    (folder / "cgroup").write_text(own)
    (folder / "mountinfo").write_text(mounts)
    real = Path

    def redirected(*parts: str) -> Path:
        path = real(*parts)
        return folder / path.name if str(path).startswith("/proc/self/") else path

    monkeypatch.setattr(delegation, "Path", redirected)


@pytest.fixture(autouse=True)
def untried() -> Iterator[None]:
    settle.cache_clear()
    yield
    settle.cache_clear()


def test_our_groups_are_found_under_every_controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("memory/a", "cpu/a", "pids/b", "unified", "foreign"):
        (tmp_path / place).mkdir(parents=True)
    own = "9:memory:/a\n8:cpu,cpuacct:/a\n7:pids:/docker/1/b\n6:blkio:/\n5:devices:/\n0::/\n"
    machine(tmp_path, monkeypatch, own, HYBRID.format(folder=tmp_path))
    assert own_groups() == {
        "memory": tmp_path / "memory" / "a",
        "cpu": tmp_path / "cpu" / "a",
        "cpuacct": tmp_path / "cpu" / "a",
        "pids": tmp_path / "pids" / "b",
        "": tmp_path / "unified",
    }


def group(folder: Path, members: str) -> Path:
    """A group of version 2 as the kernel shows it."""
    folder.mkdir(parents=True)
    (folder / "cgroup.controllers").write_text("cpu memory pids")
    (folder / "cgroup.procs").write_text(members)
    (folder / "cgroup.subtree_control").write_text("")
    return folder


def test_in_a_group_of_our_own_we_step_into_a_leaf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = group(tmp_path / "service", str(os.getpid()))
    machine(tmp_path, monkeypatch, "0::/service\n", f"1 0 0:1 / {tmp_path} rw - cgroup2 none rw\n")
    assert settle()
    assert (own / "checker" / "cgroup.procs").read_text() == "0"
    assert (own / "cgroup.subtree_control").read_text() == "+memory +pids"


BUSCTL = """#!/bin/sh
echo "$XDG_RUNTIME_DIR $*" > {folder}/asked
{then}
"""


def systemd(folder: Path, monkeypatch: pytest.MonkeyPatch, then: str) -> None:
    """A user's systemd that does `then` when it is asked for a scope."""
    (folder / "run" / "systemd").mkdir(parents=True)
    (folder / "run" / "systemd" / "private").touch()
    program = folder / "bin" / "busctl"
    program.parent.mkdir()
    program.write_text(BUSCTL.format(folder=folder, then=then))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))


def test_in_a_shared_group_systemd_gives_us_a_scope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group(tmp_path / "session", f"{os.getpid()}\n7\n")
    unit = f"audio-encoder-checker-{os.getpid()}.scope"
    scope = group(tmp_path / unit, str(os.getpid()))
    systemd(tmp_path, monkeypatch, f"echo 0::/{unit} > {tmp_path}/cgroup")
    machine(tmp_path, monkeypatch, "0::/session\n", f"1 0 0:1 / {tmp_path} rw - cgroup2 none rw\n")
    assert settle()
    asked = (tmp_path / "asked").read_text()
    assert f"{unit} fail 3 PIDs au 1 {os.getpid()} Delegate b true CollectMode s inactive-or-failed 0" in asked
    assert asked.startswith(str(tmp_path / "run"))
    assert (scope / "cgroup.subtree_control").read_text() == "+memory +pids"


@pytest.mark.parametrize("then", ["exit 1", "kill -9 $$", "exit 0"])
def test_a_systemd_that_refuses_or_does_nothing_leaves_us_where_we_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    group(tmp_path / "session", f"{os.getpid()}\n7\n")
    systemd(tmp_path, monkeypatch, then)
    machine(tmp_path, monkeypatch, "0::/session\n", f"1 0 0:1 / {tmp_path} rw - cgroup2 none rw\n")
    monkeypatch.setattr(delegation, "SECONDS", 0.3)
    assert not settle()


def test_without_systemd_or_groups_nothing_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(tmp_path, monkeypatch, "", "")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    assert not settle()
