"""One encoder in a box as a thing to call: audio in, embeddings and an honest outcome out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evidence.contract import Returned
from audio_encoder_checker.evidence.run import Ending, Outcome
from audio_encoder_checker.printable import printable, told

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.sandbox.ask import Session

DTYPES = (
    *("float16", "float32", "float64", "complex64", "complex128", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)

MOST_AXES = 16
LARGEST_SIZE = 1 << 48


@dataclass(frozen=True, eq=False)
class Call:
    """One call of the encoder.

    Attributes:
        outcome: how it ended.
        returned: what came back, None unless it answered.
        values: the embeddings, shape and dtype as returned (bfloat16 widened to float32); None where
            nothing readable came.
    """

    outcome: Outcome
    returned: Returned | None = None
    values: NDArray[Any] | None = None


def encode(session: Session, audio: NDArray[np.float32], timeout_s: float) -> Call:
    """Ask the child to encode `audio` `[B, samples]`, and judge its bytes here."""
    question = {"ask": "encode", "shape": list(audio.shape)}
    answer = session.ask(question, audio.data.cast("B"), timeout_s=timeout_s)
    if answer.outcome.ending is not Ending.ANSWERED:
        return Call(answer.outcome)
    try:
        returned, values = decode(answer.header, answer.payload)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        detail = printable(f"the answer's header does not describe its bytes: {error}")
        return Call(Outcome(Ending.GARBLED, answer.outcome.seconds, detail))
    return Call(answer.outcome, returned, values)


def decode(header: dict[str, Any], payload: memoryview) -> tuple[Returned, NDArray[Any] | None]:
    """What came back, and its values.

    Raises:
        KeyError, TypeError, ValueError, OverflowError, RecursionError: header and bytes do not belong together.
    """
    import numpy as np

    kind = header["kind"]
    if kind != "tensor":
        return Returned(kind=told(kind, limit=100) or "?", contains=told(header["contains"], limit=300)), None
    shape, dtype = _shape(header["shape"]), told(header["dtype"], limit=40)
    refused = told(header.get("numpy_error"), limit=300)
    if "too_large" in header:
        (size,) = _shape([header["too_large"]])
        refused = f"{size} bytes are more than may leave the box"
    if dtype == "bfloat16" and payload:
        words = np.frombuffer(payload, dtype=np.uint16).reshape(shape).astype(np.uint32)
        words <<= 16  # in place: answers are large
        values: NDArray[Any] = words.view(np.float32)
    elif refused or dtype not in DTYPES:
        return Returned("tensor", shape, dtype, refused or "numpy has no such dtype"), None
    else:
        values = np.frombuffer(payload, dtype=np.dtype(dtype)).reshape(shape)
    nonfinite = int(values.size - np.count_nonzero(np.isfinite(values)))
    return Returned("tensor", shape, dtype, refused, nonfinite), values


def _shape(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > MOST_AXES:
        raise TypeError("the shape is no list of sizes")
    if not all(isinstance(n, int) and 0 <= n <= LARGEST_SIZE for n in value):
        raise TypeError("the shape holds what is no size")
    return tuple(value)
