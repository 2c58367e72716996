"""The bounce report as table, json, csv, Markdown and page, of a shop and of hostile text."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from syrupy.assertion import SnapshotAssertion

from pushctl.report.values import Dimension, Report
from pushctl.view.bounce_markdown import escaped
from pushctl.view.bounce_report import show_report
from pushctl.view.terminal import Terminal
from view.report_kit import HOSTILE, empty, hostile, shop


def shown(report: Report, output: str, **terminal: object) -> tuple[str, str]:
    """Return what stdout and stderr get to see of *report*."""
    out, err = io.StringIO(), io.StringIO()
    show_report(report, Terminal(out, err, **terminal), output)  # type: ignore[arg-type]
    return out.getvalue(), err.getvalue()


def by_token_groups(number: int) -> Report:
    """Return a report with *number* groups."""
    group = dataclasses.replace(shop().groups[0], meaning=None)
    groups = tuple(dataclasses.replace(group, keys=(f"run-{i:03d}",)) for i in range(number))
    return shop(by=(Dimension.RUN,), groups=groups)


# -- table ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_its_terminal(snapshot: SnapshotAssertion, columns: int) -> None:
    """The whole screen is as wide as the terminal at most; what is odd about logs is on stderr."""
    out, err = shown(shop(), "table", out_is_tty=True, width=columns)

    assert columns >= max(map(len, out.splitlines()))
    assert snapshot == out
    assert "bounces.jsonl:10533" in err


def test_the_table_of_nothing(snapshot: SnapshotAssertion) -> None:
    """A log that says nothing makes a short report, and no bar or division by nothing."""
    assert snapshot == shown(empty(), "table", out_is_tty=True, width=80)[0]


def test_a_terminal_without_unicode_gets_ascii() -> None:
    """Bars, dashes and dots have a spelling in ASCII."""
    assert shown(shop(), "table", unicode=False)[0].isascii()


def test_a_long_table_is_cut_unless_verbose() -> None:
    """It says how many rows it leaves out, and -v leaves out none."""
    report = by_token_groups(53)

    cut, whole = (shown(report, "table", verbose=level)[0] for level in (0, 1))

    assert "3 rows more; -v shows all" in cut
    assert (False, True) == ("run-052" in cut, "run-052" in whole)
    assert "-v shows all" not in whole


@pytest.mark.parametrize("output", ["table", "csv", "markdown", "html"])
def test_no_control_or_bidi_character_comes_through(output: str) -> None:
    """Text from outside cannot move the cursor, hide itself or turn the line around."""
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", shown(hostile(), output)[0])


# -- csv ------------------------------------------------------------------------------------------


def test_csv_has_a_row_for_each_group() -> None:
    """The numbers are plain, times RFC 3339, and the tokens whole."""
    rows = list(csv.DictReader(io.StringIO(shown(shop(), "csv")[0])))

    assert [group.keys[0] for group in shop().groups] == [row["reason"] for row in rows]
    assert [str(group.count) for group in shop().groups] == [row["count"] for row in rows]
    assert "2026-10-28T09:14:12.000Z" == rows[0]["first_seen"]
    assert shop().groups[0].samples == (rows[0]["sample_1"], rows[0]["sample_2"])


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_the_csv_is_a_formula(start: str) -> None:
    """A reason, a token or a meaning that begins like a formula gets a mark in front."""
    group = dataclasses.replace(shop().groups[0], keys=(start,), samples=(start + "()",))

    (row,) = csv.DictReader(io.StringIO(shown(shop(groups=(group,)), "csv")[0]))

    for cell in (row["reason"], row["sample_1"]):
        assert not cell.startswith(("=", "+", "-", "@"))


# -- markdown and json ----------------------------------------------------------------------------


def test_markdown(snapshot: SnapshotAssertion) -> None:
    """The report for a ticket has the findings, the metrics by day and the reasons."""
    assert snapshot == shown(shop(), "markdown")[0]


def test_markdown_holds_no_foreign_markup() -> None:
    """To a reader of Markdown hostile text is text: no element, heading, link or column more."""
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")

    def kinds(report: Report) -> set[str]:
        blocks = reader.parse(shown(report, "markdown")[0])
        return {token.type for block in blocks for token in (block, *(block.children or ()))}

    assert not {"html_block", "html_inline", "link_open", "image"} & kinds(hostile())
    titles = [line for line in shown(hostile(), "markdown")[0].splitlines() if line[:1] == "#"]
    assert all("heading" not in title for title in titles)
    tables = [line for line in shown(hostile(), "markdown")[0].splitlines() if line[:1] == "|"]
    assert {6, 7, 9} == {len(re.findall(r"(?<!\\)\|", line)) for line in tables}


@pytest.mark.parametrize("text", ["1.5 %", "1. one", "2) two", "- item", "# title", "+ item", "7"])
def test_markdown_shows_a_text_as_it_is(text: str) -> None:
    """Neither a list nor a heading is made of it, and no backslash is seen."""
    assert f"<p>{text}</p>\n" == MarkdownIt("commonmark").render(escaped(text))


def test_json_says_all() -> None:
    """The document has a schema, the metrics, the meanings and the hours; times are UTC."""
    document = json.loads(shown(shop(), "json")[0])

    assert (1, 45, ["reason"]) == (document["schema"], document["runs"], document["by"])
    assert "2026-11-25T08:00:00.000Z" == document["made_at"]
    assert sum(day["bounced"] for day in document["days"]) == document["metrics"]["bounced"]
    assert "410 Unregistered" == document["groups"][0]["keys"]["reason"]
    assert {"remove": document["groups"][0]["count"]} == document["groups"][0]["token_actions"]
    assert [24] * 7 == [len(hours["counts"]) for hours in document["hours"]]
    assert "bounces.jsonl:10533" == document["notes"][0]["place"]


def test_json_keeps_hostile_text_and_empty_reports() -> None:
    """Foreign text comes back as it was; nothing at all is a document too."""
    document = json.loads(shown(hostile(), "json")[0])

    assert HOSTILE == document["campaigns"][0]["campaign"]
    assert [] == json.loads(shown(empty(), "json")[0])["groups"]


# -- html -----------------------------------------------------------------------------------------


class _Elements(HTMLParser):
    """Notes the elements and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_html_escapes_hostile_text() -> None:
    """No text becomes an element or an attribute of the page."""
    ours = _Elements(shown(shop(), "html")[0])
    page = _Elements(shown(hostile(), "html")[0])

    assert not {"script", "img"} & page.names
    assert not [name for name in page.attributes | ours.attributes if name.startswith("on")]
    assert page.names <= ours.names


def test_html_needs_nothing_else() -> None:
    """The policy forbids whatever is not the page's own style, and no address is named."""
    page = shown(shop(), "html")[0]

    assert "default-src &#x27;none&#x27;" in page
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", page)
