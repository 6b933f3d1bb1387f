"""AEC518-AEC529: how several calls of the encoder compare."""

from __future__ import annotations

import re
from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.evidence.behaviour import (
    AfterNan,
    BatchCompany,
    BatchOrder,
    Difference,
    InputDependence,
    InputKept,
    MemoryGrowth,
    Repeatability,
    SecondStart,
    Spread,
    ZeroPadding,
)
from audio_encoder_checker.evidence.contract import EncodeTraces
from audio_encoder_checker.evidence.landmarks import LandmarkKind, Landmarks
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.rules import Rules

SAME = 1e-4
"""Relative difference that float32 arithmetic in another order may give."""
FAR, TURNED = 0.05, 0.999
"""A difference of the largest value, and a cosine: what is nearer comes of arithmetic in another order, or small
numbers that a layer divides by, and no score shows it."""
COLLAPSED_RANK = 1.3
"""Sixteen very different clips that lie on a line have an effective rank of 1."""
LEAK_PER_CALL = 64 << 10
"""Bytes; what the allocator and Python's caches do is below."""
MOST_PADDING_SHIFT = 0.5
"""Of the distance between very different clips: half of it makes a clip look like another."""


def _other(found: Difference) -> bool:
    """Whether two embeddings are apart so far that a score may show it."""
    return found.relative > 10 * SAME and (found.relative > FAR or found.cosine < TURNED)


def _apart(found: Difference) -> str:
    return f"differ by {found.relative:.2g} of the largest value (cosine {found.cosine:.4f}, expected 1)"


@check("AEC518", severity=Severity.WARNING, follows=("AEC510", "AEC520", "AEC521", "AEC522"))
def order_dependent_output(order: BatchOrder) -> Iterator[Problem]:
    """A clip's embedding depends on its place in the batch.

    X-ARES batches clips in the order of the files on disk, which differs from machine to machine.

    Fix: treat every clip of a batch alike: look for `audio[0]`, `audio[-1]` or a state that runs along the batch.
    """
    found = order.difference
    if not found.same_shape:
        yield Problem("the same clips in another order gave different shapes")
    elif _other(found):
        yield Problem(f"embeddings of the same clips in another order, sorted back, {_apart(found)}")


@check("AEC519", follows=("AEC520",))
def state_kept_between_calls(after: AfterNan) -> Iterator[Problem]:
    """One bad clip changes the embeddings of all clips after it.

    Some recordings cannot be decoded cleanly. An encoder that keeps running statistics or a cache from call to call
    carries what it met there into every later embedding, and X-ARES stores them without a look.

    Fix: keep nothing from call to call: `self.eval()` at the end of `__init__`, no assignment to `self` in `forward`.
    """
    found = after.difference
    if _other(found):
        told = "the second is NaN" if found.relative == float("inf") else f"they {_apart(found)}"
        yield Problem(f"embeddings of one clip before and after a call whose audio held NaN: {told}")


@check("AEC520")
def unrepeatable_output(repeatability: Repeatability, landmarks: Landmarks) -> Iterator[Problem]:
    """The same audio gives different embeddings each time.

    Training and test embeddings are computed once each; noise in them lowers every score and cannot be
    reproduced by the organisers. X-ARES does not call `.eval()`, so dropout stays on unless you turn it off.

    Fix: end `__init__` with `self.eval()`, and draw no random numbers in `forward`: crop long audio at a fixed place,
        or better, encode it in chunks.
    """
    found = repeatability.difference
    always = landmarks.first(LandmarkKind.DROPOUT)
    at = always.at if always else landmarks.at(LandmarkKind.CHANCE)
    hint = f"pass `training=self.training` in `{always.text}`, and end `__init__` with `self.eval()`" if always else ""
    if not found.same_shape:
        yield Problem("two calls with the same audio gave different shapes", at)
    elif found.relative > SAME:
        severity = Severity.ERROR if found.cosine < 0.999 else Severity.WARNING
        message = f"two calls with the same audio of {repeatability.seconds:g} s {_apart(found)}"
        yield Problem(message, at, hint, severity)


@check("AEC521")
def constant_output(dependence: InputDependence, landmarks: Landmarks) -> Iterator[Problem]:
    """Different audio gives the same embeddings.

    Embeddings that do not depend on the audio carry no information: every task would score at chance.

    Fix: check that `forward` uses its argument, and that an activation or normalisation does not flatten it.
    """
    found = dependence.difference
    if found.same_shape and found.relative < 1e-6:
        message = "two clips of different noise and loudness gave identical embeddings"
        yield Problem(message, landmarks.at(LandmarkKind.RETURN))


@check("AEC522", severity=Severity.WARNING, follows=("AEC510", "AEC520", "AEC521", "AEC514"))
def batch_dependent_output(company: BatchCompany) -> Iterator[Problem]:
    """A clip's embedding depends on the other clips in its batch.

    X-ARES encodes 16 clips at a time in the order of the files, so scores then depend on which clips happen
    to share a batch, and change with the batch size.

    Fix: normalise each clip by its own mean and variance, and call a feature extractor with a list of clips.
    """
    found = company.difference
    if not found.same_shape:
        yield Problem(f"one clip alone and the same clip in a batch of {company.batch} gave different shapes")
    elif _other(found):
        yield Problem(f"embeddings of one clip alone and in a batch of {company.batch} {_apart(found)}")


