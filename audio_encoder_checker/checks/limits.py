"""AEC00x: limits of the whole session that the encoder ran into. The box counts; the encoder has no say."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.evidence.run import Conduct, Ending, Usage
from audio_encoder_checker.findings import Problem
from audio_encoder_checker.printable import size_words


def _when(conduct: Conduct) -> str:
    doing = f" ({conduct.doing})" if conduct.doing else ""
    return f"the {conduct.stage} stage{doing}"


@check("AEC001")
def output_flood(conduct: Conduct) -> Iterator[Problem]:
    """The encoder prints without end.

    The organisers run every encoder over 27 data sets and keep the logs: output without end fills their disk and
    hides every real message. The run was stopped when the limit was passed.

    Fix: remove the print or logging call, or progress bar, that runs in `__init__` or `forward`.
    """
    if conduct.ended_by is Ending.FLOODED:
        printed = max(conduct.stdout_bytes, conduct.stderr_bytes) / 2**20
        last = conduct.output_tail.strip().splitlines()[-1:] or ["nothing readable"]
        yield Problem(f"printed {printed:.0f} MiB in {_when(conduct)}, the last line is {last[0][:80]!r}")


@check("AEC002", follows=("AEC701",))
def memory_limit(conduct: Conduct, usage: Usage) -> Iterator[Problem]:
    """The encoder needs more memory than the organisers' machine has.

    A Colab session has 12.7 GiB of RAM, of which 12 GiB are left to the encoder here. One that takes more is killed
    on the organisers' machine, and all its scores are lost.

    Fix: encode long audio in chunks, load weights with `torch.load(..., mmap=True)` or safetensors, and free
        the state dict once it is loaded.
    """
    if conduct.ended_by is Ending.OUT_OF_MEMORY:
        limit, peak = usage.memory_limit_bytes / 2**30, usage.peak_memory_bytes / 2**30
        taken = f"{peak:.3g} GiB of the {limit:.3g} GiB allowed"
        yield Problem(f"the encoder took {taken}, in {_when(conduct)}, and was killed")


@check("AEC003")
def process_limit(conduct: Conduct, usage: Usage) -> Iterator[Problem]:
    """The encoder starts too many processes or threads.

    A Colab session has two cores: hundreds of processes or threads make an encoder slower, and one that goes on
    starting them takes the organisers' machine down.

    Fix: shut pools down (`with ThreadPoolExecutor(4) as pool:`), build a `DataLoader` with `num_workers=0`, and
        start no process or thread in `forward`.
    """
    if conduct.ended_by is Ending.TOO_MANY_TASKS:
        yield Problem(
            f"{usage.peak_tasks} processes and threads at once, {usage.tasks_limit} are allowed, in {_when(conduct)}"
        )


@check("AEC004")
def scratch_full(conduct: Conduct, usage: Usage) -> Iterator[Problem]:
    """The encoder fills the temporary folders.

    Whatever is written to /tmp or /dev/shm stays there for all 27 data sets of the organisers' run; an encoder that
    leaves files behind at every call fills their disk.

    Fix: keep embeddings in memory, and write what has to be written inside `with tempfile.TemporaryDirectory():`.
    """
    if conduct.ended_by is Ending.SCRATCH_FULL:
        size = f"{size_words(usage.peak_scratch_bytes)} of {size_words(usage.scratch_limit_bytes)}"
        files = f"{usage.peak_scratch_files:,} of {usage.scratch_limit_files:,} files"
        yield Problem(f"{size} and {files} lay in the temporary folders in {_when(conduct)}")


@check("AEC005")
def cpu_limit(conduct: Conduct, usage: Usage) -> Iterator[Problem]:
    """The encoder uses more processor time than any evaluation needs.

    Processor time counts all cores and all processes, those in the background too: work that goes on after a call
    has returned slows down everything else on the organisers' machine.

    Fix: look for threads or processes that go on working when `forward` has returned, and for training code at import.
    """
    if conduct.ended_by is Ending.OUT_OF_CPU_TIME:
        yield Problem(
            f"{usage.cpu_seconds:.0f} s of processor time, {usage.cpu_limit_s:g} s are allowed, reached in "
            f"{_when(conduct)}"
        )


@check("AEC006")
def stage_timeout(conduct: Conduct) -> Iterator[Problem]:
    """All calls of a stage together take too long.

    No single call was too slow, but the organisers encode more than a thousand hours of audio: an encoder that needs
    an hour for the few clips of this check needs weeks for theirs.

    Fix: measure one call, `python -m cProfile -s cumtime your_script.py`, and load weights in `__init__` only.
    """
    if conduct.ended_by is Ending.STAGE_TIMED_OUT:
        yield Problem(conduct.detail)
