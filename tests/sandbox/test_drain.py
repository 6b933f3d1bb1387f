from __future__ import annotations

import os
import threading

from audio_encoder_checker.sandbox.drain import TAIL_BYTES, Drain


def drained(data: bytes, limit: int = 1 << 20) -> tuple[Drain, list[str]]:
    """A drain that has read `data` from a pipe, and what it called."""
    source, sink = os.pipe()
    called: list[str] = []
    drain = Drain(os.fdopen(source, "rb"), limit, lambda: called.append("flood"))
    drain.start()

    def write() -> None:
        with os.fdopen(sink, "wb") as file:
            try:
                file.write(data)
            except BrokenPipeError:
                return

    writer = threading.Thread(target=write)
    writer.start()
    drain.join(timeout=10)
    drain.stream.close()
    writer.join(timeout=10)
    return drain, called


def test_everything_is_counted_and_the_end_is_kept() -> None:
    drain, called = drained(b"a" * 100_000 + b"end")
    assert (drain.count, drain.flooded, called) == (100_003, False, [])
    assert drain.tail.endswith("aend")
    assert len(drain.tail) == TAIL_BYTES


def test_over_the_limit_it_calls_once_and_reads_no_further() -> None:
    drain, called = drained(b"a" * 10_000_000, limit=1_000_000)
    assert called == ["flood"]
    assert drain.flooded
    assert 1_000_000 < drain.count <= 1_000_000 + 65_536


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert drained(b"\xff\xfea")[0].tail == "\ufffd\ufffda"
