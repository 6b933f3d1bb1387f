"""The strongest box that works here and that the user allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.sandbox.bubblewrap import find_bubblewrap
from audio_encoder_checker.sandbox.process import ProcessBox

if TYPE_CHECKING:
    from audio_encoder_checker.sandbox.box import Box


def choose_box(tier: str, *, trust: bool) -> Box:
    """A box of the tier asked for.

    Raises:
        UsageError: the weak box was asked for without `--trust`.
        MachineError: there is no box that the user allows.
    """
    if tier == "weak":
        if not trust:
            raise UsageError("the weak box stops nobody who means harm", "add --trust if you trust this code")
        return ProcessBox("the weak box was asked for")
    strong, why = find_bubblewrap()
    if strong is not None:
        return strong
    if trust and tier == "auto":
        return ProcessBox(why)
    hint = "install bubblewrap, or add --trust if the submission is your own code"
    raise MachineError(f"no box to run foreign code in: {why}", hint)
