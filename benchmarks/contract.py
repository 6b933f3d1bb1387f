"""Wall seconds of the contract stage on small encoders: the example, and those of `tests/encoders`.

Target: under 25 s for a small encoder on 2 cores, a second and a third process included.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
CODE = "from audio_encoder_checker.cli.check import main; main()"


def contract_seconds(folder: Path) -> tuple[float, float] | None:
    """Seconds of the stage, and of its longest call; None where what the encoder needs is not installed."""
    command = [sys.executable, "-c", CODE, str(folder), "--until", "contract", "--trust", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    timings = json.loads(done.stdout)["timings"]
    if not timings["calls"]:
        return None
    return timings["stages"]["contract"], max(timings["calls"].values())


def main() -> None:
    """Print a line for each encoder."""
    with tempfile.TemporaryDirectory() as folder:
        submissions = {"example": ROOT / "example_submission"}
        for file in sorted((ROOT / "tests" / "encoders").glob("*_encoder.py")):
            name = file.stem.removesuffix("_encoder")
            submissions[name] = Path(folder, name)
            submissions[name].mkdir()
            shutil.copy(file, submissions[name] / "encoder.py")
        for name, submission in submissions.items():
            found = contract_seconds(submission)
            told = f"{found[0]:6.1f} s, the longest call {found[1]:5.1f} s" if found else "  does not load here"
            print(f"{name:<14} {told}")


if __name__ == "__main__":
    main()
