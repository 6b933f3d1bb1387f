"""Encoders from a few lines of source, to be run on a pretended card; `run` sees that nothing is left behind."""

from __future__ import annotations

import threading
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.overrides import _get_current_function_mode_stack
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from audio_encoder_checker.child import pretend
from audio_encoder_checker.child.devices import Pretence

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD = """\
import copy, io, threading
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(160, 8)
        {init}

    def frames(self, x):
        return self.linear(x.unfold(-1, 160, 160))

    def forward(self, x):
        {forward}

{more}
"""


def source_of(init: str, forward: str, more: str = "") -> str:
    lines = [indent(dedent(text).strip(), " " * 8).strip() or "pass" for text in (init, forward)]
    return HEAD.format(init=lines[0], forward=lines[1], more=more)


def construct(folder: Path, source: str) -> Any:
    path = folder / "encoder.py"
    path.write_text(source, encoding="utf-8")
    names: dict[str, Any] = {"__name__": "participant"}
    exec(compile(source, str(path), "exec"), names)  # noqa: S102 - as a file, so that lines have a place
    return names["Encoder"]()


def audio() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal((2, 3200)).astype(np.float32))


def marked(source: str, mark: str) -> int:
    return next((number for number, line in enumerate(source.splitlines(), 1) if mark in line), 0)


def run(folder: Path, source: str) -> dict[str, Any]:
    return run_made(lambda: construct(folder, source), folder)


def run_made(make: Callable[[], Any], folder: Path) -> dict[str, Any]:
    before = _surroundings()
    header = pretend.run(make, audio(), Pretence(str(folder)))
    assert _surroundings() == before
    return header


def _surroundings() -> list[Any]:
    """What a pretence changes outside the encoder."""
    functions = _get_current_function_mode_stack()  # type: ignore[no-untyped-call]  # torch does not type it
    modes = [*functions, *_get_current_dispatch_mode_stack()]
    cuda = {name: id(value) for name, value in vars(torch.cuda).items() if callable(value)}
    return [
        modes,
        cuda,
        threading.Thread.start,
        torch.backends.cudnn.is_acceptable,
        torch.get_default_device(),
        torch.load,
    ]
