"""Ray, on a cluster of several nodes that are processes of this machine."""

from __future__ import annotations

import builtins
import importlib.util
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.organising.batch import Batch
from audio_encoder_checker.organising.jobs import Needs
from audio_encoder_checker.organising.results import Results, read_records
from audio_encoder_checker.sandbox.meter import is_alive
from tests.organising.literals import SETTING
from tests.organising.specimens import begun, ended, job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audio_encoder_checker.organising.ray_engine import RayEngine

pytestmark = [
    pytest.mark.box,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install ray"),
    pytest.mark.filterwarnings("default"),  # Ray's own
    pytest.mark.xdist_group("ray"),
]
SMALL = Needs(1, 200 << 20)


@pytest.fixture
def cluster() -> Iterator[Any]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
    from ray.cluster_utils import Cluster

    node = {"object_store_memory": 80 << 20, "memory": 2 << 30, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "resources": {"vram_gb": 0}, **node})
    card: dict[str, Any] = {"num_gpus": 1, "resources": {"vram_gb": 16}}
    other = cluster.add_node(num_cpus=1, object_store_memory=80 << 20, memory=2 << 30, **card)
    yield cluster, other
    cluster.shutdown()  # type: ignore[no-untyped-call]  # Ray's test cluster has no types


def is_as_it_was(before: tuple[Any, Any]) -> None:
    from ray.experimental import tqdm_ray

    tqdm_ray.instance()  # where Ray would put its own `print`
    assert (builtins.print, signal.getsignal(signal.SIGTERM)) == before


def engine_of(cluster: tuple[Any, Any]) -> RayEngine:
    from audio_encoder_checker.organising.ray_engine import RayEngine

    return RayEngine(cluster[0].address)


def test_jobs_run_on_nodes_and_a_lost_node_takes_only_its_own_along(cluster: tuple[Any, Any], tmp_path: Path) -> None:
    before = (print, signal.getsignal(signal.SIGTERM))
    engine = engine_of(cluster)
    try:
        is_as_it_was(before)
        good = job(tmp_path, "good-frames", "--until=source")
        engine.submit(good)
        assert ended(engine).status == 0
        assert (good.folder / "report.json").is_file()

        on_the_other = SMALL._replace(vram_gb=16.0)
        endless = job(tmp_path, "AEC508-endless-forward", "--trust", "--until=contract", needs=on_the_other)
        engine.submit(endless)
        begun(endless)
        cluster[0].remove_node(cluster[1], allow_graceful=False)
        engine.submit(job(tmp_path, "AEC503-zero-frames", "--until=source"))
        found = {one.job.submission.stem: one for one in (ended(engine), ended(engine))}
        assert found["AEC508-endless-forward"].lost, "by the worker's end, or by the checker's if that was told first"
        assert found["AEC503-zero-frames"].status == 0
    finally:
        engine.close()


def words_of(process: psutil.Process) -> list[str]:
    try:
        found: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return found


def start_the_driver_anew(cluster: tuple[Any, Any], tmp_path: Path) -> None:
    jobs = [job(tmp_path, name, "--until=source") for name in ("good-frames", "AEC503-zero-frames")]
    from audio_encoder_checker.organising.inbox import take_in

    known = take_in([one.submission for one in jobs])
    for kept in (1, 2):
        engine = engine_of(cluster)
        try:
            with Results(tmp_path / "out") as results:
                wishes: dict[str, Any] = {"setting": SETTING, "options": ("--until=source",), "needs": SMALL}
                batch = Batch(results, engine, told=lambda *_: None, **wishes)
                valid = batch.add(known.values())
                assert valid == kept - 1
                end = time.monotonic() + 120
                while len(batch.records) < kept and time.monotonic() < end:
                    batch.step(0.5)
        finally:
            engine.close()  # as if the driver had been restarted
        assert len(read_records(tmp_path / "out")) == kept


def test_a_killed_worker_is_told_and_a_driver_that_starts_anew_goes_on_where_the_results_end(
    cluster: tuple[Any, Any], tmp_path: Path
) -> None:
    kill_a_worker(cluster, tmp_path)
    start_the_driver_anew(cluster, tmp_path)


def kill_a_worker(cluster: tuple[Any, Any], tmp_path: Path) -> None:
    engine = engine_of(cluster)
    try:
        endless = job(tmp_path, "AEC508-endless-forward", "--trust", "--until=contract")
        engine.submit(endless)
        end = time.monotonic() + 60
        found: list[psutil.Process] = []
        while not found and time.monotonic() < end:
            time.sleep(0.1)
            found = [one for one in psutil.process_iter() if str(endless.folder) in " ".join(words_of(one))]
        (checker,) = found
        worker = checker.parent()
        assert worker, "Ray's"
        worker.kill()
        assert "the worker was lost" in ended(engine).lost
        end = time.monotonic() + 60
        while is_alive(checker) and time.monotonic() < end:
            time.sleep(0.1)
        assert not is_alive(checker), "it ends with whoever started it"
    finally:
        engine.close()


def test_there_is_no_cluster() -> None:
    from audio_encoder_checker.organising.ray_engine import RayEngine

    with pytest.raises(MachineError, match="nobody answers at"):
        RayEngine("127.0.0.1:1")


def test_an_engine_without_jobs_waits_as_long_as_it_is_asked_to() -> None:
    from audio_encoder_checker.organising.ray_engine import RayEngine

    engine = RayEngine.__new__(RayEngine)  # no cluster is needed for that
    engine._jobs = {}
    begun = time.monotonic()
    assert engine.next(0.2) is None
    assert time.monotonic() - begun >= 0.19
