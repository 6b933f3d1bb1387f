"""From the books of a call to the memory of a card: at least so much, at most so much, and whether that fits."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from audio_encoder_checker.budget.allocator import replay
from audio_encoder_checker.budget.cost import card_seconds
from audio_encoder_checker.budget.trace import peak
from audio_encoder_checker.child import ledger
from audio_encoder_checker.evidence.budget import Fit, Point

if TYPE_CHECKING:
    from audio_encoder_checker.budget.trace import Event, Trace
    from audio_encoder_checker.evidence.budget import Place
    from audio_encoder_checker.machines import Gpu

QUADRATIC = 3.5
"""Twice the audio, and an operation that takes so many times more: it grows with the square."""
NOTABLE_SHARE = 0.005
"""Of the card, for the longer one: what is smaller is not worth a word."""
STEEPEST = 2.0
"""No storage grows faster than attention's scores."""
DOUBT = 1.5
"""What is not sure has to be so many times too large before it is said not to fit."""


def point(trace: Trace, gpu: Gpu, *, sure: bool = True) -> Point:
    """What a call takes on a card.

    At least: storages rounded as the allocator rounds them, cuBLAS's workspace, the smallest context. At most: what the
    allocator reserves when it may have no more than the card leaves to it, with all that kernels perhaps take, cuDNN's
    workspace and the largest context. It fits if even that passes; it does not if the least is more than there is.

    Args:
        trace: its books.
        gpu: the card.
        sure: whether the books are of this very call and hold all; else it never surely fits, and is only said not to
            where it is far off.
    """
    lower = peak(trace.on_card(possible=False), gpu.allocator.round_bytes)
    lower += gpu.workspace_bytes[0] + gpu.context_bytes[0]
    beside = gpu.workspace_bytes[1] + gpu.context_bytes[1]
    if trace.convolves:
        beside += max(gpu.convolution_bytes, int(gpu.convolution_share * (lower - trace.weights_bytes)))
    events = list(trace.on_card(possible=True))
    capped = replay(events, gpu.allocator, gpu.total_bytes - beside)
    if capped.failed_bytes:
        upper = max(replay(events, gpu.allocator).allocated_bytes + beside, gpu.total_bytes + 1)
    else:
        upper = capped.reserved_bytes + beside
    most = gpu.total_bytes
    if sure:
        fit = Fit.TOO_LARGE if lower > most else Fit.FITS if upper <= most else Fit.BORDERLINE
    else:
        fit = Fit.TOO_LARGE if lower > DOUBT * most else Fit.BORDERLINE
    return Point(trace.batch, trace.seconds, lower, upper, fit, card_seconds(trace, gpu.rates))


def books_error(trace: Trace) -> float:
    """How far the books are from what the CPU's allocator gave, relative to it; positive where they hold more."""
    return trace.books_bytes / trace.allocator_bytes - 1 if trace.allocator_bytes else 0.0


def quadratic(shorter: Trace, longer: Trace, gpu: Gpu) -> Place | None:
    """The largest operation that takes four times as much for twice the audio; None if none does."""
    before = {(one.operation, one.line, one.library): one.size_bytes for one in shorter.hungriest}
    for one in longer.hungriest:
        size = before.get((one.operation, one.line, one.library), 0)
        if size and one.size_bytes > QUADRATIC * size and one.size_bytes > NOTABLE_SHARE * gpu.total_bytes:
            return one
    return None


def host_bytes(trace: Trace) -> int:
    """Most that tensors of a call take in RAM."""
    return peak(trace.on_host())


def extrapolate(short: Trace, long: Trace, batch: int, seconds: float) -> Trace:
    """The books of a call nobody made, by two that were: each storage grows by the power that it was seen to grow by.

    Where the two did not do the same, operation by operation, all that lived beside the weights counts as one storage.

    Args:
        short: of one batch size.
        long: the same, of longer clips.
        batch: wanted.
        seconds: wanted.
    """
    if not _alike(short, long):
        short, long = _as_one(short), _as_one(long)
    doubling = math.log(long.seconds / short.seconds)
    further = seconds / long.seconds
    clips = batch / long.batch

    def grown(a: Event, b: Event) -> Event:
        number, size, kind, operation = b
        if size <= 0 or operation < 0:
            return b
        power = math.log(max(size, 1) / max(a[1], 1)) / doubling
        power = min(max(power, 0.0), STEEPEST)
        return number, int(size * further**power * (clips if power or kind == ledger.INPUT else 1)), kind, operation

    more = further * clips
    return replace(
        long,
        batch=batch,
        seconds=seconds,
        shape=(batch, round(long.shape[1] * further), *long.shape[2:]) if len(long.shape) == 3 else long.shape,
        events=tuple(map(grown, short.events, long.events)),
        work=tuple((flop * more, moved * more, steps * more, kind) for flop, moved, steps, kind in long.work),
        largest=(),
    )


def _alike(short: Trace, long: Trace) -> bool:
    pairs = zip(short.events, long.events, strict=False)
    return len(short.events) == len(long.events) and all(a[2:] == b[2:] and (a[1] < 0) == (b[1] < 0) for a, b in pairs)


def _as_one(trace: Trace) -> Trace:
    """Books in which all that a call takes on the card is one storage, and all that it takes in RAM another."""
    weights = tuple(event for event in trace.events if event[3] < 0)
    first = max((event[0] for event in trace.events), default=0) + 1
    card = peak(trace.on_card(possible=False)) - trace.weights_bytes
    taken = ((first, card, ledger.ACTIVATION, 0), (first + 1, host_bytes(trace), ledger.ACTIVATION + ledger.ON_CPU, 0))
    return replace(trace, events=(*weights, *taken))
