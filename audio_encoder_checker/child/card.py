"""`torch.cuda` as it answers on Colab's free graphics card, while a pretence runs."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
import torch.utils._device

from .tags import CUDA, Tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .devices import Pretence

NAME = "Tesla T4"
CAPABILITY = (7, 5)
TOTAL_BYTES = 15_637_086_208
FREE_BYTES = 15_200_000_000  # the driver and the context take the rest
THREADS = "threads: what they do with tensors does not show"


class Timeline:
    """Stands for a stream or an event: everything is done at once."""

    cuda_stream = 0

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        pass

    def __enter__(self) -> Timeline:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def query(self) -> bool:
        """Whether it is over."""
        return True

    def elapsed_time(self, _end: object) -> float:
        """Milliseconds."""
        return 0.0

    def nothing(self, *_args: Any, **_kwargs: Any) -> None:
        """There is nothing to wait for."""

    synchronize = wait = record = record_event = wait_event = wait_stream = nothing


@contextlib.contextmanager
def plugged_in(pretence: Pretence) -> Iterator[None]:
    """Let torch answer as if the card were there, and restore everything afterwards."""
    default = torch.utils._device.CURRENT_DEVICE  # noqa: SLF001 - `get_default_device` never says that none is set
    with contextlib.ExitStack() as stack:
        for owner, replacements in _replacements(pretence):
            for name, value in replacements.items():
                if hasattr(owner, name):
                    stack.callback(setattr, owner, name, getattr(owner, name))
                    setattr(owner, name, value)
        try:
            yield
        finally:
            if default != torch.utils._device.CURRENT_DEVICE:  # noqa: SLF001 - same
                torch.set_default_device(default)


def _replacements(pretence: Pretence) -> list[tuple[Any, dict[str, Any]]]:
    start = threading.Thread.start

    def watched_start(thread: threading.Thread) -> None:
        pretence.blind.setdefault("threads", THREADS)
        start(thread)

    accelerator = {
        "is_available": lambda: True,
        "current_accelerator": lambda *_args, **_kwargs: torch.device("cuda"),
        "device_count": lambda: 1,
    }
    return [
        (torch.cuda, {**_facts(pretence), **_memory(), **_streams(pretence), **_random()}),
        (getattr(torch, "accelerator", None), accelerator),
        (torch.backends.cudnn, {"is_acceptable": lambda _tensor: False}),  # it would warn that cuDNN is missing
        (threading.Thread, {"start": watched_start}),
        (torch, {"load": _loader(pretence)}),
        (torch.autocast, {"__init__": _autocast()}),
    ]


def _autocast() -> Any:
    """`torch.autocast("cuda")` for tensors that lie on the CPU: what is cast there is nearly the same."""
    real = torch.autocast.__init__

    def begin(self: Any, device_type: str, dtype: Any = None, *args: Any, **kwargs: Any) -> None:
        if torch.device(device_type).type == CUDA:
            device_type, dtype = "cpu", dtype or torch.float16
        real(self, device_type, dtype, *args, **kwargs)

    return begin


def _loader(pretence: Pretence) -> Any:
    """`torch.load` that leaves the bytes on the CPU, and tags those that would go to the card."""
    real = torch.load

    def load(file: Any, map_location: Any = None, *args: Any, **kwargs: Any) -> Any:
        def place(held: Any, location: str) -> Any:
            if pretence.target(location if map_location is None else map_location, "load") == CUDA:
                pretence.tags.put_storage(held, Tag(CUDA))
            return held

        simple = map_location is None or isinstance(map_location, str | torch.device)
        return real(file, place if simple else map_location, *args, **kwargs)

    return load


def _facts(pretence: Pretence) -> dict[str, Any]:
    properties = SimpleNamespace(
        name=NAME,
        major=CAPABILITY[0],
        minor=CAPABILITY[1],
        total_memory=TOTAL_BYTES,
        multi_processor_count=40,
        warp_size=32,
        max_threads_per_multi_processor=1024,
        is_integrated=0,
        is_multi_gpu_board=0,
    )

    def about(fact: Any) -> Any:
        def answer(device: Any = None) -> Any:
            pretence.target("cuda" if device is None else device, "torch.cuda")
            return fact

        return answer

    return {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "init": lambda: None,
        "_lazy_init": lambda: None,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "set_device": about(None),
        "get_device_name": about(NAME),
        "get_device_capability": about(CAPABILITY),
        "get_device_properties": about(properties),
        "get_arch_list": lambda: ["sm_75"],
        "is_bf16_supported": lambda including_emulation=True: bool(including_emulation),
    }


def _memory() -> dict[str, Any]:
    none = ("memory_allocated", "max_memory_allocated", "memory_reserved", "max_memory_reserved")
    quiet = ("synchronize", "empty_cache", "ipc_collect", "reset_peak_memory_stats", "set_per_process_memory_fraction")
    return {
        **dict.fromkeys(none, lambda *_args, **_kwargs: 0),
        **dict.fromkeys(quiet, lambda *_args, **_kwargs: None),
        "mem_get_info": lambda *_args, **_kwargs: (FREE_BYTES, TOTAL_BYTES),
        "memory_stats": lambda *_args, **_kwargs: OrderedDict(),
        "memory_summary": lambda *_args, **_kwargs: "",
    }


def _streams(pretence: Pretence) -> dict[str, Any]:
    class Device(contextlib.nullcontext[None]):  # a class: torch asks `isinstance(x, torch.cuda.device)`
        def __init__(self, number: Any) -> None:
            super().__init__()
            if not isinstance(number, int) or number >= 0:
                pretence.target("cuda" if number is None else number, "torch.cuda.device")

    return {
        "device": Device,
        "device_of": lambda _tensor: contextlib.nullcontext(),
        "Stream": Timeline,
        "Event": Timeline,
        "stream": lambda _stream: contextlib.nullcontext(),
        "current_stream": Timeline,
        "default_stream": Timeline,
    }


def _random() -> dict[str, Any]:
    """The card's random state is the CPU's: what saves and restores it (checkpointing) finds it unchanged."""
    return {
        "get_rng_state": lambda _device=None: torch.get_rng_state(),
        "set_rng_state": lambda _state, _device=None: None,
        "get_rng_state_all": lambda: [torch.get_rng_state()],
        "set_rng_state_all": lambda _states: None,
        "initial_seed": torch.initial_seed,
        **dict.fromkeys(("manual_seed", "manual_seed_all", "seed", "seed_all"), lambda *_seed: None),
    }
