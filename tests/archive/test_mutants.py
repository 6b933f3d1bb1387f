"""Some hundred damaged archives and weight files: `benchmarks/mutants.py` reads a hundred thousand."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from benchmarks import mutants
from benchmarks.mutations import Seed, built_seeds, corpus_seeds, mutate

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = built_seeds()
CHUNKS, PER_CHUNK = 4, 100


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_what_is_damaged_is_whole_before(tmp_path: Path, seed: Seed) -> None:
    verdict = mutants.read_mutant(seed, tmp_path)
    hostile = {
        "pointer.zip",
        "prefixed.zip",
        "evil.pkl",
        "nested.pkl",
        "lines.pkl",
        "objects.npy",
        "arrays.npz",
        "model.onnx",
    }
    hostile |= {"gzip.pkl", "zlib.pkl", "bz2.pkl", "xz.pkl"}  # with a second, hostile pickle behind the first
    assert (verdict == "refused") == (seed.name in hostile)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_mutant_crashes_or_writes_outside_its_folder(tmp_path: Path, chunk: int) -> None:
    random = Random(chunk)  # noqa: S311 - the same mutants each time
    for number in range(PER_CHUNK):
        mutant = mutate(random.choice(SEEDS), SEEDS, random)
        folder = tmp_path / str(number)
        folder.mkdir()
        assert mutants.read_mutant(mutant, folder) in {"refused", "remarked", "clean"}


def test_the_same_seed_gives_the_same_mutants() -> None:
    first, second = (mutate(SEEDS[0], SEEDS, Random(5)) for _ in range(2))  # noqa: S311 - that is the point
    assert first == second


def test_a_corpus_gives_archives_and_weight_files(tmp_path: Path) -> None:
    for name in ("zip/a/b.zip", "pickle/c.pt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"x")
    assert corpus_seeds(tmp_path) == [Seed("sample.pt", b"x"), Seed("sample.zip", b"x")]


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), mutants.SpoiltError("wrote ['x']")])
def test_what_a_reader_raises_is_a_failure(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*_: object) -> str:
        raise error

    monkeypatch.setattr(mutants, "read_mutant", broken)
    outcome = mutants._measured(SEEDS[0], None)
    assert type(error).__name__ in outcome.failure


def test_a_guided_run_keeps_what_reaches_new_ground(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AECC_CORPUS", raising=False)
    summary = mutants.run(90, 0, coverage=True)
    assert (summary.verdicts.total(), summary.failures) == (90, [])
    assert summary.grown > 0
