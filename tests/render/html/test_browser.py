"""The HTML report in a real browser."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from audio_encoder_checker.findings import Severity
from audio_encoder_checker.render.html import page as html
from tests.render.html.browser import CHROMIUM, COLOURS, browser
from tests.render.reports import finding, full_report, poor_report
from tests.render.test_formats import hostile

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from audio_encoder_checker.report import Report

__all__ = ["browser"]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: sudo apt-get install chromium")


class Opened:
    """A report in the browser, with all that the console said and all that was asked of others."""

    def __init__(self, browser: Browser, report: Report, folder: Path, **wishes: object) -> None:
        file = folder / "report.html"
        file.write_text(html.render(report), encoding="utf-8")
        context = browser.new_context(**wishes)  # type: ignore[arg-type]  # what Playwright takes is given by name
        self.page: Page = context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())

    def findings(self) -> list[str]:
        return [one.get_attribute("data-severity") or "" for one in self.page.locator(".finding:visible").all()]


def mixed() -> Report:
    stages = ("contract", "load", "contract")
    severities = (Severity.ERROR, Severity.WARNING, Severity.NOTE)
    found = (replace(finding(severity), stage=stage) for severity, stage in zip(severities, stages, strict=True))
    return full_report(tuple(found))


REPORTS = {"full": full_report(), "poor": poor_report(), "hostile": hostile(), "mixed": mixed()}


@pytest.mark.parametrize("name", REPORTS)
def test_axe_finds_no_barrier_and_the_console_is_silent(name: str, browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, REPORTS[name], tmp_path, color_scheme="light")
    page = opened.page
    assert opened.said == []
    assert len(opened.asked) == 1, "the page itself: nothing is asked of anybody"
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.emulate_media(color_scheme="dark")
    found = Axe().run(page, options=COLOURS)
    assert found.violations_count == 0, found.generate_report()


def test_nothing_sticks_out_sideways(browser: Browser, tmp_path: Path) -> None:
    page = Opened(browser, REPORTS["hostile"], tmp_path, viewport={"width": 360, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 1100, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 1100


def test_filters_by_severity_and_stage(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, mixed(), tmp_path)
    assert opened.findings() == ["error", "warning", "note"]
    opened.page.get_by_label("errors (1)").uncheck()
    assert opened.findings() == ["warning", "note"]
    assert opened.page.get_by_role("status").text_content() == "2 of 3 findings shown"
    opened.page.get_by_label("load", exact=True).uncheck()
    assert opened.findings() == ["note"]
    opened.page.get_by_label("errors (1)").check()
    assert opened.findings() == ["error", "note"]


def test_the_keyboard_reaches_findings_and_folds_them(browser: Browser, tmp_path: Path) -> None:
    page = Opened(browser, mixed(), tmp_path).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "to the findings"
    page.keyboard.press("Enter")
    first = page.locator(".finding").first
    for _ in range(20):
        page.keyboard.press("Tab")
        if first.locator("summary").first.evaluate("one => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    assert first.get_attribute("open") is None


def test_the_fix_is_copied_or_marked(browser: Browser, tmp_path: Path) -> None:
    page = Opened(browser, mixed(), tmp_path, permissions=["clipboard-read", "clipboard-write"]).page
    button = page.locator(".finding .copy").first
    button.click()
    page.wait_for_function("document.querySelector('.finding .copy').textContent !== 'copy'")
    assert button.text_content() in {"copied", "marked"}


def test_paper_shows_everything_and_no_buttons(browser: Browser, tmp_path: Path) -> None:
    page = Opened(browser, mixed(), tmp_path).page
    page.get_by_label("errors (1)").uncheck()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator(".finding:visible").count() == 3, "filters are for the screen"
    assert page.locator("button:visible").count() == 0
    assert page.pdf()[:5] == b"%PDF-"


def test_without_scripts_everything_is_there(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, mixed(), tmp_path, java_script_enabled=False)
    assert opened.findings() == ["error", "warning", "note"]
    assert opened.page.locator(".filters:visible, button:visible").count() == 0
