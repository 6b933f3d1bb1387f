"""How fast embeddings leave the box: raw frames through the socket pair. Target: more than 1 GB/s."""

from __future__ import annotations

import os
import socket
import statistics
import time

from audio_encoder_checker.child import wire
from audio_encoder_checker.sandbox.running import BUFFER_BYTES

FRAME_BYTES = 256 << 20
FRAMES = 8


def main() -> None:
    """One process sends frames, this one receives them."""
    near, far = socket.socketpair()
    for end in (near, far):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    if os.fork() == 0:
        near.close()
        payload = memoryview(bytes(FRAME_BYTES))
        for _ in range(FRAMES):
            wire.send(far, {}, payload)
        os._exit(0)
    far.close()
    rates = []
    for _ in range(FRAMES):
        start = time.perf_counter()
        wire.receive(near, FRAME_BYTES)
        rates.append(FRAME_BYTES / (time.perf_counter() - start) / 1e9)
    os.wait()
    print(f"{FRAME_BYTES >> 20} MiB frames: median {statistics.median(rates):.2f} GB/s, best {max(rates):.2f} GB/s")


if __name__ == "__main__":
    main()
