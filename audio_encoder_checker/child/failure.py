"""Make data of whatever foreign code raises. Nothing in here may raise, whatever the exception does."""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

MESSAGE_LIMIT = 2000
FRAMES = 8
CHAIN = 10
REPOSITORY = "<repository>/"
"""Stands for the place where the box holds the repository, which says nothing to its author."""
UNSPEAKABLE = "(its message cannot be shown: the exception itself raises)"


def describe(error: BaseException, root: str) -> dict[str, Any]:
    """An exception as JSON data: its type, message, causes, and the lines of the repository it came from.

    Args:
        error: what was raised; its `str()` may raise, print or return anything.
        root: the repository, as a path inside the box.
    """
    try:
        return _described(error, root)
    except BaseException:  # an exception's own class may answer any question with another exception
        return {"type": type.__getattribute__(type(error), "__name__")[:100], "message": UNSPEAKABLE, "chain": []}


def _described(error: BaseException, root: str) -> dict[str, Any]:
    chain = _chain(error)
    own = [frame for one in reversed(chain) for frame in _frames(one.__traceback__, root)]
    missing = next((e.name for e in chain if isinstance(e, ModuleNotFoundError) and isinstance(e.name, str)), "")
    return {
        "type": type(error).__name__[:100],
        "message": _text(error).replace(root + "/", REPOSITORY),
        "chain": [type(one).__name__[:100] for one in chain],
        "frames": own[-FRAMES:] or _syntax_frame(error, root),
        "missing_module": missing.split(".")[0][:100],
    }


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while len(chain) < CHAIN:
        last = chain[-1]
        cause = last.__cause__ or (None if last.__suppress_context__ else last.__context__)
        if cause is None or cause in chain:
            break
        chain.append(cause)
    return chain


def _text(error: BaseException) -> str:
    try:
        return str.__str__(str(error))[:MESSAGE_LIMIT]
    except BaseException:
        return UNSPEAKABLE


def _frames(traceback: TracebackType | None, root: str) -> list[dict[str, Any]]:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename.startswith(root + "/"):
            frames.append(
                {
                    "file": code.co_filename[len(root) + 1 :][:300],
                    "line": traceback.tb_lineno,
                    "function": code.co_name[:100],
                    "text": linecache.getline(code.co_filename, traceback.tb_lineno).strip()[:200],
                }
            )
        traceback = traceback.tb_next
    return frames[-FRAMES:]


def _syntax_frame(error: BaseException, root: str) -> list[dict[str, Any]]:
    if not isinstance(error, SyntaxError) or not str(error.filename or "").startswith(root + "/"):
        return []
    text = str(error.text or "").strip()[:200]
    file = str(error.filename)[len(root) + 1 :][:300]
    return [{"file": file, "line": error.lineno or 0, "function": "<module>", "text": text}]
