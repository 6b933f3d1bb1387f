"""A draft message to a team: what was found in its submission, and what mends it."""

from __future__ import annotations

import shlex
import textwrap
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.organising.records import IGNORED, open_reasons
from audio_encoder_checker.render.places import ids_in_words
from audio_encoder_checker.report import grave_severities

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WIDTH = 78
ALIKE = 5
"""So many findings of one check are told, with one reason and one remedy."""
FIRST_WORDS = {
    "ready": "Nothing was found in {name} that would be refused or break.{more}",
    "not-ready": "{name} cannot be evaluated as it is.",
    "undecided": "{name} could not be judged in every respect.{more}",
    "unjudged": "{name} could not be judged on our machine: {reason}. There is nothing to do for you: we try again.",
}
DESPITE = " What is worth mending below does not change that."
ASKED = " Please send it again without the settings that leave these checks out."
NOT_YOURS = " That lies with our machine; there is nothing to do for you about it."
OURS = ("--jobs", "--hub-cache", "--device", "--box", "--trust", "--timeout", "--no-cache", "--constraint")
"""Options that speak of the organisers' machine: a team needs none of them for the same check."""


def letter(name: str, record: Mapping[str, Any], report: Mapping[str, Any] | None) -> str:
    """The draft, as plain text of 78 columns.

    Args:
        name: of the file that the team sent.
        record: of the submission.
        report: as JSON data; None if there is none.
    """
    lines = [f"Subject: {name}: {record['verdict'].replace('-', ' ').upper()}", "", "Dear team,", ""]
    groups = _groups(report) if report else {}
    lines += textwrap.wrap(_first_words(name, record, report, groups), WIDTH)
    if report and record["verdict"] == "undecided":
        lines += ["", *_titled("Not judged")]
        for reason, ids in open_reasons(report).items():
            lines += _wrapped("- ", f"{ids_in_words(ids)}: {reason}", "  ")
    for title, found in groups.items():
        lines += ["", *_titled(title)]
        for number, alike in enumerate(_alike(found), 1):
            lines += ["", *_finding(number, alike)]
    lines += ["", f"SHA-256: {record['submission']['sha256']}"]
    tool, profile = record["tool"], record["profile"]
    stages = f", stages {', '.join(report['stages'])}" if report else ""
    by = f"Checked by {tool['name']} {tool['version']}, rule book {profile['name']}{stages}."
    lines += [
        *textwrap.wrap(f"{by} The same check at your side:", WIDTH, break_on_hyphens=False),
        "",
        f"    {_command(name, record['options'])}",
    ]
    return "\n".join([*lines, "", "Kind regards,", "the organisers", ""])


def _first_words(
    name: str, record: Mapping[str, Any], report: Mapping[str, Any] | None, groups: Mapping[str, Any]
) -> str:
    more = ""
    if record["verdict"] == "ready" and "Worth mending" in groups:
        more = DESPITE
    elif report and record["verdict"] == "undecided":
        ignored = any(reason.startswith(IGNORED) for reason in open_reasons(report))
        more = ASKED if ignored and not any(one.startswith("--ignore") for one in record["options"]) else NOT_YOURS
    return FIRST_WORDS[record["verdict"]].format(name=name, reason=record["reason"], more=more)


def _groups(report: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """Findings in their own right, the gravest group first."""
    grave = grave_severities(strict=report["strict"])
    groups: dict[str, list[Mapping[str, Any]]] = {"To be mended": [], "Worth mending": [], "For your information": []}
    for one in report["findings"]:
        if not one["because_of"]:
            slight = "Worth mending" if one["severity"] == "warning" else "For your information"
            groups["To be mended" if one["severity"] in grave else slight].append(one)
    return {title: found for title, found in groups.items() if found}


def _alike(found: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Findings of the same check with the same remedy are told together."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in found:
        groups.setdefault((one["id"], one["hint"]), []).append(one)
    return list(groups.values())


def _titled(title: str) -> list[str]:
    return [title, "-" * len(title)]


def _finding(number: int, alike: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    head, name = f"{number}. ", f"  [{alike[0]['id']} {alike[0]['name']}]"
    for one in alike[:ALIKE]:
        at = f" ({one['at']})" if one["at"] and one["at"] not in one["message"] else ""
        yield from _wrapped(head, f"{one['message']}{at}{name}")
        head, name = "   also: ", ""
    if len(alike) > ALIKE:
        yield f"   and {len(alike) - ALIKE} more"
    yield from _wrapped("   Why: ", alike[0]["why"])
    yield from _wrapped("   Fix: ", alike[0]["hint"])


def _wrapped(head: str, text: str, indent: str = "   ") -> list[str]:
    """A command is never broken, so that it can be pasted."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _command(name: str, options: Sequence[str]) -> str:
    """The same check on the team's machine; files of ours go by their names, and data lie elsewhere there."""
    words = []
    for option in options:
        key, equals, value = option.partition("=")
        if key not in OURS:
            own = "DIR" if key == "--data" else PurePath(value).name
            words.append(f"{key}{equals}{shlex.quote(own) if own else ''}")
    file = f"./{name}" if name.startswith("-") else name  # else it would be taken for an option
    return " ".join(["aecc-check", *words, shlex.quote(file)])
