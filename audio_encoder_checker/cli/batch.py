"""Many submissions: `aecc-check inbox/*.zip --out results`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from audio_encoder_checker.cli.console import EXIT_INTERRUPTED, EXIT_UNDECIDED, complain, say, words
from audio_encoder_checker.datasets.remote import is_address
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.organising.batch import Batch
from audio_encoder_checker.organising.board import team, write_board, write_letters
from audio_encoder_checker.organising.inbox import Watch, add, take_in
from audio_encoder_checker.organising.kinship import contents_of, find_kin
from audio_encoder_checker.organising.pairs import ByTask
from audio_encoder_checker.organising.records import UNJUDGED, Setting
from audio_encoder_checker.organising.resources import Room, make_engine, parse_jobs
from audio_encoder_checker.organising.results import Results
from audio_encoder_checker.printable import printable
from audio_encoder_checker.stages.plan import Wishes, make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audio_encoder_checker.organising.inbox import Submitted
    from audio_encoder_checker.organising.jobs import Engine
    from audio_encoder_checker.organising.kinship import Contents

OWN = {"out", "jobs", "resume", "follow", "engine", "address", "by_task", "color", "quiet"}
"""Options that are not for each submission."""
ALONE = {
    "reports": "each result has its own, in a folder below --out",
    "stdout_format": "each result has its own, in a folder below --out",
    "compare": "compare single reports",
    "fix": "mend one submission at a time",
    "yes": "mend one submission at a time",
    "encoder": "the submissions' own aecc.toml names it",
    "paper": "the submissions' own aecc.toml names it, or it lies beside the encoder",
}
"""Options about one submission, and why they make no sense for many."""
BOARD_SECONDS = 5.0
POLL_SECONDS = 1.0
CAUSES = 10


def run_batch(context: click.Context, submissions: Sequence[Path], wishes: Mapping[str, Any]) -> int:
    """Judge all of them; the exit status is 0 if every one has a verdict, whatever it is, else 3.

    Raises:
        UsageError: options that are about one submission, a folder that holds results already, or no submission.
        MachineError: the engine cannot start, or the disk is full.
    """
    if not submissions and not wishes["follow"]:
        raise UsageError("--out is for submissions, and none is named", "aecc-check inbox/*.zip --out results")
    options = _forwarded(context)
    setting = Setting(wishes["profile"], options, wishes["data"] or "").as_data()
    room = parse_jobs(wishes["jobs"], wishes["device"], wishes["profile"])
    out = Path(wishes["out"])
    if not wishes["resume"] and out.is_dir() and any(out.glob("*/record.json")):
        message = f"{printable(str(out))!r} holds results already"
        raise UsageError(message, "add --resume to judge only what is missing there, or name another folder with --out")
    with Results(out) as results:
        run = _Run(results, room, setting, options, wishes)
        try:
            return run.run(submissions)
        except OSError as error:  # most likely a full disk
            message = f"the results cannot be kept: {error.strerror}"
            raise MachineError(message, "free some disk space; the same command with --resume goes on") from None
        finally:
            run.engine.close()


def _forwarded(context: click.Context) -> tuple[str, ...]:
    """The options of the command line that every submission is judged with, in the order of `--help`.

    Raises:
        UsageError: one of them is about a single submission.
    """
    found: list[str] = []
    for one in context.command.params:
        given = one.name and context.get_parameter_source(one.name) is not ParameterSource.DEFAULT
        if not isinstance(one, click.Option) or not given or one.name in OWN or one.name not in context.params:
            continue
        option, value = max(one.opts, key=len), context.params[one.name]
        if one.name in ALONE:
            raise UsageError(f"{option} is about one submission: {ALONE[one.name]}", f"leave out {option}")
        if one.is_flag and one.is_bool_flag:
            found.append(option if value else one.secondary_opts[0])
        else:
            values = value if one.multiple else (value,)
            found += [f"{option}={_whole(one.name, part)}" for part in values]
    return tuple(found)


def _whole(name: str, value: Any) -> str:
    """An option's value as another machine, or a later audit, understands it: with whole paths."""
    text = str(value)
    is_path = isinstance(value, Path) or (name == "data" and not is_address(text))
    is_path = is_path or (name in ("profile", "budget") and text.endswith(".toml"))
    return str(Path(text).absolute()) if is_path else text


def _tasks(wishes: Mapping[str, Any]) -> list[str]:
    """Ids of the tasks that are evaluated.

    Raises:
        UsageError: nothing is, or the tasks make no sense.
    """
    for name in ("until", "stages", "no_eval"):
        if wishes[name]:
            raise UsageError("--by-task is about the evaluation, which was left out", "leave out --by-task")
    data = None
    if wishes["data"]:  # the folder itself is looked at where the work is done
        data = Path() if is_address(wishes["data"]) else Path(wishes["data"])
    return [one.id for one in make_plan(Wishes(data, words(wishes["tasks"]), mini=wishes["mini"])).tasks]


