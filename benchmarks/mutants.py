"""Damaged archives and weight files through the readers and checks: none may crash, hang or eat the memory.

Run it as `python benchmarks/mutants.py [--count N] [--seed N] [--coverage] [--minutes M] [--keep FOLDER]`. Valid files
of every kind, and those of the corpus that `AECC_CORPUS` names (see `tests/test_corpus.py`), are damaged at random;
the same seed gives the same mutants. With `--coverage`, mutants that reach new ground in the readers are damaged
further. Every mutant is read in a worker process: an archive is listed, judged and unpacked into a folder of its own,
even where a check objects; a weight file is read and judged.

A mutant fails if anything but a MachineError is raised, if something is written outside that folder, if a message could
harm a terminal, if it takes more than 2 s (twice, since other work on the machine may be at fault), or if memory grows
by more than 128 MiB. The failing ones are saved with `--keep`, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from audio_encoder_checker import archive as readers
from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.unpack import unpack
from audio_encoder_checker.archive.weights.reading import read_weight_file
from audio_encoder_checker.archive.weights.streams import Budget
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.checks import weights as weight_checks
from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evidence.weights import WeightFacts
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.judging import Evidence, judge
from audio_encoder_checker.printable import printable
from audio_encoder_checker.rules import load_rules
from benchmarks.mutations import Seed, built_seeds, corpus_seeds, mutate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection
    from types import FrameType

    from audio_encoder_checker.findings import Finding

HANG_S = 2.0
PATIENCE_S = 60.0
"""After this the worker is killed."""
LIMIT_BYTES = 128 << 20
MOST_GROWN = 5000
"""Mutants kept for reaching new ground; the list ends there, so that a long run stays within bounds."""
MIB = 1 << 20


class SpoiltError(Exception):
    """A mutant was read, but something came of it that must not."""


@dataclass
class Outcome:
    """What came of one mutant."""

    verdict: str
    seconds: float = 0.0
    grown_bytes: int = 0
    failure: str = ""
    reached: frozenset[tuple[str, int, int]] = frozenset()


def read_mutant(mutant: Seed, folder: Path) -> str:
    """Read and judge a mutant as a submission's file would be; the folder must hold nothing else.

    Returns:
        In a word what becomes of it.

    Raises:
        SpoiltError: something was written outside its folder, or a message has characters that terminals obey.
    """
    path, into = folder / mutant.name, folder / "out"
    path.write_bytes(mutant.data)
    findings = _archive(path, into) if mutant.is_archive else _weights(path)
    strays = {one.name for one in folder.iterdir()} - {mutant.name, "out"}
    if strays:
        raise SpoiltError(f"wrote {sorted(strays)}")
    for finding in findings:
        for text in (finding.message, finding.at):
            if printable(text, limit=100_000) != text:
                raise SpoiltError(f"{finding.id} says {text!r}")
    severities = {finding.severity for finding in findings}
    return "refused" if Severity.ERROR in severities else "remarked" if severities else "clean"


def _archive(path: Path, into: Path) -> Sequence[Finding]:
    """As the archive stage goes, but that what is refused is unpacked as well: that has to be safe by itself."""
    checks = [one for one in all_checks() if one.stage == "archive"]
    listing = read_listing(path)
    evidence = Evidence()
    evidence.put(load_rules(), listing)
    before = judge(evidence, checks).findings
    evidence.put(unpack(path, listing, into))
    return (*before, *judge(evidence, checks).findings)


def _weights(path: Path) -> Sequence[Finding]:
    checks = [one for one in all_checks() if one.judge.__module__ == weight_checks.__name__]
    evidence = Evidence()
    evidence.put(WeightFacts((read_weight_file(path, path.name, ("encoder",), Budget()),)))
    return judge(evidence, checks).findings


class _Trace:
    """Which steps from line to line the readers took."""

    def __init__(self) -> None:
        self.known: set[tuple[str, int, int]] = set()
        self.new: set[tuple[str, int, int]] = set()
        self._root = os.fspath(Path(next(iter(readers.__path__))))

    def call(self, frame: FrameType, _: str, __: object) -> Any:
        """Follow functions of the readers, and no others."""
        name = frame.f_code.co_filename
        if not name.startswith(self._root):
            return None
        before = frame.f_lineno

        def line(frame: FrameType, event: str, _: object) -> Any:
            nonlocal before
            if event == "line":
                step = (name, before, frame.f_lineno)
                before = frame.f_lineno
                if step not in self.known:
                    self.known.add(step)
                    self.new.add(step)
            return line

        return line


def _measured(mutant: Seed, trace: _Trace | None) -> Outcome:
    """Read a mutant, and note the time and memory that it took."""
    before = _memory("VmRSS", reset=True)
    if trace:
        trace.new = set()
        sys.settrace(trace.call)
    start = time.perf_counter()
    verdict, failure = "failed", ""
    try:
        with tempfile.TemporaryDirectory() as folder:
            verdict = read_mutant(mutant, Path(folder))
    except MachineError:
        verdict = "no room"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        last = traceback.extract_tb(error.__traceback__)[-1]
        failure = f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}: {printable(str(error))}"
    finally:
        sys.settrace(None)
    seconds = time.perf_counter() - start
    reached = frozenset(trace.new) if trace else frozenset()
    return Outcome(verdict, seconds, max(0, _memory("VmHWM") - before), failure, reached)


def _memory(field_name: str, *, reset: bool = False) -> int:
    """A figure of this process in bytes; with `reset`, its peak starts anew."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field_name}:"))


