"""The pages in a real browser: they fit phones and desks, complain of nothing, ask no network."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.chromium import Tab, browser
from pushctl.outcome import Kind
from pushctl.records.record import FIELDS
from pushctl.report.values import Report
from pushctl.view.html_report import bounce_page, receipt_page
from pushctl.view.receipt import receipt_of
from view import report_kit

MADE_AT = datetime.datetime(2026, 11, 25, 8, 0, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    """Return a tab of a browser; the tests are skipped where there is none."""
    with browser() as running:
        yield running.tab()


def receipt(text: str) -> str:
    """Return the receipt of a run in which whatever is foreign is *text*."""
    common = {"service": "apns", "credential": "shop-ios", "attempts": 1, "source": text}
    rejected = {"status": 410, "reason": "Unregistered", "token_action": "remove"}
    records = [
        dict.fromkeys(FIELDS)
        | common
        | {
            "row": row,
            "outcome": "rejected" if row % 5 == 0 else "accepted",
            "time": f"2026-11-25T07:00:{row % 60:02d}.000Z",
            "profile": text,
            "campaign": text,
            "token": f"9f3a{row:060x}",
            "token_action": "keep",
            "retryable": "no",
            "latency_ms": 20 + row,
            "detail": text,
        }
        | (rejected if row % 5 == 0 else {})
        for row in range(1, 201)
    ]
    summary: dict[str, Any] = {
        "run": "20261125-070000-abcde",
        "started": "2026-11-25T07:00:00Z",
        "campaign": text,
        "state": "finished",
        "inputs": 200,
        "left": 0,
        "totals": dict.fromkeys(Kind, 0) | {Kind.ACCEPTED: 160, Kind.REJECTED: 40},
    }
    manifest = {
        "credentials": {"shop-ios": {"service": "apns", "topic": text}},
        "message": {"title": text, "body": text},
        "consent": text,
    }
    return receipt_page(receipt_of(summary, manifest, records), MADE_AT)


def report(made: Callable[[], Report]) -> str:
    """Return the page of a bounce report."""
    return bounce_page(made())


PAGES: dict[str, Callable[[], str]] = {
    "report": lambda: report(report_kit.shop),
    "empty report": lambda: report(report_kit.empty),
    "hostile report": lambda: report(report_kit.hostile),
    "receipt": lambda: receipt("spring sale"),
    "hostile receipt": lambda: receipt(report_kit.HOSTILE),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1200])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_renders(tab: Tab, tmp_path: Path, name: str, width: int, scheme: str) -> None:
    """It has a heading and charts, nothing on the console, no request, and no sideways overflow."""
    file = tmp_path / "page.html"
    file.write_text(PAGES[name](), encoding="utf-8")
    tab.size(width, scheme=scheme)

    tab.open(file.as_uri())

    assert [] == tab.problems
    asked = [address for address in tab.requests if not address.startswith("data:")]
    assert [file.as_uri()] == asked
    assert tab.evaluate("document.querySelector('h1').getBoundingClientRect().height > 0")
    assert width == tab.evaluate("innerWidth")
    assert width >= tab.evaluate("document.documentElement.scrollWidth")
    is_dark = tab.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g)"
        ".every(part => Number(part) < 128)"
    )
    assert (scheme == "dark") == is_dark
    if "hostile" not in name and "empty" not in name:
        assert 0 < tab.evaluate("document.querySelectorAll('svg').length")


@pytest.mark.parametrize("name", ["hostile report", "hostile receipt"])
def test_hostile_text_stays_text(tab: Tab, tmp_path: Path, name: str) -> None:
    """The parsed page has no script, no image and no handler, and shows the text as it is."""
    file = tmp_path / "page.html"
    file.write_text(PAGES[name](), encoding="utf-8")

    tab.open(file.as_uri())

    assert 0 == tab.evaluate("document.querySelectorAll('script, img').length")
    assert 0 == tab.evaluate("document.querySelectorAll('[onload], [onerror]').length")
    assert tab.evaluate("document.body.textContent.includes('<script>alert(1)</script>')")
