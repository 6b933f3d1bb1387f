"""Seconds of making an environment for `einops soundfile transformers`, and of finding it again, with uv and with pip.

Run it as `python benchmarks/installing.py [REQUIREMENT...]`. It needs a package index; torch and numpy are lent, so the
figures are those of the other packages. First: with empty caches of ours, of uv and of pip. New: the environment is
made anew from wheels that the installer has kept. Again: it is there, only versions are resolved.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from audio_encoder_checker.errors import CheckerError
from audio_encoder_checker.installing.environment import Wishes, installed
from audio_encoder_checker.installing.requirements import Line
from audio_encoder_checker.installing.store import size_of
from audio_encoder_checker.printable import size_words

PACKAGES = ("einops", "soundfile", "transformers")
TOOLS = ("uv", "pip")


def seconds(wishes: Wishes) -> tuple[float, str]:
    """How long it took, and the rest of the line."""
    with installed(wishes) as made:
        facts = made.facts
        folder = Path(made.python).parent.parent
        found = f"{len(facts.packages)} packages, {size_words(size_of(folder))}, {facts.tool}"
        return facts.seconds, f"failed: {facts.failed.reason}" if facts.failed else found


def main() -> None:
    """Print one line per tool and state of the caches."""
    lines = tuple(Line("requirements.txt", i, text) for i, text in enumerate(sys.argv[1:] or PACKAGES, start=1))
    for tool in TOOLS:
        with tempfile.TemporaryDirectory() as place:
            os.environ["UV_CACHE_DIR"] = f"{place}/uv"
            os.environ["PIP_CACHE_DIR"] = f"{place}/pip"
            for state, folder in (("first", "one"), ("new", "two"), ("again", "two")):
                os.environ["AECC_CACHE_DIR"] = f"{place}/{folder}"
                try:
                    took, rest = seconds(Wishes(lines, tool=tool))
                except CheckerError as error:
                    print(f"{tool:<4} {error}; {error.hint}")
                    break
                print(f"{tool:<4} {state:<6} {took:6.1f} s   {rest}")


if __name__ == "__main__":
    main()
