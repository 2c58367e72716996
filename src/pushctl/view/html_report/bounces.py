"""The bounce report as a page to look at, to print and to pass on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pushctl import __version__
from pushctl.report.values import Campaign, Dimension, Finding, Group, Metrics, Report
from pushctl.view.bounce_words import (
    day_range,
    filter_words,
    headline,
    hours_sentence,
    moment,
    reason_title,
    service_words,
)
from pushctl.view.html_report.charts import (
    Axis,
    Point,
    columns,
    heat_hours,
    heat_scale,
    heat_strip,
    line,
    spark,
    time_labels,
)
from pushctl.view.html_report.markup import Child, Markup, element, joined, prose
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
from pushctl.view.html_report.scales import Slot, labels, slots
from pushctl.view.words import percent, plural, share_percent

_REASONS_MAX = 25
_ROWS_MAX = 200


def bounce_page(report: Report) -> str:
    """Return *report* as one HTML document that needs nothing else."""
    sections = joined(
        section("In short", figures(_figures(report)), note=_short_note(report)),
        _findings(report.findings),
        _over_time(report),
        _reasons(report),
        _hours(report),
        _campaigns(report),
        _groups(report),
        _notes(report),
    )
    return page(
        kicker="Bounce report",
        headline=headline(report),
        under=[_period(report), filter_words(report.filter)],
        sections=sections,
        colophon=[
            ACCEPTED_MEANS + " Bounced push means rejected, with a reason, or never sent because"
            " the token was missing or malformed.",
            "Days and hours are UTC.",
            f"Made by pushctl {__version__} at {moment(report.made_at)} from"
            f" {', '.join(report.files) or 'no log'}.",
        ],
    )


def _period(report: Report) -> str:
    if report.begin is None or report.end is None:
        return "The logs tell of nothing in this period."
    days = (report.end.date() - report.begin.date()).days + 1
    named = sum(campaign.name is not None for campaign in report.campaigns)
    parts = [
        day_range(report.begin.date(), report.end.date()),
        plural(days, "day"),
        plural(report.runs, "run"),
    ]
    return " · ".join(parts + ([plural(named, "campaign")] if named else []))


# -- in short -------------------------------------------------------------------------------------


def _figures(report: Report) -> Iterator[tuple[str, str, str, Child]]:
    metrics = report.metrics
    yield "received", "Received push", f"{metrics.received:,}", "accepted by the service"
    if metrics.opened is not None:
        rate = f"{share_percent(metrics.open_rate)} of received"
        yield "opened", "Opened push", f"{metrics.opened:,}", rate
    rate = f"{share_percent(metrics.bounce_rate)} of received and bounced"
    yield "bounced", "Bounced push", f"{metrics.bounced:,}", rate


def _short_note(report: Report) -> str | None:
    tally = report.tally
    others = [
        f"{number:,} {words}"
        for number, words in (
            (tally.unknown, "unknown (sent, never answered)"),
            (tally.not_sent, "not sent"),
            (tally.skipped, "skipped by rule"),
        )
        if number > 0
    ]
    return f"Besides: {', '.join(others)}." if others else None


def _findings(found: Sequence[Finding]) -> Markup | None:
    if not found:
        return None
    items = (
        element(
            "li",
            element(
                "div",
                element("p", prose(finding.sentence), class_="sentence"),
                element("p", prose(finding.advice), class_="advice"),
                element("code", finding.command, class_="command") if finding.command else None,
            ),
        )
        for finding in found
    )
    return section("What stands out", element("ol", items, class_="findings"))


# -- over time ------------------------------------------------------------------------------------


def _over_time(report: Report) -> Markup | None:
    if not report.days:
        return None
    unit, places = slots(report.days)
    axis = Axis(len(places), labels([place.begin for place in places]))
    plots = [
        _count_plot(axis, places, unit, "received", [p.metrics.received for p in places]),
        _count_plot(axis, places, unit, "bounced", [p.metrics.bounced for p in places]),
        _rate_plot(axis, places, unit),
    ]
    if report.metrics.opened is not None:
        opened = [p.metrics.opened or 0 for p in places]
        plots.insert(1, _count_plot(axis, places, unit, "opened", opened))
    rows = [(place.title, *_metric_cells(place.metrics)) for place in places]
    titles = (Column(unit.title()), *_METRIC_COLUMNS)
    note = f"Each column is a {unit}; each plot has its own scale."
    if report.metrics.opened is None:
        note += " Opened push needs a file of opens: --opens FILE."
    return section(
        "Over time",
        *plots,
        time_labels(axis),
        numbers_behind(f"The numbers by {unit}", table(titles, rows, caption=f"Metrics by {unit}")),
        note=note,
    )


def _count_plot(
    axis: Axis, places: Sequence[Slot], unit: str, tone: str, values: Sequence[int]
) -> Markup:
    title = f"{tone.title()} push"
    points = [Point(v, f"{p.title}: {v:,} {tone}") for v, p in zip(values, places, strict=True)]
    most = max(range(len(values)), key=values.__getitem__)
    peak = f"most {values[most]:,} ({places[most].title})"
    name = f"{title} by {unit}: {sum(values):,} in all, {peak}."
    return element(
        "figure",
        element("figcaption", element("b", title), element("span", peak, class_="muted")),
        columns(axis, points, tone=tone, name=name),
    )


def _rate_plot(axis: Axis, places: Sequence[Slot], unit: str) -> Markup:
    rates = [place.metrics.bounce_rate for place in places]
    points = [
        Point(rate, f"{place.title}: {share_percent(rate)} bounced")
        for rate, place in zip(rates, places, strict=True)
    ]
    known = [(rate, place) for rate, place in zip(rates, places, strict=True) if rate is not None]
    peak = "not known: nothing was answered"
    if known:
        highest, where = max(known, key=lambda pair: pair[0])
        peak = f"highest {share_percent(highest)} ({where.title})"
    return element(
        "figure",
        element("figcaption", element("b", "Bounce rate"), element("span", peak, class_="muted")),
        line(axis, points, tone="bounced", name=f"Bounce rate by {unit}: {peak}."),
    )


_METRIC_COLUMNS = (
    Column("Received", number=True),
    Column("Opened", number=True),
    Column("Bounced", number=True),
    Column("Bounce rate", number=True),
)


def _metric_cells(metrics: Metrics) -> tuple[str, str, str, str]:
    opened = "–" if metrics.opened is None else f"{metrics.opened:,}"
    rate = share_percent(metrics.bounce_rate)
    return f"{metrics.received:,}", opened, f"{metrics.bounced:,}", rate


# -- reasons --------------------------------------------------------------------------------------


def _reasons(report: Report) -> Markup | None:
    shown = report.reasons[:_REASONS_MAX]
    if not shown:
        return None
    more = _more(len(report.reasons) - len(shown), "reason", "-o json")
    return section(
        "Reasons",
        reason_list([_item(group) for group in shown]),
        more,
        note="What the services answered, what it means, and what becomes of the tokens.",
    )


def _item(group: Group) -> ReasonItem:
    meaning = group.meaning
    return ReasonItem(
        title=reason_title(meaning.key) if meaning else group.keys[0] or "–",
        origin=service_words(meaning.key) if meaning else "",
        count=group.count,
        share=group.share,
        meaning=meaning.description if meaning else "",
        advice=meaning.what_to_do if meaning else (),
        facts=tuple(_facts(group)),
    )


def _facts(group: Group) -> Iterator[Child]:
    if group.meaning:
        yield joined("Whose side: ", element("b", group.meaning.fault.value))
    for action, number in group.actions:
        yield token_fact(action, None if len(group.actions) == 1 else number)
    yield f"Seen {moment(group.first_seen)} to {moment(group.last_seen)}"
    if group.samples:
        yield samples_fact(group.samples)


# -- hours ----------------------------------------------------------------------------------------


def _hours(report: Report) -> Markup | None:
    heat = report.heat
    if not heat.reasons:
        return None
    kept = list(zip(heat.reasons, heat.counts, strict=True))[:_REASONS_MAX]
    most = max(max(counts) for _, counts in kept)
    rows = []
    for key, counts in kept:
        title = reason_title(key)
        cells = [f"{title}, {hour:02d}:00 to {hour:02d}:59: {n:,}" for hour, n in enumerate(counts)]
        rows.append(
            element(
                "div",
                element("span", title, element("span", f" {service_words(key)}", class_="muted")),
                heat_strip(counts, most, cells, name=hours_sentence(title, counts)),
                element("span", f"{sum(counts):,}", class_="muted"),
                class_="row",
            )
        )
    axis = element("div", element("span"), heat_hours(), element("span"), class_="row")
    titles = (Column("Hour"), *(Column(reason_title(key), number=True) for key, _ in kept))
    table_rows = [
        (f"{hour:02d}:00", *(f"{counts[hour]:,}" for _, counts in kept)) for hour in range(24)
    ]
    return section(
        "Hours of the day",
        element("div", *rows, axis, class_="heatmap"),
        element(
            "p",
            element("span", "none"),
            heat_scale(),
            element("span", f"{most:,} in an hour of the day"),
            class_="key",
            aria_hidden="true",
        ),
        numbers_behind(
            "The numbers by hour", table(titles, table_rows, caption="Bounces by hour and reason")
        ),
        note="When each reason comes up, all days taken together; UTC.",
    )


# -- campaigns and groups -------------------------------------------------------------------------


def _campaigns(report: Report) -> Markup | None:
    shown = report.campaigns[:_ROWS_MAX]
    if not shown or (len(shown) == 1 and shown[0].name is None):
        return None
    titles = (
        Column("Campaign"),
        Column("Runs", number=True),
        *_METRIC_COLUMNS,
        Column("Bounced by day", kind="trend full"),
    )
    days = [day.day for day in report.days]
    rows = [
        (
            campaign.name or element("span", "without a campaign", class_="muted"),
            f"{campaign.runs:,}",
            *_metric_cells(campaign.metrics),
            _trend(campaign, days),
        )
        for campaign in shown
    ]
    return section(
        "Campaigns",
        table(titles, rows, caption="Metrics by campaign"),
        _more(len(report.campaigns) - len(shown), "campaign", "-o json"),
        note="The last column has a scale of its own in each row.",
    )


def _trend(campaign: Campaign, days: Sequence[object]) -> Markup:
    bounced = {day.day: day.metrics.bounced for day in campaign.days}
    values = [bounced.get(day, 0) for day in days]  # type: ignore[call-overload]
    step = max(1, len(values) // 60)
    return spark(
        [sum(values[index : index + step]) for index in range(0, len(values), step)],
        tone="bounced",
    )


def _groups(report: Report) -> Markup | None:
    if report.by == (Dimension.REASON,) or not report.groups:
        return None
    shown = report.groups[:_ROWS_MAX]
    first, *others = report.by
    titles = (
        Column(first.value.title()),
        *(Column(dimension.value.title()) for dimension in others),
        Column("Bounced", number=True),
        Column("Share", number=True),
        Column("Bounce rate", number=True),
        Column("First seen"),
        Column("Last seen"),
    )
    rows = [
        (
            *(key if key is not None else "–" for key in group.keys),
            f"{group.count:,}",
            percent(group.share, 1),
            share_percent(group.rate),
            moment(group.first_seen),
            moment(group.last_seen),
        )
        for group in shown
    ]
    name = " and ".join(dimension.value for dimension in report.by)
    return section(
        f"By {name}",
        table(titles, rows, caption=f"Bounces by {name}"),
        _more(len(report.groups) - len(shown), "row", "-o csv"),
    )


def _notes(report: Report) -> Markup | None:
    if not report.notes:
        return None
    items = (
        element(
            "li",
            element("span", f"{note.place}: ", class_="mono") if note.place else None,
            note.message,
            f" ({note.count:,} lines)" if note.count > 1 else None,
        )
        for note in report.notes
    )
    return section("About the logs", element("ul", items, class_="plain"))


def _more(number: int, word: str, where: str) -> Markup | None:
    if number <= 0:
        return None
    text = f"{plural(number, word)} more; {where} has all of them."
    return element("p", text, class_="muted")