@check("AEC524", severity=Severity.WARNING, follows=("AEC521", "AEC520", "AEC510"))
def collapsed_embeddings(spread: Spread) -> Iterator[Problem]:
    """The embeddings of all clips lie on a line.

    A linear layer and KNN can only tell apart what differs. Embeddings that vary along one direction tell no more than
    a single number would, whatever their dimension.

    Fix: look at a normalisation, pooling or activation that flattens features, or at weights that were not loaded.
    """
    if spread.effective_rank < COLLAPSED_RANK:
        yield Problem(
            f"the embeddings of {spread.clips} very different clips have an effective rank of "
            f"{spread.effective_rank:.2f}, of at most {spread.clips - 1}"
        )


@check("AEC525", severity=Severity.WARNING, follows=("AEC520", "AEC510"))
def unrepeatable_construction(second: SecondStart) -> Iterator[Problem]:
    """Two processes give different embeddings for the same audio.

    The usual cause is weights that are drawn at random because the checkpoint was not loaded, or only in part: then an
    untrained encoder is evaluated. X-ARES constructs the encoder anew for every task.

    Fix: look at what `model.load_state_dict(state)` returns, `missing_keys` above all; for weights that are meant to
        be random call `torch.manual_seed(0)` first.
    """
    found = second.difference
    if found and not found.same_shape:
        yield Problem("two processes gave embeddings of different shapes for the same audio")
    elif found and _other(found):
        yield Problem(f"the same audio in two processes: embeddings {_apart(found)}")


@check("AEC526", severity=Severity.WARNING)
def input_changed_in_place(kept: InputKept, landmarks: Landmarks) -> Iterator[Problem]:
    """The encoder changes the audio that it is given.

    Whoever calls it with the same tensor again gets another answer; X-ARES does not today, but its checker, your
    notebook and every further use may.

    Fix: write `audio = audio - audio.mean()` in place of `audio -= audio.mean()`, or start with `audio.clone()`.
    """
    found = kept.difference
    if not found.same_shape or found.relative > 0:
        at = landmarks.at(LandmarkKind.IN_PLACE, LandmarkKind.FORWARD)
        line = landmarks.first(LandmarkKind.IN_PLACE)
        message = f"after the call the audio had changed by {found.relative:.2g} of its largest value"
        yield Problem(message, at, _out_of_place(line.text) if line else "")


def _out_of_place(text: str) -> str:
    """`a = a - b` for a line of `a -= b`; empty for any other."""
    found = re.fullmatch(r"(\w+) ([-+*/])= ([^`#…]+)(#.*)?", text.strip())
    if not found or found[3].count("(") != found[3].count(")"):
        return ""
    name, sign, value = found[1], found[2], found[3].strip()
    value = f"({value})" if re.search(r" ([-+*/%@]|if|and|or) ", value) else value
    return f"write `{name} = {name} {sign} {value}`"


@check("AEC527", severity=Severity.NOTE)
def gradient_left_on(traces: EncodeTraces, landmarks: Landmarks) -> Iterator[Problem]:
    """The embeddings hold on to the graph of autograd.

    X-ARES encodes in inference mode, so this harms no score; everywhere else, the official checker included, a call
    keeps the activations of all layers and takes several times the memory.

    Fix: write `@torch.no_grad()` above `def forward(self, audio):`.
    """
    returned = traces.reference.returned
    if returned and returned.requires_grad:
        yield Problem("outside of inference mode the output requires a gradient", landmarks.at(LandmarkKind.FORWARD))


@check("AEC528")
def memory_leak(growth: MemoryGrowth, rules: Rules) -> Iterator[Problem]:
    """The encoder keeps memory from every call.

    X-ARES calls one encoder object many thousand times in a row; what each call keeps adds up until the run is killed.

    Fix: store nothing of a call in `self` or in a list; keep numbers, `float(x)`, in place of tensors.
    """
    if growth.per_call > LEAK_PER_CALL:
        calls, made = rules.budget.ram_bytes // growth.per_call, growth.calls[-1] - growth.calls[0]
        yield Problem(
            f"memory grew by {growth.per_call / 2**20:.2g} MiB per call over {made} calls of one clip of 1 s: "
            f"{rules.budget.ram_bytes / 2**30:.3g} GiB are full after {calls:,} calls"
        )


@check("AEC529", severity=Severity.WARNING, follows=("AEC510", "AEC520", "AEC521"))
def padding_dependent_output(padding: ZeroPadding) -> Iterator[Problem]:
    """Zero padding changes the embeddings of the audio before it.

    X-ARES pads the 16 clips of a batch with zeros to the longest and passes no lengths, so a clip's embedding depends
    on how long the longest clip beside it happens to be.

    Fix: normalise by statistics that zeros do not change, or find the end of the clip, `audio.abs().cumsum(-1)`, and
        mask what follows.
    """
    found = padding.difference
    if found.same_shape and padding.share > MOST_PADDING_SHIFT:
        yield Problem(
            f"zero-padding a clip of {padding.seconds:g} s to {padding.padded_s:g} s moves the mean of its own frames "
            f"by {padding.share:.2f} of the distance between very different clips (cosine {found.cosine:.3f}, expected "
            "1)"
        )
