"""The HTML report as a text: complete, closed in itself, and deaf to what a submission says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from audio_encoder_checker.findings import Severity
from audio_encoder_checker.render import to_json
from audio_encoder_checker.render.html import page as html
from tests.render.reports import finding, full_report, poor_report
from tests.render.test_formats import HOSTILE, hostile

VOID = {"meta", "input", "br", "hr", "img", "link"}


class Elements(HTMLParser):
    """All elements with their attributes, and what stands in `<script id="report">`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.embedded = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1] == ("script", {"type": "application/json", "id": "report"}):
            self.embedded += data if self.open[-1] == "script" else ""


REPORTS = {"full": full_report(), "poor": poor_report(), "hostile": hostile()}


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_is_well_formed_and_asks_nobody_for_anything(name: str) -> None:
    text = html.render(REPORTS[name])
    elements = Elements(text)
    assert elements.open == []
    addresses = [attributes.get(key) or "" for _, attributes in elements.found for key in ("src", "href")]
    assert {address for address in addresses if not address.startswith("#")} == {""}
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize("name", REPORTS)
def test_the_report_itself_is_in_its_page(name: str) -> None:
    report = REPORTS[name]
    assert json.loads(Elements(html.render(report)).embedded) == to_json.as_data(report)


@pytest.mark.parametrize("name", REPORTS)
def test_links_within_a_page_lead_somewhere_and_ids_stand_once(name: str) -> None:
    found = Elements(html.render(REPORTS[name])).found
    ids = [attributes["id"] for _, attributes in found if "id" in attributes]
    assert len(ids) == len(set(ids))
    pointed = {attributes["href"] for tag, attributes in found if tag == "a"}
    assert pointed <= {f"#{one}" for one in ids}


def test_hostile_text_makes_no_element_and_turns_nothing_around() -> None:
    text = html.render(hostile())
    tags = [tag for tag, _ in Elements(text).found]
    assert tags.count("script") == 2, "ours: the data and the behaviour"
    assert not [one for one in HOSTILE if one in text.replace("\n", "") and not one.isprintable()]
    assert "\\u202e" in text


def test_only_our_own_script_may_run() -> None:
    text = html.render(hostile())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/=]{44}'", policy)


def many() -> list[Any]:
    return [finding(severity, f"AEC5{n:02}", "x" * 500) for severity in Severity for n in range(99)]


def test_the_first_five_findings_are_unfolded() -> None:
    found = Elements(html.render(full_report(tuple(many())))).found
    findings = [attributes for tag, attributes in found if "finding" in (attributes.get("class") or "").split()]
    assert len(findings) == 3 * 99
    assert ["open" in attributes for attributes in findings] == [True] * 5 + [False] * (3 * 99 - 5)


def test_a_page_stays_under_a_megabyte() -> None:
    report = full_report(tuple(many()))
    assert len(html.render(report).encode()) < 1_000_000
    assert Elements(html.render(report)).embedded
    longer = full_report(tuple(replace(one, message="y" * 4000) for one in many()[:150]))
    text = html.render(longer)
    assert len(text.encode()) < 2_000_000
    assert not Elements(text).embedded
    assert "too long to stand in this page" in text


def test_each_verdict_says_what_to_do() -> None:
    assert "Mend the errors below" in html.render(full_report())
    assert "Not everything that was asked for" in html.render(poor_report())
    assert "Nothing was found" in html.render(full_report(()))
    strict = replace(full_report((finding(Severity.WARNING),)), strict=True)
    assert "Warnings count as errors here" in html.render(strict)
    assert "interrupted" in html.render(replace(full_report(), interrupted=True))


def test_what_was_not_judged_stands_with_its_reason() -> None:
    text = html.render(poor_report())
    assert "no box to run foreign code in" in text
    assert "AEC503 zero-frames, AEC505 batch-size-failure" in text


def test_code_is_set_apart_and_the_longest_is_copied() -> None:
    text = html.render(full_report((replace(finding(), hint="write `x` or `<y> && z`."),)))
    assert "write <code>x</code> or <code>&lt;y&gt; &amp;&amp; z</code>." in text
    assert 'data-copy="&lt;y&gt; &amp;&amp; z"' in text
