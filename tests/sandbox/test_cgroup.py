"""Control groups: files of both versions as a folder of ours, and real groups where this machine lets us make them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from audio_encoder_checker.sandbox import cgroup
from audio_encoder_checker.sandbox.cgroup import Counters, counters_v2, limit_v2, make_cgroup, sweep_cgroups
from audio_encoder_checker.sandbox.meter import is_alive
from tests.sandbox.test_delegation import machine

if TYPE_CHECKING:
    from audio_encoder_checker.sandbox.cgroup import Cgroup

MIB = 1 << 20


class TestVersion2:
    def group(self, folder: Path, controllers: str = "cpu memory pids") -> Path:
        """A delegated group as the kernel shows it."""
        group = folder / "user.slice" / "session"
        group.mkdir(parents=True)
        for place in (group, group.parent):
            (place / "cgroup.subtree_control").write_text(controllers if place == group.parent else "")
            (place / "cgroup.procs").write_text("")
        return group

    def test_a_group_is_made_beside_our_own_where_the_folder_above_hands_controllers_down(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        group = self.group(tmp_path)
        machine(tmp_path, monkeypatch, "0::/user.slice/session\n", f"1 0 0:1 / {tmp_path} rw - cgroup2 none rw\n")
        made, why = make_cgroup(256 * MIB, 64)
        assert made is not None, why
        (folder,) = [path for path in group.parent.iterdir() if path.name.startswith("aecc-")]
        assert (made.name, made.join) == ("cgroup v2", (str(folder / "cgroup.procs"),))
        assert (folder / "memory.max").read_text() == str(256 * MIB)
        assert (folder / "pids.max").read_text() == "64"

    def test_without_delegation_there_is_none_and_the_reason_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.group(tmp_path, controllers="cpu")
        machine(tmp_path, monkeypatch, "0::/user.slice/session\n", f"1 0 0:1 / {tmp_path} rw - cgroup2 none rw\n")
        monkeypatch.setattr(cgroup, "settle", lambda: False)
        made, why = make_cgroup(256 * MIB, 64)
        assert made is None
        assert "not ours to make" in why

    def test_counters_are_read_and_what_an_older_kernel_lacks_is_unknown(self, tmp_path: Path) -> None:
        (tmp_path / "memory.events").write_text("low 0\nmax 7\noom 1\noom_kill 2\n")
        (tmp_path / "pids.events").write_text("max 3\n")
        (tmp_path / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\n")
        assert counters_v2(tmp_path) == Counters(
            memory_peak_bytes=None,
            out_of_memory_kills=2,
            memory_refused=7,
            tasks_peak=None,
            tasks_refused=3,
            cpu_seconds=1.5,
        )
        (tmp_path / "memory.peak").write_text("123\n")
        assert counters_v2(tmp_path).memory_peak_bytes == 123

    def test_limits_are_written(self, tmp_path: Path) -> None:
        limit_v2(tmp_path, 5 * MIB, 9)
        found = {path.name: path.read_text() for path in tmp_path.iterdir()}
        assert found == {
            "memory.max": str(5 * MIB),
            "pids.max": "9",
            "memory.swap.max": "0",
            "memory.oom.group": "1",
        }

    def test_a_kernel_that_does_not_limit_swap_kills_all_at_once_all_the_same(self, tmp_path: Path) -> None:
        (tmp_path / "memory.swap.max").mkdir()
        limit_v2(tmp_path, 5 * MIB, 9)
        assert (tmp_path / "memory.oom.group").read_text() == "1"


def test_groups_of_other_controllers_are_of_no_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(tmp_path, monkeypatch, "8:cpuset:/\n", f"1 0 0:1 / {tmp_path} rw - cgroup cgroup rw,cpuset\n")
    assert make_cgroup(MIB, 1) == (None, "no control groups here")


def test_without_any_control_groups_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(tmp_path, monkeypatch, "", "1 0 0:1 / / rw - ext4 none rw\n")
    assert make_cgroup(MIB, 1) == (None, "no control groups here")


def member(group: Cgroup, code: str) -> subprocess.Popen[str]:
    """A process in a group that prints a word once it is in and then runs `code`."""
    join = "".join(f"open({path!r}, 'w').write('0')\n" for path in group.join)
    program = f"import os, subprocess, sys, threading, time\n{join}print('in', flush=True)\n{code}"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    return process


def a_group() -> Cgroup:
    group, why = make_cgroup(128 * MIB, 32)
    if group is None:
        pytest.skip(why)
    return group


def runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and is_alive(psutil.Process(pid))


def leftovers() -> list[Path]:
    mine = f"{cgroup.PREFIX}-{os.getpid()}-"
    return [path for path in Path("/sys/fs/cgroup").rglob(f"{mine}*") if path.is_dir()]


class TestARealGroup:
    def test_memory_over_the_limit_is_killed_and_counted(self) -> None:
        group = a_group()
        if not group.counts_memory:
            pytest.skip("memory is not counted here")
        with member(group, "held = b'x' * (256 << 20)\ntime.sleep(60)") as process:
            assert process.wait(timeout=30) == -9
            found = group.counters()
            group.close()
        assert found.out_of_memory_kills is not None
        assert found.out_of_memory_kills >= 1
        assert found.memory_peak_bytes is None or 100 * MIB < found.memory_peak_bytes <= 128 * MIB
        assert leftovers() == []

    def test_threads_over_the_limit_are_refused_and_counted(self) -> None:
        group = a_group()
        if not group.counts_tasks:
            pytest.skip("processes are not counted here")
        code = (
            "try:\n    for _ in range(60): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
            "except RuntimeError:\n    print('refused', flush=True)\ntime.sleep(60)"
        )
        with member(group, code) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "refused\n"
            assert (group.counters().tasks_refused or 0) >= 1
            group.close()
        assert leftovers() == []

    def test_kill_ends_every_member_and_close_can_be_called_twice(self) -> None:
        group = a_group()
        code = "[subprocess.Popen(['/bin/sleep', '60'], start_new_session=True) for _ in range(5)]\ntime.sleep(60)"
        with member(group, code) as process:
            time.sleep(0.5)
            group.kill()
            assert process.wait(timeout=10) != 0
            group.close()
            group.close()
        assert leftovers() == []

    def test_processor_time_of_ended_members_counts(self) -> None:
        group = a_group()
        with member(group, "start = time.process_time()\nwhile time.process_time() - start < 0.5: pass") as process:
            process.wait(timeout=60)
            used = group.counters().cpu_seconds
            group.close()
        assert used is None or used >= 0.5

    def test_groups_of_a_checker_that_is_gone_are_swept_with_their_members(self) -> None:
        code = (
            "import os, subprocess, sys, time\n"
            "from audio_encoder_checker.sandbox.cgroup import make_cgroup\n"
            "group, _ = make_cgroup(128 << 20, 32)\n"
            "join = ''.join(f'echo 0 > {path}; ' for path in group.join) if group else ''\n"
            "command = ['/bin/sh', '-c', join + 'exec sleep 300']\n"
            "silent = subprocess.DEVNULL\n"
            "print(os.getpid(), subprocess.Popen(command, stdout=silent, stderr=silent).pid, flush=True)\n"
            "time.sleep(0.5); os.kill(os.getpid(), 9)"
        )
        a_group().close()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        checker, left = (int(word) for word in done.stdout.split())
        sweep_cgroups()  # or another checker that starts now did
        deadline = time.monotonic() + 10
        while runs(left) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not runs(left)
        assert list(Path("/sys/fs/cgroup").rglob(f"aecc-{checker}-*")) == []

    def test_a_living_checker_s_group_is_not_swept(self) -> None:
        group = a_group()
        with member(group, "time.sleep(60)") as process:
            sweep_cgroups()
            assert process.poll() is None
            group.close()
