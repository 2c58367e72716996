"""Reasons on a page: how many, what each means, what to do, what becomes of the tokens."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from pushctl.outcome import TokenAction
from pushctl.rules.text import shorten_token
from pushctl.view.bounce_words import ACTION_WORDS
from pushctl.view.html_report.charts import bar
from pushctl.view.html_report.markup import Child, Markup, element, joined, prose
from pushctl.view.words import percent

_ADVICE_MAX = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReasonItem:
    """One reason and what is to be said about it."""

    title: str
    origin: str
    """Who answered so, such as ``APNs 410``."""
    count: int
    share: float
    """Of what the list is about, from 0 to 1."""
    meaning: str
    tone: str = "bounced"
    """What colours its bar."""
    advice: Sequence[str] = ()
    facts: Sequence[Child] = ()
    """Short remarks, one after the other."""


def reason_list(items: Sequence[ReasonItem]) -> Markup:
    """Return *items* one under the other; their bars compare them with the first."""
    widest = max((item.share for item in items), default=0) or 1
    return element("ul", (_reason(item, widest) for item in items), class_="reasons")


def _reason(item: ReasonItem, widest: float) -> Markup:
    share = element("span", f" · {percent(item.share, 1)}", class_="muted")
    steps = item.advice[:_ADVICE_MAX]
    return element(
        "li",
        element(
            "div",
            element("h3", item.title, element("span", f" {item.origin}", class_="from")),
            element("p", f"{item.count:,}", share, class_="number"),
            class_="amount",
        ),
        bar(item.share / widest, tone=item.tone),
        element("p", prose(item.meaning), class_="meaning") if item.meaning else None,
        element("ul", (element("li", prose(step)) for step in steps)) if steps else None,
        element("p", (element("span", fact) for fact in item.facts), class_="facts"),
    )


def token_fact(action: TokenAction, number: int | None) -> Markup:
    """Return what to do with the tokens, *number* of them (``None``: all)."""
    many = "" if number is None else f"; {number:,} of them"
    return joined("Token: ", element("b", action.value), f" ({ACTION_WORDS[action]}{many})")


def samples_fact(tokens: Sequence[str]) -> Markup:
    """Return *tokens* as examples, shortened."""
    shown = ", ".join(shorten_token(token) for token in tokens)
    return joined("Such as ", element("span", shown, class_="mono"))
