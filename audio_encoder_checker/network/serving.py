"""Listeners, and a bounded number of threads that serve what they accept."""

from __future__ import annotations

import contextlib
import resource
import selectors
import socket
import threading
import time
from typing import TYPE_CHECKING

from audio_encoder_checker.network import limits
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Serve = Callable[[socket.socket], None]

FAILURES = 20
"""Of our own that are remembered."""
LINGER_S = 1.0
LINGER_BYTES = 1 << 20
"""How long, and for how much, the box may go on talking after its answer: a reset would take the answer from it."""
JOIN_S = 3.0
"""For the last requests to end; a host that is silent just then is not waited for."""


class Server:
    """Accepts on all listeners from one thread, and serves every connection in one of its own.

    Args:
        listeners: listener -> what serves its connections; they are closed at the end.
        datagrams: a UDP socket and what answers it, at once; None for none.
        crowded: told of a listener whose connection was closed because there were too many.

    Attributes:
        failures: what went wrong in our own code, which is never the box's business.
    """

    def __init__(
        self,
        listeners: Mapping[socket.socket, Serve],
        datagrams: tuple[socket.socket, Serve] | None,
        crowded: Callable[[socket.socket], None],
    ) -> None:
        self.failures: list[str] = []
        self._serves = dict(listeners)
        self._datagrams = datagrams
        self._crowded = crowded
        self._live: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._near, self._far = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="channel", daemon=True)
        self._closed = False

    def start(self) -> None:
        """Serve from now on."""
        if not self._thread.ident:
            _allow_descriptors()
            self._thread.start()

    def close(self) -> None:
        """End all connections and close the listeners. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._far.send(b"x")
        if self._thread.ident:
            self._thread.join(JOIN_S)
        with self._lock:
            live = dict(self._live)
        for connection in live:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + JOIN_S
        for thread in live.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        for end in (*self._serves, *([self._datagrams[0]] if self._datagrams else []), self._near, self._far):
            end.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for listener in self._serves:
                listener.setblocking(False)
                selector.register(listener, selectors.EVENT_READ, self._accept)
            if self._datagrams:
                self._datagrams[0].setblocking(False)
                selector.register(self._datagrams[0], selectors.EVENT_READ, self._datagrams[1])
            selector.register(self._near, selectors.EVENT_READ)
            while not self._closed:
                for key, _ in selector.select():
                    if key.data and isinstance(key.fileobj, socket.socket):
                        self._guarded(key.data, key.fileobj)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError as error:
            if not isinstance(error, BlockingIOError):  # out of descriptors: they come back when connections end
                time.sleep(0.05)
            return
        thread = threading.Thread(
            target=self._serve, args=(connection, self._serves[listener]), name="channel", daemon=True
        )
        with self._lock:
            crowd = len(self._live) >= limits.CONNECTIONS
            if not crowd:
                self._live[connection] = thread
        try:
            if not crowd:
                thread.start()
        except RuntimeError:  # this machine has no more threads
            crowd = True
        if crowd:
            self._forget(connection)
            self._crowded(listener)

    def _serve(self, connection: socket.socket, serve: Serve) -> None:
        try:
            connection.setblocking(True)
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._guarded(serve, connection)
            _linger(connection)
        finally:
            self._forget(connection)

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._live.pop(connection, None)
        connection.close()

    def _guarded(self, serve: Serve, end: socket.socket) -> None:
        try:
            serve(end)
        except Exception as error:  # noqa: BLE001 - a thread that dies would leave its door shut
            if len(self.failures) < FAILURES:
                self.failures.append(printable(f"{type(error).__name__}: {error}"))


def _allow_descriptors() -> None:
    """As many as this process may have: boxes that keep all their connections open must not leave the meters blind."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(OSError, ValueError):  # some systems promise more than they let one have
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _linger(connection: socket.socket) -> None:
    """Say that no more comes, and let the box read what did."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        deadline, count = time.monotonic() + LINGER_S, 0
        while count < LINGER_BYTES and (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            piece = connection.recv(limits.PIECE_BYTES)
            if not piece:
                break
            count += len(piece)
