"""The report for a terminal: verdict first, then what to fix first, then what was measured."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from rich.padding import Padding  # noqa: TID253 - only a run that has something to show imports this module
from rich.table import Table  # noqa: TID253 - same
from rich.text import Text  # noqa: TID253 - same

from audio_encoder_checker.evidence.contract import EncodeTraces, HopFit
from audio_encoder_checker.evidence.load import EncoderFacts
from audio_encoder_checker.evidence.run import Isolation, Usage
from audio_encoder_checker.evidence.submission import Submission
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.printable import size_words
from audio_encoder_checker.render import budget_text, contract_text, files, installing, network, scores_text
from audio_encoder_checker.render.card import card
from audio_encoder_checker.render.places import counts_in_words, families_of, ids_in_words, open_by_reason
from audio_encoder_checker.report import Report, Verdict

if TYPE_CHECKING:
    from rich.console import Console

IN_FULL = 5
"""So many findings are explained; the rest get a line each."""
STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
VERDICT_STYLES = {
    Verdict.READY: "bold green",
    Verdict.NOT_READY: "bold red",
    Verdict.UNDECIDED: "bold yellow",
}


def render(report: Report, console: Console) -> None:
    """Print the whole report."""
    _verdict(report, console)
    _findings(report, console)
    card(files.rows(report.evidence), console)
    _encoder(report, console)
    contract_text.survival(report, console)
    contract_text.figures(report, console)
    card(network.rows(report.evidence), console)
    budget_text.budget(report, console)
    scores_text.scores(report, console)
    _skipped(report, console)
    _box(report, console)


def close(report: Report, console: Console) -> None:
    """Say the verdict once more, and what is to be mended first, where the report is longer than the screen."""
    console.print(_verdict_line(report))
    roots = [finding for finding, _ in families_of(report.findings) if finding.severity is Severity.ERROR]
    for finding in roots[:IN_FULL]:
        console.print(Text("  ").append_text(_headline(finding)))


def _verdict_line(report: Report) -> Text:
    line = Text(report.verdict.words, style=VERDICT_STYLES[report.verdict])
    line.append(f"  {report.path}  ", style="not bold default")
    return line.append(" · ".join(counts_in_words(report)), style="not bold dim")


def _verdict(report: Report, console: Console) -> None:
    console.print(_verdict_line(report))
    submission = report.evidence.get(Submission)
    facts = [f"profile {report.profile}", f"stages {', '.join(report.stages)}"]
    if submission:
        digest = f"sha256 {submission.sha256[:16]}… · " if submission.sha256 else ""
        facts.insert(0, f"{digest}{size_words(submission.size_bytes)}")
    console.print(Text(" · ".join(facts), style="dim"))
    console.print()


def _findings(report: Report, console: Console) -> None:
    families = families_of(report.findings)
    said: set[str] = set()
    for finding, consequences in families[:IN_FULL]:
        _in_full(finding, consequences, said, console)
    for finding, consequences in families[IN_FULL:]:
        console.print(_headline(finding).append(f"  {finding.message}", style="not bold default"))
        if consequences:
            console.print(Padding(_grid(_so(consequences)), (0, 0, 0, 2), expand=False))
    if families[IN_FULL:]:
        console.print()


def _headline(finding: Finding) -> Text:
    line = Text(f"{finding.severity.value} {finding.id}", style=STYLES[finding.severity])
    line.append(f" {finding.name}", style="bold default")
    if finding.at:
        line.append(f"  {finding.at}", style="not bold cyan")
    return line


def _in_full(finding: Finding, consequences: list[Finding], said: set[str], console: Console) -> None:
    """Explain a finding; a reason or a remedy that was `said` of the same check before is not repeated."""
    console.print(_headline(finding))
    rows = [("what", Text(finding.message)), *(("", line) for line in _excerpt(finding))]
    for label, words, style in (("why", finding.why, ""), ("fix", finding.hint, "green")):
        known = f"{finding.id} {words}"
        rows += [] if known in said else [(label, Text(words, style=style))]
        said.add(known)
    rows += _so(consequences)
    console.print(Padding(_grid(rows), (0, 0, 1, 2), expand=False))


def _excerpt(finding: Finding) -> list[Text]:
    """The lines of source, numbered, without the indentation they share."""
    if not finding.excerpt:
        return []
    texts = dedent("\n".join(one.text for one in finding.excerpt)).split("\n")
    width = len(str(finding.excerpt[-1].line))
    return [
        Text(
            f"{'>' if one.line == finding.line else ' '} {one.line:{width}}  {text}".rstrip(),
            style="dim",
            no_wrap=True,
            overflow="ellipsis",
        )
        for one, text in zip(finding.excerpt, texts, strict=True)
    ]


def _so(consequences: list[Finding]) -> list[tuple[str, Text]]:
    """A line for each finding that will go, or can be judged, once the one above is mended."""
    return [("so", Text(f"{one.id} {one.name}  {one.message}", style="dim")) for one in consequences]


def _grid(rows: list[tuple[str, Text]]) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", min_width=4)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(Text(label), text)
    return grid


def _encoder(report: Report, console: Console) -> None:
    encoder = report.evidence.get(EncoderFacts)
    if encoder is None:
        return
    hop, usage = report.evidence.get(HopFit), report.evidence.get(Usage)
    declared = {a.name: a.text for a in encoder.attributes}
    hop_ms = encoder.number("hop_size_in_ms")
    hop_text = f"hop {declared.get('hop_size_in_ms', '?') if hop_ms is None else f'{hop_ms:.5g}'} ms"
    if hop and hop.measured_ms:
        hop_text += f" (measured {hop.plain_ms:.5g})"
    size = f"{encoder.parameters:,} parameters, {size_words(encoder.weight_bytes)}"
    rows = [
        ("encoder", f"{encoder.class_name} in {encoder.file}"),
        (
            "declares",
            f"{declared.get('sampling_rate', '?')} Hz · {declared.get('output_dim', '?')} features · {hop_text}",
        ),
        ("weights", f"{size}, loaded in {encoder.load_seconds:.1f} s"),
    ]
    if usage:
        share = f"{usage.peak_memory_bytes / 2**30:.2f} of {usage.memory_limit_bytes / 2**30:.4g} GiB"
        rows.append(("memory", f"peak RAM {share} on {usage.device}"))
    traces = report.evidence.get(EncodeTraces)
    if traces:
        good = sum(bool(trace.frames) for trace in traces.traces)
        rows.append(("calls", f"{good} of {len(traces.traces)} gave frames{_range(traces)}"))
    card(rows, console)


def _range(traces: EncodeTraces) -> str:
    good = [trace for trace in traces.traces if trace.frames]
    if not good:
        return ""
    lengths, batches = [t.seconds for t in good], [t.batch for t in good]
    return f": {min(lengths):g} to {max(lengths):g} s, batches of {min(batches)} to {max(batches)}"


def _skipped(report: Report, console: Console) -> None:
    rows = [("not judged", f"{ids_in_words(ids)}: {reason}") for reason, ids in open_by_reason(report).items()]
    card(rows, console)


def _box(report: Report, console: Console) -> None:
    isolation = report.evidence.get(Isolation)
    if isolation is None:
        return
    held = sum(probe.shut for probe in isolation.probes)
    tested = f", {held} of {len(isolation.probes)} ways out tried and shut" if isolation.probes else ""
    rows = [
        ("box", f"{isolation.tier}, {isolation.mechanisms[0]}, network {isolation.network}{tested}"),
        ("memory", isolation.memory),
        *installing.rows(report.evidence),
        ("gaps", "; ".join(isolation.unprotected)),
    ]
    if isolation.why_not_stronger:
        rows.append(("because", isolation.why_not_stronger))
    card(rows, console, last=not isolation.remedy)
    if isolation.remedy:  # a command stays in one line, to be pasted
        console.print(Text("stronger  ", style="dim").append(isolation.remedy, style="not dim"), soft_wrap=True)
        console.print()
