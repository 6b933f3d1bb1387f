"""Memory that the budget stage forecasts without data, against what the allocator really gave.

Run it as `python benchmarks/forecast.py [NAME ...] [--device cuda] [--patience S]`. Each architecture of
`architectures.py` is loaded in a process of its own, goes through one short call with real tensors and then without
data through all sizes. Truth is torch's CPU allocator during a real call (without what only the CPU's kernels take:
`kernels.OF_DEVICE`), as far as RAM and patience reach, or `torch.cuda.max_memory_allocated()` with `--device cuda`,
where attention and arithmetic are restricted to what a T4 has. "slower" is a call of more than one second with books
over one without. Targets: CPU median 1 %, worst 5 %; GPU median 3 %, worst 8 %; slower 1.2.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from runpy import run_path
from typing import TYPE_CHECKING, Any

import psutil
import torch
from rich.console import Console
from rich.table import Table

from audio_encoder_checker.budget.allocator import replay
from audio_encoder_checker.budget.memory import point
from audio_encoder_checker.budget.trace import Trace, read_trace
from audio_encoder_checker.child.devices import Pretence
from audio_encoder_checker.child.measure import measure
from audio_encoder_checker.child.trial import Trial
from audio_encoder_checker.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audio_encoder_checker.machines import Gpu

ROOT = Path(__file__).parent.parent
ARCHITECTURES: dict[str, Callable[[], torch.nn.Module]] = {
    "example": run_path(str(ROOT / "example_submission/encoder.py"))["TinyMelEncoder"],
    **run_path(str(ROOT / "benchmarks/architectures.py"))["ARCHITECTURES"],
}
RATE = 16000
SMALL = (2, 3.125)
SIZES = (SMALL, (1, 10.0), (4, 10.0), (16, 10.0), (16, 35.0), (1, 600.0))
MIB = 1 << 20
HOPPER_WORKSPACE = 32 * MIB
"""What cuBLAS takes on cards of compute capability 9.0 and above, by torch's default for `CUBLAS_WORKSPACE_CONFIG`."""


def noise(batch: int, seconds: float) -> torch.Tensor:
    """Audio `[batch, samples]`."""
    return torch.randn(batch, round(seconds * RATE)).mul_(0.1)


def seconds_of(call: Callable[[], object]) -> float:
    """Processor time of the faster of two runs: other work on the machine hardly shows in it."""
    taken = []
    for _ in range(2):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return min(taken)


def slowdown(trial: Trial, encoder: torch.nn.Module, size: tuple[int, float]) -> float:
    """A call with books over one without; 0 where it takes less than a second."""
    audio = noise(*size)
    with torch.inference_mode():
        plain = seconds_of(lambda: encoder(audio))
    return seconds_of(lambda: trial.real(audio, profiled=False)) / plain if plain > 1 else 0.0


def on_gpu(encoder: torch.nn.Module, size: tuple[int, float], gpu: Gpu) -> int:
    """`max_memory_allocated` of a call on a card that is held to what a T4 can do; 0 if it is too small for it.

    The encoder is there already, and was called before: cuBLAS has its workspace.
    """
    held = {"limit_bytes": sys.maxsize, "capability": gpu.capability}
    call = measure(encoder, [size[0], round(size[1] * RATE)], "cuda:0", held)
    return int(call["allocated"]) if call["fits"] else 0


