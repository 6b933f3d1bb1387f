"""CPU time of `aecc-check --help`, `--explain` and `aecc-package --help`: median of 15 runs, in milliseconds.

Target: under 150 ms. CPU time, because wall time on a shared machine is noise; byte code is kept between runs, as an
ordinary installation does.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

RUNS = 15
CHECK = "from audio_encoder_checker.cli.check import main; main()"
PACKAGE = "from audio_encoder_checker.cli.package import main; main()"
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "python -c 'import click'": ["-c", "import click"],
    "aecc-check --help": ["-c", CHECK, "--help"],
    "aecc-check --explain AEC503": ["-c", CHECK, "--explain", "AEC503"],
    "aecc-package --help": ["-c", PACKAGE, "--help"],
}


def cpu_ms(arguments: list[str]) -> float:
    """User and system time of one run of Python."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = os.times()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True, env=environment)
    after = os.times()
    children = after.children_user + after.children_system - before.children_user - before.children_system
    return children * 1000


def main() -> None:
    """Print one line per command."""
    for name, arguments in COMMANDS.items():
        times = [cpu_ms(arguments) for _ in range(RUNS)]
        print(f"{name:<30} median {statistics.median(times):6.0f} ms   min {min(times):6.0f} ms")


if __name__ == "__main__":
    main()