class _Run:
    """One run over many submissions, and what it says meanwhile."""

    def __init__(
        self, results: Results, room: Room, setting: dict[str, Any], options: tuple[str, ...], wishes: Mapping[str, Any]
    ) -> None:
        self.results = results
        self.follow, self.quiet = wishes["follow"], wishes["quiet"]
        if room.warning:
            complain(f"note: {room.warning}")
        self.engine: Engine = make_engine(wishes["engine"], room, wishes["address"])
        if wishes["by_task"]:
            self.engine = ByTask(self.engine, _tasks(wishes))
        self.batch = Batch(results, self.engine, setting=setting, options=options, needs=room.needs, told=self._kept)
        self.known: dict[str, Submitted] = {}
        self.contents: dict[str, Contents] = {}
        self.done = self.total = 0
        self.written, self.stale = 0.0, False

    def run(self, submissions: Sequence[Path]) -> int:
        """Until everything is judged; with --follow until Ctrl-C."""
        try:
            self._begin(submissions)
            if self.follow:
                self._watch(Watch(Path(self.follow)))
            while self.batch.underway:
                self._step()
        except KeyboardInterrupt:
            self.engine.close()
            self._board()
            if self.follow:
                complain(f"stopped: {self.done} judged, {len(self.batch.underway)} under way were given up")
                return 0
            complain(f"interrupted: {self.done} of {self.total} judged; the same command with --resume goes on")
            return EXIT_INTERRUPTED
        self._last_words(self._board())
        return EXIT_UNDECIDED if any(one["verdict"] == UNJUDGED for one in self._records()) else 0

    def _begin(self, submissions: Sequence[Path]) -> None:
        self.known = take_in(submissions)
        count = sum(len(one.files) for one in self.known.values())
        self._look(self.known.values())
        valid = self.batch.add(self.known.values())
        self.total = len(self.batch.underway)
        if self.known:
            distinct = [f"{len(self.known)} distinct"] if count > len(self.known) else []
            complain(" · ".join([f"{count} submissions", *distinct, *([f"{valid} judged already"] if valid else [])]))

    def _watch(self, watch: Watch) -> None:
        complain(f"watching {printable(str(watch.folder))}; Ctrl-C ends it")
        while True:
            for path in watch.arrived():
                try:
                    one = add(self.known, path)
                except UsageError as error:  # it went away, or may not be read
                    complain(f"note: {error}")
                    continue
                self._look([one])
                if not self.batch.add([one]):
                    self.total = self.done + len(self.batch.underway)
                    complain(f"arrived: {printable(path.name)}")
            self._step() if self.batch.underway else time.sleep(POLL_SECONDS)
            self._freshen()

    def _look(self, submissions: Any) -> None:
        self.contents |= {one.sha256: contents_of(one.files[0]) for one in submissions}

    def _kept(self, record: dict[str, Any], report: dict[str, Any] | None) -> None:
        write_letters(self.results, record, report)
        self.stale = True

    def _step(self) -> None:
        """Wait a little for a submission to be done with, and say so."""
        record = self.batch.step(POLL_SECONDS)
        if record is None:
            return
        self.done += 1
        causes = record["summary"]["causes"] if record["summary"] else []
        why = f"  {causes[0]['id']} {causes[0]['name']}" if causes else f"  {record['reason']}"
        seconds = record["attempts"][-1]["seconds"]
        again = f", attempt {len(record['attempts'])}" if len(record["attempts"]) > 1 else ""
        verdict = record["verdict"].upper().replace("-", " ")
        if not self.quiet:
            complain(f"[{self.done}/{self.total}] {verdict:<9} {team(record)}{why.rstrip()}  {seconds:.0f} s{again}")
        self._freshen()

    def _freshen(self) -> None:
        """Write the board anew, but not for every result of many that come at once."""
        if self.stale and time.monotonic() - self.written > BOARD_SECONDS:
            self._board()

    def _records(self) -> list[dict[str, Any]]:
        """Those of this run's setting, of whatever run."""
        return [one for one in self.batch.records.values() if self.batch.is_current(one)]

    def _board(self) -> dict[str, Any]:
        data = write_board(self.results, self._records(), find_kin(self.contents))
        self.written, self.stale = time.monotonic(), False
        return data

    def _last_words(self, data: Mapping[str, Any]) -> None:
        say(" · ".join(f"{count} {verdict.upper().replace('-', ' ')}" for verdict, count in data["counts"].items()))
        for one in data["causes"][:CAUSES]:
            say(f"  {len(one['teams']):>4}  {one['id']} {one['name']}: {printable(', '.join(one['teams']), limit=60)}")
        root = self.results.root
        say(f"board: {root / 'index.html'} · table: {root / 'summary.csv'} · drafts: {root / 'messages'}")
