"""Rule books for tests: the default one with some of its numbers changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.rules import DEFAULT_PROFILE, RESOURCES

if TYPE_CHECKING:
    from pathlib import Path

BRIEF: dict[str, Any] = {
    "lengths_s": [0.025, 0.1, 0.5, 1.0, 10.0, 30.0],
    "survival_batches": [1],
    "survival_s": 0.5,
    "second_process": False,
    "search_s": 2.0,
}
"""Contract and budget of seconds, for tests that are about something else."""

QUICKER: dict[str, Any] = {
    "lengths_s": [0.025, 0.1, 0.5, 1.0, 10.0, 60.0],
    "survival_s": 1.0,
    "search_s": 1.0,
}
"""All that is asked of an encoder, of some lengths; little is tried beyond that."""


def changed_machine(folder: Path, **values: float) -> str:
    """The same for the machine of the budget, its keys as `ram_total_bytes`: the first word is the table."""
    text = (RESOURCES / "budgets" / "colab-t4.toml").read_text(encoding="utf-8")
    lines, left, table = [], dict(values), ""
    for line in text.splitlines():
        table = line.partition("]")[0].strip("[").replace(".", "_") if line.startswith("[") else table
        key = line.partition(" = ")[0].strip()
        wanted = left.pop(f"{table}_{key}", None)
        lines.append(line if wanted is None else f"{key} = {wanted}")
    assert not left, f"the machine has no {', '.join(left)}"
    path = folder / "machine.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def changed_profile(folder: Path, **values: Any) -> str:
    """Write the default profile to a file with other values for some keys, whatever their table; its path."""
    text = (RESOURCES / "profiles" / f"{DEFAULT_PROFILE}.toml").read_text(encoding="utf-8")
    lines, left = [], dict(values)
    for line in text.splitlines():
        key = line.partition(" = ")[0]
        lines.append(f"{key} = {json.dumps(left.pop(key))}" if key in left else line)
    assert not left, f"the profile has no {', '.join(left)}"
    path = folder / "changed.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)
