"""Are results still what they say, and does the same check come to the same result today?"""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.archive.manifest import describe_file
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.organising.board import team
from audio_encoder_checker.organising.jobs import Job
from audio_encoder_checker.organising.records import OF_THE_RUN, Setting, read_own_report
from audio_encoder_checker.organising.results import is_sound, read_records
from audio_encoder_checker.organising.worker import REPORT
from audio_encoder_checker.render.comparison import compare_reports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from audio_encoder_checker.organising.jobs import Ended, Needs

DRIFT = {"verdict", "profile", "mended", "not judged now", "new", "score"}
"""Kinds of changes that are told: figures in messages, times and peaks of memory differ from run to run."""


@dataclass(frozen=True)
class Audited:
    """What was found about one result.

    Attributes:
        altered: what of the folder is no longer what the record says; empty if all is.
        drift: what the same check says otherwise today; None where it was not asked again.
        different: what differs from the circumstances then: tool, profile, data, environment.
    """

    altered: str = ""
    drift: tuple[str, ...] | None = None
    different: tuple[str, ...] = ()


def audit(
    root: Path,
    sample: int,
    seed: int,
    judge: Callable[[Job], Ended],
    needs: Needs,
    begun: Callable[[str], None] = lambda _words: None,
) -> dict[str, tuple[Mapping[str, Any], Audited]]:
    """Hold every result against its record, and judge some of them again.

    Args:
        root: the folder of results.
        sample: how many to judge again, chosen at random.
        seed: of the choice.
        judge: does a job.
        needs: of a job.
        begun: told of each that is judged again, which takes as long as it took then.

    Returns:
        Records and what was found, by SHA-256.

    Raises:
        UsageError: there are no results.
    """
    records = read_records(root)
    found: dict[str, tuple[Mapping[str, Any], Audited]] = {
        name: (record, Audited(_altered(root, record))) for name, record in records.items()
    }
    sound = [name for name, (_, one) in found.items() if not one.altered]
    chosen = random.Random(seed).sample(sound, min(sample, len(sound)))  # noqa: S311 - a sample, no secret
    for number, name in enumerate(sorted(chosen), 1):
        seconds = records[name]["attempts"][-1]["seconds"]
        begun(f"[{number}/{len(chosen)}] judging {team(records[name])} again; it took {seconds:.0f} s")
        found[name] = (records[name], _again(root, records[name], judge, needs))
    return found


def _altered(root: Path, record: Mapping[str, Any]) -> str:
    if record["report_sha256"] is None:
        return ""
    return "" if is_sound(root, dict(record)) else "the report is not the one that the record was written for"


def _again(root: Path, record: Mapping[str, Any], judge: Callable[[Job], Ended], needs: Needs) -> Audited:
    """Judge one submission once more, with the options of then."""
    name = record["submission"]["sha256"]
    path = still_there(record)
    old = read_own_report(root / name)
    if path is None:
        return Audited("no file of this content lies where it was sent from")
    if old is None:
        return Audited()
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        judge(Job(name, path, Path(folder), tuple(record["options"]), needs))
        new = read_own_report(Path(folder))
    if new is None:
        return Audited(drift=("no report today",))
    changes = [f"{one.kind}: {one.what}" for one in compare_reports(old, new) if one.kind in DRIFT]
    return Audited(drift=tuple(changes), different=tuple(_different(record, new)))


def still_there(record: Mapping[str, Any]) -> Path | None:
    """A file that still has the content of a submission; None if there is none where it was sent from."""
    for file in record["submission"]["files"]:
        path = Path(file)
        try:
            if path.is_file() and describe_file(path, REPORT).sha256 == record["submission"]["sha256"]:
                return path
        except UsageError:
            continue
    return None


def _different(record: Mapping[str, Any], new: Mapping[str, Any]) -> Sequence[str]:
    options = tuple(record["options"])
    profile = _value(options, "--profile") or record["profile"]["name"]
    setting = Setting(profile, options, _value(options, "--data")).as_data()
    keys = ("tool", "profile", "data_sha256")
    words = [f"{key.removesuffix('_sha256')} is another one" for key in keys if setting[key] != record[key]]
    now = {key: value for key, value in new["environment"].items() if key not in OF_THE_RUN}
    then = record["environment"]
    changed = [key for key in sorted({*now, *then}) if now.get(key) != then.get(key)]
    return [*words, *(f"{key} was {then.get(key)}, is {now.get(key)}" for key in changed)]


def _value(options: Sequence[str], name: str) -> str:
    return next((one.partition("=")[2] for one in options if one.startswith(f"{name}=")), "")
