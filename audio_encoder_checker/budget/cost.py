"""Hours and disk that encoding takes on the organisers' machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.child import ledger
from audio_encoder_checker.evidence.budget import Fit, RamForecast, TaskCost, TimeForecast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audio_encoder_checker.budget.trace import Trace
    from audio_encoder_checker.evaluation.tasks import Task
    from audio_encoder_checker.machines import Machine, Rates

FLOAT_BYTES = 4
"""X-ARES stores embeddings as float32."""


def card_seconds(trace: Trace, rates: Rates) -> float:
    """Seconds that a call takes on the card: each operation by its arithmetic or its memory, whichever is longer.

    The roofline model of Williams, Waterman and Patterson (2009), with a cost to launch each operation. Steps of a
    recurrent layer wait for one another, and cost a launch each.
    """
    speeds = (rates.float32, rates.float16, rates.bfloat16, rates.float64)
    total = 0.0
    for flop, moved, steps, arithmetic in trace.work:
        if arithmetic < ledger.ON_CPU and moved:
            total += max(flop / speeds[min(arithmetic, 3)], moved / rates.memory) + steps * rates.launch_s
    return total


def per_second(trace: Trace, rates: Rates) -> float:
    """The same for a second of audio."""
    return card_seconds(trace, rates) / (trace.batch * trace.seconds)


def embedding_rate(trace: Trace) -> float:
    """Bytes of embeddings for a second of audio."""
    if len(trace.shape) != 3:
        return 0.0
    return trace.shape[1] * trace.shape[2] * FLOAT_BYTES / trace.seconds


def time_forecast(many: Trace, single: Trace, cpu_s: float, tasks: Iterable[Task], machine: Machine) -> TimeForecast:
    """Hours and disk of each task.

    Args:
        many: the books of a full batch.
        single: the same of one clip.
        cpu_s: seconds of the CPU for a second of audio.
        tasks: those of the challenge; those of unknown size are left out.
        machine: that of the budget.
    """
    rates = machine.gpu.rates
    speed = {True: per_second(single, rates), False: per_second(many, rates)}
    disk = embedding_rate(many)
    costs = []
    for task in tasks:
        if task.encoding.hours is None:
            continue
        low, high = task.encoding.hours
        seconds = speed[task.encoding.batch == 1] + cpu_s
        costs.append(
            TaskCost(
                task.id,
                (low * seconds / rates.factor, high * seconds * rates.factor),
                (int(low * 3600 * disk), int(high * 3600 * disk)),
            )
        )
    slow, fast = machine.download_rate
    return TimeForecast(
        tasks=tuple(costs),
        session_hours=machine.session_hours,
        disk_limit_bytes=machine.disk_bytes,
        gpu_s=speed[False],
        cpu_s=cpu_s,
        factor=rates.factor,
        bytes_per_s=disk,
        download_s=(many.weights_bytes / fast, many.weights_bytes / slow),
    )


def ram_forecast(
    loading_bytes: int, resident_bytes: int, weights_bytes: int, call_bytes: int, machine: Machine
) -> RamForecast:
    """RAM on the organisers' machine: the higher of loading and calling, CUDA's host side and the system on top.

    Args:
        loading_bytes: peak of the process while it loaded, measured on the CPU.
        resident_bytes: what stayed.
        weights_bytes: what of it moves to the GPU.
        call_bytes: what a call keeps in RAM.
        machine: that of the budget.
    """
    loading_bytes = max(loading_bytes, resident_bytes)  # a kernel's counter leaves out files that are mapped
    calling = max(resident_bytes - weights_bytes, 0) + call_bytes
    most = max(loading_bytes, calling)
    lower = most + machine.cuda_bytes[0] + machine.system_bytes[0]
    upper = most + machine.cuda_bytes[1] + machine.system_bytes[1]
    fit = Fit.FITS if upper <= machine.ram_bytes else Fit.TOO_LARGE if lower > machine.ram_bytes else Fit.BORDERLINE
    return RamForecast(machine.ram_bytes, loading_bytes, resident_bytes, weights_bytes, lower, upper, fit)
