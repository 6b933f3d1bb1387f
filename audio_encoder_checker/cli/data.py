"""`aecc-data`: fetch, list and verify the public data of the challenge."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from audio_encoder_checker.cli import console
from audio_encoder_checker.errors import MachineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from audio_encoder_checker.evaluation.tasks import Task


def main() -> NoReturn:
    """Run the command and leave with its exit status."""
    console.run(data)


@click.group(context_settings=console.HELP)
@click.version_option(package_name="audio-encoder-checker", message="%(prog)s %(version)s")
def data() -> None:
    """Get the challenge's public data, for `aecc-check --data DIR`.

    Exit status: 0 good, 1 data is missing or damaged, 2 wrong usage, 3 it cannot be fetched now, 70 a bug.
    """


TO = click.option(
    "--to", "root", metavar="DIR", required=True, type=click.Path(path_type=Path, file_okay=False), help="Data folder."
)
MINI = click.option("--mini", is_flag=True, help="X-ARES's smaller shards where there are any.")


@data.command("list")
@click.option(
    "--to", "root", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Say what is there already."
)
def list_tasks(root: Path | None) -> int:
    """List all tasks: what they are, where their data comes from, and what is on disk."""
    from audio_encoder_checker.evaluation.shards import shards_of
    from audio_encoder_checker.evaluation.tasks import challenge_tasks

    for task in challenge_tasks():
        source = f"record {task.layout.zenodo}" if task.layout.zenodo else "hidden" if task.hidden else "your own"
        line = f"{task.id:22}{task.domain:8}{task.kind:17}{source:17}"
        if root is not None:
            shards = shards_of(root, task, mini=False)
            there = sum(bool(found) for found in shards.values())
            line += f"{there} of {len(shards)} parts"
        console.say(line.rstrip() if root else f"{line}{task.title}")
    return 0


@data.command()
@click.option("--tasks", metavar="ID,...", required=True, help="What to fetch; `aecc-data list` shows all.")
@MINI
@TO
@click.option(
    "--from", "base", metavar="URL", envvar="AECC_DATA_URL", default="https://zenodo.org", show_default=True,
    help="Where the records are.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
def fetch(tasks: str, mini: bool, root: Path, base: str, quiet: bool) -> int:
    """Fetch the shards of some tasks; goes on where an earlier run was broken off."""
    from audio_encoder_checker.datasets import library
    from audio_encoder_checker.datasets.download import Downloader

    chosen = _tasks(tasks)
    with _alone(root), _progress(quiet=quiet) as (on_total, on_bytes):
        downloader = Downloader((lambda seconds: _pause(seconds, base, quiet=quiet)), on_bytes)
        wanted = library.plan(root, chosen, downloader, base.rstrip("/"), mini=mini)
        on_total(sum(one.bytes_left for one in wanted))
        for path, how in library.fetch(root, wanted, downloader):
            console.say(f"{path}  {how}")
    option = " --mini" if mini else ""
    console.say(f"next: aecc-check SUBMISSION --data {root} --tasks {','.join(task.id for task in chosen)}{option}")
    return 0


@data.command()
@click.option("--tasks", metavar="ID,...", default="", help="Only these; all that are there if not given.")
@MINI
@TO
def verify(tasks: str, mini: bool, root: Path) -> int:
    """Hold the shards on disk against their records' sizes and checksums, and read them to their ends."""
    from audio_encoder_checker.datasets import library
    from audio_encoder_checker.evaluation.tasks import challenge_tasks

    chosen = _tasks(tasks) if tasks else [task for task in challenge_tasks() if (root / task.folder).is_dir()]
    if not chosen:
        raise UsageError(f"there is no task's folder in {root}", f"aecc-data fetch --tasks esc50 --to {root}")
    bad = []
    for task in chosen:
        problems = library.verify(root, task, mini=mini)
        console.say(f"{task.id}: {'; '.join(problems) if problems else 'good'}")
        bad += [task.id] if problems else []
    if bad:
        console.say(f"fix: delete the shards named, then aecc-data fetch --tasks {','.join(bad)} --to {root}")
    return 1 if bad else 0


def _tasks(words: str) -> Sequence[Task]:
    from audio_encoder_checker.evaluation.tasks import choose_tasks

    chosen = choose_tasks(console.words(words))
    built_in = [task.id for task in chosen if task.built_in]
    if not chosen or built_in:
        problem = f"task {built_in[0]} is generated, there is nothing to fetch" if built_in else "--tasks names none"
        raise UsageError(problem, "`aecc-data list` shows the tasks that have data")
    return chosen


def _pause(seconds: float, base: str, *, quiet: bool) -> None:
    """Wait before another try, and say so: minutes of silence look like a program that hangs."""
    if not quiet and seconds >= 1:
        console.complain(f"note: {base} does not answer as it should; trying again in {seconds:.0f} s")
    time.sleep(seconds)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Keep a second run out of the same folder."""
    from filelock import FileLock, Timeout

    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".aecc-data.lock", timeout=0):
            yield
    except Timeout:
        raise MachineError(f"another aecc-data is at work in {root}", "wait until it is done") from None
    except OSError as error:
        raise UsageError(f"{root}: {error.strerror}", "choose a folder that can be written with --to") from None


@contextmanager
def _progress(*, quiet: bool) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """A bar with a time estimate, on a terminal; elsewhere the finished files alone are told."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    err = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=quiet or not err.is_terminal) as bar:
        task = bar.add_task("fetch", total=None)
        yield (
            lambda total: bar.update(task, total=total),
            lambda count: bar.advance(task, count),
        )
