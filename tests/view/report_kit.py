"""Reports for the tests of their views: four weeks of a shop, an empty one, a hostile one."""

from __future__ import annotations

import dataclasses
import datetime
import math
from typing import Any

from pushctl import catalog
from pushctl.errors import Place
from pushctl.outcome import TokenAction
from pushctl.report.values import (
    Campaign,
    Day,
    Dimension,
    Fault,
    Filter,
    Finding,
    Group,
    HeatMap,
    Meaning,
    Metrics,
    Note,
    NoteKind,
    Opens,
    ReasonKey,
    Report,
    Tally,
)

FIRST = datetime.date(2026, 10, 28)
DAYS = 28

HOSTILE = (
    "</title><script>alert(1)</script><img src=x onerror=alert(2)>"
    "\"'`&amp;|\x1b[31m\u202e\x00=cmd|' /C calc'!A0 <svg onload=alert(3)>\n# heading\n| a | b |"
)
"""Text that drives a browser, a terminal, a spreadsheet or Markdown that does not mind it."""

_REASONS = (
    (ReasonKey("apns", 410, "Unregistered", None), Fault.TOKEN, 0.47),
    (ReasonKey("fcm", 404, "UNREGISTERED", None), Fault.TOKEN, 0.31),
    (ReasonKey("apns", 400, "BadDeviceToken", None), Fault.ENVIRONMENT, 0.11),
    (ReasonKey("fcm", 400, "INVALID_ARGUMENT", "bad_token"), Fault.TOKEN, 0.05),
    (ReasonKey("apns", 429, "TooManyRequests", None), Fault.PACE, 0.03),
    (ReasonKey("fcm", 403, "SENDER_ID_MISMATCH", None), Fault.CREDENTIALS, 0.02),
    (ReasonKey(None, None, "MissingToken", None), Fault.LIST, 0.01),
)


def moment(day: int, hour: int = 9, minute: int = 0) -> datetime.datetime:
    """Return a moment of day number *day* of the period."""
    date = FIRST + datetime.timedelta(days=day)
    return datetime.datetime(date.year, date.month, date.day, hour, minute, 12, tzinfo=datetime.UTC)


def meaning(key: ReasonKey, fault: Fault) -> Meaning:
    """Return what the catalog says about *key*."""
    row = catalog.of_record(key.service, key.reason, status=key.status, case=key.case)
    assert row is not None
    return Meaning(
        key=key,
        description=row.description,
        category=row.category,
        fault=fault,
        token_action=row.token_action,
        what_to_do=row.what_to_do,
    )


def _metrics(day: int) -> Metrics:
    received = round(38_000 + 9_000 * math.sin(day / 2.2) + 900 * (day * 7 % 5))
    if (FIRST + datetime.timedelta(days=day)).weekday() >= 5:
        received //= 3
    bounced = round(received * (0.011 + 0.0006 * (day % 4) + (0.055 if day == 19 else 0)))
    return Metrics(received=received, bounced=bounced, opened=round(received * 0.083))


def _together(days: list[Day], part: float = 1.0) -> Metrics:
    return Metrics(
        received=round(part * sum(day.metrics.received for day in days)),
        bounced=round(part * sum(day.metrics.bounced for day in days)),
        opened=round(part * sum(day.metrics.opened or 0 for day in days)),
    )


def _reason_groups(total: int) -> tuple[Group, ...]:
    groups = []
    for index, (key, fault, part) in enumerate(_REASONS):
        row = meaning(key, fault)
        count = round(total * part)
        groups.append(
            Group(
                keys=(key.title,),
                count=count,
                share=count / total,
                rate=part * 0.014,
                first_seen=moment(index, 9, 14),
                last_seen=moment(DAYS - 1 - index, 17, 3),
                samples=(f"9f3a{index:060x}", f"dTok{index:018d}:APA91bInvented"),
                actions=((row.token_action, count),),
                meaning=row,
            )
        )
    return tuple(groups)


