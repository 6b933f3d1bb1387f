"""Lines of a label and a text, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding  # noqa: TID253 - only a run that has something to show imports this module
from rich.table import Table  # noqa: TID253 - same
from rich.text import Text  # noqa: TID253 - same

if TYPE_CHECKING:
    from rich.console import Console


def card(rows: list[tuple[str, str]], console: Console, *, last: bool = True) -> None:
    """Print labels and texts in two columns, with an empty line after the `last`; nothing where there are none."""
    if not rows:
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", min_width=8, no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(Text(label), Text(text))
    console.print(Padding(grid, (0, 0, int(last), 0), expand=False))