def _work(near: Connection, known: set[tuple[str, int, int]] | None) -> None:
    """What the worker process does: read mutants until it is killed."""
    trace = None if known is None else _Trace()
    if trace and known:
        trace.known = known
    all_checks()
    while True:
        mutant, traced = near.recv()
        near.send(_measured(mutant, trace if traced else None))


class Worker:
    """A process that reads mutants, started anew where one ends or hangs."""

    def __init__(self, *, traced: bool) -> None:
        self.known: set[tuple[str, int, int]] | None = set() if traced else None
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")
        self._far, near = context.Pipe()
        self._process = context.Process(target=_work, args=(near, self.known), daemon=True)
        self._process.start()
        near.close()

    def read(self, mutant: Seed) -> Outcome:
        """Have a mutant read; a slow one twice, since tracing and other work on the machine take time."""
        outcome = self._read(mutant, traced=self.known is not None)
        if outcome.seconds > HANG_S and not outcome.failure:
            outcome = self._read(mutant, traced=False)
        if outcome.seconds > HANG_S:
            outcome.failure = outcome.failure or f"took {outcome.seconds:.1f} s"
        if outcome.grown_bytes > LIMIT_BYTES:
            outcome.failure = outcome.failure or f"took {outcome.grown_bytes / MIB:.0f} MiB"
        if self.known is not None:
            self.known |= outcome.reached
        return outcome

    def _read(self, mutant: Seed, *, traced: bool) -> Outcome:
        try:
            self._far.send((mutant, traced))
            if self._far.poll(PATIENCE_S):
                outcome: Outcome = self._far.recv()
                return outcome
            failure = f"was not done after {PATIENCE_S:g} s"
        except (EOFError, OSError):
            failure = "ended the process"
        self.close()
        self._start()
        return Outcome("failed", failure=failure)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._far.close()


