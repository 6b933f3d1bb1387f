"""The line or command that takes something out of a submission."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from audio_encoder_checker.packing.ignore import GIT, JUNK, OWN
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SPECIAL = re.compile(r"([\\*?\[\]!#])")
LEFT_OUT_ANYWAY = {pattern for patterns in JUNK.values() for pattern in patterns}
LONG = 400


class Remedies:
    """Lines for one repository.

    Args:
        root: of it.
    """

    def __init__(self, root: Path) -> None:
        only_git = (root / GIT).is_file() and not (root / OWN).is_file()
        self._where = f"{OWN} (begin it as a copy of {GIT}, whose place it takes)" if only_git else OWN

    def leave_out(self, *paths: str) -> str:
        """Leave out files or folders."""
        return self.ignore(*("/" + SPECIAL.sub(r"\\\1", path) for path in paths))

    def ignore(self, *patterns: str) -> str:
        """Leave out what fits patterns."""
        if LEFT_OUT_ANYWAY.issuperset(patterns):
            return "pack the folder with `aecc-package build DIR`, which leaves this out by itself"
        lines = ", ".join(f"`{printable(pattern, limit=LONG)}`" for pattern in patterns)
        return f"add the line{'s' * (len(patterns) > 1)} {lines} to {self._where}"


def drop_keys(name: str, keys: Sequence[str], *, weights_only: bool) -> str:
    """Take keys out of a checkpoint."""
    return _rewrite(name, f"[c.pop(k) for k in {_listed(keys)}]", weights_only=weights_only)


def clone_tensors(name: str, paths: Sequence[Sequence[str]], *, weights_only: bool) -> str:
    """Write tensors without the rest of what they are views of."""
    larger = "torch.is_tensor(v) and v.untyped_storage().nbytes() > v.nbytes"  # tensors that share all stay shared
    chosen = f"v.clone() for k, v in d.items() if {larger}"
    return _update(name, paths, chosen, weights_only=weights_only) or "save the tensors as `t.clone()`"


def halve(name: str, paths: Sequence[Sequence[str]], *, weights_only: bool) -> str:
    """Write float64 tensors of a checkpoint as float32."""
    chosen = 'v.float() for k, v in d.items() if getattr(v, "dtype", 0) == torch.float64'
    return _update(name, paths, chosen, weights_only=weights_only) or "save the tensors as `t.float()`"


def halve_safetensors(name: str) -> str:
    """The same of a safetensors file."""
    return _python(
        f"import torch; from safetensors.torch import load_file, save_file; f = {_text(name)}; "
        "t = {k: v.float() if v.dtype == torch.float64 else v for k, v in load_file(f).items()}; "
        'save_file(t, f, {"format": "pt"})'
    )


def halve_arrays(name: str) -> str:
    """The same of a NumPy file."""
    change = 'n.save(f, n.load(f).astype("f4"))'
    if name.lower().endswith(".npz"):
        change = 'n.savez(f, **{k: v.astype("f4") if v.dtype == "f8" else v for k, v in n.load(f).items()})'
    return _python(f"import numpy as n; f = {_text(name)}; {change}")


def _update(name: str, paths: Sequence[Sequence[str]], pairs: str, *, weights_only: bool) -> str:
    """Change the dictionaries at some paths of a checkpoint; empty if there are none."""
    places = ", ".join("c" + "".join(f"[{_text(key)}]" for key in path) for path in paths)
    return _rewrite(name, f"[d.update({{k: {pairs}}}) for d in [{places}]]", weights_only=weights_only) if paths else ""


def _rewrite(name: str, change: str, *, weights_only: bool) -> str:
    """Load a checkpoint, change it, and write it in its place."""
    load = f'torch.load(f, map_location="cpu", weights_only={weights_only})'
    return _python(f"import torch; f = {_text(name)}; c = {load}; {change}; torch.save(c, f)")


def _text(value: str) -> str:
    """A text in Python, in quotes that a shell leaves alone between others."""
    return json.dumps(value)


def _listed(values: Sequence[str]) -> str:
    return json.dumps(list(values))


def _python(code: str) -> str:
    return f"keep a copy, then run in the folder: python -c {shlex.quote(code)}"
