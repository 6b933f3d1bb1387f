"""All pickles of a file: one after the other, and those that lie in texts and bytes of others."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.weights.machine import Machine
from audio_encoder_checker.archive.weights.names import is_importable, safety_of
from audio_encoder_checker.archive.weights.opcodes import KEPT_BYTES, STARTS
from audio_encoder_checker.archive.weights.streams import TooMuchError, memory_stream
from audio_encoder_checker.evidence.weights import PickledName

if TYPE_CHECKING:
    from collections.abc import Collection

    from audio_encoder_checker.archive.weights.opcodes import Literal
    from audio_encoder_checker.archive.weights.streams import Budget, Stream
    from audio_encoder_checker.archive.weights.walks import Name, Storage, Use, Walk

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""What the first of the five pickles of a checkpoint in torch's old format holds."""
LEGACY_PICKLES = 5
MAX_NESTING = 8
MAX_NAMES = 10_000
WALK_OPCODES = 16
"""What the start of a pickle costs, in opcodes."""
HEAD_BYTES = 64
ZIP_START = b"PK\x03\x04"

_OPCODE = b"[" + b"".join(re.escape(bytes((code,))) for code in sorted(STARTS)) + b"]"
_WITH_PROTOCOL = re.compile(rb"\x80[\x00-\x05]" + _OPCODE)
_WITH_NAME = re.compile(rb"[(\]})l0-9\n]{0,8}[ci][A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n")
_ENCODED = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}\s*\Z")
_HEX = re.compile(rb"[0-9a-fA-F]{12,}\Z")
BETWEEN_OPCODES = {("joblib.numpy_pickle", "NumpyArrayWrapper"), ("joblib.numpy_pickle", "NDArrayWrapper")}
"""Where these are imported, other bytes follow within the pickle, and what comes behind them is not seen."""
NESTED = "nested"
"""Where a name stands that is in a pickle inside a text or bytes."""


def looks_pickled(head: bytes) -> bool:
    """Whether bytes start as pickles do that were not made by hand, or as those of protocol 0 that import."""
    return bool(_WITH_PROTOCOL.match(head) or _WITH_NAME.match(head))


@dataclass
class PickleLog:
    """What the pickles of one file do, all together.

    Attributes:
        names: what they import, by module, name and where.
        storages: the storages that they refer to, by the pickle's place and the key.
        refused: the first opcode that `weights_only=True` does not know, else empty.
        pickles: how many there are, nested ones aside.
        broken: how one of them breaks, else empty.
        unread: what could not be looked through.
    """

    names: dict[tuple[str, str, str], PickledName] = field(default_factory=dict)
    storages: dict[tuple[str, str], Storage] = field(default_factory=dict)
    refused: str = ""
    pickles: int = 0
    broken: str = ""
    unread: dict[str, None] = field(default_factory=dict)


