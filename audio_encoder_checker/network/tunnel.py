"""Bytes both ways between the box and a host, counted and not understood."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.network import limits
from audio_encoder_checker.network.conversation import Conversation, GoneError
from audio_encoder_checker.network.dialing import TroubleError, trouble
from audio_encoder_checker.network.faults import FaultKind, Mischief
from audio_encoder_checker.network.hello import HelloError, server_name
from audio_encoder_checker.network.policy import host_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audio_encoder_checker.network.ledger import Entry

CUT_BYTES = 64 << 10
"""After which a tunnel is cut or slowed where that is asked for."""
OUT_BYTES = 16 << 10
"""That are held of what leaves the box: little does."""
NOTE_S = 1.0
"""How often the counts are written down."""


def hello_of(conversation: Conversation, host: str) -> bytes:
    """The bytes that a TLS client begins with.

    Args:
        conversation: with the box.
        host: which the box asked for; empty if only the message itself tells.

    Raises:
        HelloError: it is not TLS, or it names another host.
        GoneError: the box closed, or took too long.
    """
    data = bytearray(conversation.left())
    deadline = time.monotonic() + limits.HEAD_S
    while (name := server_name(bytes(data))) is None:
        if len(data) > limits.HELLO_BYTES:
            raise HelloError("its first message is too long")
        data += conversation.some(deadline - time.monotonic())
    if name and host_name(name) != host:
        raise HelloError(f"it names another host inside, {name}")
    return bytes(data)


@dataclass
class _Half:
    """One direction."""

    source: socket.socket
    target: socket.socket
    buffer: memoryview = field(default_factory=lambda: memoryview(bytearray(limits.PIECE_BYTES)))
    start: int = 0
    end: int = 0
    count: int = 0
    ended: bool = False

    outward: bool = False

    def read(self) -> None:
        try:
            self.start, self.end = 0, self.source.recv_into(self.buffer)
        except BlockingIOError:
            return
        except OSError as error:
            raise self._gone(error, far=not self.outward) from error
        self.ended = not self.end

    def write(self) -> None:
        try:
            sent = self.target.send(self.buffer[self.start : self.end])
        except BlockingIOError:
            return
        except OSError as error:
            raise self._gone(error, far=self.outward) from error
        self.start += sent
        self.count += sent

    @staticmethod
    def _gone(error: OSError, *, far: bool) -> Exception:
        return TroubleError(f"the tunnel broke: {trouble(error)}") if far else GoneError()

    def finish(self) -> None:
        """Tell the target that no more comes."""
        with contextlib.suppress(OSError):
            self.target.shutdown(socket.SHUT_WR)

    @property
    def waiting(self) -> bool:
        """Whether bytes were read that are not written."""
        return self.start < self.end


class Tunnel:
    """One connection, passed on as it is.

    Args:
        conversation: with the box.
        far: the host.
        entry: where the counts go.
        mischief: may cut or slow it.
    """

    def __init__(self, conversation: Conversation, far: socket.socket, entry: Entry, mischief: Mischief) -> None:
        self.conversation = conversation
        self.entry = entry
        self.mischief = mischief
        self.out = _Half(conversation.connection, far, memoryview(bytearray(OUT_BYTES)), outward=True)
        self.into = _Half(far, conversation.connection)
        self._fault = mischief.strikes(FaultKind.CUT, FaultKind.SLOW)
        self._cut = False

    def run(self, first: bytes) -> None:
        """Pass on until both ends are done.

        Args:
            first: bytes of the box that were read already.
        """
        far, whole = self.into.source, False
        try:
            far.settimeout(limits.READ_S)
            far.sendall(first)
            self.out.count = len(first)
            for end in (far, self.out.source):
                end.setblocking(False)
            self._pump()
            whole = self.into.count > 0
        except (OSError, TroubleError) as error:
            self.entry.note(trouble=trouble(error))
        except GoneError:  # a client that has what it wants may go without a word
            whole = self.into.count > 0 and not self._cut
        finally:
            self._note(whole=whole)

    def _pump(self) -> None:
        halves = [self.out, self.into]
        heard = noted = time.monotonic()
        with selectors.DefaultSelector() as selector:
            while halves:
                _watch(selector, halves)
                ready = {key.fileobj: events for key, events in selector.select(NOTE_S)}
                now = time.monotonic()
                if ready:
                    heard = now
                elif self.out.ended and now - heard > limits.FAREWELL_S:
                    raise GoneError
                elif now - heard > limits.TUNNEL_IDLE_S:
                    raise TroubleError("silent for too long")
                if now - noted > NOTE_S:
                    noted = now
                    self._note()
                for half in list(halves):
                    if _moved(half, ready):
                        half.finish()
                        halves.remove(half)
                self._break()

    def _break(self) -> None:
        if not self._fault or self.into.count < CUT_BYTES:
            return
        kind, self._fault = self._fault, None
        self.entry.note(fault=kind.value)
        if kind is FaultKind.CUT:
            self._cut = True
            raise GoneError
        self.mischief.pause()

    def _note(self, **more: bool) -> None:
        self.entry.note(received_bytes=self.into.count, sent_bytes=self.out.count, **more)


def _moved(half: _Half, ready: Mapping[Any, int]) -> bool:
    """Move what can be moved; True if this direction is done."""
    if not half.waiting and ready.get(half.source, 0) & selectors.EVENT_READ:
        half.read()
    if half.waiting:
        half.write()
    return half.ended


def _watch(selector: selectors.BaseSelector, halves: list[_Half]) -> None:
    """Wait for what each direction needs next."""
    wanted: dict[socket.socket, int] = {}
    for half in halves:
        end, event = (half.target, selectors.EVENT_WRITE) if half.waiting else (half.source, selectors.EVENT_READ)
        wanted[end] = wanted.get(end, 0) | event
    known: dict[Any, selectors.SelectorKey] = {key.fileobj: key for key in selector.get_map().values()}
    for end in set(known) - set(wanted):
        selector.unregister(end)
    for end, events in wanted.items():
        if end not in known:
            selector.register(end, events)
        elif known[end].events != events:
            selector.modify(end, events)
