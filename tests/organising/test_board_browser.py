"""The board of 500 submissions in a real browser."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from audio_encoder_checker.organising.board import write_board
from audio_encoder_checker.organising.results import Results
from tests.organising.literals import cause, record, summary, task
from tests.render.html.browser import CHROMIUM, COLOURS, browser

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

__all__ = ["browser"]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: sudo apt-get install chromium")
COUNT = 500
TASKS = [f"task-{n:02}" for n in range(30)]
CAUSES = [cause("AEC301", "undeclared-import"), cause("AEC503", "zero-frames"), cause("AEC701", "gpu-memory")]


def many(count: int = COUNT) -> list[dict[str, Any]]:
    draw = random.Random(5)  # noqa: S311 - made-up scores
    records = []
    for number in range(count):
        kind = draw.choice(["ready", "ready", "ready", "not-ready", "unjudged"])
        skill = draw.random() * 0.5
        scores = {name: task(0.3 + skill + draw.random() * 0.1) for name in TASKS}
        track = {"average": 0.5, "tasks": scores}
        own = {
            "ready": summary(scores, track_b=track),
            "not-ready": summary(errors=1, causes=[draw.choice(CAUSES)]),
            "unjudged": None,
        }[kind]
        records.append(record(number, kind, summary=own, reason="the worker was lost" if own is None else ""))
    return records


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board")
    with Results(folder) as results:
        write_board(results, many())
    return folder / "index.html"


def opened(browser: Browser, board: Path) -> tuple[Page, list[str]]:
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url))
    page.goto(board.as_uri())
    return page, said


def column(page: Page, number: int) -> list[str]:
    script = f"rows => rows.map(row => row.cells[{number}].textContent.trim())"
    found: list[str] = page.locator("#submissions tbody tr:visible").evaluate_all(script)
    return found


def test_five_hundred_rows_in_silence_are_sorted_and_searched(browser: Browser, board: Path) -> None:
    page, said = opened(browser, board)
    assert len(said) == 1, "the page itself"
    assert len(column(page, 0)) == COUNT
    assert board.stat().st_size < 3_000_000
    clicks_sort_numbers_as_numbers_and_empty_cells_last(page)
    places_are_sorted_by_place_and_shown_as_ranges(page)
    search_and_verdicts_narrow_the_rows(page)
    assert len(said) == 1


def clicks_sort_numbers_as_numbers_and_empty_cells_last(page: Page) -> None:
    for up in (True, False):
        page.locator("#submissions thead").get_by_role("button", name="track A", exact=True).click()
        shown = column(page, 5)
        known = [float(one) for one in shown if one]
        assert known == sorted(known, reverse=not up)
        assert shown[len(known) :] == [""] * (COUNT - len(known))
    assert page.locator("#submissions th[aria-sort=descending]").count() == 1


def places_are_sorted_by_place_and_shown_as_ranges(page: Page) -> None:
    page.locator("#submissions thead").get_by_role("button", name="place A").click()
    first = column(page, 6)[0]
    assert first.split(" to ")[0] == "1"


def search_and_verdicts_narrow_the_rows(page: Page) -> None:
    page.get_by_label("Search").fill("zero-frames")
    found = column(page, 4)
    assert found
    assert set(found) == {"AEC503 zero-frames"}
    assert page.get_by_role("status").text_content() == f"{len(found)} of {COUNT} submissions shown"
    page.get_by_label("Search").fill("")
    for verdict in ("ready", "not ready", "undecided"):
        page.locator(f"input[data-verdict={verdict.replace(' ', '-')}]").uncheck()
    assert set(column(page, 1)) == {"unjudged"}


def test_axe_finds_no_barrier(browser: Browser, tmp_path: Path) -> None:
    with Results(tmp_path) as results:
        write_board(results, many(20))
    page, _ = opened(browser, tmp_path / "index.html")
    page.emulate_media(color_scheme="light")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.emulate_media(color_scheme="dark")
    found = Axe().run(page, options=COLOURS)
    assert found.violations_count == 0, found.generate_report()
