"""Evaluation data at an address, such as `s3://BUCKET/xares`: copied to this machine once, and held against its hashes.

The address has to hold `SHA256SUMS`, as `sha256sum` writes it: a line for each file. What it names is copied and hashed
once; several processes share one copy.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from filelock import FileLock

from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evaluation.cache import cache_folder
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

SUMS = "SHA256SUMS"
LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
MOST_BYTES = 64 << 20
CHUNK_BYTES = 1 << 20


def is_address(text: str) -> bool:
    """Whether a text is an address rather than a path: `s3://...`, `gs://...`, `https://...`, `file://...`."""
    return re.match(r"[a-z][a-z0-9+.-]+://", text) is not None


def local_copy(address: str) -> Path:
    """The folder on this machine that holds what an address holds.

    Raises:
        UsageError: the address makes no sense here, or its list of hashes does not.
        MachineError: it cannot be reached, or what came is not what its list says.
    """
    files, root = _open(address.rstrip("/"))
    hashes = _hashes(files, root, address)
    folder = cache_folder() / "data" / hashlib.sha256(address.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        for name, expected in hashes.items():
            _copy(files, f"{root}/{name}", folder / name, expected)
    return folder


def content_sha256(address: str) -> str:
    """Of the names and hashes of all files that an address holds; nothing else is read.

    Raises:
        UsageError, MachineError: as of `local_copy`.
    """
    hashes = _hashes(*_open(address.rstrip("/")), address)
    return hashlib.sha256("".join(f"{name}\0{one}\n" for name, one in sorted(hashes.items())).encode()).hexdigest()


def _open(address: str) -> tuple[Any, str]:
    import fsspec

    try:
        files, root = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise UsageError(f"cannot open {printable(address)!r}: {error}", "install what the message names") from None
    return files, str(root)


def _hashes(files: Any, root: str, address: str) -> dict[str, str]:
    try:
        text = files.cat_file(f"{root}/{SUMS}", start=0, end=MOST_BYTES).decode("utf-8")
    except FileNotFoundError:
        hint = f"make it where the data lies: `find . -name '*.tar' | xargs sha256sum > {SUMS}`"
        raise UsageError(f"{printable(address)!r} holds no {SUMS}", hint) from None
    except Exception as error:  # noqa: BLE001 - each kind of address has a client with errors of its own
        raise _failure("read", address, error) from None
    found = {}
    for line in text.splitlines():
        part = LINE.fullmatch(line)
        name = PurePosixPath(part[2]) if part else None
        if part is None or name is None or name.is_absolute() or ".." in name.parts:
            raise UsageError(f"{SUMS}: cannot read {printable(line)!r}", "write it with sha256sum, with relative paths")
        found[name.as_posix()] = part[1]
    return found


def _copy(files: Any, source: str, target: Path, expected: str) -> None:
    """Copy one file, unless it is there as it was when it was hashed; its name appears when all of it is."""
    verified = target.with_name(f".{target.name}.verified")
    if _state(target, expected) == (verified.read_text() if verified.is_file() else ""):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        found = _downloaded(files, source, part)
        if found != expected:
            message = f"{printable(source)!r} has SHA-256 {found}, {SUMS} says {expected}"
            raise MachineError(message, "put the right file there, or renew its line")
        part.replace(target)
        verified.write_text(_state(target, expected))
    except OSError as error:
        raise _failure("copy", source, error) from None
    finally:
        part.unlink(missing_ok=True)


def _downloaded(files: Any, source: str, part: Path) -> str:
    """Write what an address holds into a file, and tell its hash."""
    digest = hashlib.sha256()
    try:
        with files.open(source, "rb") as remote, part.open("wb") as file:
            while chunk := remote.read(CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
    except Exception as error:  # noqa: BLE001 - as above
        raise _failure("copy", source, error) from None
    return digest.hexdigest()


def _failure(what: str, place: str, error: Exception) -> MachineError:
    words = printable(str(error), limit=300) or type(error).__name__
    return MachineError(f"cannot {what} {printable(place)!r}: {words}", "look at address, network and disk")


def _state(path: Path, expected: str) -> str:
    """What tells that a file with a hash was not touched since: its size and time."""
    if not path.is_file():
        return "not there"
    status = path.stat()
    return f"{expected} {status.st_size} {status.st_mtime_ns}"
