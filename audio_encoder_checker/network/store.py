"""Files of the Hub on this machine's disk, in the layout of huggingface_hub's own cache.

Written only with what the Hub sent and what its entity tag vouches for; read only after that was seen again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.network import limits
from audio_encoder_checker.network.hub_paths import COMMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audio_encoder_checker.evidence.network import HubFile

HASH_PIECE_BYTES = 1 << 20
_ETAG = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_BAD = re.compile(r"[\0\\…]")
"""What no path of the store has; the last two mark a path that was changed to be printable."""
MODE = 0o644


@dataclass(frozen=True)
class Found:
    """A file that may be served.

    Attributes:
        path: of its content.
        size: in bytes.
        etag: without quotes.
        commit: that it belongs to.
    """

    path: Path
    size: int
    etag: str
    commit: str

    def pieces(self, first: int, count: int) -> Iterator[memoryview]:
        """A part of it, as far as it is there."""
        buffer = memoryview(bytearray(limits.PIECE_BYTES))
        with self.path.open("rb", buffering=0) as file:
            file.seek(first)
            while count and (got := file.readinto(buffer[: min(count, len(buffer))])):
                count -= got
                yield buffer[:got]


class Store:
    """Safe in threads, and for several processes at once.

    Args:
        folder: made if it is not there, when the first file comes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str, str], str] = {}
        self._seen: dict[Path, tuple[int, ...]] = {}

    def told(self, hub: HubFile) -> None:
        """Remember which commit the Hub says a branch or tag is."""
        if COMMIT.fullmatch(hub.commit):
            with self._lock:
                if len(self._told) < limits.NAMES:
                    self._told[hub.kind, hub.repository, hub.revision] = hub.commit

    def find(self, hub: HubFile) -> Found | None:
        """The file, if it is there and sound, and its commit is known for sure."""
        with self._lock:
            told = self._told.get((hub.kind, hub.repository, hub.revision), "")
        commit = hub.revision if COMMIT.fullmatch(hub.revision) else told
        home = self._home(hub)
        if not commit or home is None:
            return None
        try:
            target = (home / "snapshots" / commit / hub.file).readlink()
            blob = home / "blobs" / target.name
            if not _ETAG.fullmatch(target.name) or target.parent.name != "blobs" or blob.is_symlink():
                return None
            return Found(blob, blob.stat().st_size, target.name, commit) if self._sound(blob) else None
        except OSError:
            return None

    def _sound(self, blob: Path) -> bool:
        """Whether its content is what its name says: hashed once, then told by its size and times."""
        state = _state(blob)
        with self._lock:
            if self._seen.get(blob) == state:
                return True
        digest = _digest(blob.name, state[0])
        with blob.open("rb", buffering=0) as file:
            while piece := file.read(HASH_PIECE_BYTES):
                digest.update(piece)
        if digest.hexdigest() != blob.name or _state(blob) != state:
            return False
        self._trust(blob, state)
        return True

    def _trust(self, blob: Path, state: tuple[int, ...]) -> None:
        with self._lock:
            self._seen[blob] = state

    def incoming(self, hub: HubFile, etag: str, size: int | None) -> Incoming | None:
        """Where to write a file that comes from its first byte; None if it cannot be kept.

        Args:
            hub: with its commit.
            etag: that vouches for the content.
            size: in bytes, as announced.
        """
        home = self._home(hub)
        if home is None or size is None or not _ETAG.fullmatch(etag) or not COMMIT.fullmatch(hub.commit):
            return None
        try:
            (home / "blobs").mkdir(parents=True, exist_ok=True)
            return Incoming(self, home, hub, etag, size)
        except OSError:
            return None

    def _home(self, hub: HubFile) -> Path | None:
        """A repository's folder; None if its name or the file's is not one to make a path of."""
        parts = hub.repository.split("/")
        if not all(map(_safe, [*parts, *hub.file.split("/")])) or _BAD.search(hub.revision):
            return None
        return self.folder / "--".join([f"{hub.kind}s", *parts])


class Incoming:
    """A file on its way into the store; a disk that is full ends that, and nothing else."""

    def __init__(self, store: Store, home: Path, hub: HubFile, etag: str, size: int) -> None:
        self._store, self._home, self._hub, self._etag = store, home, hub, etag
        self._digest = _digest(etag, size)
        handle, name = tempfile.mkstemp(dir=home / "blobs", prefix=f"{etag}.", suffix=".incomplete")
        self._file = os.fdopen(handle, "wb", buffering=0)
        self._path = Path(name)
        self._failed = False

    def write(self, piece: memoryview) -> None:
        """The next piece."""
        if self._failed:
            return
        self._digest.update(piece)
        try:
            self._failed = self._file.write(piece) != len(piece)
        except OSError:
            self._failed = True

    def finish(self) -> None:
        """All was written: keep it if it is what was announced."""
        self._file.close()
        if self._failed or self._digest.hexdigest() != self._etag:
            return
        blob = self._home / "blobs" / self._etag
        with contextlib.suppress(OSError):
            self._path.chmod(MODE)
            self._path.replace(blob)
            self._store._trust(blob, _state(blob))  # noqa: SLF001 - its own store
            self._link(blob)

    def _link(self, blob: Path) -> None:
        snapshot = self._home / "snapshots" / self._hub.commit
        pointer = snapshot / self._hub.file
        pointer.parent.mkdir(parents=True, exist_ok=True)
        draft = pointer.with_name(f"{self._path.name}.link")
        draft.symlink_to(os.path.relpath(blob, pointer.parent))
        draft.replace(pointer)
        revision = self._hub.revision
        if not COMMIT.fullmatch(revision) and _safe(revision):
            reference = self._home / "refs" / revision
            reference.parent.mkdir(exist_ok=True)
            draft = reference.with_name(f"{self._path.name}.ref")
            draft.write_text(self._hub.commit, encoding="utf-8")
            draft.replace(reference)

    def close(self) -> None:
        """Leave nothing half-written behind. Safe to call twice, and after `finish`."""
        self._file.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def _digest(etag: str, size: int) -> hashlib._Hash:
    if len(etag) == 64:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)  # what git names a file by


def _state(blob: Path) -> tuple[int, ...]:
    found = blob.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _safe(part: str) -> bool:
    return bool(part) and part not in {".", ".."} and "/" not in part and len(part) <= 255 and not _BAD.search(part)
