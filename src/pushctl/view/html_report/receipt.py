"""The receipt of one run as a page, for people who look rather than read."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence

from pushctl import __version__, catalog
from pushctl.outcome import Kind, TokenAction
from pushctl.records.record import Record
from pushctl.rules.text import shorten_token
from pushctl.view.html_report.charts import Axis, Point, columns, stacked, time_labels
from pushctl.view.html_report.markup import Markup, element, joined
from pushctl.view.html_report.page import (
    ACCEPTED_MEANS,
    Column,
    figures,
    numbers_behind,
    page,
    section,
    table,
)
from pushctl.view.html_report.reasons import ReasonItem, reason_list, samples_fact, token_fact
from pushctl.view.outcomes import ReasonKey, answer_words
from pushctl.view.receipt import Receipt, quantile, sample_key
from pushctl.view.words import SERVICE_NAMES, percent, plural, span

_SLOTS = 48
_REASONS_MAX = 25
_ROWS_OPEN = 25
_KIND_WORDS: Mapping[Kind, tuple[str, str]] = {
    Kind.ACCEPTED: ("accepted", "by the service; whether a device showed it, nobody tells"),
    Kind.REJECTED: ("rejected", "with a reason, or the token was missing or malformed"),
    Kind.UNKNOWN: ("unknown", "sent and never answered: it may have arrived"),
    Kind.NOT_SENT: ("not sent", "provably not taken up by the service"),
    Kind.SKIPPED: ("skipped", "left out by a rule on our side"),
}


def receipt_page(receipt: Receipt, made_at: datetime.datetime) -> str:
    """Return *receipt* as one HTML document that needs nothing else."""
    accepted = receipt.totals[Kind.ACCEPTED]
    sections = joined(
        _endings(receipt),
        _sent(receipt),
        _time(receipt),
        _latency(receipt),
        _reasons(receipt),
        _rows(receipt),
    )
    return page(
        kicker="Receipt of a run",
        headline=f"{accepted:,} of {plural(receipt.inputs, 'push')} accepted by the service",
        under=[_what(receipt), _state(receipt)],
        sections=sections,
        colophon=[
            ACCEPTED_MEANS,
            "Times are UTC.",
            f"Made by pushctl {__version__} at {made_at:%Y-%m-%d %H:%M}.",
        ],
    )


def _what(receipt: Receipt) -> str:
    parts = [f"Run {receipt.run}", f"begun {receipt.started.replace('T', ' ').rstrip('Z')}"]
    if receipt.campaign:
        parts.insert(0, f"Campaign {receipt.campaign}")
    if receipt.answers:
        parts.append(f"answered within {span(max(receipt.answers) - min(receipt.answers) + 1)}")
    return " · ".join(parts)


def _state(receipt: Receipt) -> str | None:
    if receipt.state == "finished":
        return None
    if receipt.state == "running":
        return "The run is still going on; this is how far it has come."
    left = f"{receipt.left:,} of its pushes" if receipt.left else "some of its pushes"
    return f"The run ended early, {left} were not sent: pushctl runs resume {receipt.run}"


def _endings(receipt: Receipt) -> Markup:
    total = sum(receipt.totals.values())
    parts = [
        (
            kind.value,
            float(receipt.totals[kind]),
            f"{_KIND_WORDS[kind][0]}: {receipt.totals[kind]:,}",
        )
        for kind in Kind
    ]
    rows = [
        (
            kind.value,
            _KIND_WORDS[kind][0].title(),
            f"{receipt.totals[kind]:,}",
            _share(receipt, kind),
        )
        for kind in Kind
        if receipt.totals[kind] or kind in (Kind.ACCEPTED, Kind.REJECTED)
    ]
    name = ", ".join(f"{receipt.totals[kind]:,} {_KIND_WORDS[kind][0]}" for kind in Kind)
    return section(
        "How they ended",
        stacked(parts, name=f"Of {total:,} pushes: {name}.") if total else None,
        figures(rows),
        note="Every input ends as exactly one of five.",
    )


def _share(receipt: Receipt, kind: Kind) -> str:
    total = sum(receipt.totals.values())
    return f"{percent(receipt.totals[kind], total)} · {_KIND_WORDS[kind][1]}"


def _sent(receipt: Receipt) -> Markup | None:
    if not receipt.lanes and not receipt.message:
        return None
    message = element(
        "dl",
        (
            element("div", element("dt", name), element("dd", text))
            for name, text in receipt.message
        ),
        class_="message",
    )
    titles = (
        Column("Credential"),
        Column("Service"),
        Column("Topic"),
        Column("Key", kind="full"),
        Column("Accepted", number=True),
        Column("Rejected", number=True),
    )
    rows = [
        (
            lane.credential,
            " ".join((SERVICE_NAMES.get(lane.service or "", "–"), lane.environment or "")),
            lane.topic or "–",
            lane.fingerprint or "–",
            f"{lane.totals.get(Kind.ACCEPTED, 0):,}",
            f"{lane.totals.get(Kind.REJECTED, 0):,}",
        )
        for lane in receipt.lanes
    ]
    return section(
        "What was sent",
        message if receipt.message else None,
        table(titles, rows, caption="Credentials of the run") if rows else None,
        note=f"Consent: {receipt.consent}." if receipt.consent else None,
    )


# -- time -----------------------------------------------------------------------------------------


def _time(receipt: Receipt) -> Markup | None:
    if len(receipt.answers) < 2:
        return None
    first, last = min(receipt.answers), max(receipt.answers)
    width = max(1, math.ceil((last - first + 1) / _SLOTS))
    begins = range(first, last + 1, width)
    counts = [dict.fromkeys(Kind, 0) for _ in begins]
    for second, kinds in receipt.answers.items():
        slot = counts[(second - first) // width]
        for kind, number in kinds.items():
            slot[kind] += number
    step = max(1, math.ceil(len(begins) / 6))
    axis = Axis(
        len(begins), [(index, _clock(begins[index])) for index in range(0, len(begins), step)]
    )
    unit = "second" if width == 1 else span(width)
    plots = [
        _count_plot(axis, begins, unit, tone, title, [slot[kind] for slot in counts])
        for kind, tone, title in (
            (Kind.ACCEPTED, "received", "Accepted"),
            (Kind.REJECTED, "bounced", "Rejected"),
        )
        if any(slot[kind] for slot in counts)
    ]
    rows = [
        (_clock(begin), f"{slot[Kind.ACCEPTED]:,}", f"{slot[Kind.REJECTED]:,}")
        for begin, slot in zip(begins, counts, strict=True)
    ]
    titles = (Column("From"), Column("Accepted", number=True), Column("Rejected", number=True))
    return section(
        "Over time",
        *plots,
        time_labels(axis),
        numbers_behind("The numbers", table(titles, rows, caption="Answers over time")),
        note=f"Each column is {'a second' if width == 1 else unit}.",
    )


def _count_plot(
    axis: Axis, begins: Sequence[int], unit: str, tone: str, title: str, values: Sequence[int]
) -> Markup:
    points = [
        Point(value, f"{_clock(begin)}: {value:,} {title.lower()}")
        for value, begin in zip(values, begins, strict=True)
    ]
    most = max(values)
    peak = f"most {most:,} at {_clock(begins[values.index(most)])}"
    name = f"{title} by {unit}: {sum(values):,} in all, {peak}."
    return element(
        "figure",
        element("figcaption", element("b", title), element("span", peak, class_="muted")),
        columns(axis, points, tone=tone, name=name),
    )


def _clock(second: int) -> str:
    return f"{datetime.datetime.fromtimestamp(second, datetime.UTC):%H:%M:%S}"


def _latency(receipt: Receipt) -> Markup | None:
    if sum(receipt.latencies.values()) < 20:  # too few for a distribution
        return None
    limits = _latency_limits(max(receipt.latencies))
    counts = [0] * len(limits)
    for latency, number in receipt.latencies.items():
        counts[next(index for index, limit in enumerate(limits) if latency <= limit)] += number
    names = [f"up to {limit:,} ms" for limit in limits]
    points = [
        Point(count, f"{name}: {count:,} answers")
        for name, count in zip(names, counts, strict=True)
    ]
    axis = Axis(len(limits), [(index, f"{limit:,}") for index, limit in enumerate(limits)])
    quantiles = ", ".join(
        f"{part} within {quantile(receipt.latencies, share):,} ms"
        for part, share in (("half", 0.5), ("95 %", 0.95), ("99 %", 0.99))
    )
    rows = [(name, f"{count:,}") for name, count in zip(names, counts, strict=True)]
    return section(
        "How long answers took",
        element(
            "figure",
            element("figcaption", element("span", quantiles, class_="muted")),
            columns(axis, points, tone="received", name=f"How long answers took: {quantiles}."),
            time_labels(axis),
        ),
        numbers_behind(
            "The numbers",
            table((Column("Time"), Column("Answers", number=True)), rows, caption="Latencies"),
        ),
        note="Milliseconds from writing a push to its answer; each column holds what took no"
        " longer than the number under it.",
    )


def _latency_limits(longest: int) -> list[int]:
    """Return 1, 2, 5, 10 and so on, up to the first that is not below *longest*."""
    limits: list[int] = []
    power = 1
    while True:
        for factor in (1, 2, 5):
            limits.append(factor * power)
            if limits[-1] >= longest:
                return limits
        power *= 10


# -- reasons and rows -----------------------------------------------------------------------------


def _reasons(receipt: Receipt) -> Markup | None:
    ranked = receipt.reasons.ranked()
    if not ranked:
        return None
    total = sum(count for _, count in ranked)
    items = [_item(receipt, key, count, count / total) for key, count in ranked[:_REASONS_MAX]]
    return section(
        "Reasons",
        reason_list(items),
        note=f"Of the {total:,} that were not accepted.",
    )


def _item(receipt: Receipt, key: ReasonKey, count: int, share: float) -> ReasonItem:
    row = catalog.of_record(key.service, key.reason, status=key.status, case=key.case)
    name = key.reason or (f"HTTP {key.status}" if key.status else "no reason given")
    service = SERVICE_NAMES.get(key.service or "", "") if key.status else ""
    origin = [service, str(key.status or ""), f"· {_KIND_WORDS[key.kind][0]}"]
    return ReasonItem(
        title=f"{name} ({key.case})" if key.case else name,
        origin=" ".join(word for word in origin if word),
        tone="bounced" if key.kind is Kind.REJECTED else key.kind.value,
        count=count,
        share=share,
        meaning=receipt.reasons.descriptions[key],
        advice=row.what_to_do if row else (),
        facts=tuple(_facts(receipt, key)),
    )


def _facts(receipt: Receipt, key: ReasonKey) -> Iterator[Markup]:
    if key.kind is Kind.REJECTED:
        yield token_fact(TokenAction(key.token_action), None)
    samples = receipt.samples.get(sample_key({**key._asdict(), "outcome": key.kind.value}))
    if samples:
        yield samples_fact(samples)


def _rows(receipt: Receipt) -> Markup | None:
    if not receipt.rows:
        return None
    titles = (
        Column("Outcome"),
        Column("Profile"),
        Column("Service"),
        Column("Token"),
        Column("Answer", kind="full"),
    )
    more = sum(receipt.totals.values()) - len(receipt.rows)
    shown = table(titles, [_row(record) for record in receipt.rows], caption="Pushes")
    return section(
        "Each push" if more <= 0 else "Some of the pushes",
        shown
        if len(receipt.rows) <= _ROWS_OPEN
        else numbers_behind(f"{plural(len(receipt.rows), 'push')}, the accepted ones last", shown),
        note=f"{plural(more, 'push')} more; runs show -o csv has all of them."
        if more > 0
        else None,
    )


def _row(record: Record) -> Sequence[Markup | str]:
    kind = Kind(record["outcome"])
    return (
        element(
            "span",
            element("span", class_=f"dot {kind.value}"),
            _KIND_WORDS[kind][0],
            class_="outcome",
        ),
        record["profile"] or "–",
        SERVICE_NAMES.get(record["service"] or "", "–"),
        element("span", shorten_token(record["token"]), class_="mono") if record["token"] else "–",
        answer_words(record) or "–",
    )
