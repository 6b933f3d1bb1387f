"""AEC8xx: what the embeddings are worth on the evaluation's tasks."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.evidence.evaluation import LOG_MEL, EncodingFacts, References
from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.evidence.scores import TrackScores
from audio_encoder_checker.findings import Problem, Severity


@check("AEC801")
def encoding_failure(encoding: EncodingFacts) -> Iterator[Problem]:
    """The encoder fails while the clips of a task are encoded.

    X-ARES encodes every data set in batches of 16 in one go; a call that fails, dies or hangs ends the task.

    Fix: repeat it with `YourEncoder()(torch.randn(16, samples))` at the length named.
    """
    outcome = encoding.outcome
    if outcome.ending is not Ending.ANSWERED and not outcome.ending.by_limit:
        yield Problem(f"task {encoding.task}: a batch of 16 clips ended so: {outcome}", at=outcome.at)


@check("AEC802")
def unusable_embedding(encoding: EncodingFacts) -> Iterator[Problem]:
    """An embedding of a task's clip cannot be scored.

    Embeddings that are not finite, or not of shape [B, T', D], would give a score of chance in X-ARES without
    any error.

    Fix: call the encoder with 16 clips at once, `YourEncoder()(torch.zeros(16, 16000))`; silence is the usual cause
        of NaN.
    """
    if encoding.problem:
        yield Problem(f"task {encoding.task}: {encoding.problem}")


@check("AEC803", severity=Severity.WARNING)
def worse_than_log_mel(scores: TrackScores, references: References) -> Iterator[Problem]:
    """The embeddings are worth less than a plain log-mel spectrogram.

    A pre-trained encoder that loses to the mean of a spectrogram usually has lost its weights on the way, or
    returns the wrong layer. The built-in quick set is no leaderboard, but this comparison is a fair warning.

    Fix: check that the weights are really loaded (`missing_keys` of `load_state_dict`) and which layer is returned.
    """
    losses = []
    for score in scores.track_a:
        floor = references.find(LOG_MEL, score.task)
        if floor and score.high < floor.track_a:
            losses.append(f"{score.task} {score.value:.2f} against {floor.track_a:.2f}")
    if losses and len(losses) == len(scores.track_a):
        yield Problem(f"below log-mel on every task of track A: {', '.join(losses)}")
