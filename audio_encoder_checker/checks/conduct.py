"""AEC0xx: how the encoder behaved in the box beside answering."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.evidence.run import Conduct, Ending, Usage
from audio_encoder_checker.findings import Problem


@check("AEC001")
def output_flood(conduct: Conduct) -> Iterator[Problem]:
    """The encoder prints without end.

    The organisers run hundreds of encoders over 27 data sets and keep the logs; one that floods them fills
    the disk and hides every real message. The run was ended when the limit was passed.

    Fix: remove the print or logging call, or progress bar, that runs in `__init__` or `forward`.
    """
    if conduct.ended_by is Ending.FLOODED:
        printed = max(conduct.stdout_bytes, conduct.stderr_bytes) / 2**20
        last = conduct.output_tail.strip().splitlines()[-1:] or ["nothing readable"]
        yield Problem(f"printed {printed:.0f} MiB in the {conduct.stage} stage, the last line is {last[0][:80]!r}")


@check("AEC002")
def memory_limit(conduct: Conduct, usage: Usage) -> Iterator[Problem]:
    """The encoder needs more memory than the organisers' machine has.

    The challenge allows what a Colab session has: 12 GB of RAM. An encoder over that is killed there, and
    all its scores are lost.

    Fix: encode long audio in chunks, load weights with `torch.load(..., mmap=True)` or safetensors, and free
        the state dict once it is loaded.
    """
    if conduct.ended_by is Ending.OUT_OF_MEMORY:
        limit, peak = usage.memory_limit_bytes / 2**30, usage.peak_memory_bytes / 2**30
        yield Problem(
            f"the process tree reached {peak:.3g} GiB of {limit:.3g} GiB in the {conduct.stage} stage and was killed"
        )
