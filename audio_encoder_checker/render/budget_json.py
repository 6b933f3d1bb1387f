"""The budget stage as JSON data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evidence.budget import (
    GpuForecast,
    GpuMeasurement,
    Most,
    Place,
    Point,
    RamForecast,
    TimeForecast,
)

if TYPE_CHECKING:
    from audio_encoder_checker.judging import Evidence


def budget(evidence: Evidence) -> dict[str, Any] | None:
    """GPU, RAM and encoding; None where the stage was not run."""
    gpu = evidence.get(GpuForecast)
    if gpu is None:
        return None
    ram, time = evidence.get(RamForecast), evidence.get(TimeForecast)
    return {"gpu": _gpu(gpu), "ram": _ram(ram) if ram else None, "encoding": _encoding(time) if time else None}


def _gpu(gpu: GpuForecast) -> dict[str, Any]:
    worst = gpu.worst
    return {
        "verdict": gpu.fit.value,
        "basis": gpu.basis.value,
        "card": gpu.card,
        "limit_bytes": gpu.limit_bytes,
        "lower_bytes": worst.lower_bytes if worst else None,
        "upper_bytes": worst.upper_bytes if worst else None,
        "weights_bytes": gpu.weights_bytes,
        "largest_batch": _most(gpu.largest_batch),
        "longest_seconds": _most(gpu.longest_s),
        "calls": [_point(point) for point in gpu.demanded],
        "curve": [_point(point) for point in gpu.points],
        "largest": [_place(place) for place in gpu.largest],
        "attention": _place(gpu.quadratic) if gpu.quadratic else None,
        "gradient_factor": round(gpu.gradient_factor, 3) or None,
        "books_error": round(gpu.books_error, 6),
        "not_covered": list(gpu.not_covered),
        "measured": _measured(gpu, gpu.measured) if gpu.measured else None,
        "timeline": [[m.share, m.weights, m.activations, m.temporaries] for m in gpu.timeline],
    }


def _measured(gpu: GpuForecast, found: GpuMeasurement) -> dict[str, Any]:
    calls = [
        {
            "batch": call.batch,
            "seconds": call.seconds,
            "fits": call.fits,
            "allocated_bytes": call.allocated_bytes,
            "reserved_bytes": call.reserved_bytes,
            "retries": call.retries,
            "seen_bytes": call.seen_bytes,
            "took_s": round(call.took_s, 4),
            "forecast_error": gpu.error(call),
        }
        for call in found.calls
    ]
    return {"gpu": found.name, "calls": calls}


def _most(found: Most | None) -> dict[str, Any] | None:
    return {"value": found.value, "more": found.more} if found else None


def _point(point: Point) -> dict[str, Any]:
    return {
        "batch": point.batch,
        "seconds": point.seconds,
        "lower_bytes": point.lower_bytes,
        "upper_bytes": point.upper_bytes,
        "card_s": round(point.card_s, 6),
        "verdict": point.fit.value,
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "operation": place.operation,
        "shape": list(place.shape),
        "bytes": place.size_bytes,
        "dtype": place.dtype,
        "at": place.line,
        "library": place.library,
    }


def _ram(ram: RamForecast) -> dict[str, Any]:
    """Without what differs from run to run: the bytes that were measured."""
    return {"verdict": ram.fit.value, "limit_bytes": ram.limit_bytes, "weights_bytes": ram.weights_bytes}


def _encoding(time: TimeForecast) -> dict[str, Any]:
    return {
        "tasks": [{"task": one.task, "disk_bytes": list(one.disk_bytes)} for one in time.tasks],
        "disk_bytes": list(time.disk_bytes),
        "disk_limit_bytes": time.disk_limit_bytes,
        "session_hours": time.session_hours,
        "download_s": [round(seconds, 3) for seconds in time.download_s],
    }


def timings(evidence: Evidence) -> dict[str, Any] | None:
    """What differs from run to run: RAM, and hours, which hold the CPU's share."""
    ram, time = evidence.get(RamForecast), evidence.get(TimeForecast)
    if ram is None or time is None:
        return None
    return {
        "ram_lower_bytes": ram.lower_bytes,
        "ram_upper_bytes": ram.upper_bytes,
        "ram_loading_bytes": ram.loading_bytes,
        "encode_hours": {one.task: [round(hours, 4) for hours in one.hours] for one in time.tasks},
        "encode_hours_total": [round(hours, 4) for hours in time.hours],
        "cpu_share": round(time.cpu_share, 4),
    }
