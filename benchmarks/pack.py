"""What it costs to pack a large folder and to verify the ZIP, against reading and hashing the files once.

Run it as `python benchmarks/pack.py [--gigabytes N] [--files N]`. The folder holds N GB (2) of random weights in
so many files (2). Reference is one Python process that reads each file once, in pieces of 1 MiB, and hashes it with
SHA-256 on one core, and the same with a core for each file. Each figure is the best of several runs: in a virtual
machine new memory for the page cache can take as long as all the rest. Files lie in the page cache, as after a
training. `build --no-check` packs and looks at the ZIP; `build_zip` packs. Then 100,000 small files, of which a pattern
leaves out all but a few. Targets: packed and verified each at 70 % of the reference's speed or better.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "example_submission"
RUNS = 6
PACKAGE = "from audio_encoder_checker.cli.package import main; main()"
ALONE = (
    "import sys; from pathlib import Path; from audio_encoder_checker.packing.build import build_zip; "
    "build_zip(Path(sys.argv[1]), Path(sys.argv[2]))"
)
HASH = """
import hashlib, sys
from concurrent.futures import ThreadPoolExecutor
def hashed(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
with ThreadPoolExecutor(int(sys.argv[1])) as threads:
    list(threads.map(hashed, sys.argv[2:]))
"""


def seconds(*command: str, makes: str = "") -> tuple[float, float]:
    """Of the clock, best of some runs, and the most memory in MiB; the command has to succeed.

    What it makes is removed before each run, and the disk has written what it was given before.
    """
    walls, memory = [], 0.0
    for _ in range(RUNS):
        if makes:
            Path(makes).unlink(missing_ok=True)
        os.sync()
        start = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", *command], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command[1:]} ended with {process.returncode}")
        memory = max(memory, usage.ru_maxrss / 1024)
        walls.append(time.perf_counter() - start)
    return min(walls), memory


def weights(folder: Path, gigabytes: float, files: int) -> list[str]:
    """Random bytes in so many files."""
    paths = [folder / f"model-{number:05}-of-{files:05}.safetensors" for number in range(1, files + 1)]
    for path in paths:
        pieces = round(gigabytes * 1e9 / files / (1 << 20))
        tensor = {"dtype": "U8", "shape": [pieces << 20], "data_offsets": [0, pieces << 20]}
        header = json.dumps({path.stem: tensor}).encode()
        with path.open("wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            for _ in range(pieces):
                file.write(os.urandom(1 << 20))
    return [str(path) for path in paths]


def large(folder: Path, gigabytes: float, files: int) -> None:
    """Packing and verifying a folder of weights."""
    shutil.copytree(EXAMPLE, folder / "team")
    paths = weights(folder / "team", gigabytes, files)
    archive = str(folder / "team.zip")
    one, _ = seconds(HASH, "1", *paths)
    each, _ = seconds(HASH, str(files), *paths)
    print(f"{gigabytes} GB in {files} files: read and hashed once {one:.2f} s, with a core for each {each:.2f} s")
    packed, memory = seconds(PACKAGE, "build", str(folder / "team"), "-o", archive, "--no-check", "-q", makes=archive)
    print(f"packed    {packed:.2f} s, {one / packed:.0%} of that speed ({each / packed:.0%}), {memory:.0f} MiB")
    alone, _ = seconds(ALONE, str(folder / "team"), archive, makes=archive)
    print(f"  of that build_zip {alone:.2f} s, {one / alone:.0%}, process start included")
    verified, memory = seconds(PACKAGE, "verify", archive)
    print(f"verified  {verified:.2f} s, {one / verified:.0%} of that speed ({each / verified:.0%}), {memory:.0f} MiB")


def many(folder: Path, files: int) -> None:
    """What to pack of a folder of many files."""
    shutil.copytree(EXAMPLE, folder / "many")
    for number in range(files):
        path = folder / "many" / "clips" / f"{number // 1000:03}" / f"{number:06}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}")
    (folder / "many" / ".aeccignore").write_text("clips/*/*.json\n")
    walked, memory = seconds(PACKAGE, "build", str(folder / "many"), "--dry-run")
    print(f"{files} files, each left out by a pattern: {walked:.2f} s, {memory:.0f} MiB")


def main() -> None:
    """Make the folders and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--files", type=int, default=2)
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        large(Path(folder), wishes.gigabytes, wishes.files)
        many(Path(folder), 100_000)


if __name__ == "__main__":
    main()
