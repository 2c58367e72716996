"""
What a report over bounce logs is.  Plain values: :mod:`pushctl.report.build` makes them, views
render them.

Times are aware and in UTC, days and hours are those of UTC, shares and rates are between 0 and 1.
Text comes from the log as it stands there: a view makes it safe to show.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from pushctl.errors import Place
from pushctl.outcome import Category, TokenAction
from pushctl.rules.masking import mask


class Dimension(StrEnum):
    """What bounces can be counted by."""

    REASON = "reason"
    SERVICE = "service"
    PLATFORM = "platform"
    CREDENTIAL = "credential"
    ENVIRONMENT = "environment"
    TOPIC = "topic"
    CAMPAIGN = "campaign"
    RUN = "run"
    DAY = "day"
    """As ``2026-11-20``, UTC."""
    HOUR = "hour"
    """As ``2026-11-20T10``, UTC."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which lines a report is about.  Several values of one kind mean any of them."""

    since: datetime.datetime | None = None
    """The first moment that counts."""
    until: datetime.datetime | None = None
    """The first moment that does not count any more."""
    campaigns: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    """Holds for bounces alone: what was accepted has no reason."""


class ReasonKey(NamedTuple):
    """What makes two bounces have the same reason."""

    service: str | None
    """``None``: the token was missing or malformed, and nothing tells the service."""
    status: int | None
    """``None``: it was never sent."""
    reason: str | None
    """``None``: the answer named none, and its status is all there is."""
    case: str | None
    """Which of the meanings of ``INVALID_ARGUMENT``."""

    @property
    def title(self) -> str:
        """The reason in a few words, such as ``410 Unregistered``."""
        words = [str(self.status or ""), self.reason or "no reason given"]
        words += [f"({self.case})"] if self.case else []
        return " ".join(word for word in words if word)


class Fault(StrEnum):
    """Whose side a reason is about, in words for a person."""

    TOKEN = "the token"  # noqa: S105 -- the vendors' word, not a secret
    ENVIRONMENT = "the token or the environment"
    LIST = "your list"
    CREDENTIALS = "your credentials"
    MESSAGE = "your message"
    PACE = "your pace"
    SERVICE = "the service"
    NETWORK = "the connection"
    UNKNOWN = "not known"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a reason means."""

    key: ReasonKey
    description: str
    """The vendor's current text, or ours; empty where nobody knows the reason."""
    category: Category | None
    fault: Fault
    token_action: TokenAction
    what_to_do: tuple[str, ...] = ()
    is_documented: bool = True
    """Whether the reason stands in the tables, so that ``pushctl explain`` knows it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How pushes ended, as the "Push counts" lines of the logs add up."""

    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    not_sent: int = 0
    skipped: int = 0

    @property
    def answered(self) -> int:
        """How many were accepted or rejected."""
        return self.accepted + self.rejected

    @property
    def bounce_rate(self) -> float | None:
        """The share of the answered that was rejected; ``None`` where nothing was answered."""
        return share(self.rejected, self.answered)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The bounces that share their :attr:`keys`."""

    keys: tuple[str | None, ...]
    """One for each of :attr:`Report.by`, in that order; of a reason it is the title."""
    count: int
    share: float
    """Of all bounces of the report."""
    rate: float | None
    """
    The share of the pushes answered under the same keys that bounced so; ``None`` where the logs
    do not tell.  Of a reason only the service is a key, since what was accepted has no reason;
    the platform is none, since nobody counts acceptances by it.
    """
    first_seen: datetime.datetime
    last_seen: datetime.datetime
    samples: tuple[str, ...]
    """Up to two tokens."""
    actions: tuple[tuple[TokenAction, int], ...]
    """What to do with how many of the tokens, most frequent first."""
    meaning: Meaning | None
    """Where the groups are by reason."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The three metrics of a day, a campaign or everything."""

    received: int
    """Received push: accepted by the service.  Whether a device showed it, nobody tells."""
    bounced: int
    """Bounced push: lines of the log, one for each rejected token."""
    opened: int | None
    """Opened push: from ``--opens``; ``None`` where that was not given."""
    is_counted: bool = True
    """``False``: the logs hold bounces alone, so nothing tells what was received."""

    @property
    def bounce_rate(self) -> float | None:
        """Bounced of all that were received or bounced; ``None`` where that is not known."""
        return share(self.bounced, self.received + self.bounced) if self.is_counted else None

    @property
    def open_rate(self) -> float | None:
        """Opened of received; may exceed 1 where opens came in for pushes of earlier days."""
        return None if self.opened is None else share(self.opened, self.received)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The metrics of one day.  A report has every day of its period, quiet ones too."""

    day: datetime.date
    metrics: Metrics


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """The metrics of one campaign; ``name`` is ``None`` for what belongs to none."""

    name: str | None
    runs: int
    first_seen: datetime.datetime
    last_seen: datetime.datetime
    metrics: Metrics
    days: tuple[Day, ...]
    """Those on which something happened."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """Bounces by reason and hour of the day, UTC."""

    reasons: tuple[ReasonKey, ...]
    """Most frequent first."""
    counts: tuple[tuple[int, ...], ...]
    """For each reason 24 numbers, from the hour after midnight on."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A pattern that is plain enough to be put into words."""

    kind: str
    """A short stable name, such as ``dead-tokens`` or ``wrong-environment``."""
    sentence: str
    """What is the case, with numbers."""
    advice: str
    """What to do about it."""
    command: str | None = None
    """The command that comes next."""


