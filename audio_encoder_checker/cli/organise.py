"""`aecc-check audit` and `aecc-check export`: what is done with a folder of results later."""

from __future__ import annotations

from pathlib import Path

import click

from audio_encoder_checker.cli.console import HELP, complain, say
from audio_encoder_checker.printable import printable

VERDICTS = ("ready", "undecided", "not-ready")


@click.command("audit", context_settings=HELP)
@click.argument("results", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--sample", default=3, show_default=True, type=click.IntRange(min=0), help="How many to judge again.")
@click.option("--seed", default=42, show_default=True, type=click.IntRange(min=0), help="Of the choice.")
def audit(results: Path, sample: int, seed: int) -> int:
    """Hold every result in DIR against its record, judge a sample again, and tell what drifted.

    Exit status: 0 nothing did, 1 something did.
    """
    from audio_encoder_checker.organising.audit import audit as audit_results
    from audio_encoder_checker.organising.board import team
    from audio_encoder_checker.organising.resources import parse_jobs
    from audio_encoder_checker.organising.worker import judge

    needs = parse_jobs("1", "cpu", "icme-2025").needs
    found = audit_results(results, sample, seed, judge, needs, lambda words: complain(printable(words, limit=200)))
    bad = 0
    for record, one in found.values():
        name = printable(team(record), limit=80)
        for line in (*([one.altered] if one.altered else []), *(one.drift or ())):
            say(f"{name}: {line}")
        for line in one.different:
            say(f"{name}: note: {line}")
        bad += bool(one.altered or one.drift)
    again = sum(one.drift is not None for _, one in found.values())
    say(f"{len(found)} results held against their records, {again} judged again: {bad or 'none'} drifted")
    return int(bad > 0)


@click.command("export", context_settings=HELP)
@click.argument("results", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--to-xares", "target", required=True, metavar="DIR", type=click.Path(path_type=Path), help="A new folder."
)
@click.option(
    "--verdict", "verdicts", multiple=True, type=click.Choice(VERDICTS), default=("ready",), show_default=True,
    help="Of the submissions to export (repeatable).",
)  # fmt: skip
def export(results: Path, target: Path, verdicts: tuple[str, ...]) -> int:
    """Unpack the submissions of DIR for the official system, each into a folder with a script that runs it there."""
    from audio_encoder_checker.organising.export import export_to_xares

    count = 0
    for name, what in export_to_xares(results, target, verdicts):
        made = (target / what).is_dir()
        count += made
        complain(f"{printable(name, limit=80)}: {what}")
    say(f"{count} submissions in {target}: each has a run.sh that takes X-ARES's task files")
    return 0
