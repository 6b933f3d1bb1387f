"""Forecasts of the budget as literals, for tests of checks and renderers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from audio_encoder_checker.evidence.budget import (
    Basis,
    Fit,
    GpuForecast,
    GpuMeasurement,
    Measured,
    Moment,
    Most,
    Place,
    Point,
    RamForecast,
    TaskCost,
    TimeForecast,
)

GIB = 1 << 30
LIMIT = 14 * GIB
REQUIRED = ((16, 10.0), (16, 35.0), (1, 600.0))
PLACE = Place("aten.bmm", (12, 3000, 3000), 3 * GIB, "float32", "encoder.py:12", "transformers/models/x.py:7")


def point(batch: int, seconds: float, lower: float, upper: float, fit: Fit = Fit.FITS) -> Point:
    """Bounds in GiB."""
    return Point(batch, seconds, int(lower * GIB), int(upper * GIB), fit)


POINTS = (point(1, 10.0, 0.5, 0.75), point(1, 600.0, 7.75, 9), point(16, 10.0, 2, 2.5), point(16, 35.0, 6, 7.25))


def forecast(worst: Fit = Fit.FITS, lower: float = 7.75, upper: float = 9.0, **changes: Any) -> GpuForecast:
    """One whose worst call is that of 600 s."""
    points = (POINTS[0], point(1, 600.0, lower, upper, worst), *POINTS[2:])
    found = GpuForecast(
        basis=Basis.FORECAST,
        card="Tesla T4",
        limit_bytes=LIMIT,
        points=points,
        required=REQUIRED,
        weights_bytes=360 << 20,
        largest_batch=Most(57),
        longest_s=Most(1200.0, more=True),
        largest=(PLACE,),
        gradient_factor=1.2,
        timeline=(Moment(0.5, 100, 20, 0), Moment(1.0, 100, 50, 3)),
    )
    return replace(found, **changes)


def measured(*, fits: bool = True) -> GpuForecast:
    """The same with measurements beside it."""
    calls = (
        Measured(1, 600.0, fits, 8 * GIB, 9 * GIB, 0, 9 * GIB + (200 << 20), 3.25),
        Measured(16, 35.0, True, 6 * GIB, 7 * GIB, 1, 7 * GIB, 2.5),
    )
    found = GpuMeasurement("NVIDIA H100", (GIB // 8, GIB // 4), calls)
    return forecast(basis=Basis.MEASURED, measured=found)


RAM = RamForecast(12 * GIB, 3 * GIB, 2 * GIB, 360 << 20, 5 * GIB, 6 * GIB, Fit.FITS)
TIME = TimeForecast(
    tasks=(TaskCost("esc50", (0.25, 0.5), (10**9, 2 * 10**9)), TaskCost("voxceleb1", (2.0, 4.5), (10**11, 2 * 10**11))),
    session_hours=12,
    disk_limit_bytes=69 * 10**9,
    gpu_s=0.003,
    cpu_s=0.001,
    factor=1.6,
    bytes_per_s=153_600,
    download_s=(3.5, 35.0),
)
