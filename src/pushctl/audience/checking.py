"""
What is wrong with an audience, named and weighed: for a look at a list before anybody is sent to.

A row is judged by the verdict that a send would give it.  What no single row shows (two kinds of
token for one platform) is found by looking at all of them.
"""

# ruff: noqa: S608 -- whatever comes from outside went through literal()

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from pushctl.audience.consent import is_plain_no
from pushctl.audience.engine import (
    Engine,
    NotPossible,
    attempted,
    damaged,
    parquet,
    spill_folder,
)
from pushctl.audience.prepared import COLUMNS, TABLE, Prepared, Tuple, row_file, source_of
from pushctl.outcome import Platform, Service
from pushctl.rules import tokens
from pushctl.rules.text import printable


class Level(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """The push bounces, or the list cannot be sent to."""
    WARNING = "warning"
    """The push is left out, or hardly goes where it is meant to."""
    NOTE = "note"
    """Worth knowing, and nothing is wrong."""


LEVELS: Mapping[str, Level] = MappingProxyType(
    {
        "missing-token": Level.ERROR,
        "unusable-row": Level.ERROR,
        "bad-value": Level.ERROR,
        "unknown-service": Level.ERROR,
        "no-such-attribute": Level.ERROR,
        "consent-required": Level.ERROR,
        "unclear-consent": Level.WARNING,
        "duplicate": Level.WARNING,
        "wrong-platform": Level.WARNING,
        "two-kinds-for-ios": Level.WARNING,
        "same-device-twice": Level.WARNING,
        "missing-attribute": Level.WARNING,
        "payload-too-large": Level.WARNING,
        "no-consent": Level.NOTE,
        "consent-not-recorded": Level.NOTE,
        "fcm-for-ios": Level.NOTE,
        "both-services": Level.NOTE,
    }
)
"""Every finding but those on a token's form, see :func:`level_of`."""

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "missing-token": "there is no token: each of these is a bounce",
        "unusable-row": "the row cannot be read, so nothing in it is trusted",
        "bad-value": "a column other than the token holds what it cannot mean",
        "unclear-consent": "no consent, and no plain no either: only true gives it",
        "duplicate": "the token stands in the list before: it is sent to once",
        "missing-attribute": "the message cannot be filled: the push is left out",
        "payload-too-large": "filled, the message is over the service's limit: it is left out",
        "no-consent": "said no: never sent to",
        "same-device-twice": "one profile, iOS, both kinds of token: one device, shown twice?",
    }
)
"""What a finding is, where its rows differ in what exactly they show."""

_TOKEN, _SERVICE = COLUMNS.index("token"), COLUMNS.index("service")
_REASON, _DETAIL = COLUMNS.index("verdict_reason"), COLUMNS.index("verdict_detail")
_NAMES = {"MissingToken": "missing-token", "Duplicate": "duplicate"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row."""

    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Spot:
    """One row that something was found about."""

    source: str
    """``file:line``."""
    profile: str | None
    token: str | None
    name: str
    """The finding, see :data:`LEVELS`."""
    detail: str

    @property
    def level(self) -> Level:
        """How much it weighs."""
        return level_of(self.name)


@dataclass(slots=True)
class Finding:
    """One thing that was found, however many rows show it."""

    name: str
    detail: str
    """What it is: of :data:`MEANINGS`, else in the words about the first row."""
    count: int = 0
    spots: list[Spot] = field(default_factory=list)
    """The first rows that show it; none where it is about the files as a whole."""

    @property
    def level(self) -> Level:
        """How much it weighs."""
        return level_of(self.name)


@dataclass(slots=True)
class ListCheck:
    """What was found in audience files."""

    description: str
    """The files and their sizes, for a person."""
    consent: str
    rows: int = 0
    sendable: Counter[Service] = field(default_factory=Counter)
    """How many a send would try, by who delivers."""
    findings: dict[str, Finding] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Whether there is nothing but notes."""
        return all(finding.level is Level.NOTE for finding in self.findings.values())

    def ranked(self) -> list[Finding]:
        """Return the findings, the gravest first, then the most frequent."""
        levels = list(Level)
        return sorted(
            self.findings.values(),
            key=lambda one: (levels.index(one.level), -one.count, one.name),
        )


def level_of(name: str) -> Level:
    """Return the weight of the finding *name*; a fault of a token's form is an error."""
    return LEVELS.get(name, Level.ERROR)


def fault_of(row: Tuple) -> Fault | None:
    """Return what is wrong with *row*, a tuple of an audience; ``None`` if it is sent to."""
    reason, detail = row[_REASON], row[_DETAIL] or ""
    if reason is None:
        return None
    if reason == "MissingToken":
        return Fault("missing-token", MEANINGS["missing-token"])
    if reason == "NoConsent":
        return Fault("no-consent" if is_plain_no(detail) else "unclear-consent", detail)
    if reason in _NAMES:
        return Fault(_NAMES[reason], detail)
    return Fault(_invalid(row, detail), detail)


def _invalid(row: Tuple, detail: str) -> str:
    """Return the name of what makes the token of *row* invalid, or its other values."""
    token, service = row[_TOKEN], row[_SERVICE]
    if token is None:
        return "unusable-row"
    found = tokens.find_fault(token, Service(service or Service.FCM))
    if found is not None and printable(found.text) == detail:
        return found.name
    return "unknown-service" if service is None else "bad-value"


def kinds_of_token(prepared: Prepared) -> Counter[tuple[Platform, Service]]:
    """Return how many are sent to, by what the device is and by who delivers."""
    counts: Counter[tuple[Platform, Service]] = Counter()
    query = (
        f"SELECT platform, service, count(*) FROM ({_sendable(prepared)})"
        " WHERE platform IS NOT NULL GROUP BY ALL"
    )
    for rows in _answered(prepared, query):
        for platform, service, number in rows:
            counts[Platform(platform), Service(service)] += number
    return counts


def devices_twice(prepared: Prepared) -> Iterator[tuple[str, str, str]]:
    """
    Yield the profiles with a device token and a registration token for iOS.

    With the profile come the sources of the first of each.  One app on one device may well have
    reported both, and would show each push twice.
    """
    query = f"""
        SELECT profile, arg_min(source, row) FILTER (service = 'apns') AS apns,
            arg_min(source, row) FILTER (service = 'fcm') AS fcm
        FROM ({_sendable(prepared)}) WHERE platform = 'ios' AND profile IS NOT NULL
        GROUP BY profile HAVING count(DISTINCT service) > 1 ORDER BY min(row)"""
    for rows in _answered(prepared, query):
        yield from rows


def _sendable(prepared: Prepared) -> str:
    """Return the query for who is sent to; duplicates may be among them."""
    columns = "row, service, platform, profile"
    selects = [
        f"SELECT {columns}, {source_of(prepared.sources)} AS source"
        f" FROM {parquet(prepared.folder / TABLE)} WHERE key IS NOT NULL",
        *(
            f"SELECT {columns}, source FROM {parquet(row_file(prepared.folder, number))}"
            " WHERE verdict_kind IS NULL"
            for number in range(prepared.row_files)
        ),
    ]
    return " UNION ALL ".join(selects)


def _answered(prepared: Prepared, query: str) -> Iterator[list[Tuple]]:
    folder = prepared.folder
    with spill_folder(folder / "spill") as spill:
        try:
            with attempted(), Engine(folder=folder, spill=spill) as engine:
                yield from engine.stream(query)
        except NotPossible:
            raise damaged(folder / TABLE) from None
