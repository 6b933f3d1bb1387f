"""What a shell offers to complete: checks, rule books, budgets, submissions; and the lines that teach it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem, get_completion_class

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

    Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

SHELLS = ("bash", "zsh", "fish")


def shell_lines(shell: str) -> str:
    """The lines for a shell that teach it all three commands; `eval "$(aecc-check --completion bash)"` reads them."""
    from audio_encoder_checker.cli.check import check
    from audio_encoder_checker.cli.data import data
    from audio_encoder_checker.cli.package import package

    kind = get_completion_class(shell)
    if kind is None:
        return ""
    commands = {"aecc-check": check, "aecc-package": package, "aecc-data": data}
    variables = {name: f"_{name.replace('-', '_').upper()}_COMPLETE" for name in commands}
    return "\n".join(kind(command, {}, name, variables[name]).source() for name, command in commands.items())


def checks(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Ids and names of checks; of a list with commas the last one."""
    from audio_encoder_checker.catalogue import all_checks

    before, comma, last = begun.rpartition(",")
    words = [(word, one.title) for one in all_checks() for word in (one.id, one.name)]
    return [CompletionItem(f"{before}{comma}{word}", help=title) for word, title in words if word.startswith(last)]


def submissions(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """ZIPs, Python files and folders."""
    start = Path(begun)
    folder, name = (start, "") if begun.endswith("/") or not begun else (start.parent, start.name)
    head = begun.removesuffix(name)
    try:
        found = sorted(one for one in folder.iterdir() if one.name.startswith(name))
    except OSError:
        return []
    items = [one for one in found if one.suffix in (".zip", ".py") or (one.is_dir() and not one.name.startswith("."))]
    return [CompletionItem(f"{head}{one.name}{'/' if one.is_dir() else ''}") for one in items]


def named_files(folder: str) -> Completer:
    """Names of the rule books or budgets that come along, or a TOML file."""

    def complete(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        from importlib.resources import files

        known = (files("audio_encoder_checker") / "resources" / folder).iterdir()
        names = sorted(one.name.removesuffix(".toml") for one in known)
        items = [CompletionItem(name) for name in names if name.startswith(begun)]
        return items or [CompletionItem(begun, type="file")]

    return complete
