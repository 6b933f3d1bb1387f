"""Run an encoder as X-ARES does on a graphics card, where there is none.

Tensors stay on the CPU, and the books say on which device each would be (`tags`). Mistakes with devices surface as
the exceptions that CUDA would raise, at the line that would raise them. Only such an exception accuses anybody: what
else goes wrong says no more than that the pretence could not follow.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch

from . import failure
from .answers import Functions
from .card import plugged_in
from .devices import Operators, Pretence
from .holdings import Snapshot, survey
from .tags import CPU, CUDA, Origin, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ERRORS = 50
CAUSE: Any = vars(BaseException)["__cause__"]  # read in this way, a foreign class cannot answer for them
CONTEXT: Any = vars(BaseException)["__context__"]


def run(encoder: Any, audio: torch.Tensor, root: str) -> dict[str, Any]:
    """Move the encoder and the audio to a pretended card, call the encoder, and bring back what it returns.

    The encoder has to be as constructed: what it keeps from a call on the CPU would look like a mistake. So would
    what it chose when CUDA was not there; `run_new` has no such trouble. The encoder's attributes, parameters and
    buffers are put back afterwards.

    Args:
        encoder: the participant's.
        audio: `[B, samples]`, on the CPU.
        root: the repository, as a path.

    Returns:
        A header for JSON:

        - `phase`: how far it came, `move`, `call`, `return` or `done`.
        - `output_device`: `cuda:0` or `cpu`; empty where it is not known, or the output is no tensor.
        - `not_covered`: what could not be judged, in words.
        - `culprit`: None unless a mistake with devices ended the run; else `kind` (`attribute`, `factory`, `numpy`,
          `ordinal`, `other`), `name`, `op`, and where the tensor to blame was made: `file`, `line`, `text`.
        - `raised`: what `failure.describe` says, if anything was.
    """
    attempt = Attempt(root)

    def steps(stack: contextlib.ExitStack) -> None:
        stack.callback(Snapshot(encoder).restore)
        attempt.pretence.keeps_cpu = attempt.enter(encoder)
        attempt.plug_in(stack)
        attempt.perform(encoder, audio)

    return attempt.report(steps)


def run_new(make: Callable[[], Any], audio: torch.Tensor, root: str) -> dict[str, Any]:
    """The same for an encoder that is constructed on the pretended card, as the organisers construct it.

    Args:
        make: constructs the encoder; imports it too, if that is to see the card. What it made is not for use after.
        audio: `[B, samples]`, on the CPU.
        root: the repository, as a path.

    Returns:
        As `run` does; `phase` may be `construct`.
    """
    attempt = Attempt(root)

    def steps(stack: contextlib.ExitStack) -> None:
        attempt.header["phase"] = "construct"
        attempt.pretence.keeps_cpu = attempt.enter(None)  # modules that were imported before
        attempt.plug_in(stack)
        encoder = make()
        attempt.enter(encoder)
        attempt.perform(encoder, audio)

    return attempt.report(steps)


class Attempt:
    """One run: what is pretended, and what it came to."""

    def __init__(self, root: str) -> None:
        self.pretence = Pretence(root)
        self.header: dict[str, Any] = {"phase": "move", "output_device": "", "not_covered": "", "culprit": None}

    def enter(self, encoder: Any) -> bool:
        """Enter what the encoder holds into the books; tell whether it holds a device that is the CPU."""
        tags = self.pretence.tags
        holdings = survey(encoder, self.pretence.root)
        self.pretence.blind = dict(holdings.unseen)  # while it was constructed there was nothing to judge
        named = set[int]()
        for path, tensor in holdings.tensors:
            if not tensor.is_meta and id(tensor) not in named and tags.device(tensor) == CPU:
                named.add(id(tensor))
                tags.put(tensor, Tag(CPU, Origin(attribute=path), id(tensor) in holdings.registered))
        return holdings.keeps_cpu

    def plug_in(self, stack: contextlib.ExitStack) -> None:
        """Start to pretend."""
        stack.enter_context(plugged_in(self.pretence))
        stack.enter_context(Operators(self.pretence))
        stack.enter_context(Functions(self.pretence))

    def perform(self, encoder: Any, audio: torch.Tensor) -> None:
        """What X-ARES does."""
        self.header["phase"] = "move"
        if hasattr(encoder, "to"):
            encoder.to(CUDA)
        self.header["phase"] = "call"
        output = encoder(audio.to(CUDA))
        self.header["phase"] = "return"
        if isinstance(output, torch.Tensor):
            known = self.pretence.tags.of(output) is not None or not self.pretence.blind
            self.header["output_device"] = str(output.device) if known else ""
            output.to(CPU).detach()
        self.header["phase"] = "done"

    def report(self, steps: Callable[[contextlib.ExitStack], None]) -> dict[str, Any]:
        """Take the steps, end the pretence, and say what came of it."""
        foreign = ""
        try:
            with contextlib.ExitStack() as stack:
                steps(stack)
        except BaseException as error:
            raised = self.header["raised"] = failure.describe(error, self.pretence.root)
            self.header["culprit"] = self._culprit(error)
            if self.header["culprit"] is None:
                foreign = f"an error that is none of CUDA's: {raised['type']}: {raised['message'][:300]}"
        reasons = filter(None, [foreign, *self.pretence.gaps()])
        self.header["not_covered"] = "; ".join(dict.fromkeys(reasons))[:1000]
        return self.header

    def _culprit(self, raised: BaseException) -> dict[str, Any] | None:
        """The culprit of the refusal that this exception is, or comes from."""
        chain = {id(error) for error in _chain(raised)}
        refusals = reversed(self.pretence.refusals)
        return next((culprit for error, culprit in refusals if id(error) in chain), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that it was raised from, or while handling."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < ERRORS:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [cause for cause in (CAUSE.__get__(one), CONTEXT.__get__(one)) if cause is not None]
