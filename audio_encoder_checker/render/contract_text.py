"""The contract stage for a terminal: the survival map, and what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table  # noqa: TID253 - only a run that has something to show imports this module
from rich.text import Text  # noqa: TID253 - same

from audio_encoder_checker.evidence.contract import Cell, CellState, SurvivalMap, clips_in_words
from audio_encoder_checker.render.measured import measured

if TYPE_CHECKING:
    from rich.console import Console

    from audio_encoder_checker.report import Report

WORDS = {
    CellState.NO_FRAMES: "shape",
    CellState.FAILED: "fails",
    CellState.OUT_OF_MEMORY: "memory",
    CellState.TOO_SLOW: "slow",
    CellState.NOT_TRIED: "-",
}
STYLES = {CellState.OK: "green", CellState.FORECAST: "dim", CellState.NOT_TRIED: "dim"}


def survival(report: Report, console: Console) -> None:
    """Seconds that calls took, batch sizes by lengths."""
    found = report.evidence.get(SurvivalMap)
    if found is None:
        return
    lengths = sorted({cell.seconds for cell in found.cells})
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("clips", style="dim", no_wrap=True)
    for seconds in lengths:
        table.add_column(f"{seconds:g} s", justify="right", no_wrap=True)
    for batch in sorted({cell.batch for cell in found.cells}):
        row = {cell.seconds: _cell(cell) for cell in found.cells if cell.batch == batch}
        table.add_row(str(batch), *(row.get(seconds, Text("")) for seconds in lengths))
    console.print(table)
    for line in _remarks(found):
        console.print(Text(line, style="dim"))
    console.print()


def _cell(cell: Cell) -> Text:
    wall = _wall(cell.wall_s)
    words = {CellState.OK: wall, CellState.FORECAST: f"~{wall}" if cell.wall_s else "~"}
    return Text(words.get(cell.state) or WORDS[cell.state], style=STYLES.get(cell.state, "bold red"))


def _wall(seconds: float) -> str:
    if seconds < 0.9995:
        return f"{max(seconds * 1000, 1):.0f} ms"
    return f"{seconds:.3g} s" if seconds < 999.5 else f"{seconds / 60:.0f} min"


def _remarks(found: SurvivalMap) -> list[str]:
    remarks = ["time that each call took"]
    forecast = [cell for cell in found.cells if cell.state is CellState.FORECAST]
    if forecast:
        first = forecast[0]
        remarks[0] += f"; ~ not made, {clips_in_words(first.batch, first.seconds)}: {first.why}"
    if any(cell.state is CellState.NO_FRAMES for cell in found.cells):
        remarks.append("shape: it answered, but with no frames [B, T', D]")
    if found.chunk_samples:
        remarks.append(f"the encoder cuts long audio into chunks of {found.chunk_samples} samples")
    if found.stopped:
        remarks.append(found.stopped)
    return remarks


def figures(report: Report, console: Console) -> None:
    """One line for each figure: name, number, meaning."""
    rows = measured(report.evidence)
    if not rows:
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(style="dim", overflow="fold")
    for row in rows:
        grid.add_row(Text(row.name), Text(row.text), Text(row.meaning))
    console.print(grid)
    console.print()
