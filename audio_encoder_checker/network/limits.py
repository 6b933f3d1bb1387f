"""The most that the channel takes from a box, and how long it waits: numbers, and why."""

from __future__ import annotations

CONNECTIONS = 256
"""At once, over all doors: each is a thread with buffers of at most 200 KiB."""
TRANSFERS = 10_000
"""That are kept in the ledger; the others are counted."""
NAMES = 10_000
"""Host names that are kept in the ledger, and that are given an address of their own."""
HEAD_BYTES = 64 << 10
"""Of a request's first line and header fields together, as of most servers' limits."""
HELLO_BYTES = 64 << 10
"""Of a TLS client's first message; with today's post-quantum keys it is about 2 KiB."""
BODY_BYTES = 16 << 20
"""Of a request that goes to a host: questions are short, and what leaves the box is little."""
PIECE_BYTES = 64 << 10
"""That are held of a body at a time."""
HEAD_S = 20.0
"""For all of a request's head, from its first byte."""
IDLE_S = 90.0
"""Between two requests on one connection."""
CONNECT_S = 10.0
"""For one address of a host."""
READ_S = 60.0
"""For the next bytes of a host, or for the box to take them."""
TUNNEL_IDLE_S = 300.0
"""In which no byte goes either way through a tunnel."""
FAREWELL_S = 10.0
"""The same, after the box has said that no more comes from it."""
REDIRECTS = 5
"""That are followed for the box."""
