"""All results at a glance: one page, a table for spreadsheets, the same for programs, and a draft to every team."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from datetime import datetime, timezone
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.organising.leaderboard import leaderboard, scores_of
from audio_encoder_checker.organising.letters import letter
from audio_encoder_checker.render.html.page import template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audio_encoder_checker.organising.kinship import Kin
    from audio_encoder_checker.organising.leaderboard import Leaderboard, Standing
    from audio_encoder_checker.organising.results import Results

TRACKS = {"track_a": "Track A: linear probe", "track_b": "Track B: KNN"}
LETTERS = "messages"
UNSAFE = re.compile(r"[^\w.-]+")
SETTING = ("tool", "profile", "options", "data_sha256")
CSV_FIRST = (
    *("team", "files", "sha256", "verdict", "reason", "errors", "warnings", "causes", "encoder", "parameters"),
    *("gpu", "gpu_upper_gib", "encode_hours_low", "encode_hours_high", "seconds", "attempts"),
)


def board(records: Sequence[Mapping[str, Any]], kin: Sequence[Kin] = (), waiting: int = 0) -> dict[str, Any]:
    """Everything that is told of all submissions together, as JSON data.

    Args:
        records: of all submissions, of one setting.
        kin: pairs of them that are nearly the same.
        waiting: how many more are still to be judged.
    """
    boards = {track: leaderboard(records, track) for track in TRACKS}
    standings = {track: {one.sha256: one for one in found.standings} for track, found in boards.items()}
    names = {one["submission"]["sha256"]: team(one) for one in records}
    rows = [_row(one, standings) for one in records]
    verdicts = ("ready", "not-ready", "undecided", "unjudged")
    return {
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "setting": {key: records[0][key] for key in SETTING} if records else None,
        "waiting": waiting,
        "quick_set": bool(records) and not records[0]["data_sha256"],
        "counts": {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in verdicts},
        "submissions": sorted(rows, key=lambda row: (row["team"].casefold(), row["sha256"])),
        "leaderboards": {track: _leaderboard(found, names) for track, found in boards.items()},
        "causes": _causes(records),
        "identical": [[one["team"] for one in row["senders"]] for row in rows if len(row["senders"]) > 1],
        "nearly_the_same": [
            {"teams": [names[one.first], names[one.second]], "shared": round(one.share, 3)}
            for one in kin
            if one.first in names and one.second in names
        ],
    }


def team(record: Mapping[str, Any]) -> str:
    """A submission's name on the board: its first file's, without folder and suffix."""
    return PurePath(record["submission"]["files"][0]).stem


def letter_name(file: str, sha256: str) -> str:
    """Where the draft to the team lies that sent a file, relative to the folder of results."""
    return f"{LETTERS}/{UNSAFE.sub('_', PurePath(file).stem)[:80]}-{sha256[:8]}.txt"


def _row(record: Mapping[str, Any], standings: Mapping[str, Mapping[str, Standing]]) -> dict[str, Any]:
    files, sha256 = record["submission"]["files"], record["submission"]["sha256"]
    own = {track: known.get(sha256) for track, known in standings.items()}
    found = (record["summary"] or {"causes": ()})["causes"]
    counts = Counter(one["id"] for one in found)
    causes = {one["id"]: {**one, "count": counts[one["id"]]} for one in reversed(found)}
    return {
        "team": team(record),
        "files": files,
        "sha256": sha256,
        "senders": [{"team": PurePath(file).stem, "message": letter_name(file, sha256)} for file in files],
        "causes": [causes[one] for one in counts],
        "verdict": record["verdict"],
        "reason": record["reason"],
        "summary": record["summary"],
        "attempts": len(record["attempts"]),
        "troubles": [one["trouble"] for one in record["attempts"] if one["trouble"]],
        "standing": {track: one._asdict() if one else None for track, one in own.items()},
    }


def _leaderboard(found: Leaderboard, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "tasks": list(found.tasks),
        "standings": [{"team": names[one.sha256], **one._asdict()} for one in found.standings],
        "without_a_place": [
            {"team": names[sha256], "sha256": sha256, "lacks": list(tasks)} for sha256, tasks in found.lacking.items()
        ],
    }


def _causes(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Root causes, the most frequent first, with the teams that have each."""
    groups: dict[tuple[str, str], list[str]] = {}
    for record in records:
        for cause in {(one["id"], one["name"]) for one in (record["summary"] or {"causes": ()})["causes"]}:
            groups.setdefault(cause, []).append(team(record))
    found = [{"id": key[0], "name": key[1], "teams": sorted(teams, key=str.casefold)} for key, teams in groups.items()]
    return sorted(found, key=lambda one: (-len(one["teams"]), one["id"]))