def shop(**changes: Any) -> Report:
    """Return the report of a shop that sends every day; *changes* replace what is in it."""
    days = [
        Day(day=FIRST + datetime.timedelta(days=day), metrics=_metrics(day)) for day in range(DAYS)
    ]
    metrics = _together(days)
    reasons = _reason_groups(metrics.bounced)
    names = (("spring sale", 0.6, 14), ("cart reminder", 0.3, 28), (None, 0.1, 3))
    report = Report(
        made_at=datetime.datetime(2026, 11, 25, 8, 0, tzinfo=datetime.UTC),
        files=("bounces.jsonl", "bounces.jsonl.1"),
        filter=Filter(since=moment(0, 0)),
        by=(Dimension.REASON,),
        begin=moment(0),
        end=moment(DAYS - 1, 17, 3),
        runs=45,
        bounces=metrics.bounced,
        tally=Tally(
            accepted=metrics.received, rejected=metrics.bounced, unknown=12, not_sent=3, skipped=861
        ),
        metrics=metrics,
        groups=reasons,
        reasons=reasons,
        days=tuple(days),
        campaigns=tuple(
            Campaign(
                name=name,
                runs=runs,
                first_seen=moment(0),
                last_seen=moment(DAYS - 1),
                metrics=_together(days, part),
                days=tuple(day for day in days if name or day.day.day % 9 == 0),
            )
            for name, part, runs in names
        ),
        heat=HeatMap(
            reasons=tuple(key for key, _, _ in _REASONS),
            counts=tuple(
                tuple(
                    round(
                        metrics.bounced * part / 24 * max(0.0, 1 + math.sin((hour - 4 + row) / 3.8))
                    )
                    if 6 <= hour <= 22
                    else 0
                    for hour in range(24)
                )
                for row, (_, _, part) in enumerate(_REASONS)
            ),
        ),
        findings=(
            Finding(
                kind="dead-tokens",
                sentence="7,811 bounces (78 %) are of tokens that the services say are dead.",
                advice="Delete them from your token store; each send to them costs a rejection.",
                command="pushctl bounces tokens",
            ),
            Finding(
                kind="wrong-environment",
                sentence="All 1,102 BadDeviceToken answers came through credential shop-ios-beta.",
                advice="Its tokens are probably of the sandbox: check its environment.",
                command="pushctl check shop-ios-beta",
            ),
        ),
        notes=(
            Note(
                kind=NoteKind.TORN,
                message="the last line has no end: a process died while it wrote it; skipped",
                place=Place("bounces.jsonl", 10_533),
            ),
        ),
        opens=Opens(file="opens.csv", counted=metrics.opened or 0, without_campaign=120),
    )
    return dataclasses.replace(report, **changes)


def empty() -> Report:
    """Return the report over a log that says nothing."""
    nothing = Metrics(received=0, bounced=0, opened=None)
    return shop(
        filter=Filter(),
        begin=None,
        end=None,
        runs=0,
        bounces=0,
        tally=Tally(),
        metrics=nothing,
        groups=(),
        reasons=(),
        days=(),
        campaigns=(),
        heat=HeatMap(reasons=(), counts=()),
        findings=(),
        notes=(),
        opens=None,
    )


def hostile() -> Report:
    """Return a report in which every text that can come from outside is :data:`HOSTILE`."""
    key = ReasonKey(HOSTILE, 400, HOSTILE, HOSTILE)
    bad = Meaning(
        key=key,
        description=HOSTILE,
        category=None,
        fault=Fault.UNKNOWN,
        token_action=TokenAction.KEEP,
        what_to_do=(HOSTILE,),
        is_documented=False,
    )
    base = shop()
    group = dataclasses.replace(
        base.reasons[0], keys=(HOSTILE,), samples=(HOSTILE, HOSTILE), meaning=bad
    )
    return dataclasses.replace(
        base,
        files=(HOSTILE,),
        filter=Filter(campaigns=(HOSTILE,), runs=(HOSTILE,), reasons=(HOSTILE,)),
        groups=(group,),
        reasons=(group,),
        campaigns=(dataclasses.replace(base.campaigns[0], name=HOSTILE),),
        heat=HeatMap(reasons=(key,), counts=((7,) * 24,)),
        findings=(Finding(kind="x", sentence=HOSTILE, advice=HOSTILE, command=HOSTILE),),
        notes=(Note(kind=NoteKind.FOREIGN, message=HOSTILE, place=Place(HOSTILE, 3)),),
        opens=Opens(file=HOSTILE, counted=1, without_campaign=0),
    )
