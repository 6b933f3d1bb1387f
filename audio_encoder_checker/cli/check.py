"""`aecc-check`: judge a submission."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from audio_encoder_checker.cli import completion, console
from audio_encoder_checker.errors import UsageError

ENGINES = ("local", "ray", "slurm")
FORMATS = ("text", "json", "html", "junit", "sarif", "github", "gitlab", "markdown")
SCHEMA_NAMES = ("report", "record", "rules", "budget", "settings", "manifest", "receipt", "task")
STAGE_NAMES = ("archive", "source", "rules", "load", "contract", "download", "budget", "evaluate")


def main() -> NoReturn:
    """Run the command and leave with its exit status; `audit` and `export` are commands of their own."""
    if sys.argv[1:2] in (["audit"], ["export"]) and not Path(sys.argv[1]).exists():
        from audio_encoder_checker.cli.organise import audit, export

        command = audit if sys.argv.pop(1) == "audit" else export
        console.run(command, f"aecc-check {command.name}")
    console.run(check)


def _at_once(show: Any) -> Any:
    """A click callback that shows something and ends the command."""

    def callback(context: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value and not context.resilient_parsing:
            show(value)
            context.exit()

    return callback


def _explain(word: str) -> None:
    from audio_encoder_checker.cli.explain import explain

    console.say(explain(word))


def _list_checks(_value: bool) -> None:
    from audio_encoder_checker.cli.explain import list_checks

    console.say(list_checks())


def _completion(shell: str) -> None:
    console.say(completion.shell_lines(shell))


def _doctor(_value: bool) -> None:
    from audio_encoder_checker.cli.doctor import doctor

    text, usable = doctor()
    console.say(text)
    if not usable:
        raise click.exceptions.Exit(console.EXIT_UNDECIDED)


def _print_schema(name: str) -> None:
    import json

    from audio_encoder_checker.rules import schema

    console.say(json.dumps(schema(name), indent=2))


@click.command(context_settings=console.HELP)
@click.argument(
    "submissions", metavar="SUBMISSION...", nargs=-1, type=click.Path(path_type=Path),
    shell_complete=completion.submissions,
)  # fmt: skip
@click.option("--encoder", metavar="FILE[:CLASS]", default="", help="The encoder file, relative to the repository.")
@click.option("--stage", "stages", multiple=True, type=click.Choice(STAGE_NAMES), help="Judge this stage (repeatable).")
@click.option("--until", type=click.Choice(STAGE_NAMES), help="Judge all stages up to this one.")
@click.option("--paper", type=click.Path(path_type=Path), metavar="PDF", help="The paper, if not beside the encoder.")
@click.option(
    "--verify-receipt", "receipt", metavar="[FILE]", is_flag=False, flag_value=console.BESIDE,
    help="Also hold a receipt against ZIP, report and paper; without FILE the one beside the ZIP.",
)  # fmt: skip
@click.option("--no-eval", is_flag=True, help="Leave out the evaluation of both tracks.")
@click.option(
    "--data", metavar="DIR|ADDRESS",
    help="Evaluate on the X-ARES shards in this folder instead of the built-in quick set (see `aecc-data`).",
)  # fmt: skip
@click.option("--tasks", metavar="ID,...", default="", help="Evaluate these tasks only; `aecc-data list` shows all.")
@click.option("--mini", is_flag=True, help="With --data: X-ARES's smaller shards where there are any.")
@click.option("--corrected", is_flag=True, help="Beside each score, the one without X-ARES's quirks.")
@click.option("--no-cache", is_flag=True, help="With --data: neither use nor keep embeddings of other runs.")
@click.option(
    "--profile", default="icme-2025", metavar="NAME|FILE", show_default=True, help="Rule book.",
    shell_complete=completion.named_files("profiles"),
)  # fmt: skip
@click.option(
    "--budget", default="", metavar="NAME|FILE", help="The organisers' machine, if not the rule book's.",
    shell_complete=completion.named_files("budgets"),
)  # fmt: skip
@click.option(
    "--device", default="auto", show_default=True, metavar="auto|cpu|cuda[:N]", help="Where the encoder runs."
)
@click.option(
    "--box",
    default="auto",
    show_default=True,
    type=click.Choice(("auto", "strong", "medium", "weak")),
    help="Isolation.",
)
@click.option("--trust", is_flag=True, help="Allow the weak box: the submission is code you trust.")
@click.option(
    "--install/--no-install", default=None,
    help="Install the submission's requirements into a fresh environment and run it there; --strict does.",
)  # fmt: skip
@click.option(
    "--constraint", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="With --install: hold these versions, as pip's constraints do.",
)  # fmt: skip
@click.option(
    "--allow-source", is_flag=True,
    help="With --install: build what has no wheel; its build then runs here with your rights.",
)  # fmt: skip
@click.option("--no-network", is_flag=True, help="Let the encoder download nothing.")
@click.option(
    "--hub-cache", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Keep what encoders download from the Hugging Face Hub here, for all of them; only the checker writes to it.",
)  # fmt: skip
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="For loading, and for each call.",
)
@click.option("--seed", default=42, show_default=True, type=click.IntRange(min=0), help="Of test audio and training.")
@click.option(
    "--select", metavar="ID,...", default="", help="Ask only these checks: ids, prefixes or names.",
    shell_complete=completion.checks,
)  # fmt: skip
@click.option(
    "--ignore", metavar="ID,...", default="", help="Leave these out; ignoring an error leaves the verdict UNDECIDED.",
    shell_complete=completion.checks,
)  # fmt: skip
@click.option("--fix", is_flag=True, help="First show what can be mended without you, ask, and write it.")
@click.option("--yes", is_flag=True, help="With --fix: write without asking.")
@click.option("--isolated", is_flag=True, help="Leave the submission's own aecc.toml aside.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT=PATH",
    help="Also write a report (repeatable); FORMAT as for --format.",
)
@click.option(
    "--format",
    "stdout_format",
    default="text",
    show_default=True,
    type=click.Choice(FORMATS),
    help="Of stdout.",
)
@click.option(
    "--color",
    default="auto",
    show_default=True,
    type=click.Choice(("auto", "always", "never")),
    help="Of the text.",
)
@click.option(
    "--compare", metavar="OLD.json", type=click.Path(path_type=Path, dir_okay=False),
    help="Also tell what differs from an earlier JSON report: mended, new, slower, larger, scores.",
)  # fmt: skip
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
    help="Judge many ZIPs: results, a board and drafts of messages go into this folder.",
)  # fmt: skip
@click.option(
    "--jobs", default="", metavar="N|cores=N,ram=NGB,gpu=N",
    help="With --out: how many at once, or of what; by default what this machine has.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="With --out: judge only what has no valid result there.")
@click.option(
    "--follow", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="With --out: watch this folder and judge what arrives, until Ctrl-C.",
)  # fmt: skip
@click.option(
    "--engine", default="local", show_default=True, type=click.Choice(ENGINES),
    help="With --out: what places submissions on machines; docs/organisers.md.",
)  # fmt: skip
@click.option("--by-task", is_flag=True, help="With --out: evaluate each task of a submission as a job of its own.")
@click.option("--address", metavar="HOST:PORT|auto", help="With --engine ray: of the cluster.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@click.option(
    "--explain", metavar="ID", is_eager=True, expose_value=False, callback=_at_once(_explain),
    help="Explain one check.", shell_complete=completion.checks,
)  # fmt: skip
@click.option(
    "--list-checks", is_flag=True, is_eager=True, expose_value=False, callback=_at_once(_list_checks),
    help="List all checks.",
)  # fmt: skip
@click.option(
    "--print-schema", type=click.Choice(SCHEMA_NAMES), is_eager=True,
    expose_value=False, callback=_at_once(_print_schema), help="Print a JSON Schema.",
)  # fmt: skip
@click.option(
    "--doctor", is_flag=True, is_eager=True, expose_value=False, callback=_at_once(_doctor),
    help="Try every box on this machine, and say what would make it stronger.",
)  # fmt: skip
@click.option(
    "--completion", type=click.Choice(completion.SHELLS), is_eager=True, expose_value=False,
    callback=_at_once(_completion),
    help='Teach a shell to complete checks and submissions: eval "$(aecc-check --completion bash)".',
)  # fmt: skip
@click.version_option(package_name="audio-encoder-checker", message="%(prog)s %(version)s")
@click.pass_context
def check(context: click.Context, /, submissions: tuple[Path, ...], **wishes: Any) -> int:
    """Check SUBMISSION, a ZIP, a folder or one Python file, for the Audio Encoder Capability Challenge.

    The result goes to stdout, the progress to stderr. Exit status: 0 ready, 1 not ready, 2 wrong usage,
    3 undecided (this machine could not judge everything), 70 a bug of the checker.

    Many ZIPs are judged with --out DIR, each in a process of its own; the status is 0 then if each has a verdict.
    `aecc-check audit DIR` and `aecc-check export DIR` work on such a folder.
    """
    if wishes["out"]:
        from audio_encoder_checker.cli.batch import run_batch

        return run_batch(context, submissions, wishes)
    for option in ("jobs", "resume", "follow", "by_task", "address"):
        if wishes[option]:
            raise UsageError(f"--{option.replace('_', '-')} is about many submissions", "add --out DIR")
    if not submissions:
        raise click.UsageError("Missing argument 'SUBMISSION'.", context)
    if len(submissions) > 1:
        hint = "add --out DIR, which holds all results then"
        raise UsageError(f"{len(submissions)} submissions are named, and one is checked at a time", hint)
    return _check_one(submissions[0], **wishes)


def _check_one(
    submission: Path, *, reports: tuple[str, ...], stdout_format: str, color: str, quiet: bool, **wishes: Any
) -> int:
    """Judge one submission and say what was found.

    Raises:
        CheckerError: the tool itself cannot go on.
    """
    from audio_encoder_checker.cli.output import consoles, parse_reports, show, show_changes, write_reports
    from audio_encoder_checker.cli.progress import checked

    targets = parse_reports(reports)
    before = _earlier(wishes["compare"])
    options = _options(submission, wishes)
    out, err = consoles(color)
    submission = _mended(submission, wishes, err)
    report = checked(submission, options, err, quiet=quiet)
    show(report, stdout_format, out)
    if before is not None:
        show_changes(before, report, out if stdout_format == "text" else err)
    write_reports(report, targets, err)
    if report.interrupted:
        console.complain("interrupted: the report holds what was known by then")
        return console.EXIT_INTERRUPTED
    return report.verdict.exit_code


def _earlier(path: Path | None) -> dict[str, Any] | None:
    """The report to compare with, read before anything runs.

    Raises:
        UsageError: it is none.
    """
    if path is None:
        return None
    from audio_encoder_checker.render.comparison import read_report

    return read_report(path)


def _mended(submission: Path, wishes: dict[str, Any], err: Any) -> Path:
    """What to check: with --fix the mended submission, if there was something to mend and the user agreed.

    Raises:
        UsageError: --yes stands alone, or the mended submission cannot be written.
    """
    if not wishes["fix"]:
        if wishes["yes"]:
            raise UsageError("--yes answers what --fix asks", "add --fix")
        return submission
    from audio_encoder_checker.cli.mend import offer
    from audio_encoder_checker.packing.mending.plan import Wishes

    wanted = Wishes(encoder=wishes["encoder"], isolated=wishes["isolated"], profile=wishes["profile"])
    return offer(submission, wanted, yes=wishes["yes"], err=err)


def _options(submission: Path, wishes: dict[str, Any]) -> Any:
    """The pipeline's options from the command line's words.

    Raises:
        UsageError: options exclude one another, or a check is unknown.
    """
    from audio_encoder_checker.pipeline import Options
    from audio_encoder_checker.stages.plan import Wishes

    stages = _stages(wishes["stages"], wishes["until"], wishes["no_eval"])
    if wishes["paper"] and "rules" not in stages:
        raise UsageError("--paper is read in the stage `rules`, which was left out", "add `--stage rules`")
    if wishes["receipt"] is not None and "rules" not in stages:
        raise UsageError("--verify-receipt is judged in the stage `rules`, which was left out", "add `--stage rules`")
    ignored = dict.fromkeys(console.words(wishes["ignore"]), "on the command line")
    return Options(
        encoder=wishes["encoder"],
        stages=stages,
        profile=wishes["profile"],
        machine=wishes["budget"],
        paper=wishes["paper"],
        receipt=_receipt(submission, wishes),
        box=wishes["box"],
        trust=wishes["trust"],
        device=wishes["device"],
        timeout_s=wishes["timeout"],
        seed=wishes["seed"],
        select=console.words(wishes["select"]),
        ignore=ignored,
        installing=_installing(wishes),
        network=not wishes["no_network"],
        hub_cache=wishes["hub_cache"],
        evaluation=Wishes(
            data=_data(wishes["data"]),
            tasks=console.words(wishes["tasks"]),
            mini=wishes["mini"],
            corrected=wishes["corrected"],
            keep=not wishes["no_cache"],
        ),
        isolated=wishes["isolated"],
        strict=wishes["strict"],
    )


def _data(text: str | None) -> Path | None:
    """The folder of shards; what an address holds is copied to this machine first.

    Raises:
        CheckerError: the address cannot be read, or holds something else than it says.
    """
    if not text:
        return None
    from audio_encoder_checker.datasets.remote import is_address, local_copy

    return local_copy(text) if is_address(text) else Path(text)


def _receipt(submission: Path, wishes: dict[str, Any]) -> Any:
    """The receipt beside the ZIP, or the one that was named; None where it was not asked for.

    Raises:
        UsageError: the submission is no file.
    """
    if wishes["receipt"] is None:
        return None
    if not submission.is_file():
        raise UsageError(f"--verify-receipt: {submission} is no ZIP", "name the ZIP that the receipt was written for")
    from audio_encoder_checker.packing.receipt import read_receipt, receipt_beside

    path = receipt_beside(submission) if wishes["receipt"] == console.BESIDE else Path(wishes["receipt"])
    return read_receipt(path, submission, wishes["paper"])


def _installing(wishes: dict[str, Any]) -> Any:
    from audio_encoder_checker.stages.options import Installing

    asked = wishes["strict"] if wishes["install"] is None else wishes["install"]
    for name in ("constraint", "allow_source"):
        if wishes[name] and not asked:
            option = name.replace("_", "-")
            raise UsageError(f"--{option} has an effect only with --install", "add --install")
    return Installing(asked, wishes["constraint"], wishes["allow_source"])


def _stages(chosen: tuple[str, ...], until: str | None, no_eval: bool) -> tuple[str, ...]:
    if sum((bool(chosen), until is not None, no_eval)) > 1:
        raise UsageError("--stage, --until and --no-eval exclude one another", "use one of them")
    last = until or ("budget" if no_eval else STAGE_NAMES[-1])
    through = STAGE_NAMES[: STAGE_NAMES.index(last) + 1]
    return tuple(stage for stage in STAGE_NAMES if stage in (chosen or through))
