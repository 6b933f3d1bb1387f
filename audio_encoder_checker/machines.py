"""The machine that encoders have to run on, read from TOML: numbers and names, no logic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Range = tuple[int, int]
"""From and to: what is not known better."""


@dataclass(frozen=True)
class AllocatorRules:
    """Constants of torch's CUDA caching allocator, in bytes (`c10/cuda/CUDACachingAllocator.cpp`).

    Attributes:
        round_bytes: every request is rounded up to a multiple.
        small_bytes: requests up to this size come from small segments.
        small_segment_bytes: size of these.
        middle_bytes: larger requests below this size come from large segments.
        large_segment_bytes: size of these.
        large_round_bytes: a segment for a request of `middle_bytes` or more is rounded up to a multiple.
        large_rest_bytes: a block of a large segment is split if more than this is left over.
    """

    round_bytes: int = 512
    small_bytes: int = 1 << 20
    small_segment_bytes: int = 2 << 20
    middle_bytes: int = 10 << 20
    large_segment_bytes: int = 20 << 20
    large_round_bytes: int = 2 << 20
    large_rest_bytes: int = 1 << 20


@dataclass(frozen=True)
class Rates:
    """What a card sustains: FLOP/s by dtype, bytes/s, seconds to launch an operation, and how far off that may be."""

    float32: float
    float16: float
    bfloat16: float
    float64: float
    memory: float
    launch_s: float
    factor: float


@dataclass(frozen=True)
class Gpu:
    """A graphics card.

    Attributes:
        name: as the driver tells it.
        capability: compute capability.
        total_bytes: memory that torch sees.
        context_bytes: what the process takes outside torch's allocator.
        workspace_bytes: of cuBLAS, from the allocator.
        convolution_bytes: workspace that cuDNN may take.
        convolution_share: the same as a share of what a call takes; the larger one counts.
        allocator: how torch's allocator rounds.
        rates: how fast it is.
    """

    name: str
    capability: tuple[int, int]
    total_bytes: int
    context_bytes: Range
    workspace_bytes: Range
    convolution_bytes: int
    convolution_share: float
    allocator: AllocatorRules
    rates: Rates

    @property
    def cap_bytes(self) -> int:
        """What is left to the allocator where the context is at its largest."""
        return self.total_bytes - self.context_bytes[1]


@dataclass(frozen=True)
class Machine:
    """A whole machine; bytes, hours, bytes a second."""

    name: str
    title: str
    gpu: Gpu
    ram_bytes: int
    system_bytes: Range
    cuda_bytes: Range
    disk_bytes: int
    cores: int
    session_hours: float
    download_rate: Range


def machine_of(data: dict[str, Any]) -> Machine:
    """Build a machine of valid TOML data."""
    gpu = data["gpu"]
    return Machine(
        name=data["name"],
        title=data["title"],
        gpu=Gpu(
            name=gpu["name"],
            capability=_pair(gpu["capability"]),
            total_bytes=gpu["total_bytes"],
            context_bytes=_range(gpu["context_bytes"]),
            workspace_bytes=_range(gpu["workspace_bytes"]),
            convolution_bytes=gpu["convolution_bytes"],
            convolution_share=gpu["convolution_share"],
            allocator=AllocatorRules(**gpu["allocator"]),
            rates=Rates(**gpu["rates"]),
        ),
        ram_bytes=data["ram"]["total_bytes"],
        system_bytes=_range(data["ram"]["system_bytes"]),
        cuda_bytes=_range(data["ram"]["cuda_bytes"]),
        disk_bytes=data["disk"]["free_bytes"],
        cores=data["session"]["cores"],
        session_hours=data["session"]["hours"],
        download_rate=_range(data["session"]["download_rate"]),
    )


def _pair(values: list[int]) -> tuple[int, int]:
    first, second = values
    return first, second


def _range(values: list[int]) -> Range:
    return _pair(sorted(values))
