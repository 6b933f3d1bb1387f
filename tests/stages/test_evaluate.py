"""Real data on disk through the whole line: what is scored, what is told, what is taken up again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evaluation.tasks import all_tasks
from audio_encoder_checker.evidence.evaluation import EncodingFacts
from audio_encoder_checker.evidence.scores import TrackScores
from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.stages.plan import Wishes, make_plan
from tests.profiles import BRIEF, changed_profile
from tests.shards import RATE, clip_files, encoded, tone, write_shard, write_task

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.evaluation import TaskRun
    from audio_encoder_checker.report import Report

pytestmark = pytest.mark.box
LOG_MEL = (Path(__file__).parents[1] / "encoders" / "logmel_encoder.py").read_text(encoding="utf-8")
FAILING = """
class BroodingEncoder(LogMelEncoder):
    def forward(self, audio):
        if audio.shape[-1] == 31111:
            raise ValueError("an odd length")
        return super().forward(audio)


del LogMelEncoder
"""


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AECC_CACHE_DIR", str(tmp_path / "cache"))


def run(tmp_path: Path, *tasks: str, source: str = LOG_MEL, **wishes: Any) -> Report:
    repository = tmp_path / "repository"
    repository.mkdir(exist_ok=True)
    (repository / "encoder.py").write_text(source, encoding="utf-8")
    profile = changed_profile(tmp_path, **{**BRIEF, "lengths_s": [0.5, 1.0]})
    evaluation = Wishes(tmp_path / "data", tasks, **wishes)
    options = Options(stages=("evaluate",), trust=True, device="cpu", profile=profile, evaluation=evaluation)
    return check_submission(repository, options)


def runs_of(report: Report) -> dict[str, TaskRun]:
    encoding = report.evidence.get(EncodingFacts)
    assert encoding is not None
    return {one.task: one for one in encoding.tasks}


def scored(report: Report) -> list[str]:
    scores = report.evidence.get(TrackScores)
    return [one.task for one in scores.track_a] if scores else []


def ids(report: Report) -> list[str]:
    return [finding.id for finding in report.findings if finding.id.startswith("AEC8")]


def test_every_kind_is_scored_and_a_second_run_encodes_nothing(tmp_path: Path) -> None:
    tasks = ("cremad", "fsd50k", "speechocean762", "desed", "librispeechphoneme", "clotho", "esc50", "asvspoof2015")
    for task in tasks:
        write_task(tmp_path / "data", task, 12)
    first = run(tmp_path, *tasks, corrected=True)
    assert scored(first) == list(tasks)
    assert ids(first) == []
    again = run(tmp_path, *(quick := [one for one in tasks if one not in ("clotho", "esc50")]), corrected=True)
    assert set(runs_of(again)) == set(quick), "those that train fast"
    assert {one.seconds for one in runs_of(again).values()} == {0.0}
    assert all(one.resumed == one.clips > 0 for one in runs_of(again).values())
    scores = [report.evidence.get(TrackScores) for report in (first, again)]
    values = [
        [one.official for one in (*found.track_a, *found.track_b) if one.task in quick] for found in scores if found
    ]
    assert values[0] == values[1] != []
    assert all(one.corrected for one in scores[0].track_a) if scores[0] else False


def test_a_changed_encoder_of_the_same_name_gets_nothing_of_the_first_ones(tmp_path: Path) -> None:
    write_task(tmp_path / "data", "vocalsound", 12)
    run(tmp_path, "vocalsound")
    other = run(tmp_path, "vocalsound", source=LOG_MEL + "\n# other bytes\n")
    assert runs_of(other)["vocalsound"].resumed == 0


def test_two_tasks_on_the_same_shards_keep_their_labels_apart(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "nsynthinstument"
    for number, split in enumerate(("train", "valid", "test")):
        files = []
        for clip in range(number * 12, number * 12 + 12):
            audio, _ = clip_files(all_tasks()["nsynthpitch"], clip)
            document = {"pitch": 60 + clip % 4, "instrument_family_str": f"family-{clip % 2}"}
            files += [audio, (audio[0].replace("flac", "json"), json.dumps(document).encode())]
        write_shard(folder / f"nsynth_{split}_0.tar", files)
    report = run(tmp_path, "nsynthinstument", "nsynthpitch")
    scores = report.evidence.get(TrackScores)
    assert scores is not None
    assert [one.official.value for one in scores.track_b] == [1.0, 1.0]
    assert runs_of(report)["nsynthpitch"].resumed == 0


def test_what_is_wrong_with_the_data_is_told_and_the_other_tasks_run(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for task in ("vocalsound", "cremad", "esc50", "speechcommandsv1", "gtzan_genre"):
        write_task(data, task, 12)
    shard = data / "cremad" / "wds-audio-test0000.tar"
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    (data / "esc50" / "wds-audio-fold-3-0000.tar").unlink()
    write_shard(data / "gtzan_genre" / "gtzan_fold_0_0000.tar", [])
    commands = all_tasks()["speechcommandsv1"]
    files = [
        (name, content.replace(b"class-1", b"class-0")) for n in range(12) for name, content in clip_files(commands, n)
    ]
    write_shard(data / "speechcommandsv1" / "wds-audio-train0000.tar", files)
    report = run(tmp_path)
    found = {finding.id: finding for finding in report.findings}
    unreadable = {one.message: one.at for one in report.findings if one.id == "AEC804"}
    assert scored(report) == ["speechcommandsv1", "vocalsound"]
    (cremad,) = (at for message, at in unreadable.items() if message.startswith("task cremad: "))
    assert cremad.startswith("wds-audio-test0000.tar")
    assert unreadable["task esc50: no shards of fold 3 in esc50/"] == "esc50"
    assert unreadable["task gtzan_genre: it has no clip that can be read"] == "fold 1"
    assert found["AEC805"].message == "task speechcommandsv1: no training clip of class-1"
    reasons = {name: one.skipped for name, one in runs_of(report).items() if one.skipped}
    assert reasons["esc50"] == "no shards of fold 3 in esc50/"
    assert reasons["gtzan_genre"] == "its data cannot be read"
    assert reasons["maestro"] == "no data"
    assert reasons["finger_snap"] == "the organisers alone have its data"
    assert len(reasons) == 28


def test_an_encoder_that_fails_on_one_clip_is_told_which(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for task in ("vocalsound", "cremad"):
        write_task(data, task, 12)
    files = [f for n in range(5) for f in clip_files(all_tasks()["cremad"], n)]
    document = json.dumps({"label": "H"}).encode()
    files += [("odd.flac", encoded(tone(1, 31111 / RATE, 0))), ("odd.json", document)]
    write_shard(data / "cremad" / "wds-audio-test0000.tar", files)
    report = run(tmp_path, "cremad", "vocalsound", source=LOG_MEL + FAILING)
    (finding,) = [one for one in report.findings if one.id == "AEC801"]
    assert finding.message.startswith(
        "task cremad, wds-audio-test0000.tar: clip 'odd': a batch of 6 clips failed: ValueError: an odd length"
    )
    assert scored(report) == ["vocalsound"]


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (Wishes(Path("/nowhere")), "there is no folder '/nowhere'"),
        (Wishes(None, ("esc50",)), "task esc50 needs its data"),
        (Wishes(Path("/"), ("quick-words",)), "task quick-words is built in"),
        (Wishes(None, ("smell",)), "there is no task 'smell'"),
        (Wishes(None, mini=True), "--mini chooses among shards on disk"),
    ],
)
def test_wishes_that_cannot_be_fulfilled_are_told(wishes: Wishes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_plan(wishes)
