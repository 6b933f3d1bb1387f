"""Call an encoder on a real GPU that is held to what the card of the budget has and can do. Runs in the box."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET = 0.1
"""Of the noise that is encoded, against full scale."""


def measure(encoder: Any, shape: list[int], device: str, question: dict[str, Any]) -> dict[str, Any]:
    """One call, as X-ARES makes it, and what torch's allocator gave for it.

    Args:
        encoder: on the device.
        shape: of the audio, `[B, samples]`.
        device: `cuda:N`.
        question: `limit_bytes` for the allocator, `capability` of the card to be.

    Returns:
        Whether there was room for it, most bytes allocated and reserved, how often the allocator had to give back what
        it kept, seconds.
    """
    audio = torch.randn(shape).mul_(QUIET)
    with held_to(device, question["limit_bytes"], tuple(question["capability"])):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        retries = torch.cuda.memory_stats(device).get("num_alloc_retries", 0)
        start = time.perf_counter()
        fits = True
        try:
            with torch.inference_mode():
                encoder(audio.to(device)).to("cpu").detach()
        except torch.cuda.OutOfMemoryError:
            fits = False
        torch.cuda.synchronize(device)
        return {
            "fits": fits,
            "seconds": time.perf_counter() - start,
            "allocated": torch.cuda.max_memory_allocated(device),
            "reserved": torch.cuda.max_memory_reserved(device),
            "retries": torch.cuda.memory_stats(device).get("num_alloc_retries", 0) - retries,
        }


@contextlib.contextmanager
def held_to(device: str, limit_bytes: int, capability: tuple[int, int]) -> Iterator[None]:
    """No more memory than so much, and none of what came with later cards: TF32, and attention by FlashAttention."""
    total = torch.cuda.get_device_properties(device).total_memory
    old = capability < (8, 0)
    backends = torch.backends
    before = (
        backends.cuda.matmul.allow_tf32,
        backends.cudnn.allow_tf32,
        torch._C._get_flash_sdp_enabled(),  # noqa: SLF001 - what `flash_sdp_enabled` returns, with types
        torch._C._get_cudnn_sdp_enabled(),  # noqa: SLF001 - same
    )
    torch.cuda.set_per_process_memory_fraction(min(1.0, limit_bytes / total), device)
    _allow(*((setting and not old) for setting in before))
    try:
        yield
    finally:
        _allow(*before)
        torch.cuda.set_per_process_memory_fraction(1.0, device)


def _allow(products: bool, convolutions: bool, flash: bool, cudnn: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = products
    torch.backends.cudnn.allow_tf32 = convolutions
    torch.backends.cuda.enable_flash_sdp(flash)
    torch.backends.cuda.enable_cudnn_sdp(cudnn)
