"""The report paper: where it lies, and what a process of its own reads in it (`pdf_reader.py`)."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.archive.pdf_reader import CPU_SECONDS, MEMORY_BYTES
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evidence.documents import Encryption, PageSize, Paper, PaperFacts, Reading
from audio_encoder_checker.printable import printable, size_words

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = (sys.executable, "-I", "-B", "-m", "audio_encoder_checker.archive.pdf_reader")
MOST_BYTES = 50_000_000
"""Six pages with figures rarely take more than five million."""
WALL_SECONDS = 40.0
BEYOND = f"{CPU_SECONDS} s of processor time, or {MEMORY_BYTES >> 20} MiB of memory"
HEAD_BYTES = 1024
"""Readers look so far for the mark of a PDF."""
MARK = b"%PDF-"
SAYS_SO = re.compile(r"paper|report|manuscript|icme", re.IGNORECASE)
"""In the name of a file that is most likely the report."""
MOST_FILES = 5_000
ENDINGS = {
    "damaged": Reading.DAMAGED,
    "limit": Reading.LIMITED,
    "locked": Reading.LOCKED,
    "done": Reading.COMPLETE,
}
"""How reading ended, by what the process tells last."""


def find_paper(root: Path | None, submission: Path, named: Path | None = None) -> PaperFacts | None:
    """Find and read the report; None if there is none and none was named.

    Args:
        root: of the repository, None where that is not known.
        submission: the ZIP, folder or Python file as the user gave it.
        named: the PDF that the user named.

    Raises:
        UsageError: the PDF that was named is no file or cannot be read.
        MachineError: the process that reads it does not start.
    """
    if named is not None:
        _complain(named)
        shown = str(named.relative_to(root) if root and named.is_relative_to(root) else named)
        return PaperFacts(read_paper(named, shown, sure=True), (shown,))
    found = _likely(sorted(_pdfs(root))) if root else []
    if not found and stat.S_ISREG(submission.stat().st_mode):
        found = _likely(sorted(_pdfs(submission.resolve().parent)), submission.stem)
    if not found:
        return None
    names = tuple(printable(path.name) for path in found)
    if len(found) > 1:
        return PaperFacts(None, names)
    sure = bool(SAYS_SO.search(found[0].stem)) or found[0].stem == submission.stem
    return PaperFacts(read_paper(found[0], names[0], sure=sure), names)


def _complain(named: Path) -> None:
    shown = printable(str(named), limit=300)
    try:
        mode = named.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UsageError(f"the paper {shown!r} is no file", "name the PDF: --paper FILE")
        named.open("rb").close()
    except OSError as error:
        raise UsageError(f"cannot read the paper {shown!r}: {error.strerror}", "name the PDF: --paper FILE") from None


def _pdfs(folder: Path) -> Iterator[Path]:
    """The PDFs that lie in a folder itself and can be read; no link is followed out of it."""
    try:
        entries = sorted(os.scandir(folder), key=lambda one: one.name)[:MOST_FILES]
    except OSError:
        return
    for entry in entries:
        is_pdf = entry.name.lower().endswith(".pdf") and not entry.name.startswith(".")
        if is_pdf and entry.is_file(follow_symlinks=False) and os.access(entry.path, os.R_OK):
            yield Path(entry.path)


def _likely(pdfs: list[Path], stem: str | None = None) -> list[Path]:
    """Those whose name says that they are the report, or is the submission's own; else all."""
    own = [path for path in pdfs if path.stem == stem]
    return own or [path for path in pdfs if SAYS_SO.search(path.stem)] or pdfs


def read_paper(path: Path, shown: str, *, sure: bool) -> Paper:
    """What is in a PDF; whatever it holds, facts come back.

    Args:
        path: of a regular file.
        shown: what to call it.
        sure: it is the report.

    Raises:
        MachineError: the process that reads it does not start.
    """
    paper = Paper(shown, sure, path.stat().st_size, Reading.NO_PDF)
    if paper.size_bytes > MOST_BYTES:
        detail = f"{size_words(paper.size_bytes)}, no more than {size_words(MOST_BYTES)} are read"
        return replace(paper, reading=Reading.LIMITED, detail=detail)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if MARK not in head:
            return replace(paper, detail=_resembles(head))
        lines, ended = _run(file.fileno())
    return _paper(paper, lines, ended)


def _resembles(head: bytes) -> str:
    kinds = {b"PK\3\4": "a ZIP or Office document", b"%!PS": "PostScript", b"\\docu": "LaTeX", b"<": "HTML"}
    kind = next((kind for mark, kind in kinds.items() if head.lstrip().startswith(mark)), "")
    return f"it looks like {kind}" if kind else "it is empty" if not head else "the mark %PDF- is not there"


def _run(descriptor: int) -> tuple[list[dict[str, Any]], str]:
    """What the process told, and the limit that ended it, if one did."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        done = subprocess.run(
            COMMAND,
            stdin=descriptor,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return list(_told(late.stdout or b"")), f"{WALL_SECONDS:g} s"
    except OSError as error:
        raise MachineError(
            f"the PDF reader does not start: {error.strerror}", "free some memory, then repeat"
        ) from None
    return list(_told(done.stdout)), "" if done.returncode == 0 else BEYOND


def _told(said: bytes) -> Iterator[dict[str, Any]]:
    for line in said.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return  # it was ended within a line


def _paper(paper: Paper, lines: list[dict[str, Any]], ended: str) -> Paper:
    if not any("ready" in line for line in lines):
        raise MachineError(
            "the PDF reader does not start",
            f"`{Path(sys.executable).name} -I -c 'import pypdf, audio_encoder_checker'` shows why",
        )
    facts = {key: value for line in lines for key, value in line.items()}
    sizes = [line["size"] for line in lines if "size" in line]
    ending = next((key for key in ENDINGS if key in facts), "")
    reading = ENDINGS.get(ending, Reading.LIMITED)
    return replace(
        paper,
        reading=reading,
        detail="" if reading is Reading.COMPLETE else printable(str(facts.get(ending, ended)), limit=300),
        encryption=Encryption[facts.get("encryption", "UNKNOWN" if "locked" in facts else "NONE")],
        pages=facts.get("pages"),
        sizes=tuple(PageSize(*size) if size else None for size in sizes),
        characters=tuple(line["characters"] for line in lines if "characters" in line),
    )
