"""`aecc-package`: start a submission, build its ZIP, and verify one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from audio_encoder_checker.cli import console
from audio_encoder_checker.printable import printable, size_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audio_encoder_checker.findings import Finding
    from audio_encoder_checker.packing.build import Built

MOST_REASONS = 8
"""So many reasons for leaving files out are shown; the rest is counted."""


def main() -> NoReturn:
    """Run the command and leave with its exit status."""
    console.run(package)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="audio-encoder-checker", message="%(prog)s %(version)s")
def package() -> None:
    """Start, build and verify a submission to the Audio Encoder Capability Challenge.

    Exit status: 0 good, 1 an error was found, 2 wrong usage, 3 this machine cannot do it, 70 a bug of the
    packager.
    """


@package.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--template", default="plain", show_default=True, type=click.Choice(("plain",)), help="What to start from."
)
@click.option("--name", metavar="CLASS", default="", help="Of the encoder class; made of DIR's name if not given.")
def init(folder: Path, template: str, name: str) -> int:
    """Start a submission in DIR, a new or empty folder: an encoder that passes every check, and its tests."""
    from audio_encoder_checker.packing.template import start_submission

    class_name, files = start_submission(folder, template, name)
    console.say(f"{class_name} in {_shown(folder)}: {', '.join(files)}")
    console.say(
        "its weights are random, and aecc-check warns of that (AEC803): the top of encoder.py says where yours go"
    )
    console.say(f"next: aecc-check {_shown(folder)}")
    return 0


@package.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", "target", metavar="ZIP", required=True, type=click.Path(path_type=Path), help="To write."
)
@click.option("--force", is_flag=True, help="Replace an existing ZIP.")
def build(folder: Path, target: Path, force: bool) -> int:
    """Pack DIR into a ZIP and look at it as the organisers will receive it.

    The same files give the same bytes. Left out is what .aeccignore names (without one, what .gitignore
    names), and what never belongs into a submission: version control, virtual environments, caches, keys.
    """
    from audio_encoder_checker.packing.build import build_zip
    from audio_encoder_checker.packing.inspection import inspect_zip

    built = build_zip(folder, target, force=force)
    _say_built(target, built)
    findings = inspect_zip(target, sources=True)
    _say_findings(findings)
    if _is_bad(findings):
        console.say(
            f"{_shown(target)} was written and is NOT READY: mend the errors above and build it again with --force"
        )
        return 1
    console.say(f"next: aecc-check {_shown(target)}")
    return 0


@package.command()
@click.argument("archive", metavar="ZIP", type=click.Path(path_type=Path))
def verify(archive: Path) -> int:
    """Verify that ZIP is sound, and holds exactly what `aecc-package build` packed."""
    from audio_encoder_checker.packing.inspection import inspect_zip

    findings = inspect_zip(archive, sources=False)
    _say_findings(findings)
    bad = _is_bad(findings)
    console.say(
        f"{_shown(archive)} is {'NOT as it was built' if bad else 'as it was built: every file fits the manifest'}"
    )
    return int(bad)


def _say_built(target: Path, built: Built) -> None:
    archive, selection = built.archive, built.selection
    files = f"{len(selection.files)} files, {size_words(built.content_bytes)}, and aecc-manifest.json"
    console.say(f"{_shown(target)}: {files}; {size_words(archive.size_bytes)} packed")
    for left in selection.left_out[:MOST_REASONS]:
        console.say(f"  left out: {printable(left.reason)} ({_count(left.files)}, {size_words(left.size_bytes)})")
    rest = selection.left_out[MOST_REASONS:]
    if rest:
        files_left = _count(sum(left.files for left in rest))
        console.say(
            f"  left out: for {len(rest)} more reasons ({files_left}, {size_words(sum(r.size_bytes for r in rest))})"
        )
    console.say(f"sha256 {archive.sha256}")


def _say_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        at = f" {finding.at}:" if finding.at else ""
        console.say(f"{finding.severity.value} {finding.id} {finding.name}:{at} {finding.message}")
        console.say(f"  fix: {finding.hint}")


def _is_bad(findings: Sequence[Finding]) -> bool:
    return any(finding.severity.value == "error" for finding in findings)


def _shown(path: Path) -> str:
    """A path that somebody else may have named, safe for a terminal."""
    return printable(str(path), limit=300)


def _count(files: int) -> str:
    return "1 file" if files == 1 else f"{files} files"
