"""A checkpoint in a box: torch loads it there, and its tensors come out as bytes. What comes is not believed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.printable import printable
from audio_encoder_checker.rules import load_rules
from audio_encoder_checker.sandbox.ask import Session
from audio_encoder_checker.sandbox.box import limits_of
from audio_encoder_checker.stages.load import greeted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from audio_encoder_checker.archive.weights.values import Tensor
    from audio_encoder_checker.sandbox.ask import Answer
    from audio_encoder_checker.sandbox.box import Box, Limits

PIECE_BYTES = 32 << 20
FREE_BYTES = 2 << 30
"""Memory for torch itself, beside what the checkpoint takes."""
COPIES = 3
"""Of the checkpoint in memory: as it is read, as it is loaded, and the tensor that is sent."""
LOAD_SECONDS, BYTES_A_SECOND = 120.0, 10e6
"""For loading: so long in any case, and longer for more bytes than a slow disk reads."""
PIECE_SECONDS = 120.0
RESAVE = "save the weights alone where you trained: `torch.save(model.state_dict(), 'weights.pt')`"


class Torch:
    """torch in a box, asked about one file; use the session as a context manager around it.

    Args:
        session: started.
        file: the checkpoint.
    """

    def __init__(self, session: Session, file: Path) -> None:
        self._session = session
        self._file = file

    def open(self, path: tuple[str, ...], tensors: Mapping[str, Tensor]) -> None:
        """Load the checkpoint, and hold torch's list of tensors against what the file's bytes say.

        Args:
            path: the keys that lead to the state dict.
            tensors: that it should hold, by name.

        Raises:
            UsageError: torch cannot load it, or finds something else.
            MachineError: the box did not start, or this machine has too little memory.
        """
        greeted(self._session)
        seconds = LOAD_SECONDS + self._file.stat().st_size / BYTES_A_SECOND
        question = {"step": "open", "file": f"{self._session.repository_path}/{self._file.name}", "path": list(path)}
        answer = self._ask(question, seconds)
        self._order = _order(answer, tensors)

    def bytes_of(self, name: str, tensor: Tensor) -> Iterator[memoryview]:
        """The numbers of a tensor in order, exactly as many bytes as they take.

        Raises:
            UsageError: something else came.
            MachineError: this machine has too little memory.
        """
        for start in range(0, tensor.size_bytes, PIECE_BYTES):
            stop = min(start + PIECE_BYTES, tensor.size_bytes)
            question = {"step": "piece", "index": self._order[name], "start": start, "stop": stop}
            payload = self._ask(question, PIECE_SECONDS).payload
            if payload.nbytes != stop - start:
                raise _other(f"the tensor {printable(repr(name))} has another size")
            yield payload

    def _ask(self, question: dict[str, Any], seconds: float) -> Answer:
        answer = self._session.ask({"ask": "convert", **question}, timeout_s=seconds)
        outcome, shown = answer.outcome, printable(repr(self._file.name))
        if outcome.ending is Ending.ANSWERED:
            return answer
        if outcome.ending is Ending.OUT_OF_MEMORY:
            hint = "convert it on a machine with more memory"
            raise MachineError(f"torch needs too much memory for {shown}: {outcome}", hint)
        raise UsageError(f"torch cannot load {shown} with weights_only=True: {outcome}", RESAVE)


def session_for(box: Box, file: Path, workspace: Path) -> Session:
    """A box in which torch can load a checkpoint; it shows the folder that the file lies in."""
    return Session(box, file.parent, workspace, _limits(file.stat().st_size))


def _limits(size_bytes: int) -> Limits:
    usual = limits_of(load_rules())
    memory = max(usual.memory_bytes, COPIES * size_bytes + FREE_BYTES)
    return replace(usual, memory_bytes=memory, answer_bytes=PIECE_BYTES)


def _order(answer: Answer, tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """The place of every tensor in torch's list, if that is the list of the file's own bytes."""
    try:
        rows = json.loads(bytes(answer.payload))
        found = {name: (place, dtype, shape) for place, (name, dtype, shape) in enumerate(rows)}
    except (ValueError, TypeError, RecursionError):
        raise _other("its list of tensors is none") from None
    odd = [name for name, one in tensors.items() if found.get(name, (0,))[1:] != (one.dtype, list(one.shape))]
    odd += [name for name in found if name not in tensors]
    if odd or len(rows) != len(found):
        raise _other(f"the tensor {printable(repr(odd[0]))} is another one" if odd else "a tensor is listed twice")
    return {name: place for name, (place, _, _) in found.items()}


def _other(what: str) -> UsageError:
    return UsageError(f"what torch finds in the checkpoint is not what its bytes say: {what}", RESAVE)
