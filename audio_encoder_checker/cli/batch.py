"""Many submissions: `aecc-check inbox/*.zip --out results`."""

from __future__ import annotations

import time
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from audio_encoder_checker.cli.console import EXIT_INTERRUPTED, EXIT_UNDECIDED, complain, say, words
from audio_encoder_checker.datasets.remote import is_address
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.organising.batch import Batch
from audio_encoder_checker.organising.board import letter_name, team, write_board, write_letters
from audio_encoder_checker.organising.inbox import Watch, add, part_files, take_in
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
FEW = 3
"""After so many results the time that is left is told."""


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
        self.batch = Batch(results, self.engine, setting=setting, options=options, needs=room.needs, told=self._told)
        self.known: dict[str, Submitted] = {}
        self.contents: dict[str, Contents] = {}
        self.latest: dict[str, str] = {}
        self.at_once = room.at_once if wishes["engine"] == "local" else 0
        self.total, self.reported, self.begun = 0, 0, time.monotonic()
        self.written, self.stale = 0.0, False

    @property
    def done(self) -> int:
        """How many this run has judged."""
        return self.batch.judged

    def run(self, submissions: Sequence[Path]) -> int:
        """Until everything is judged; with --follow until Ctrl-C."""
        try:
            self._begin(submissions)
            if self.follow:
                self._watch(Watch(Path(self.follow)))
            while self.batch.underway:
                self.batch.step(POLL_SECONDS)
        except KeyboardInterrupt:
            self.engine.close()
            self._board()
            board = f"board: {printable(str(self.results.root / 'index.html'))}"
            if self.follow:
                complain(f"stopped: {self.done} judged, {len(self.batch.underway)} under way were given up · {board}")
                return 0
            said = f"interrupted: {self.done} of {self.total} judged; the same command with --resume goes on"
            complain(f"{said} · {board}")
            return EXIT_INTERRUPTED
        self._last_words(self._board())
        return EXIT_UNDECIDED if any(one["verdict"] == UNJUDGED for one in self._records()) else 0

    def _begin(self, submissions: Sequence[Path]) -> None:
        self.known = take_in(submissions)
        same = sum(len(one.files) for one in self.known.values())
        for one in self.known.values():
            for path in one.files:
                self._look(one, path)
        valid = self.batch.add(self.known.values())
        self.total = len(self.batch.underway)
        if not self.known:
            return
        words = [f"{same} submissions", *([f"{len(self.known)} distinct"] if same > len(self.known) else [])]
        words += [f"{valid} judged already"] if valid else []
        words += [f"{min(self.at_once, self.total)} at once"] if self.at_once and self.total else []
        complain(" · ".join(words))
        for one in self.known.values():
            if len(one.files) > 1:
                complain(f"identical: {printable(', '.join(path.name for path in one.files), limit=200)}")

    def _watch(self, watch: Watch) -> None:
        board = printable(str(self.results.root / "index.html"))
        complain(f"watching {printable(str(watch.folder))} for ZIPs; Ctrl-C ends it · board: {board}")
        while True:
            for path in watch.arrived():
                try:
                    one = add(self.known, path)
                except UsageError as error:  # it went away, or may not be read
                    complain(f"note: {error}")
                    continue
                again = ", in place of an earlier version" if self._look(one, path) else ""
                if not self.batch.add([one]):
                    self.total = self.done + len(self.batch.underway)
                    complain(f"arrived: {printable(path.name)}{again}")
            self.batch.step(POLL_SECONDS) if self.batch.underway else time.sleep(POLL_SECONDS)
            self._freshen()

    def _look(self, one: Submitted, path: Path) -> bool:
        """Take notice of what a file holds; whether it held something else before."""
        self.contents[one.sha256] = contents_of(path)
        name, self.stale = one.as_data()["files"][one.files.index(path)], True
        before = self.latest.get(name, one.sha256)
        self.latest[name] = one.sha256
        return before != one.sha256

    def _told(self, record: dict[str, Any], report: dict[str, Any] | None) -> None:
        write_letters(self.results, record, report)
        if not self.quiet:
            files = record["submission"]["files"]
            fresh = self.done > self.reported
            complain(self._line(record) if fresh else f"judged already: {PurePath(files[-1]).name}, as {team(record)}")
        self.reported = self.done
        self.stale = True
        self._freshen()

    def _line(self, record: Mapping[str, Any]) -> str:
        causes = record["summary"]["causes"] if record["summary"] else []
        why = f"  {causes[0]['id']} {causes[0]['name']}" if causes else f"  {record['reason']}"
        seconds = record["attempts"][-1]["seconds"]
        again = f", attempt {len(record['attempts'])}" if len(record["attempts"]) > 1 else ""
        verdict = record["verdict"].upper().replace("-", " ")
        left = "" if self.follow else self._left()
        return f"[{self.done}/{self.total}] {verdict:<9} {team(record)}{why.rstrip()}  {seconds:.0f} s{again}{left}"

    def _left(self) -> str:
        """How long the rest may take, once a few are done and where that is worth a word."""
        seconds = (time.monotonic() - self.begun) / self.done * (self.total - self.done)
        return f" · about {seconds / 60:.0f} min left" if self.done >= FEW and seconds >= 90 else ""

    def _freshen(self) -> None:
        """Write the board anew, but not for every result of many that come at once."""
        if self.stale and time.monotonic() - self.written > BOARD_SECONDS:
            self._board()

    def _records(self) -> list[dict[str, Any]]:
        """Those of this run's setting, of whatever run; a file that was sent anew counts as what it holds now."""
        found = []
        for one in filter(self.batch.is_current, self.batch.records.values()):
            files, gone = part_files(one, self.latest)
            for file in gone:
                (self.results.root / letter_name(file, one["submission"]["sha256"])).unlink(missing_ok=True)
            if files:
                found.append({**one, "submission": {**one["submission"], "files": files}})
        return found

    def _board(self) -> dict[str, Any]:
        data = write_board(self.results, self._records(), find_kin(self.contents), len(self.batch.underway))
        self.written, self.stale = time.monotonic(), False
        return data

    def _last_words(self, data: Mapping[str, Any]) -> None:
        say(" · ".join(f"{count} {verdict.upper().replace('-', ' ')}" for verdict, count in data["counts"].items()))
        for one in data["causes"][:CAUSES]:
            say(f"  {len(one['teams']):>4}  {one['id']} {one['name']}: {printable(', '.join(one['teams']), limit=60)}")
        root = self.results.root
        say(f"board: {root / 'index.html'} · table: {root / 'summary.csv'} · drafts: {root / 'messages'}")
