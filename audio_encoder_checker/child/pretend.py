"""Run an encoder as X-ARES does on a graphics card, where there is none.

Tensors stay on the CPU, and the books say on which device each would be (`tags`). Mistakes with devices surface as
the exceptions that CUDA would raise, at the line that would raise them. Only such an exception accuses anybody: what
else goes wrong says no more than that the pretence could not follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from . import failure
from .answers import Functions
from .card import plugged_in
from .devices import Operators
from .holdings import survey
from .tags import CPU, CUDA, Origin, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .devices import Pretence

ERRORS = 50
CAUSE: Any = vars(BaseException)["__cause__"]  # read in this way, a foreign class cannot answer for them
CONTEXT: Any = vars(BaseException)["__context__"]


def run(make: Callable[[], Any], audio: torch.Tensor, pretence: Pretence) -> dict[str, Any]:
    """Construct an encoder on a pretended card, move it there, call it, and bring back what it returns.

    Nothing of the repository may have been imported before: what a module chose when CUDA was not there would look
    like a mistake.

    Args:
        make: imports and constructs the encoder. What it made is not for use after.
        audio: `[B, samples]`, on the CPU.
        pretence: a fresh one.

    Returns:
        A header for JSON:

        - `phase`: how far it came, `construct`, `move`, `call`, `return` or `done`.
        - `output_device`: `cuda:0` or `cpu`; empty where it is not known, or the output is no tensor.
        - `not_covered`: what could not be judged, in words.
        - `culprit`: None unless a mistake with devices ended the run; else `kind` (`attribute`, `factory`, `numpy`,
          `ordinal`, `other`), `name`, `op`, and where the tensor to blame was made: `file`, `line`, `text`.
        - `raised`: what `failure.describe` says, if anything was.
    """
    header: dict[str, Any] = {"phase": "construct", "output_device": "", "not_covered": "", "culprit": None}
    foreign = ""
    try:
        with plugged_in(pretence), Operators(pretence), Functions(pretence):
            _perform(make, audio, pretence, header)
    except BaseException as error:
        raised = header["raised"] = failure.describe(error, pretence.root)
        header["culprit"] = _culprit(error, pretence)
        if header["culprit"] is None:
            foreign = f"an error that is none of CUDA's: {raised['type']}: {raised['message'][:300]}"
    reasons = filter(None, [foreign, *pretence.gaps()])
    header["not_covered"] = "; ".join(dict.fromkeys(reasons))[:1000]
    return header


def _perform(make: Callable[[], Any], audio: torch.Tensor, pretence: Pretence, header: dict[str, Any]) -> None:
    """What X-ARES does."""
    encoder = make()
    _name_holdings(encoder, pretence)
    header["phase"] = "move"
    if hasattr(encoder, "to"):
        encoder.to(CUDA)
    header["phase"] = "call"
    output = encoder(audio.to(CUDA))
    header["phase"] = "return"
    if isinstance(output, torch.Tensor):
        known = pretence.tags.of(output) is not None or not pretence.blind
        header["output_device"] = str(output.device) if known else ""
        output.to(CPU).detach()
    header["phase"] = "done"


def _name_holdings(encoder: Any, pretence: Pretence) -> None:
    """Let what the encoder holds on the CPU be known by its name, better than by the line that made it."""
    holdings = survey(encoder, pretence.root)
    pretence.blind = dict(holdings.unseen)  # what was made out of sight before has its tag now
    for path, tensor in holdings.tensors.values():
        if not tensor.is_meta and pretence.tags.device(tensor) == CPU:
            pretence.tags.put(tensor, Tag(CPU, Origin(attribute=path)))


def _culprit(raised: BaseException, pretence: Pretence) -> dict[str, Any] | None:
    """The culprit of the refusal that this exception is, or comes from."""
    chain = {id(error) for error in _chain(raised)}
    return next((culprit for error, culprit in reversed(pretence.refusals) if id(error) in chain), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that it was raised from, or while handling."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < ERRORS:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [cause for cause in (CAUSE.__get__(one), CONTEXT.__get__(one)) if cause is not None]
