"""Wall and CPU seconds of building and checking the example submission, as `make check` does it.

Target: under 60 s on 2 cores with the environment installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(command: str, *arguments: str) -> tuple[float, float]:
    """Wall and CPU seconds of `check` or `package`."""
    code = f"from audio_encoder_checker.cli.{command} import main; main()"
    before, start = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - start, cpu


def main() -> None:
    """Print both commands' times, and the stages of the check."""
    with tempfile.TemporaryDirectory() as folder:
        archive, report = str(Path(folder, "example.zip")), Path(folder, "report.json")
        wall, cpu = run("package", "build", str(ROOT / "example_submission"), "-o", archive, "--no-check")
        print(f"aecc-package build   {wall:6.1f} s wall   {cpu:6.1f} s CPU")
        wall, cpu = run("check", archive, "--trust", "--quiet", "--report", f"json={report}")
        print(f"aecc-check           {wall:6.1f} s wall   {cpu:6.1f} s CPU")
        for stage, seconds in json.loads(report.read_text(encoding="utf-8"))["timings"]["stages"].items():
            print(f"  {stage:<18} {seconds:6.1f} s")


if __name__ == "__main__":
    main()
