"""How far embeddings are apart, computed in float64 outside the box."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evidence.behaviour import Difference, Spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

BLOCK_VALUES = 1 << 20


def difference(one: NDArray[Any], other: NDArray[Any]) -> Difference:
    """How far two embeddings of finite values are apart, a block at a time: they may be large."""
    import numpy as np

    if one.shape != other.shape:
        return Difference(same_shape=False, relative=float("inf"), cosine=0.0)
    largest = max((float(np.abs(x).max()) for pair in _blocks(one, other) for x in pair), default=0.0)
    scale = largest or 1.0  # so that no square overflows
    apart = product = square_a = square_b = 0.0
    for block in _blocks(one, other):
        a, b = (x / scale for x in block)
        apart = max(apart, float(np.abs(a - b).max()))
        product, square_a, square_b = product + float(a @ b), square_a + float(a @ a), square_b + float(b @ b)
    norms = math.sqrt(square_a) * math.sqrt(square_b)
    return Difference(same_shape=True, relative=apart, cosine=product / norms if norms else 1.0)


def apart(one: NDArray[Any] | None, other: NDArray[Any] | None) -> Difference | None:
    """The same of two calls' values; None where one of them gave none."""
    return None if one is None or other is None else difference(one, other)


def _blocks(*arrays: NDArray[Any]) -> Iterator[tuple[NDArray[np.float64], ...]]:
    """The values of arrays of one shape in float64 (two for a complex number), some at a time."""
    for start in range(0, arrays[0].size, BLOCK_VALUES):
        yield tuple(_real(array.reshape(-1)[start : start + BLOCK_VALUES]) for array in arrays)


def _real(values: NDArray[Any]) -> NDArray[np.float64]:
    import numpy as np

    wide = values.astype(np.complex128 if np.iscomplexobj(values) else np.float64)
    real: NDArray[np.float64] = np.ascontiguousarray(wide).view(np.float64)
    return real


def time_mean(values: NDArray[Any], frames: int | None = None) -> NDArray[np.float64]:
    """Mean over the first frames, `[B, T', D]` to `[B, D]` float64 (`[B, 2 D]` for complex values)."""
    import numpy as np

    chosen = values[:, :frames]
    real = _real(chosen).reshape(*chosen.shape[:2], -1)
    scale = np.abs(real).max(initial=0.0) or 1.0  # so that no sum overflows
    mean: NDArray[np.float64] = (real / scale).mean(axis=1) * scale
    return mean


def shift(one: NDArray[np.float64], other: NDArray[np.float64], means: NDArray[np.float64]) -> float:
    """Distance of two embeddings over the root mean square distance of two of `means` `[N, D]`; 0 if all are one."""
    import numpy as np

    scale = np.abs(means).max() or 1.0
    typical = math.sqrt(2) * _deviation(means / scale)
    apart = float(np.linalg.norm(one / scale - other / scale))
    return apart / typical if typical else 0.0


def _deviation(means: NDArray[np.float64]) -> float:
    """Root mean square distance of vectors `[N, D]` from their mean."""
    return math.sqrt(float(((means - means.mean(axis=0)) ** 2).sum(axis=1).mean()))


def spread(means: NDArray[np.float64], tones: int) -> Spread:
    """How different the time means `[N, D]` of very different clips are; the first `tones` are of pure tones."""
    import numpy as np

    means = means / (np.abs(means).max() or 1.0)
    singular = np.linalg.svd(means - means.mean(axis=0), compute_uv=False)
    shares = singular[singular > 0] / (singular.sum() or 1.0)
    unit = means[:tones] / np.maximum(np.linalg.norm(means[:tones], axis=1, keepdims=True), 1e-300)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -1.0)
    return Spread(
        clips=len(means),
        effective_rank=math.exp(-float((shares * np.log(shares)).sum())) if _deviation(means) else 0.0,
        closest_tones=float(cosines.max()),
    )