@dataclass
class Summary:
    """All outcomes together."""

    verdicts: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[Seed, str]] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")
    seconds: float = 0.0
    grown: int = 0

    def note(self, mutant: Seed, outcome: Outcome) -> None:
        """Count one."""
        family = "archives" if mutant.is_archive else "weights"
        self.verdicts[f"{family} {outcome.verdict}"] += 1
        self.seconds += outcome.seconds
        self.slowest = max(self.slowest, (outcome.seconds, mutant.name))
        self.largest = max(self.largest, (outcome.grown_bytes, mutant.name))
        if outcome.failure:
            self.failures.append((mutant, outcome.failure))

    def table(self, title: str) -> Table:
        """All of it as text."""
        table = Table(title=title, show_header=False)
        count = self.verdicts.total()
        table.add_row("mutants", f"{count:,}")
        for verdict, number in sorted(self.verdicts.items()):
            table.add_row(verdict, f"{number:,}")
        table.add_row("mean time", f"{1000 * self.seconds / max(1, count):.1f} ms")
        table.add_row("worst time", f"{1000 * self.slowest[0]:.0f} ms ({printable(self.slowest[1])})")
        table.add_row("worst memory", f"{self.largest[0] / MIB:.1f} MiB ({printable(self.largest[1])})")
        if self.grown:
            table.add_row("kept for reaching new ground", f"{self.grown:,}")
        table.add_row("failures", f"{len(self.failures):,}")
        for failure, number in Counter(words for _, words in self.failures).most_common(20):
            table.add_row("", f"{number} x {failure}")
        return table


def _mutants(seeds: list[Seed], random: Random, count: int) -> Iterator[Seed]:
    """The seeds themselves, and mutants of archives and of weight files in turn.

    Seeds may be added meanwhile; the last ones come up more often.
    """
    yield from seeds[:count]
    for place in range(max(0, count - len(seeds))):
        family = [one for one in seeds if one.is_archive == (place % 2 == 0)]
        recent = family[-len(family) // 4 :] if random.random() < 0.5 else family
        yield mutate(random.choice(recent), seeds, random)


def run(count: int, seed: int, *, coverage: bool = False, minutes: float = float("inf")) -> Summary:
    """Read so many mutants."""
    seeds = built_seeds()
    if "AECC_CORPUS" in os.environ:
        seeds += corpus_seeds(Path(os.environ["AECC_CORPUS"]))
    summary, until = Summary(), time.monotonic() + 60 * minutes
    originals = len(seeds)
    worker = Worker(traced=coverage)
    try:
        for place, mutant in enumerate(_mutants(seeds, Random(seed), count)):  # noqa: S311 - the same mutants each time
            outcome = worker.read(mutant)
            summary.note(mutant, outcome)
            if outcome.reached and place >= originals and summary.grown < MOST_GROWN:
                seeds.append(mutant)
                summary.grown += 1
            if time.monotonic() > until:
                break
    finally:
        worker.close()
    return summary


def main() -> int:
    """Read mutants, print what came of them, and save those that fail."""
    parser = argparse.ArgumentParser(description="damaged archives and weight files through the readers and checks")
    parser.add_argument("--count", type=int, default=2000, help="number of mutants (2000)")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers (0)")
    parser.add_argument("--coverage", action="store_true", help="damage mutants further that reach new ground")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end after this time, whatever the count")
    parser.add_argument("--keep", type=Path, help="folder for the mutants that fail")
    wishes = parser.parse_args()
    start = time.monotonic()
    summary = run(wishes.count, wishes.seed, coverage=wishes.coverage, minutes=wishes.minutes)
    mode = "guided by coverage" if wishes.coverage else "blind"
    title = f"{mode}, seed {wishes.seed}, {(time.monotonic() - start) / 60:.1f} minutes"
    Console().print(summary.table(title))
    if wishes.keep:
        wishes.keep.mkdir(parents=True, exist_ok=True)
        for number, (mutant, words) in enumerate(summary.failures):
            (wishes.keep / f"{number:04}-{mutant.name}").write_bytes(mutant.data)
            (wishes.keep / f"{number:04}.txt").write_text(words + "\n", encoding="utf-8")
    return 1 if summary.failures else 0


if __name__ == "__main__":
    sys.exit(main())
