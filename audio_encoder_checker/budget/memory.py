"""From the books of a call to the memory of a card: at least so much, at most so much, and whether that fits."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from audio_encoder_checker.budget.allocator import replay
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


def point(trace: Trace, gpu: Gpu, *, sure: bool = True) -> Point:
    """What a call takes on a card.

    At least: storages rounded as the allocator rounds them, cuBLAS's workspace, the smallest context. At most: what the
    allocator reserves when it may have no more than the card leaves to it, with all that kernels perhaps take, cuDNN's
    workspace and the largest context. It fits if even that passes; it does not if the least is more than there is.

    Args:
        trace: its books.
        gpu: the card.
        sure: whether the books are of this very call; else the verdict is borderline at best.
    """
    lower = replay(trace.on_card(possible=False), gpu.allocator).allocated_bytes
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
    fit = Fit.TOO_LARGE if lower > gpu.total_bytes else Fit.FITS if upper <= gpu.total_bytes else Fit.BORDERLINE
    return Point(trace.batch, trace.seconds, lower, upper, fit if sure or fit is not Fit.FITS else Fit.BORDERLINE)


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


def extrapolate(short: Trace, long: Trace, batch: int, seconds: float) -> Trace | None:
    """The books of a call nobody made, by two that were: each storage grows by the power that it was seen to grow by.

    Args:
        short: of one batch size.
        long: the same, of longer clips.
        batch: wanted.
        seconds: wanted.

    Returns:
        None where the two calls did not do the same, so that nothing follows from them.
    """
    pairs = list(zip(short.events, long.events, strict=False))
    if len(short.events) != len(long.events) or any(a[2:] != b[2:] or (a[1] < 0) != (b[1] < 0) for a, b in pairs):
        return None
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

    return replace(long, batch=batch, seconds=seconds, events=tuple(grown(a, b) for a, b in pairs), work=())
