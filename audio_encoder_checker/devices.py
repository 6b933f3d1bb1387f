"""Which device the encoder runs on, found without importing torch."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from audio_encoder_checker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def gpus() -> tuple[str, ...]:
    """Names of the NVIDIA GPUs that the driver shows, empty where there is no driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        names = [pynvml.nvmlDeviceGetName(handle) for handle in handles]
        return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names)
    except pynvml.NVMLError:
        return ()
    finally:
        pynvml.nvmlShutdown()


@contextmanager
def gpu_gauge(device: str) -> Iterator[Callable[[], int]]:
    """A function that tells how many bytes of a GPU are in use, whoever uses them; 0 where the driver does not tell.

    Args:
        device: `cuda:N`.
    """
    import pynvml

    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(int(device.partition(":")[2] or 0))
    except pynvml.NVMLError:
        yield lambda: 0
        return

    def used() -> int:
        try:
            return int(pynvml.nvmlDeviceGetMemoryInfo(handle).used)
        except pynvml.NVMLError:
            return 0

    try:
        yield used
    finally:
        pynvml.nvmlShutdown()


def choose_device(wanted: str) -> str:
    """`cpu` or `cuda:N` for what the user asked: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        UsageError: no such word, or no such GPU.
    """
    if wanted == "cpu":
        return "cpu"
    if wanted != "auto" and not re.fullmatch(r"cuda(:\d+)?", wanted):
        raise UsageError(f"unknown device {wanted!r}", "use auto, cpu, cuda or cuda:N")
    found = gpus()
    if wanted == "auto":
        return "cuda:0" if found else "cpu"
    index = int(wanted.partition(":")[2] or 0)
    if index >= len(found):
        raise UsageError(f"{wanted} was asked for, but the driver shows {len(found)} GPUs", "use `--device cpu`")
    return f"cuda:{index}"
