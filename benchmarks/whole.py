"""Seconds of whole commands, and of the stages of a check, as users meet them.

Run it as `python benchmarks/whole.py [example] [2gb] [100m] [batch]`:

    example   `aecc-package build` and `aecc-check` of the example, all stages; target: 60 s on 2 cores
    2gb       the same example with 2 GB of weights more, to the end of the contract
    100m      wav2vec 2.0 base with weights drawn at random, in a ZIP of its own, without the evaluation
    batch     50 ZIPs that differ, to the end of loading, two at once
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from runpy import run_path

import numpy as np
import safetensors.numpy

EXAMPLE = Path(__file__).parent.parent / "example_submission"
LIKE_CI = ("--trust", "--quiet")


def run(command: str, *arguments: str | Path) -> None:
    """Print wall and CPU seconds of `check` or `package`; children that were killed are not counted."""
    code = f"from audio_encoder_checker.cli.{command} import main; main()"
    before, start = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - start, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"aecc-{command} {arguments[0] if command == 'package' else '':<8} {wall:6.1f} s wall   {cpu:6.1f} s CPU")


def check(archive: Path, *options: str) -> None:
    """Print the seconds of one check, and of its stages."""
    report = archive.with_suffix(".json")
    run("check", archive, *LIKE_CI, "--report", f"json={report}", *options)
    for stage, seconds in json.loads(report.read_text(encoding="utf-8"))["timings"]["stages"].items():
        print(f"  {stage:<18} {seconds:6.1f} s")


def build(folder: Path, archive: Path) -> Path:
    """Pack a folder, and print the seconds."""
    run("package", "build", folder, "-o", archive, "--no-check")
    return archive


def example(folder: Path) -> None:
    """The example as it is."""
    check(build(EXAMPLE, folder / "example.zip"))


def two_gigabytes(folder: Path) -> None:
    """Weights that no Python reads are read and hashed by the checker all the same."""
    shutil.copytree(EXAMPLE, folder / "team")
    block = np.random.default_rng(0).standard_normal(1 << 26).astype("float32")
    safetensors.numpy.save_file({f"layer{at}": block[at:] for at in range(8)}, folder / "team" / "more.safetensors")
    del block
    check(build(folder / "team", folder / "large.zip"), "--until", "contract")


def hundred_million(folder: Path) -> None:
    """95 million parameters."""
    team = folder / "team"
    shutil.copytree(EXAMPLE, team, ignore=shutil.ignore_patterns("*.safetensors", "train.py"))
    known = run_path(str(Path(__file__).parent / "budget_stage.py"))
    width, hop = known["ATTRIBUTES"]["wav2vec2-base"]
    text = known["SOURCE"] + known["ENCODER"].format(name="wav2vec2-base", width=width, hop=hop)
    (team / "encoder.py").write_text(text, encoding="utf-8")
    (team / "requirements.txt").write_text("torch\ntransformers\nnumpy\n", encoding="utf-8")
    check(build(team, folder / "base.zip"), "--no-eval")


def batch(folder: Path) -> None:
    """The example 50 times, each with a file of its own."""
    shutil.copytree(EXAMPLE, folder / "team")
    archives = []
    for number in range(50):
        (folder / "team" / "NOTES.md").write_text(f"Team {number}.\n", encoding="utf-8")
        archives.append(folder / f"team{number}.zip")
        code = "from audio_encoder_checker.cli.package import main; main()"
        words = ["build", str(folder / "team"), "-o", str(archives[-1]), "--no-check", "--quiet"]
        subprocess.run([sys.executable, "-c", code, *words], stdout=subprocess.DEVNULL, check=True)
    run("check", *archives, *LIKE_CI, "--out", folder / "results", "--jobs", "2", "--until", "load")


KINDS = {"example": example, "2gb": two_gigabytes, "100m": hundred_million, "batch": batch}


def main() -> None:
    """One after the other, each in a folder of its own."""
    for kind in sys.argv[1:] or KINDS:
        print(f"-- {kind}")
        with tempfile.TemporaryDirectory() as folder:
            KINDS[kind](Path(folder))


if __name__ == "__main__":
    main()
