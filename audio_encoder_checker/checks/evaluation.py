"""AEC8xx: what the embeddings are worth on the evaluation's tasks."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import listed
from audio_encoder_checker.evidence.evaluation import LOG_MEL, EncodingFacts, References, TaskRun
from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.evidence.scores import TrackScores, goodness
from audio_encoder_checker.findings import Problem, Severity


@check("AEC801")
def encoding_failure(encoding: EncodingFacts) -> Iterator[Problem]:
    """The encoder fails while the clips of a task are encoded.

    X-ARES encodes every data set in batches in one go; a call that fails, dies or hangs ends the task, and the task
    drops out of the average.

    Fix: run `YourEncoder()(torch.randn(16, 160000))`, and with other lengths, and mend what it shows.
    """
    failed = [
        run for run in encoding.tasks if run.outcome.ending is not Ending.ANSWERED and not run.outcome.ending.by_limit
    ]
    if failed:
        first = failed[0]
        yield Problem(
            f"{_place(first)}: a batch of {first.batch} clips failed: {first.outcome}{_others(failed)}",
            at=first.outcome.at,
        )


def _place(run: TaskRun) -> str:
    return f"task {run.task}, {run.at}" if run.at else f"task {run.task}"


def _others(runs: list[TaskRun]) -> str:
    """The tasks behind the first."""
    others = [run.task for run in runs[1:]]
    return f"; the same in {listed(others)}" if others else ""


@check("AEC802")
def unusable_embedding(encoding: EncodingFacts) -> Iterator[Problem]:
    """An embedding of a task's clip cannot be scored.

    Embeddings that are not finite, or not of shape [B, T', D], would give a score of chance in X-ARES without
    any error.

    Fix: call the encoder with 16 clips at once, `YourEncoder()(torch.zeros(16, 16000))`; silence is the usual cause
        of NaN.
    """
    broken = [run for run in encoding.tasks if run.problem]
    if broken:
        yield Problem(f"{_place(broken[0])}: {broken[0].problem}{_others(broken)}")


@check("AEC803", severity=Severity.WARNING)
def worse_than_log_mel(scores: TrackScores, references: References) -> Iterator[Problem]:
    """The embeddings are worth less than a plain log-mel spectrogram.

    A pre-trained encoder that loses to the mean of a spectrogram usually has lost its weights on the way, or
    returns the wrong layer. The built-in quick set is no leaderboard, but this comparison is a fair warning.

    Fix: check that the weights are really loaded (`missing_keys` of `load_state_dict`) and which layer is returned.
    """
    losses, compared = [], 0
    for score in scores.track_a:
        floor = references.find(LOG_MEL, score.task)
        compared += floor is not None
        if floor and score.official.best_end < goodness(floor.metric, floor.track_a):
            losses.append(f"{score.task} {score.official.value:.2f} against {floor.track_a:.2f}")
    if losses and len(losses) > compared / 2:
        yield Problem(
            f"below log-mel on {len(losses)} of {compared} tasks of track A by more than the interval: {listed(losses)}"
        )


@check("AEC804", severity=Severity.WARNING)
def unreadable_data(encoding: EncodingFacts) -> Iterator[Problem]:
    """Clips of a task's data cannot be read.

    X-ARES would pass over them silently and score what is left, which is another number than the one of the whole
    data. The task is left out here; the others are scored, and the averages say what they cover.

    Fix: run `aecc-data verify --to DIR`, which names damaged shards, and `aecc-data fetch --tasks TASK --to DIR`.
    """
    for run in encoding.tasks:
        if run.data:
            first = run.data[0]
            key = f", clip {first.key!r}" if first.key else ""
            more = f", and {len(run.data) - 1} more" if len(run.data) > 1 else ""
            yield Problem(f"task {run.task}: {first.problem}{more}", at=f"{first.shard}{key}")


@check("AEC805", severity=Severity.WARNING)
def untrained_class(encoding: EncodingFacts) -> Iterator[Problem]:
    """The training data of a task lacks a class of its test data.

    No encoder can score on a class that its probe has never seen, so the figure is lower than it would be on the
    whole data. X-ARES says nothing.

    Fix: fetch all shards of the training split, `aecc-data fetch --tasks TASK --to DIR`.
    """
    for run in encoding.tasks:
        if run.unseen:
            yield Problem(f"task {run.task}: no training clip of {listed(run.unseen)}")
