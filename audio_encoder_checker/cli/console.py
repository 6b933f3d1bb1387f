"""Streams, exit statuses and the last words of both commands: the only place that prints."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

import click

from audio_encoder_checker.errors import CheckerError
from audio_encoder_checker.organising.jobs import LIFELINE
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""How every command shows its help."""
EXIT_USAGE = 2
EXIT_UNDECIDED = 3
EXIT_OUR_BUG = 70
EXIT_INTERRUPTED = 130
TIDY_S = 10.0
"""Within which boxes are closed and temporary folders removed."""
BESIDE = "beside"
"""Stands for a file beside the ZIP that has its name."""


def run(command: click.Command, name: str | None = None) -> NoReturn:
    """Run one command and leave with its status; no ending shows a user a traceback of ours.

    Statuses: whatever the command returns, 2 for wrong usage, 3 where the machine is at fault, 70 for a
    bug of ours, 130 when interrupted.

    Args:
        command: to run.
        name: under which its help speaks of it, None for the program's.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that does not know a character shows `?`
    try:
        signal.signal(signal.SIGTERM, _leave_tidily)
        if os.environ.pop(LIFELINE, ""):
            threading.Thread(target=_end_with_stdin, daemon=True).start()
        status = command.main(prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        status = EXIT_INTERRUPTED
    except CheckerError as error:
        complain(f"error: {error}")
        if error.hint:
            complain(f"  fix: {error.hint}")
        status = error.exit_code
    except BrokenPipeError:
        drop_stdout()
        status = EXIT_USAGE
    except Exception as error:  # noqa: BLE001 - the last guard: whatever is left is our own bug
        _confess(error)
        status = EXIT_OUR_BUG
    sys.exit(status if isinstance(status, int) else 0)


def say(text: str) -> None:
    """Print a result on stdout."""
    click.echo(text)


def say_wrapped(text: str, indent: str = "") -> None:
    """Print a line on stdout; on a terminal it is broken between words, and what follows is indented further."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        text = click.wrap_text(text, width, initial_indent=indent, subsequent_indent=f"{indent}  ")
    else:
        text = indent + text
    click.echo(text)


def complain(text: str) -> None:
    """Print a word about the run, not its result, on stderr."""
    click.echo(text, err=True)


def shown(path: Path) -> str:
    """A path that somebody else may have named, safe for a terminal."""
    return printable(str(path), limit=300)


def words(text: str) -> tuple[str, ...]:
    """What an option names, several things with commas between them."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _leave_tidily(_signal: int, _frame: FrameType | None) -> None:
    """On SIGTERM unwind the stack as on Ctrl-C: boxes are closed, temporary folders removed, what is known told."""
    raise KeyboardInterrupt


def _end_with_stdin() -> None:
    """Whoever judges many submissions holds the other end: when it is gone, so are we."""
    while os.read(0, 4096):
        pass
    while True:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(TIDY_S)  # Python drops an exception that meets it in a callback: then once more


def drop_stdout() -> None:
    """Nobody reads stdout any more: keep the interpreter from complaining when it flushes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _confess(error: Exception) -> None:
    last = traceback.extract_tb(error.__traceback__)[-1]
    complain(f"internal error: {type(error).__name__}: {error} ({last.filename}:{last.lineno})")
    complain("  this is a bug of audio-encoder-checker, not of your submission; please report these lines")
    if os.environ.get("AECC_DEBUG"):
        complain("".join(traceback.format_exception(error)))
    else:
        complain("  AECC_DEBUG=1 prints the traceback")
