"""Every way in which the tool itself, not the submission, cannot go on."""

from __future__ import annotations


class CheckerError(Exception):
    """Something the user of the tool has to change; printed without a traceback.

    Attributes:
        exit_code: the status the command ends with.
        hint: the command or line that mends it, may be empty.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(CheckerError):
    """The command was called with something that makes no sense."""


class MachineError(CheckerError):
    """This machine cannot do what was asked; the participant is not to blame."""

    exit_code = 3


class NoGpuError(MachineError):
    """The driver shows a GPU, but in this box torch cannot use it."""
