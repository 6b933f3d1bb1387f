"""Frames on a socket: the only file that parent and child share.

A frame is four bytes (big-endian length of the header), a JSON object of at most 64 KiB, and as many raw
bytes as its `payload_bytes` says. Never pickle. Standard library only: this file runs in the box too.
"""

from __future__ import annotations

import json
import mmap
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

HEADER_LIMIT = 64 * 1024
LARGE_BYTES = 1 << 20


_PRIVATE: dict[str, int] = (
    {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}  # Windows has no others
)


class ClosedError(Exception):
    """The other side is gone."""


class GarbledError(Exception):
    """What came is no frame, or a larger one than allowed."""


def send(
    channel: socket.socket,
    header: dict[str, Any],
    payload: bytes | memoryview = b"",
    deadline: float | None = None,
) -> None:
    """Send one frame.

    Args:
        channel: a connected stream socket.
        header: JSON-serialisable, at most 64 KiB.
        payload: raw bytes.
        deadline: on the clock of `time.monotonic`, for the whole frame.

    Raises:
        ClosedError: nobody listens any more.
        TimeoutError: the deadline passed.
    """
    size = payload.nbytes if isinstance(payload, memoryview) else len(payload)
    text = json.dumps({**header, "payload_bytes": size}).encode()
    try:
        _wait(channel, deadline)
        channel.sendall(len(text).to_bytes(4, "big") + text)
        if size:
            _wait(channel, deadline)
            channel.sendall(payload)
    except ConnectionError as error:
        raise ClosedError(str(error)) from None


def receive(
    channel: socket.socket, payload_limit: int, deadline: float | None = None
) -> tuple[dict[str, Any], memoryview]:
    """Receive one frame: its header, and its payload, which may be written to.

    Raises:
        ClosedError: the other side ended before a whole frame came.
        GarbledError: no frame, or one over the limits.
        TimeoutError: the deadline passed, however busily bytes trickled in.
    """
    size = int.from_bytes(_exactly(channel, 4, deadline), "big")
    if size > HEADER_LIMIT:
        raise GarbledError(f"a header of {size} bytes")
    try:
        header = json.loads(bytes(_exactly(channel, size, deadline)))
        payload_bytes = header["payload_bytes"]
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise GarbledError(f"a header that is no JSON object: {type(error).__name__}") from None
    if not isinstance(payload_bytes, int) or not 0 <= payload_bytes <= payload_limit:
        found = payload_bytes if isinstance(payload_bytes, int) and payload_bytes < 1 << 63 else "no such number of"
        raise GarbledError(f"a payload of {found} bytes, at most {payload_limit} are taken")
    return header, _exactly(channel, payload_bytes, deadline)


def _exactly(channel: socket.socket, size: int, deadline: float | None) -> memoryview:
    """So many bytes, in memory that is taken as they come, not as they are announced."""
    buffer = memoryview(mmap.mmap(-1, size, **_PRIVATE) if size > LARGE_BYTES else bytearray(size))
    filled = 0
    while filled < size:
        _wait(channel, deadline)
        try:
            count = channel.recv_into(buffer[filled:])
        except ConnectionError as error:
            raise ClosedError(str(error)) from None
        if count == 0:
            raise ClosedError("end of stream")
        filled += count
    return buffer


def _wait(channel: socket.socket, deadline: float | None) -> None:
    if deadline is None:
        channel.settimeout(None)
        return
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    channel.settimeout(left)
