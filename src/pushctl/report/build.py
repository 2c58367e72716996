"""Makes a report from open logs."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pushctl.outcome import Kind, TokenAction
from pushctl.report import questions, tables
from pushctl.report.diagnosis import Evidence, Lane, Trait, diagnose
from pushctl.report.logs import Logs
from pushctl.report.meaning import meaning_of
from pushctl.report.notes import Expected
from pushctl.report.opens import OpenCounts
from pushctl.report.values import (
    Campaign,
    Day,
    Dimension,
    Filter,
    Group,
    HeatMap,
    Metrics,
    ReasonKey,
    Report,
    Tally,
    share,
)

_DAYS_MAX = 3_660
"""A period of more days has a wrong clock in it: then only days with something are shown."""
_ROWS_IN_MEMORY = 40_000_000
_BYTES_A_LINE = 250

OnProgress = Callable[[float], None]


def build_report(
    logs: Logs,
    *,
    chosen: Filter,
    by: Sequence[Dimension],
    now: datetime.datetime,
    opens: Callable[[], OpenCounts] | None = None,
    on_progress: OnProgress | None = None,
) -> Report:
    """
    Return the report on the lines of *logs* that are *chosen*, grouped *by*.

    *opens* counts what was opened, once everything else is known.  *on_progress* gets the share
    that is done, 0 to 1.  The logs are read once, and once more only where lines repeat.
    """
    by = tuple(dict.fromkeys(by)) or (Dimension.REASON,)
    count_lines(logs, chosen, on_progress)
    opened = OpenCounts() if opens is None else opens()
    bounces, runs, *moments = logs.one(questions.TOTALS)
    tally = _tally(moments[4:])
    begin, end = _period(moments[:4])
    strange, newer = logs.one(tables.UNSOUND)
    reasons = _groups(logs, (Dimension.REASON,), bounces)
    days = _days(logs.all(questions.DAYS), opened)
    return Report(
        made_at=now,
        files=tuple(log.shown for log in logs.files),
        filter=chosen,
        by=by,
        begin=begin,
        end=end,
        runs=runs,
        bounces=bounces,
        tally=tally,
        metrics=Metrics(
            received=tally.accepted,
            bounced=bounces,
            opened=opened.total,
            is_counted=tally != Tally() or not bounces,
        ),
        groups=reasons if by == (Dimension.REASON,) else _groups(logs, by, bounces),
        reasons=reasons,
        days=days,
        campaigns=_campaigns(logs, opened),
        heat=_heat(logs, reasons),
        findings=diagnose(_evidence(logs, tally, bounces)),
        notes=(*logs.notes(Expected(int(strange), int(newer))), *opened.notes),
        opens=opened.summary,
    )


def count_lines(logs: Logs, chosen: Filter, on_progress: OnProgress | None = None) -> None:
    """Make the tables that everything is computed from, in one pass over *logs*."""
    fits = logs.size <= _ROWS_IN_MEMORY * _BYTES_A_LINE
    repeats = True
    logs.engine.run(tables.tally(chosen, with_rows=fits), on_progress)
    if fits:
        repeats = logs.one(tables.COUNT_REPEATS) != (0,)
        logs.engine.run(tables.DROP_ROWS)
    if repeats:
        logs.engine.run(tables.find_repeats(chosen), on_progress)
        logs.engine.run(tables.take_back_repeats(chosen), on_progress)
    for view in tables.VIEWS:
        logs.engine.run(view)


def _groups(logs: Logs, by: Sequence[Dimension], bounces: int) -> tuple[Group, ...]:
    columns = questions.columns_of(by)
    counted = questions.counted_columns_of(by)
    answered = {
        row[: len(counted)]: _tally(row[len(counted) :]).answered
        for row in logs.all(questions.tallies(by))
    }
    total = sum(answered.values())
    found = []
    for rows in logs.stream(questions.groups(by)):
        for row in rows:
            values = dict(zip(columns, row[: len(columns)], strict=True))
            count, *rest = row[len(columns) :]
            actions, (first, last, low, high) = rest[: len(questions.ACTIONS)], rest[-4:]
            key = tuple(values[column] for column in counted)
            # A missing token has no service: it is then a share of everything.
            whole = total if key == (None,) and counted == ["service"] else answered.get(key, 0)
            found.append(
                Group(
                    keys=tuple(_key_text(dimension, values) for dimension in by),
                    count=count,
                    share=count / bounces,
                    rate=share(count, whole) if count <= whole else None,
                    first_seen=_utc(first),
                    last_seen=_utc(last),
                    samples=tuple(dict.fromkeys(token for token in (low, high) if token)),
                    actions=_actions(count, actions),
                    meaning=meaning_of(_reason(values)) if Dimension.REASON in by else None,
                )
            )
    return tuple(found)


def _key_text(dimension: Dimension, values: Mapping[str, Any]) -> str | None:
    if dimension is Dimension.REASON:
        return _reason(values).title
    text: str | None = values[questions.COLUMNS[dimension][0]]
    return text


def _reason(values: Mapping[str, Any]) -> ReasonKey:
    return ReasonKey(*(values[column] for column in questions.COLUMNS[Dimension.REASON]))


def _actions(count: int, numbers: Sequence[int]) -> tuple[tuple[TokenAction, int], ...]:
    kept = (TokenAction.KEEP, count - sum(numbers))
    actions = [*zip(questions.ACTIONS, numbers, strict=True), kept]
    return tuple(sorted((each for each in actions if each[1] > 0), key=lambda each: -each[1]))


_QUIET = (0, 0, True)


def _days(rows: Sequence[tuple[Any, ...]], opened: OpenCounts) -> tuple[Day, ...]:
    """Return a day for each of *rows* and each quiet one between them."""
    known = {datetime.date.fromisoformat(day): numbers for day, *numbers in rows}
    days = sorted(known.keys() | opened.by_day.keys())
    if days and (days[-1] - days[0]).days < _DAYS_MAX:
        length = (days[-1] - days[0]).days + 1
        days = [days[0] + datetime.timedelta(days=number) for number in range(length)]
    return tuple(_day(day, known.get(day, _QUIET), opened.of_day(day)) for day in days)


def _campaigns(logs: Logs, opened: OpenCounts) -> tuple[Campaign, ...]:
    known: dict[tuple[str | None, datetime.date], Sequence[Any]] = {
        (name, datetime.date.fromisoformat(day)): numbers
        for name, day, *numbers in logs.all(questions.CAMPAIGN_DAYS)
    }
    days: dict[str | None, list[Day]] = {}
    for name, day in sorted(known.keys() | opened.by_campaign_day.keys(), key=lambda key: key[1]):
        numbers = known.get((name, day), _QUIET)
        opens = opened.of_campaign_day(name, day)
        days.setdefault(name, []).append(_day(day, numbers, opens))
    return tuple(
        Campaign(
            name=name,
            runs=runs,
            first_seen=_utc(first),
            last_seen=_utc(last),
            metrics=_metrics(numbers, opened.of_campaign(name)),
            days=tuple(days.get(name, ())),
        )
        for name, *numbers, runs, first, last in logs.all(questions.CAMPAIGNS)
    )


def _day(day: datetime.date, numbers: Sequence[Any], opened: int | None) -> Day:
    return Day(day=day, metrics=_metrics(numbers, opened))


def _heat(logs: Logs, reasons: Sequence[Group]) -> HeatMap:
    counts = {group.meaning.key: [0] * 24 for group in reasons if group.meaning is not None}
    for *key, hour, bounces in logs.all(questions.HEAT):
        counts[ReasonKey(*key)][hour] = bounces
    return HeatMap(reasons=tuple(counts), counts=tuple(tuple(row) for row in counts.values()))


def _evidence(logs: Logs, tally: Tally, bounces: int) -> Evidence:
    traits = (
        Trait(
            meaning=meaning_of(ReasonKey(service, status, reason, case)),
            lane=Lane(service, credential, environment, topic),
            bounces=count,
            first_seen=_utc(first),
            last_seen=_utc(last),
            answered_before=before,
            answered_meanwhile=meanwhile,
            answered_after=after,
        )
        for (
            service, credential, environment, topic, status, reason, case, count, first, last,
            before, meanwhile, after,
        ) in logs.all(questions.TRAITS)
    )  # fmt: skip
    lanes = {Lane(*row[:4]): _tally(row[4:]) for row in logs.all(questions.LANES)}
    dead = [
        (datetime.date.fromisoformat(day), answered, number)
        for day, answered, number in logs.all(questions.DEAD_DAYS)
    ]
    return Evidence(
        tally=tally, bounces=bounces, traits=tuple(traits), lanes=lanes, dead_days=tuple(dead)
    )


def _period(
    moments: Sequence[datetime.datetime | None],
) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """Return the first and the last of *moments* that are known."""
    known = [_utc(moment) for moment in moments if moment is not None]
    return (min(known), max(known)) if known else (None, None)


def _metrics(numbers: Sequence[Any], opened: int | None) -> Metrics:
    received, bounced, is_counted = numbers
    return Metrics(received=received, bounced=bounced, opened=opened, is_counted=is_counted)


def _tally(numbers: Sequence[int]) -> Tally:
    return Tally(**{kind.value: int(number) for kind, number in zip(Kind, numbers, strict=True)})


def _utc(moment: datetime.datetime) -> datetime.datetime:
    return moment.replace(tzinfo=datetime.UTC)