class NoteKind(StrEnum):
    """What is odd about a line of a log."""

    TORN = "torn"
    """A process died while it wrote the line.  Expected after a crash."""
    FOREIGN = "foreign"
    """No line of a bounce log.  ``--strict`` makes it a failure."""
    NEWER = "newer"
    """Of a newer schema: what is known of it was read."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A remark about lines of a log; they never end a report by themselves."""

    kind: NoteKind
    message: str
    place: Place | None = None
    """The line, or the first of them."""
    count: int = 1
    """How many lines it is about."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Opens:
    """What ``--opens`` held."""

    file: str
    counted: int
    """Opens within the filter, each once."""
    without_campaign: int
    """Those of which nothing tells the campaign: they count for their day and the total."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a report says."""

    made_at: datetime.datetime
    files: tuple[str, ...]
    """The logs as a person knows them, in the order they were read."""
    filter: Filter
    by: tuple[Dimension, ...]
    begin: datetime.datetime | None
    """The first moment anything is known of; ``None``: the logs say nothing."""
    end: datetime.datetime | None
    """The last."""
    runs: int
    bounces: int
    """All bounce lines, each (run, row) once."""
    tally: Tally
    """How all pushes ended, whatever the reasons that the report is filtered by."""
    metrics: Metrics
    groups: tuple[Group, ...]
    """By :attr:`by`; most frequent first, or in the order of time if that comes first."""
    reasons: tuple[Group, ...]
    """By reason, whatever :attr:`by` says."""
    days: tuple[Day, ...]
    campaigns: tuple[Campaign, ...]
    """Most pushes first."""
    heat: HeatMap
    findings: tuple[Finding, ...]
    """What matters most first."""
    notes: Sequence[Note]
    opens: Opens | None = None


def share(part: int, whole: int) -> float | None:
    """Return *part* of *whole*; ``None`` where there is no whole."""
    return part / whole if whole > 0 else None


def with_masked_tokens(report: Report, key: bytes) -> Report:
    """Return *report* with masks in place of its sample tokens."""

    def hidden(groups: Sequence[Group]) -> tuple[Group, ...]:
        return tuple(
            dataclasses.replace(group, samples=tuple(mask(each, key) for each in group.samples))
            for group in groups
        )

    return dataclasses.replace(report, groups=hidden(report.groups), reasons=hidden(report.reasons))
