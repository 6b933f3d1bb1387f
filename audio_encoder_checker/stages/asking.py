"""One encoder in a box as a thing to call: audio in, embeddings and an honest outcome out."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
MOST_FIELDS = 12
MOST_LAYERS = 100
LARGEST_SIZE = 1 << 48


@dataclass(frozen=True, eq=False)
class Call:
    """One call of the encoder.

    Attributes:
        outcome: how it ended.
        returned: what came back, None unless it answered.
        values: the embeddings, shape and dtype as returned (bfloat16 widened to float32); None where
            nothing readable came.
        chunks: lengths in samples that the encoder cut the audio into, where that was asked for.
    """

    outcome: Outcome
    returned: Returned | None = None
    values: NDArray[Any] | None = None
    chunks: tuple[int, ...] = ()

    @property
    def comparable(self) -> NDArray[Any] | None:
        """The values, if there are any and all are finite."""
        if self.values is None or self.returned is None or self.returned.nonfinite or not self.values.size:
            return None
        return self.values

    @property
    def frames(self) -> NDArray[Any] | None:
        """The same, if it is `[B, T', D]` with a frame at least."""
        values = self.comparable
        return values if values is not None and values.ndim == 3 and values.shape[1] else None


def encode(session: Session, audio: NDArray[np.float32], timeout_s: float, **manner: str | bool) -> Call:
    """Ask the child to encode `audio` `[B, samples]` in some manner (see `child.encode`), and judge its bytes here."""
    question = {"ask": "encode", "shape": list(audio.shape), **manner}
    answer = session.ask(question, audio.data.cast("B"), timeout_s=timeout_s)
    if answer.outcome.ending is not Ending.ANSWERED:
        return Call(answer.outcome)
    try:
        returned, values = decode(answer.header, answer.payload)
        chunks = _shape(answer.header.get("chunks", []))
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        detail = printable(f"the answer's header does not describe its bytes: {error}")
        return Call(Outcome(Ending.GARBLED, answer.outcome.seconds, detail))
    return Call(answer.outcome, returned, values, chunks)


def decode(header: dict[str, Any], payload: memoryview) -> tuple[Returned, NDArray[Any] | None]:
    """What came back, and its values.

    Raises:
        KeyError, TypeError, ValueError, OverflowError, RecursionError: header and bytes do not belong together.
    """
    import numpy as np

    kind = header["kind"]
    if kind != "tensor":
        return Returned(told(kind, limit=100) or "?", fields=_fields(header["fields"])), None
    shape, dtype = _shape(header["shape"]), told(header["dtype"], limit=40)
    refused = told(header.get("numpy_error"), limit=300)
    if "too_large" in header:
        (size,) = _shape([header["too_large"]])
        refused = f"{size} bytes are more than may leave the box"
    graph = header.get("requires_grad") is True
    returned = Returned("tensor", shape, dtype, refused, layers=_layers(header.get("layers")), requires_grad=graph)
    if dtype == "bfloat16" and payload:
        words = np.frombuffer(payload, dtype=np.uint16).reshape(shape).astype(np.uint32)
        words <<= 16  # in place: answers are large
        values: NDArray[Any] = words.view(np.float32)
    elif refused or dtype not in DTYPES:
        return replace(returned, numpy_error=refused or "numpy has no such dtype"), None
    else:
        values = np.frombuffer(payload, dtype=np.dtype(dtype)).reshape(shape)
    nonfinite = int(values.size - np.count_nonzero(np.isfinite(values)))
    return replace(returned, nonfinite=nonfinite), values


def _shape(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > MOST_AXES:
        raise TypeError("the shape is no list of sizes")
    if not all(isinstance(n, int) and 0 <= n <= LARGEST_SIZE for n in value):
        raise TypeError("the shape holds what is no size")
    return tuple(value)


def _pairs(value: object, most: int) -> list[list[Any]]:
    pairs = [pair for pair in value if isinstance(pair, list) and len(pair) == 2] if isinstance(value, list) else []
    return pairs[:most]


def _fields(value: object) -> tuple[tuple[str, str], ...]:
    return tuple((told(name, limit=60), told(words, limit=100)) for name, words in _pairs(value, MOST_FIELDS))


def _layers(value: object) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple((told(name, limit=100), _shape(shape)) for name, shape in _pairs(value, MOST_LAYERS))
