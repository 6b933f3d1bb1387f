"""A draft message to a team: what was found in its submission, and what mends it."""

from __future__ import annotations

import shlex
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WIDTH = 78
FIRST_WORDS = {
    "ready": "nothing was found in {name} that would be refused or break.",
    "not-ready": "{name} cannot be evaluated as it is. What has to be mended:",
    "undecided": "{name} could not be judged in every respect on our machine.",
    "unjudged": "{name} could not be judged on our machine: {reason}. There is nothing to do for you: we try again.",
}
SEVERITIES = {"error": "To be mended", "warning": "Worth mending", "note": "For your information"}


def letter(name: str, record: Mapping[str, Any], report: Mapping[str, Any] | None) -> str:
    """The draft, as plain text of 78 columns.

    Args:
        name: of the file that the team sent.
        record: of the submission.
        report: as JSON data; None if there is none.
    """
    lines = [f"Subject: {name}: {record['verdict'].replace('-', ' ').upper()}", "", "Dear team,", ""]
    lines += textwrap.wrap(FIRST_WORDS[record["verdict"]].format(name=name, reason=record["reason"]), WIDTH)
    for severity, title in SEVERITIES.items():
        found = [one for one in (report or {"findings": ()})["findings"] if one["severity"] == severity]
        own = [one for one in found if not one["because_of"]]
        if own:
            lines += ["", title, "-" * len(title)]
        for number, one in enumerate(own, 1):
            lines += ["", *_finding(number, one)]
    lines += ["", f"SHA-256 of the file: {record['submission']['sha256']}"]
    tool, profile = record["tool"], record["profile"]
    lines += [f"Checked by {tool['name']} {tool['version']}, rule book {profile['name']}. The same check at your side:"]
    return "\n".join([*lines, "", f"    aecc-check {shlex.quote(name)}", ""])


def _finding(number: int, one: Mapping[str, Any]) -> Iterator[str]:
    at = f" ({one['at']})" if one["at"] else ""
    yield from _wrapped(f"{number}. ", f"{one['message']}{at}  [{one['id']} {one['name']}]")
    yield from _wrapped("   Why: ", one["why"])
    yield from _wrapped("   Fix: ", one["hint"])


def _wrapped(head: str, text: str) -> list[str]:
    """No word is broken: a path or an option can be pasted."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent="   ", break_long_words=False, break_on_hyphens=False
    )
