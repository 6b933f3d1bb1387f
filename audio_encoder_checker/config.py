"""Settings that a repository brings along: `aecc.toml`, or `[tool.aecc]` in `pyproject.toml`."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audio_encoder_checker import toml
from audio_encoder_checker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EXAMPLES = {"encoder": "encoder.py", "paper": "../report.pdf"}
HOST = re.compile(r"(\*?\.)?[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)+")


@dataclass(frozen=True)
class Config:
    """What a repository may say about its own check.

    Attributes:
        encoder: `FILE` or `FILE:CLASS`, relative to the root; empty to search.
        ignore: check id or name to the reason for ignoring it.
        hosts: that the encoder downloads from, beside those of the rule book.
        paper: the report as a PDF, relative to the root; empty to look for it.
    """

    encoder: str = ""
    ignore: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    paper: str = ""


def read_config(root: Path) -> Config:
    """Read the settings of a repository; none is fine.

    Raises:
        UsageError: a file is no valid TOML, or has an unknown key or a value of the wrong type.
    """
    own = _load(root / "aecc.toml")
    if own is not None:
        return _config(own, "aecc.toml")
    project = _load(root / "pyproject.toml") or {}
    table = project.get("tool", {}).get("aecc", {}) if isinstance(project.get("tool", {}), dict) else {}
    return _config(table, "pyproject.toml [tool.aecc]")


def _load(path: Path) -> dict[str, Any] | None:
    if path.is_symlink() or not path.is_file():
        return None
    try:
        return toml.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, toml.BrokenTomlError) as error:
        raise UsageError(f"{path.name}: {error}", f"mend {path.name}, or leave it aside with --isolated") from None


def _config(table: object, where: str) -> Config:
    if not isinstance(table, dict):
        raise UsageError(f"{where}: expected a table")
    known = ("encoder", "ignore", "network", "paper", "training")  # the last is read by whoever judges it
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            guess = f", did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"
            raise UsageError(
                f"{where}: unknown key {key!r}{guess}",
                "mend the key, or leave the file aside with --isolated",
            )
    encoder, paper = (_text(table, name, where, example) for name, example in EXAMPLES.items())
    ignore = table.get("ignore", {})
    if not isinstance(ignore, dict) or not all(isinstance(reason, str) for reason in ignore.values()):
        hint = 'write `[ignore]` and below it `AEC523 = "frames are centred on purpose"`'
        raise UsageError(f"{where}: ignore: expected a table of check to reason", hint)
    reasons = {str(name): reason for name, reason in ignore.items()}
    return Config(encoder, reasons, _hosts(table.get("network", {}), where), paper)


def _text(table: dict[str, Any], name: str, where: str, example: str) -> str:
    value = table.get(name, "")
    if not isinstance(value, str):
        raise UsageError(f"{where}: {name}: expected a text, found {value!r}", f'write `{name} = "{example}"`')
    return value


def _hosts(network: object, where: str) -> tuple[str, ...]:
    """Names of hosts, in lower case; a scheme or a path is a mistake that is made easily, and is told."""
    hosts = network.get("hosts", []) if isinstance(network, dict) else None
    hint = 'write `[network]` and below it `hosts = ["example.org"]`'
    if not isinstance(network, dict) or set(network) - {"hosts"} or not isinstance(hosts, list):
        raise UsageError(f"{where}: network: expected a table that holds `hosts`", hint)
    for host in hosts:
        if not isinstance(host, str) or not HOST.fullmatch(host):
            raise UsageError(f"{where}: network.hosts: expected names of hosts, found {host!r}", hint)
    return tuple(host.lower() for host in hosts)
