"""
The sheet that all pages share: one file, no script, nothing from any network.

The content security policy of the page allows its own style sheet by its hash and nothing else,
so even a text that had become markup could load and run nothing.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import pathlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pushctl import __version__
from pushctl.view.html_report.markup import Child, Markup, element, joined, raw

_STYLE_FILE = pathlib.Path(__file__).with_name("style.css")

ACCEPTED_MEANS = (
    "Received push means accepted by the service: neither Apple nor Google tells a sender whether"
    " a device showed it."
)


class Column(NamedTuple):
    """One column of a table."""

    title: str
    number: bool = False
    """Whether it holds numbers: they stand at the right."""
    kind: str = ""
    """A class for its cells."""


def page(
    *,
    kicker: str,
    headline: str,
    under: Sequence[Child],
    sections: Child,
    colophon: Sequence[Child],
) -> str:
    """Return a whole HTML document.  Texts may be foreign; they are escaped."""
    style, digest = _style()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element("meta", name="generator", content=f"pushctl {__version__}"),
        element("title", f"{headline} – {kicker}"),
        element("link", rel="icon", href="data:,"),
        element("style", raw(style)),
    )
    masthead = element(
        "header",
        element("p", kicker, class_="kicker"),
        element("h1", headline),
        *(element("p", line) for line in under if line),
        class_="masthead",
    )
    footer = element(
        "footer", *(element("p", line) for line in colophon if line), class_="colophon"
    )
    body = element("body", masthead, element("main", sections), footer)
    return joined(raw("<!doctype html>\n"), element("html", head, body, lang="en"), raw("\n"))


def section(title: str, *children: Child, note: Child = None) -> Markup:
    """Return a section with its *title* and a *note* beside or under it."""
    name = "s-" + "".join(letter if letter.isalnum() else "-" for letter in title.lower())
    return element(
        "section",
        element("header", element("h2", title, id=name), element("p", note) if note else None),
        element("div", *children, class_="body"),
        aria_labelledby=name,
    )


def figures(rows: Iterable[tuple[str, str, str, Child]]) -> Markup:
    """Return large numbers side by side: (tone, name, number, what to know about it)."""
    return element(
        "dl",
        (
            element(
                "div",
                element("dt", element("span", class_=f"dot {tone}"), name),
                element("dd", number, class_="number"),
                element("dd", note, class_="note") if note else None,
            )
            for tone, name, number, note in rows
        ),
        class_="figures",
    )


def table(columns: Sequence[Column], rows: Sequence[Sequence[Child]], *, caption: str) -> Markup:
    """
    Return a table whose first column heads its rows; on a phone each row becomes a block.

    The roles are spelt out because a browser drops those of a table that is laid out otherwise.
    """

    def cell(column: Column, value: Child, first: bool) -> Markup:
        words = [word for word in ("num" if column.number else "", column.kind) if word]
        kind = " ".join(words) or None
        if first:
            return element("th", value, scope="row", role="rowheader", class_=kind)
        return element("td", value, role="cell", class_=kind, data_label=column.title)

    head = (
        element("th", c.title, scope="col", role="columnheader", class_="num" if c.number else None)
        for c in columns
    )
    body = (
        element(
            "tr",
            (cell(c, v, i == 0) for i, (c, v) in enumerate(zip(columns, row, strict=True))),
            role="row",
        )
        for row in rows
    )
    return element(
        "table",
        element("thead", element("tr", head, role="row"), role="rowgroup"),
        element("tbody", body, role="rowgroup"),
        class_="stack",
        role="table",
        aria_label=caption,
    )


def numbers_behind(summary: str, content: Markup) -> Markup:
    """Return *content*, the table behind a chart, folded away under *summary*."""
    return element("details", element("summary", summary), element("div", content, class_="scroll"))


@functools.cache
def _style() -> tuple[str, str]:
    """Return the style sheet and its SHA-256 for the policy."""
    lines = (line.strip() for line in _STYLE_FILE.read_text(encoding="utf-8").splitlines())
    text = "\n".join(line for line in lines if line)
    digest = hashlib.sha256(text.encode()).digest()
    return text, base64.b64encode(digest).decode()
