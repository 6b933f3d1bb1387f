"""Run an encoder on a pretended card, and keep the books of its memory and its work. Runs in the box.

Once with real tensors, held against the CPU's allocator; then as often as asked with symbolic ones, which have a shape
and no data: ten minutes of audio take no memory and hardly any time.
"""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING, Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from . import kernels, truth
from .answers import Functions
from .card import plugged_in
from .holdings import survey
from .ledger import INPUT, ON_CPU, POSSIBLE, TEMPORARY
from .recorder import Recorder
from .symbolic import StandIns, devices_told_by
from .tags import CUDA, storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .devices import Pretence

CONVOLUTIONS, OF_DEVICE = (frozenset(map(str, packets)) for packets in (kernels.CONVOLUTIONS, kernels.OF_DEVICE))
CONVERTED = ("float16", "bfloat16")
"""The CPU computes much of these in float32, in copies."""
NOTABLE = 4096
"""Bytes: what an operation takes in secret is noted from here on."""


class Trial:
    """One encoder on a pretended card.

    Args:
        make: imports and constructs the encoder.
        pretence: a fresh one, or the one under which the repository was imported.
    """

    def __init__(self, make: Callable[[], Any], pretence: Pretence) -> None:
        self.pretence = pretence
        self.hidden: dict[str, float] = {}
        recorder = Recorder(self.pretence)
        with self._pretending(recorder):
            encoder = make()
            self.pretence.blind = dict(survey(encoder, pretence.root).unseen)
            self.encoder = encoder.to(CUDA)
        gc.freeze()  # the modules of a dozen packages need no look after each call

    def real(self, audio: torch.Tensor, *, profiled: bool) -> tuple[dict[str, Any], bytes]:
        """Call the encoder on audio `[B, samples]`.

        Args:
            audio: on the CPU.
            profiled: hold the books to the CPU's allocator, and remember what they miss.

        Returns:
            A header, and the rows of the ledger.
        """
        recorder = Recorder(self.pretence, marks=profiled)
        watch = truth.observed() if profiled else contextlib.nullcontext(truth.Truth())
        with watch as seen, self._pretending(recorder), torch.inference_mode():
            recorder.begin_call()
            shape = self._call(audio, recorder)
        header, payload = _report(recorder, shape)
        if profiled:
            header["truth"] = self._compare(recorder, seen)
        return header, payload

    def symbolic(self, batch: int, samples: int, *, grad: bool) -> tuple[dict[str, Any], bytes]:
        """The same with audio that has no data."""
        mode = FakeTensorMode(allow_non_fake_inputs=True, static_shapes=True)
        recorder = Recorder(self.pretence, symbolic=mode, hidden=self.hidden)
        stand_ins = StandIns()
        with torch.set_grad_enabled(grad), torch.inference_mode(not grad), mode, stand_ins:
            audio = torch.empty(batch, samples)
            with (
                self._pretending(recorder) as functions,
                devices_told_by(lambda tensor: None if recorder.busy else functions.device(tensor)),
            ):
                recorder.begin_call()
                shape = self._call(audio, recorder)
        header, payload = _report(recorder, shape)
        header["guessed"] = sorted(recorder.unsure)
        header["stand_ins"] = sorted(stand_ins.asked)
        return header, payload

    def _call(self, audio: torch.Tensor, recorder: Recorder) -> list[int]:
        """What X-ARES does: the shape of the embeddings."""
        moved = audio.to(CUDA)
        self._mark_input(moved, recorder)
        output = self.encoder(moved)
        shape = list(output.shape) if isinstance(output, torch.Tensor) else []
        output.to("cpu").detach() if isinstance(output, torch.Tensor) else None
        return shape

    def _mark_input(self, audio: torch.Tensor, recorder: Recorder) -> None:
        key = id(storage(audio))
        if key in recorder.ledger.live:
            recorder.ledger.enter(key, kernels.nbytes(audio), INPUT)

    def _compare(self, recorder: Recorder, seen: truth.Truth) -> dict[str, Any]:
        """The books against the CPU's allocator; what an operation took beside its result is remembered."""
        operations = recorder.ledger.operations
        peak, hidden = seen.peak(of_device(recorder))
        for number, size in hidden.items():
            operation = operations[number]
            secret = size - operation.taken
            if secret > NOTABLE and operation.read:
                self.hidden[operation.name] = max(secret / operation.read, self.hidden.get(operation.name, 0.0))
        return {"allocator": peak, "hidden": dict(list(self.hidden.items())[:20])}

    @contextlib.contextmanager
    def _pretending(self, recorder: Recorder) -> Iterator[Functions]:
        functions = Functions(self.pretence)
        with plugged_in(self.pretence), recorder, functions:
            yield functions
        gc.collect()


def of_device(recorder: Recorder) -> set[int]:
    """The operations of a call whose inner allocations on a CPU say nothing about a GPU."""
    return {
        number
        for number, operation in enumerate(recorder.ledger.operations)
        if operation.name in OF_DEVICE or operation.dtype in CONVERTED
    }


def books_peak(recorder: Recorder) -> int:
    """Most bytes at once that a call added, on both devices together, as the CPU's allocator would see it."""
    others = of_device(recorder)
    best = current = 0
    sizes: dict[int, int] = {}
    for number, size, kind, operation in recorder.ledger.rows():
        if operation < 0:
            continue
        if size < 0:
            current -= sizes.pop(number, 0)
        elif kind & ~ON_CPU < (TEMPORARY if operation in others else POSSIBLE):
            sizes[number] = size
            current += size
            best = max(best, current)
    return best


def _report(recorder: Recorder, shape: list[int]) -> tuple[dict[str, Any], bytes]:
    ledger = recorder.ledger
    peak, largest = ledger.at_peak()
    header = {
        "shape": shape,
        "events": len(ledger.events) // 4,
        "operations": len(ledger.operations),
        "peak": peak,
        "books": books_peak(recorder),
        "largest": largest,
        "hungriest": ledger.hungriest(),
        "convolves": any(one.name in CONVOLUTIONS for one in ledger.operations),
        "cpu_s": recorder.cpu_s,
        "not_covered": "; ".join(dict.fromkeys(filter(None, recorder.pretence.gaps())))[:500],
    }
    return header, ledger.events.tobytes() + ledger.work.tobytes()