class PickleReader:
    """Goes through pickles and writes down what they do.

    Args:
        budget: what all may cost.
        own: top-level modules of the repository.
        log: where it is written down.
    """

    def __init__(self, budget: Budget, own: Collection[str], log: PickleLog) -> None:
        self.budget = budget
        self.own = own
        self.log = log
        self._depth = 0
        self._noted = 0

    def read(self, stream: Stream, where: str = "", *, sure: bool = True) -> bool:
        """Go through all pickles that follow one another.

        Args:
            stream: stands at the first.
            where: what `PickledName.where` is to say.
            sure: a first pickle that breaks is damaged; otherwise it is no pickle unless it calls something.

        Returns:
            Whether the first is torch's magic number: then the stream stands behind the fifth.
        """
        count, legacy = 0, False
        while count == 0 or stream.peek(1):
            walk = self._walk(stream)
            failed = walk.broken or walk.too_much
            known = _importable(walk) if walk.broken else walk.uses
            if walk.broken and (count or not sure) and not any(use.calls for use in known.values()):
                break  # no pickle, but what follows one, or other data
            self._note(walk, known, where)
            count += 1
            legacy = legacy or (count == 1 and walk.result == LEGACY_MAGIC)
            if failed or (legacy and count == LEGACY_PICKLES):
                break
        return legacy

    def _walk(self, stream: Stream) -> Walk:
        self.budget.opcodes -= WALK_OPCODES
        return Machine(stream, self.budget, self.look).run()

    def _note(self, walk: Walk, known: dict[Name, Use], where: str) -> None:
        self._noted += 1
        log, here = self.log, NESTED if self._depth else where
        interrupted = not BETWEEN_OPCODES.isdisjoint(known)
        if interrupted:
            log.unread.setdefault("its arrays lie between the opcodes of the pickle, as joblib writes them")
        for (module, name), use in known.items():
            self._note_name(PickledName(module, name, safety_of(module, name, use, self.own), use.calls > 0, here))
        if walk.too_much:
            log.unread.setdefault(walk.too_much)
        if self._depth == 0:
            log.pickles += 1
            log.refused = log.refused or walk.refused
            log.broken = log.broken or ("" if interrupted else walk.broken)
            log.storages.update({(where, key): storage for key, storage in walk.storages.items()})

    def _note_name(self, name: PickledName) -> None:
        key = name.module, name.name, name.where
        before = self.log.names.get(key)
        if before is None and len(self.log.names) >= MAX_NAMES:
            self.log.unread.setdefault(f"its pickles import more than {MAX_NAMES} names")
        elif before is None or before.safety.rank < name.safety.rank:
            self.log.names[key] = name

    def look(self, literal: Literal) -> bool:
        """Go through the pickle that a text or bytes may be, in itself or written in base64 or hexadecimal digits."""
        if literal.part is not None:
            return self._look_at(literal.part)
        data = literal.data
        if data is None:
            self.log.unread.setdefault(f"a text of more than {KEPT_BYTES} bytes")
            return False
        if len(data) < 4:
            return False
        if data.startswith(ZIP_START):
            self.log.unread.setdefault("a ZIP archive inside a pickle")
            return False
        return any(self._nested(memory_stream(raw)) for raw in self._forms(data, literal.text))

    def _look_at(self, part: Stream) -> bool:
        """The same for what is too large to be held: only as it stands."""
        head = part.peek(HEAD_BYTES)
        if looks_pickled(head):
            return self._nested(part)
        if head.startswith(ZIP_START):
            self.log.unread.setdefault("a ZIP archive inside a pickle")
        elif head.startswith(b"\xc2\x80") or _decoded(head, HEAD_BYTES):
            self.log.unread.setdefault("a long text that may be a pickle")
        return False

    def _forms(self, data: bytes, text: str | None) -> list[bytes]:
        """The pickles that some data may be."""
        forms = []
        if looks_pickled(data[:HEAD_BYTES]) or (data[-1:] == b"." and data[0] in STARTS):
            forms.append(data)
        elif text is not None and data[:2] == b"\xc2\x80":
            forms.append(text.encode("latin-1", "replace"))
        decoded = _decoded(data, len(data))
        if decoded and self._pay(len(decoded)):
            forms.append(decoded)
        return forms

    def _pay(self, count: int) -> bool:
        try:
            self.budget.inflate(count)
        except TooMuchError as error:
            self.log.unread.setdefault(str(error))
            return False
        return True

    def _nested(self, stream: Stream) -> bool:
        """Go through what may be a pickle; whether it is one, and all of it was seen."""
        if self._depth == MAX_NESTING:
            self.log.unread.setdefault(f"more than {MAX_NESTING} pickles inside one another")
            return False
        noted, unread = self._noted, len(self.log.unread)
        self._depth += 1
        self.read(stream, sure=False)
        self._depth -= 1
        return self._noted > noted and len(self.log.unread) == unread


def _importable(walk: Walk) -> dict[Name, Use]:
    """The names of a broken pickle that could be names: other bytes that are read as opcodes give none."""
    return {name: use for name, use in walk.uses.items() if is_importable(*name)}


def _decoded(data: bytes, count: int) -> bytes | None:
    """The pickle that text in base64 or hexadecimal digits stands for, None if it is none."""
    head = data[:HEAD_BYTES]
    for pattern, decode in ((_HEX, binascii.unhexlify), (_ENCODED, _base64)):
        if pattern.match(head):
            try:
                if looks_pickled(decode(head[: len(head) - len(head) % 4])):
                    return decode(data[:count])
            except (binascii.Error, ValueError):
                continue
    return None


def _base64(data: bytes) -> bytes:
    plain = data.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"\r\n\t =")
    return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4))
