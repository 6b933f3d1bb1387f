"""Read a PDF in a process of its own: `python -I -m audio_encoder_checker.archive.pdf_reader < FILE`.

A PDF is foreign data: small files can unpack to gigabytes, and page trees can be as wide as they like. So the process
limits itself before it looks at the file, and whoever started it ends it after some time (`paper.py`). It holds no
foreign code, and says what it finds line by line as JSON, so that what it found before it met a limit is kept.
"""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypdf import PdfReader

Fact = TypeVar("Fact")

MEMORY_BYTES = 1 << 30
CPU_SECONDS = 20
MOST_SIZES = 50
"""Pages whose size is read."""
MOST_TEXTS = 12
"""Pages whose text is read: that takes a page up to a second."""


def main() -> None:
    """Read standard input, and tell."""
    _limit()
    logging.disable(logging.CRITICAL)  # the library warns of all that it mends
    import pypdf

    _tell(ready=pypdf.__version__)
    data = sys.stdin.buffer.read()
    try:
        _read(pypdf.PdfReader(io.BytesIO(data), strict=False))
    except MemoryError:
        _tell(limit=f"{MEMORY_BYTES >> 20} MiB of memory")
    except Exception as error:  # noqa: BLE001 - a broken file makes the library raise anything
        _tell(**{_ending(error, encrypted=b"/Encrypt" in data): f"{type(error).__name__}: {error}"[:300]})


def _ending(error: Exception, *, encrypted: bool) -> str:
    """What an exception means: ciphers that the library lacks are no damage."""
    name = type(error).__name__
    if encrypted and name in ("DependencyError", "NotImplementedError"):
        return "locked"
    return "limit" if name == "LimitReachedError" else "damaged"


def _limit() -> None:
    """Take memory and time from this process for good; Windows knows no such limits."""
    try:
        import resource
    except ImportError:
        return
    kinds = {"RLIMIT_AS": MEMORY_BYTES, "RLIMIT_CPU": CPU_SECONDS, "RLIMIT_CORE": 0, "RLIMIT_FSIZE": 1 << 20}
    for name, value in kinds.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (soft, soft))


def _read(reader: PdfReader) -> None:
    if reader.is_encrypted:
        opened = bool(reader.decrypt(""))
        _tell(encryption="RESTRICTED" if opened else "PASSWORD")
        if not opened:
            _tell(locked="it asks for a password")
            return
    pages = len(reader.pages)
    _tell(pages=pages)
    for number in range(min(pages, MOST_SIZES)):
        _tell(size=_unless_broken(_size, reader, number))
    for number in range(min(pages, MOST_TEXTS)):
        _tell(characters=_unless_broken(_characters, reader, number))
    _tell(done=True)


def _size(reader: PdfReader, number: int) -> list[float]:
    page = reader.pages[number]
    unit = float(page.user_unit)
    return [round(unit * float(page.mediabox.width), 1), round(unit * float(page.mediabox.height), 1)]


def _characters(reader: PdfReader, number: int) -> int:
    return sum(not one.isspace() for one in reader.pages[number].extract_text())


def _unless_broken(read: Callable[[PdfReader, int], Fact], reader: PdfReader, number: int) -> Fact | None:
    """A fact of one page, or None where the library cannot follow that page."""
    try:
        return read(reader, number)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - the library stumbles over some pages that others show
        return None


def _tell(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