def write_board(
    results: Results, records: Sequence[Mapping[str, Any]], kin: Sequence[Kin] = (), waiting: int = 0
) -> dict[str, Any]:
    """Write `index.html`, `summary.csv` and `summary.json`; each is replaced in one step.

    Returns:
        What `board` returns.

    Raises:
        UsageError: the folder cannot be written.
    """
    data = board(records, kin, waiting)
    results.write("summary.json", json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    results.write("summary.csv", as_csv(data))
    scores = {row["sha256"]: row["summary"] for row in data["submissions"]}
    results.write("index.html", template("board").render(data=data, tracks=TRACKS, scores=scores, shown=_shown(data)))
    return data


def _shown(data: Mapping[str, Any]) -> dict[str, bool]:
    """Which columns hold anything; what was not asked for leaves none behind."""
    summaries = [row["summary"] for row in data["submissions"] if row["summary"]]
    return {
        "a": bool(data["leaderboards"]["track_a"]["tasks"]),
        "b": bool(data["leaderboards"]["track_b"]["tasks"]),
        "gpu": any(one["gpu"] for one in summaries),
        "hours": any(one["encode_hours"] for one in summaries),
    }


def as_csv(data: Mapping[str, Any]) -> str:
    """A row for each submission, with the scores of every task; no cell is taken for a formula."""
    tasks = [(track, task) for track in TRACKS for task in data["leaderboards"][track]["tasks"]]
    averages = [f"{track}_{what}" for track in TRACKS for what in ("average", "low", "high", "place", "best", "worst")]
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow([*CSV_FIRST, *averages, *(f"{track}:{task}" for track, task in tasks)])
    for row in data["submissions"]:
        cells = [*_first_cells(row), *_average_cells(row), *(_score(row, track, task) for track, task in tasks)]
        table.writerow([_inert(cell) for cell in cells])
    return text.getvalue()


def _first_cells(row: Mapping[str, Any]) -> list[Any]:
    summary = row["summary"] or {}
    gpu, hours = summary.get("gpu"), summary.get("encode_hours") or (None, None)
    upper = gpu["upper_bytes"] / 2**30 if gpu and gpu["upper_bytes"] else None
    return [
        *(row["team"], "; ".join(row["files"]), row["sha256"], row["verdict"], row["reason"]),
        *(summary.get("errors"), summary.get("warnings"), " ".join(one["id"] for one in row["causes"])),
        *(summary.get("encoder"), summary.get("parameters"), gpu["verdict"] if gpu else None),
        *(None if upper is None else round(upper, 3), *hours, summary.get("seconds"), row["attempts"]),
    ]


def _average_cells(row: Mapping[str, Any]) -> list[Any]:
    cells: list[Any] = []
    for track in TRACKS:
        standing = row["standing"][track]
        keys = ("average", "low", "high", "place", "best", "worst")
        cells += [standing[key] if standing else None for key in keys]
    return [round(cell, 4) if isinstance(cell, float) else cell for cell in cells]


def _score(row: Mapping[str, Any], track: str, task: str) -> float | None:
    score = scores_of(row, track).get(task)
    return score["value"] if score else None


def _inert(cell: Any) -> Any:
    """Spreadsheets run a text that begins like a formula; an apostrophe in front keeps it a text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def write_letters(results: Results, record: Mapping[str, Any], report: Mapping[str, Any] | None) -> None:
    """Write a draft message to every team that sent a submission.

    Raises:
        UsageError: the folder cannot be written.
    """
    for file in record["submission"]["files"]:
        name = letter_name(file, record["submission"]["sha256"])
        results.write(name, letter(PurePath(file).name, record, report))
