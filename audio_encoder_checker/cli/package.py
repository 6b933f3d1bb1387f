"""`aecc-package`: start a submission, build its ZIP, verify one, and all that lies between."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from audio_encoder_checker.cli import console
from audio_encoder_checker.printable import printable, size_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audio_encoder_checker.findings import Finding

TEMPLATE_NAMES = ("plain", "transformers", "hub", "checkpoint", "wrapper")


def main() -> NoReturn:
    """Run the command and leave with its exit status."""
    console.run(package)


@click.group(context_settings=console.HELP)
@click.version_option(package_name="audio-encoder-checker", message="%(prog)s %(version)s")
def package() -> None:
    """Start, build and verify a submission to the Audio Encoder Capability Challenge.

    Exit status: 0 good, 1 an error or a difference was found, 2 wrong usage, 3 this machine cannot do it, 70 a bug
    of the packager.
    """


@package.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--template", type=click.Choice(TEMPLATE_NAMES), help="What to start from; plain, if nobody can be asked."
)
@click.option("--name", metavar="CLASS", help="Of the encoder class; made of DIR's name, if nobody can be asked.")
def init(folder: Path, template: str | None, name: str | None) -> int:
    """Start a submission in DIR, a new or empty folder: an encoder that passes every check, and its tests."""
    from audio_encoder_checker.packing.template import TEMPLATES, class_name_for, refuse_used_folder, start_submission

    refuse_used_folder(folder)
    if sys.stdin.isatty() and sys.stdout.isatty():
        template = template or _asked_template()
        name = name or click.prompt("Name of the encoder class", default=class_name_for(folder.resolve().name) or None)
    template = template or TEMPLATE_NAMES[0]
    class_name, files = start_submission(folder, template, name or "")
    console.say_wrapped(f"{class_name} in {console.shown(folder)}: {', '.join(files)}")
    console.say("what only you can fill in:")
    for line in TEMPLATES[template].missing:
        console.say_wrapped(line, indent="  ")
    console.say(f"next: aecc-check {console.shown(folder)}")
    return 0


def _asked_template() -> str:
    from audio_encoder_checker.packing.template import TEMPLATES

    for name, one in TEMPLATES.items():
        click.echo(f"  {name:<13} {one.summary}")
    choice: str = click.prompt("What to start from", type=click.Choice(TEMPLATE_NAMES), default=TEMPLATE_NAMES[0])
    return choice


@package.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "--output", "target", metavar="ZIP", type=click.Path(path_type=Path), help="To write.")
@click.option("--force", is_flag=True, help="Replace an existing ZIP.")
@click.option(
    "--paper",
    metavar="PDF",
    type=click.Path(path_type=Path),
    help="The paper, if aecc.toml names none; not packed.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be packed and what not, and write nothing.")
@click.option("--no-check", is_flag=True, help="Look at the ZIP without running anything of it; no receipt.")
@click.option("--no-eval", is_flag=True, help="Check without the evaluation of both tracks.")
@click.option("--strict", is_flag=True, help="Check: warnings count as errors.")
@click.option("--profile", default="icme-2025", metavar="NAME|FILE", show_default=True, help="Rule book.")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda[:N]", help="Where it is checked.")
@click.option(
    "--box", default="strong", show_default=True, type=click.Choice(("auto", "strong", "medium", "weak")),
    help="Isolation of the check.",
)  # fmt: skip
@click.option("--trust", is_flag=True, help="Allow the weak box, as for code of your own where no other works.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
def build(folder: Path, **wishes: Any) -> int:
    """Pack DIR into a ZIP, check that ZIP as the organisers will, and write a receipt beside it.

    The same files give the same bytes. Left out is what .aeccignore names (without one, what .gitignore
    names), and what never belongs into a submission: version control, virtual environments, caches, keys, data
    sets and what training leaves behind. The paper is handed in beside the ZIP.
    """
    from audio_encoder_checker.cli import package_build

    return package_build.build(folder, **wishes)


@package.command()
@click.argument("archive", metavar="ZIP", type=click.Path(path_type=Path))
@click.option(
    "--receipt", metavar="FILE", is_flag=False, flag_value=console.BESIDE,
    help="Also hold a receipt against ZIP, report and paper; without FILE the one beside ZIP.",
)  # fmt: skip
@click.option("--paper", metavar="PDF", type=click.Path(path_type=Path), help="With --receipt: the paper.")
def verify(archive: Path, receipt: str | None, paper: Path | None) -> int:
    """Verify that ZIP is sound, and holds exactly what `aecc-package build` packed."""
    from audio_encoder_checker.errors import UsageError
    from audio_encoder_checker.packing.inspection import inspect_receipt, inspect_zip
    from audio_encoder_checker.packing.receipt import receipt_beside

    if paper and receipt is None:
        raise UsageError("--paper is compared with a receipt", "add --receipt")
    findings = list(inspect_zip(archive, sources=False))
    if receipt is not None:
        findings += inspect_receipt(
            receipt_beside(archive) if receipt == console.BESIDE else Path(receipt), archive, paper
        )
    say_findings(findings)
    bad = is_bad(findings)
    good = "as it was built: every file fits the manifest" + (", and all fits the receipt" if receipt else "")
    console.say(f"{console.shown(archive)} is {'NOT as it was built' if bad else good}")
    return int(bad)


@package.command()
@click.argument("first", metavar="A.zip", type=click.Path(path_type=Path))
@click.argument("second", metavar="B.zip", type=click.Path(path_type=Path))
@click.option("--text", is_flag=True, help="Show changed texts line by line.")
def diff(first: Path, second: Path, text: bool) -> int:
    """Tell what is in A.zip and not, or otherwise, in B.zip: files, tensors, and what the manifests say.

    Exit status: 0 the same contents, 1 a difference.
    """
    from audio_encoder_checker.cli import package_diff

    return package_diff.diff(first, second, text=text)


@package.command()
@click.argument("submission", metavar="DIR|ZIP", type=click.Path(path_type=Path))
@click.option("--convert", metavar="FILE", type=click.Path(path_type=Path), help="A checkpoint in DIR to convert.")
@click.option("-o", "--output", "target", metavar="FILE", type=click.Path(path_type=Path), help="With --convert.")
@click.option("--key", default="", help="With --convert: where in the checkpoint the state dict is, keys with dots.")
@click.option(
    "--box", default="auto", show_default=True, type=click.Choice(("auto", "strong", "medium", "weak")),
    help="With --convert: isolation.",
)  # fmt: skip
@click.option("--trust", is_flag=True, help="With --convert: allow the weak box.")
def slim(submission: Path, convert: Path | None, target: Path | None, key: str, box: str, trust: bool) -> int:
    """Tell what takes the space in DIR or ZIP, and what could go; nothing is changed.

    With --convert, torch loads one checkpoint in a box, and its state dict is written as safetensors, beside it or
    where -o says. Every tensor is then compared, byte by byte, with the checkpoint.
    """
    from audio_encoder_checker.errors import UsageError

    if convert is None:
        if target or key or trust:
            raise UsageError("-o, --key and --trust are about a checkpoint to convert", "add --convert FILE")
        from audio_encoder_checker.packing.slimming.finding import find_savings_in
        from audio_encoder_checker.packing.slimming.telling import slimming_lines

        lines = slimming_lines(find_savings_in(submission))
    else:
        from audio_encoder_checker.packing.slimming.converting import convert_checkpoint
        from audio_encoder_checker.packing.slimming.telling import converted_lines

        source = convert if convert.is_file() else submission / convert
        lines = converted_lines(
            convert_checkpoint(source, target or source.with_suffix(".safetensors"), key=key, box=box, trust=trust)
        )
    for line in lines:
        console.say(line)
    return 0


@package.command("attach-paper")
@click.argument("archive", metavar="ZIP", type=click.Path(path_type=Path))
@click.argument("paper", metavar="PDF", type=click.Path(path_type=Path))
def attach(archive: Path, paper: Path) -> int:
    """Judge PDF, the team's paper of at most six pages, and let the receipt beside ZIP speak of it.

    The ZIP stays as it is: the organisers take both, side by side.
    """
    from audio_encoder_checker.archive.listing import read_listing
    from audio_encoder_checker.archive.submission import read_submission
    from audio_encoder_checker.cli.package_build import say_mail
    from audio_encoder_checker.packing.inspection import inspect_paper
    from audio_encoder_checker.packing.receipt import attach_paper

    read_submission(archive, hashed=False)
    findings = inspect_paper(paper, archive)
    say_findings(findings)
    if is_bad(findings):
        console.say(f"{console.shown(paper)} was NOT attached: mend the errors above")
        return 1
    receipt = attach_paper(archive, paper)
    console.say(f"{console.shown(receipt)} now speaks of {console.shown(paper)}: hand in both, beside the ZIP")
    say_mail(archive, [entry.name for entry in read_listing(archive).entries], paper)
    return 0


@package.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--repository", metavar="OWNER/NAME", required=True, help="On the Hub; made if it is not there.")
@click.option("--private", is_flag=True, help="Only you can read it; the organisers cannot, until you make it public.")
@click.option("--message", default="Upload weights with aecc-package", show_default=True, help="Of the commit.")
def upload(files: tuple[Path, ...], repository: str, private: bool, message: str) -> int:
    """Upload FILEs, weights too large for a ZIP by e-mail, to the Hugging Face Hub in one commit.

    Prints the lines that download them at exactly that commit, for the encoder. The token is that of
    `hf auth login`, or HF_TOKEN.
    """
    from audio_encoder_checker.packing.upload import snippet, upload_files

    uploaded = upload_files(files, repository, private=private, message=message)
    for file in uploaded.files:
        console.say(f"{printable(file.name)}: {size_words(file.size_bytes)}, sha256 {file.sha256}")
    for note in uploaded.notes:
        console.say(f"note: {note}")
    console.say(f"{uploaded.url}\n\nin encoder.py:\n\n{snippet(uploaded)}")
    if len(uploaded.files) == 1:
        settings = {"REPOSITORY": uploaded.repository, "REVISION": uploaded.commit, "SHA256": uploaded.files[0].sha256}
        console.say("or, with the template `hub`:\n")
        for name, value in settings.items():
            console.say(f'{name} = "{value}"')
    return 0


def say_findings(findings: Iterable[Finding]) -> None:
    """A line for each finding, and one for its remedy."""
    for finding in findings:
        at = f" {finding.at}:" if finding.at else ""
        console.say(f"{finding.severity.value} {finding.id} {finding.name}:{at} {finding.message}")
        console.say(f"  fix: {finding.hint}")


def is_bad(findings: Iterable[Finding]) -> bool:
    """Whether there is an error among findings."""
    return any(finding.severity.value == "error" for finding in findings)
