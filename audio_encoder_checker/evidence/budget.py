"""What an encoder will take on the organisers' machine: GPU memory, RAM, time and disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Fit(str, Enum):
    """Whether something fits."""

    FITS = "fits"
    BORDERLINE = "borderline"
    TOO_LARGE = "does not fit"
    UNKNOWN = "unknown"


class Basis(str, Enum):
    """How GPU memory is known, the surest first."""

    MEASURED = "measured"
    FORECAST = "forecast"
    EXTRAPOLATED = "extrapolated"


@dataclass(frozen=True)
class Place:
    """An operation of torch, and where it comes from.

    Attributes:
        operation: `aten.bmm`.
        shape: of its result.
        size_bytes: of its result, and of what its kernel takes meanwhile.
        dtype: of its first argument.
        line: the participant's, `file.py:12`; may be empty.
        library: the same of a library that it calls.
    """

    operation: str
    shape: tuple[int, ...]
    size_bytes: int
    dtype: str = ""
    line: str = ""
    library: str = ""

    def __str__(self) -> str:
        size = f"{self.operation} {list(self.shape)}, {self.size_bytes / 2**30:.2f} GiB"
        return f"{size}, in {self.library}" if self.library else size


@dataclass(frozen=True)
class Point:
    """One call: at least and at most so many bytes on the GPU, context and all, and seconds that the card needs."""

    batch: int
    seconds: float
    lower_bytes: int
    upper_bytes: int
    fit: Fit
    card_s: float = 0.0

    @property
    def words(self) -> str:
        """`16 x 35 s`."""
        return f"{self.batch} x {self.seconds:g} s"


@dataclass(frozen=True)
class Most:
    """The largest value that fits; `more` if larger ones may, and were not tried."""

    value: float
    more: bool = False


@dataclass(frozen=True)
class Moment:
    """What lay on the GPU at one moment of a call, in bytes; `share` of its allocations were done by then."""

    share: float
    weights: int
    activations: int
    temporaries: int


@dataclass(frozen=True)
class Measured:
    """One call on a real GPU that was held to the budget's card.

    Attributes:
        batch, seconds: of its audio.
        fits: whether there was room.
        allocated_bytes, reserved_bytes: most that torch's allocator gave, and took, as the encoder's process tells.
        retries: how often the allocator gave back what it kept, to make room.
        seen_bytes: how much more of the GPU was in use meanwhile, as the driver tells.
        took_s: seconds on this GPU.
    """

    batch: int
    seconds: float
    fits: bool
    allocated_bytes: int
    reserved_bytes: int
    retries: int
    seen_bytes: int
    took_s: float


@dataclass(frozen=True)
class GpuMeasurement:
    """All calls on a real GPU.

    Attributes:
        name: of that GPU.
        context_bytes: what a process takes on the budget's card outside torch's allocator, from and to.
        calls: those that were made, by batch and length.
    """

    name: str
    context_bytes: tuple[int, int]
    calls: tuple[Measured, ...]

    def of(self, batch: int, seconds: float) -> Measured | None:
        """One of them."""
        return next((call for call in self.calls if (call.batch, call.seconds) == (batch, seconds)), None)


@dataclass(frozen=True)
class GpuForecast:
    """Whether the encoder's calls fit into the card of the budget.

    Attributes:
        basis: how it is known.
        card: the card of the budget.
        limit_bytes: what it has.
        points: every call that was looked at, by batch and length.
        required: the calls that have to fit.
        weights_bytes: what lies on the card before the first call.
        largest_batch: of clips of ten seconds.
        longest_s: one clip.
        largest: what is largest at the peak of the worst required call.
        quadratic: the operation that grows with the square of the length, None if none does.
        books_error: the books against the CPU's allocator, relative.
        gradient_factor: memory with autograd over memory without; 0 where it was not asked.
        not_covered: what the books do not hold, in words.
        timeline: one call of the worst required size.
        measured: on a real GPU; None where there was none. What was measured counts, the forecast stands beside it.
    """

    basis: Basis
    card: str
    limit_bytes: int
    points: tuple[Point, ...]
    required: tuple[tuple[int, float], ...]
    weights_bytes: int = 0
    largest_batch: Most | None = None
    longest_s: Most | None = None
    largest: tuple[Place, ...] = ()
    quadratic: Place | None = None
    books_error: float = 0.0
    gradient_factor: float = 0.0
    not_covered: tuple[str, ...] = ()
    timeline: tuple[Moment, ...] = ()
    measured: GpuMeasurement | None = None

    @property
    def demanded(self) -> tuple[Point, ...]:
        """The points that have to fit."""
        return tuple(self._known(point) for point in self.points if (point.batch, point.seconds) in self.required)

    def _known(self, point: Point) -> Point:
        """What was measured in place of what was forecast."""
        call = self.measured.of(point.batch, point.seconds) if self.measured else None
        if call is None or self.measured is None:
            return point
        low, high = self.measured.context_bytes
        if not call.fits:
            least = max(point.lower_bytes, self.limit_bytes)
            return replace(point, lower_bytes=least, upper_bytes=max(least, point.upper_bytes), fit=Fit.TOO_LARGE)
        return replace(
            point, lower_bytes=call.allocated_bytes + low, upper_bytes=call.reserved_bytes + high, fit=Fit.FITS
        )

    def error(self, call: Measured) -> float | None:
        """The forecast of a measured call against what was allocated for it, relative; None where it did not fit."""
        point = next((one for one in self.points if (one.batch, one.seconds) == (call.batch, call.seconds)), None)
        if point is None or self.measured is None or not call.fits or not call.allocated_bytes:
            return None
        return (point.lower_bytes - self.measured.context_bytes[0]) / call.allocated_bytes - 1

    @property
    def worst(self) -> Point | None:
        """The one of them that takes most."""
        return max(self.demanded, key=lambda point: point.lower_bytes, default=None)

    @property
    def fit(self) -> Fit:
        """Of all that have to fit, known or not."""
        fits = {point.fit for point in self.demanded}
        if len(self.demanded) < len(set(self.required)):
            fits.add(Fit.UNKNOWN)
        order = (Fit.TOO_LARGE, Fit.UNKNOWN, Fit.BORDERLINE, Fit.FITS)
        return next((fit for fit in order if fit in fits), Fit.UNKNOWN)


TWICE = 1.8


@dataclass(frozen=True)
class RamForecast:
    """RAM on the organisers' machine, in bytes.

    Attributes:
        limit_bytes: what the machine has.
        loading_bytes: measured peak while the encoder was constructed, on the CPU.
        resident_bytes: what stayed.
        weights_bytes: what of it will live on the GPU.
        lower_bytes, upper_bytes: the whole machine, with its system and CUDA's host side.
        fit: whether that fits.
    """

    limit_bytes: int
    loading_bytes: int
    resident_bytes: int
    weights_bytes: int
    lower_bytes: int
    upper_bytes: int
    fit: Fit

    @property
    def held_twice(self) -> bool:
        """Whether loading took once more what the weights take: a checkpoint beside the module.

        Of encoders for which memory may be short; for small ones the libraries alone take more than that.
        """
        return self.loading_bytes > TWICE * self.weights_bytes > 0


@dataclass(frozen=True)
class TaskCost:
    """One task: hours to encode it, and bytes of its embeddings, from and to."""

    task: str
    hours: tuple[float, float]
    disk_bytes: tuple[int, int]


@dataclass(frozen=True)
class TimeForecast:
    """Time and disk that encoding all tasks takes on the organisers' machine.

    Attributes:
        tasks: those whose size is known.
        session_hours: what a session lasts.
        disk_limit_bytes: what is free.
        gpu_s: seconds of the card per second of audio.
        cpu_s: seconds of the CPU per second of audio, measured here.
        factor: how far off it may be, up and down.
        bytes_per_s: of embeddings for a second of audio.
        download_s: seconds to download as many bytes as the weights have, from and to.
    """

    tasks: tuple[TaskCost, ...]
    session_hours: float
    disk_limit_bytes: int
    gpu_s: float
    cpu_s: float
    factor: float
    bytes_per_s: float
    download_s: tuple[float, float]

    @property
    def cpu_share(self) -> float:
        """Of the time that encoding takes."""
        both = self.cpu_s + self.gpu_s
        return self.cpu_s / both if both else 0.0

    @property
    def hours(self) -> tuple[float, float]:
        """All tasks."""
        return sum(task.hours[0] for task in self.tasks), sum(task.hours[1] for task in self.tasks)

    @property
    def disk_bytes(self) -> tuple[int, int]:
        """All tasks."""
        return sum(task.disk_bytes[0] for task in self.tasks), sum(task.disk_bytes[1] for task in self.tasks)
