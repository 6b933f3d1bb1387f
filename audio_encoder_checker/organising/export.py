"""Hand submissions on to X-ARES itself: a folder for each, in which nothing of another one can be met.

X-ARES keeps embeddings and scores under the class's name in `./env`, and takes what is there already: two submissions
whose class is `MyEncoder` would share their scores. Here each has its own folder, and its own class name.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.archive.listing import read_listing
from audio_encoder_checker.archive.source import repository_root
from audio_encoder_checker.archive.unpack import unpack
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.organising.audit import still_there
from audio_encoder_checker.organising.board import team
from audio_encoder_checker.organising.records import read_own_report
from audio_encoder_checker.organising.results import read_records
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNSAFE = re.compile(r"\W+", re.ASCII)
WRAPPER = '''"""One submission's encoder under a name that no other has: X-ARES keeps scores by the class's name."""

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "repository"))
_module = importlib.import_module({module!r})


class {name}(getattr(_module, {class_name!r})):
    """As submitted."""
'''
RUN = """#!/bin/sh
# Evaluate this submission with X-ARES: ./run.sh TASK.py ...   (JOBS=0 without a GPU)
# Its requirements go into .venv, beside what this Python has; embeddings and scores into env.
# This runs the submission's code with your rights: use a machine, or an account, that holds nothing else.
set -eu
cd "$(dirname "$0")"
if [ ! -x .venv/bin/python ]; then
    python3 -m venv --system-site-packages .venv
    if [ -f repository/requirements.txt ]; then .venv/bin/pip install --quiet -r repository/requirements.txt; fi
fi
exec .venv/bin/python -m xares.run --max-jobs "${{JOBS:-1}}" {file} "$@"
"""


def export_to_xares(root: Path, target: Path, verdicts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Make a folder for each submission whose verdict is one of some.

    Args:
        root: the folder of results.
        target: for the folders; must not exist, or be empty.
        verdicts: of the submissions to take.

    Yields:
        The team, and what became of it: the folder's name, or why there is none.

    Raises:
        UsageError: there are no results, or the target is in use.
    """
    records = read_records(root)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{printable(str(target))!r} is in use", "name a new folder with --to-xares")
    target.mkdir(parents=True, exist_ok=True)
    for sha256, record in sorted(records.items(), key=lambda item: team(item[1]).casefold()):
        if record["verdict"] in verdicts:
            yield team(record), _export_one(root / sha256, record, target)


def _export_one(result: Path, record: Mapping[str, Any], target: Path) -> str:
    report, source = read_own_report(result), still_there(record)
    encoder = report["submission"]["encoder"] if report else None
    if encoder is None:
        return "no encoder was loaded from it"
    if source is None:
        return "no file of this content lies where it was sent from"
    stem = f"{UNSAFE.sub('_', team(record)).strip('_') or 'team'}_{record['submission']['sha256'][:8]}"
    folder = target / stem
    unpacked = folder / "unpacked"
    folder.mkdir()
    unpack(source, read_listing(source), unpacked)
    repository_root(unpacked).rename(folder / "repository")
    shutil.rmtree(unpacked, ignore_errors=True)
    file = f"{stem}_encoder.py"
    name = f"Team_{stem}Encoder"
    module = ".".join(PurePosixPath(encoder["file"]).with_suffix("").parts)
    text = WRAPPER.format(module=module, name=name, class_name=encoder["class"])
    (folder / file).write_text(text, encoding="utf-8")
    (folder / "run.sh").write_text(RUN.format(file=file), encoding="utf-8")
    (folder / "run.sh").chmod(0o755)
    origin = {key: record[key] for key in ("submission", "tool", "profile", "verdict")}
    (folder / "origin.json").write_text(json.dumps(origin, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return stem
