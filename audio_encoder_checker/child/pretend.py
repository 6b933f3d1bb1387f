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
    from collections.abc import Iterator

ERRORS = 50
CAUSE: Any = vars(BaseException)["__cause__"]  # read in this way, a foreign class cannot answer for them
CONTEXT: Any = vars(BaseException)["__context__"]


def run(encoder: Any, audio: torch.Tensor, root: str) -> dict[str, Any]:
    """Move the encoder and the audio to a pretended card, call the encoder, and bring back what it returns.

    The encoder has to be as constructed: what it keeps from a call on the CPU would look like a mistake. Its
    attributes, parameters and buffers are put back afterwards.

    Args:
        encoder: the participant's.
        audio: `[B, samples]`, on the CPU.
        root: the repository, as a path.

    Returns:
        `phase` (`move`, `call`, `return` or `done`: how far it came), `output_device`, `not_covered` (what could not
        be judged, in words), `culprit` (None unless a device mistake ended the run: `kind`, `name`, `op`, and where
        the tensor to blame was made as `file`, `line` and `text`), and `raised` if anything was.
    """
    pretence = Pretence(root)
    header: dict[str, Any] = {"phase": "move", "output_device": "", "not_covered": "", "culprit": None}
    reasons: list[str] = []
    raised: BaseException | None = None
    try:
        with contextlib.ExitStack() as stack:
            stack.callback(Snapshot(encoder).restore)
            reasons += _enter(pretence, encoder, root)
            for part in (plugged_in(pretence), Operators(pretence), Functions(pretence)):
                stack.enter_context(part)
            _perform(encoder, audio, header)
    except BaseException as error:
        raised = error
    if raised is not None:
        header["raised"] = failure.describe(raised, root)
        header["culprit"] = _culprit(pretence, raised)
        if header["culprit"] is None:
            message = header["raised"]["message"][:300]
            reasons.insert(0, f"an error that is none of the pretended card's: {header['raised']['type']}: {message}")
    header["not_covered"] = "; ".join(dict.fromkeys(filter(None, [*reasons, *pretence.gaps()])))[:1000]
    return header


def _enter(pretence: Pretence, encoder: Any, root: str) -> list[str]:
    """Enter what the encoder holds into the books; what the modes do not see inside of is returned, in words."""
    holdings = survey(encoder, root)
    pretence.keeps_cpu = holdings.keeps_cpu
    pretence.blind.update(holdings.unseen)
    for path, tensor in holdings.tensors:
        if pretence.tags.of(tensor) is None and not tensor.is_meta:
            pretence.tags.put(tensor, Tag(CPU, Origin(attribute=path), id(tensor) in holdings.registered))
    return list(holdings.unseen.values())


def _perform(encoder: Any, audio: torch.Tensor, header: dict[str, Any]) -> None:
    if hasattr(encoder, "to"):
        encoder.to(CUDA)
    header["phase"] = "call"
    output = encoder(audio.to(CUDA))
    header["phase"] = "return"
    if isinstance(output, torch.Tensor):
        header["output_device"] = str(output.device)
        output.to(CPU).detach()
    header["phase"] = "done"


def _culprit(pretence: Pretence, raised: BaseException) -> dict[str, Any] | None:
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