def rows(name: str, device: str, patience: float) -> Iterator[dict[str, Any]]:
    """One row for each size."""
    gpu = load_rules().budget.machine.gpu
    torch.manual_seed(0)
    encoder = ARCHITECTURES[name]()
    trial = Trial(lambda: encoder, Pretence(str(ROOT / "benchmarks")))
    card = None
    if device == "cuda":  # an encoder of its own: the other one's tensors only say that they are on a card
        card = ARCHITECTURES[name]().to("cuda:0")
        on_gpu(card, SMALL, gpu)
    trial.real(noise(*SMALL), profiled=True)
    start = time.perf_counter()
    trial.real(noise(*SMALL), profiled=False)
    rate = (time.perf_counter() - start) / (SMALL[0] * SMALL[1])
    for batch, seconds in SIZES:
        size = (batch, seconds)
        start = time.perf_counter()
        header, payload = trial.symbolic(batch, round(seconds * RATE), grad=False)
        row: dict[str, Any] = {
            "name": name,
            "size": f"{batch} x {seconds:g}",
            "forecast_s": time.perf_counter() - start,
        }
        trace = read_trace(header, memoryview(payload), batch, seconds)
        forecast = point(trace, gpu)
        row |= {"lower": forecast.lower_bytes, "upper": forecast.upper_bytes, "fit": forecast.fit.value}
        if card is not None:
            row |= {"forecast": allocated(trace, gpu), "truth": on_gpu(card, size, gpu)}
        elif rate * batch * seconds < patience and trace.books_bytes < psutil.virtual_memory().available * 0.6:
            real, _ = trial.real(noise(*size), profiled=True)
            row |= {"forecast": trace.books_bytes, "truth": real["truth"]["allocator"]}
            row["slower"] = slowdown(trial, encoder, size) if rate * batch * seconds < patience / 4 else 0.0
        yield row


def allocated(trace: Trace, gpu: Gpu) -> int:
    """What `max_memory_allocated` should say on the card."""
    workspace = HOPPER_WORKSPACE if torch.cuda.get_device_capability() >= (9, 0) else gpu.workspace_bytes[0]
    return replay(trace.on_card(possible=False), gpu.allocator).allocated_bytes + workspace


def show(found: list[dict[str, Any]], device: str) -> None:
    """The table, and how well it went."""
    table = Table(title=f"torch {torch.__version__}, {platform.machine()}, {device}")
    for heading in ("architecture", "clips x s", "truth MiB", "forecast MiB", "error", "slower", "took s", "on a T4"):
        table.add_column(heading, justify="left" if heading == "architecture" else "right")
    errors, slower = [], []
    for row in found:
        truth, error = row.get("truth", 0), ""
        if truth:
            errors.append(row["forecast"] / truth - 1)
            error = f"{errors[-1]:+.2%}"
        if row.get("slower"):
            slower.append(row["slower"])
        table.add_row(
            row["name"], row["size"], f"{truth / MIB:.1f}" if truth else "-",
            f"{row['forecast'] / MIB:.1f}" if "forecast" in row else "-", error,
            f"{row['slower']:.2f}" if row.get("slower") else "", f"{row['forecast_s']:.1f}",
            f"{row['lower'] / 2**30:.1f}-{row['upper'] / 2**30:.1f} GiB, {row['fit']}",
        )  # fmt: skip
    console = Console(width=110)
    console.print(table)
    sizes = [abs(error) for error in errors]
    if sizes:
        console.print(f"{len(sizes)} calls: median error {statistics.median(sizes):.2%}, worst {max(sizes):.2%}")
    if slower:
        middle, most = statistics.median(slower), max(slower)
        console.print(
            f"{len(slower)} calls of more than 1 s take {middle:.2f} times as long with books, {most:.2f} at most"
        )


def main() -> None:
    """Each architecture in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*ARCHITECTURES, []], help="default: all")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="whose allocator is the truth")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds for a real call")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("this machine has no CUDA device")
    if options.one:
        for row in rows(options.names[0], options.device, options.patience):
            print(json.dumps(row), flush=True)
        return
    found: list[dict[str, Any]] = []
    for name in options.names or ARCHITECTURES:
        command = [sys.executable, __file__, name, "--one", "--device", options.device]
        command += ["--patience", str(options.patience)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        found += [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode:
            print(f"{name}: ended with {done.returncode}", file=sys.stderr)
    show(found, options.device)


if __name__ == "__main__":
    main()
