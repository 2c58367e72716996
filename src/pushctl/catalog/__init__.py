"""
The reasons that APNs, FCM, Google's front end and token endpoint, and pushctl itself can give.

The tables are written in ``data/*.yaml`` and shipped as ``data/catalog.json`` (made by
:mod:`pushctl.catalog.build`); the JSON is read on the first look-up, so importing this package
costs nothing.  Looking things up the way a person asks for them is in
:mod:`pushctl.catalog.find`.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from pushctl.outcome import Category, Retryable, TokenAction

DATA_FILE = pathlib.Path(__file__).parent / "data" / "catalog.json"

_FAMILIES = {"google": "fcm", "fcm-topics": "fcm", "apns-broadcast": "apns", "apns-web": "apns"}
"""Which service's rows by status the others share."""
OTHER = "other"
"""The key of a service's fallback for a status that nothing else fits."""

BROADCAST = "broadcast"
"""The case of an APNs reason as it is meant in answers about broadcast channels."""
TOPICS = "topics"
"""The case of a reason of Google's as it is meant of one registration's topic subscription."""
_TABLE_OF_CASE = {("apns", BROADCAST): "apns-broadcast", ("fcm", TOPICS): "fcm-topics"}


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A response body that carries the reason."""

    body: str
    """JSON text."""
    provenance: str
    """``documented``, ``captured`` (recorded by somebody from the real service) or
    ``constructed`` (put together from the documented form)."""
    note: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """Where a row was read."""

    title: str
    url: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One row of the tables: what a reason means and what follows from it."""

    service: str
    """``apns``, ``apns-broadcast``, ``apns-web``, ``fcm``, ``fcm-topics``, ``google``, ``oauth`` or
    ``pushctl``."""
    name: str
    """As the answer spells it.  Alternatives of one row are joined by `` / ``, ``*`` stands for
    any ending; a row for a bare HTTP status is called ``HTTP 410``."""
    case: str | None = None
    """Which of the meanings of ``INVALID_ARGUMENT``; ``None`` on its general row."""
    status: int | None = None
    """The HTTP status that the reason comes with; ``None`` where it has none of its own."""
    rpc_status: str | None = None
    """The ``error.status`` of Google's envelope."""
    error: str | None = None
    """The ``error`` of an answer of the token endpoint (several cases may share one)."""
    description: str
    """The vendor's current text, word for word, or ours where the vendor has none."""
    resolution: str | None = None
    """What the vendor says to do about it, word for word."""
    seed_descriptions: tuple[str, ...] = ()
    """The wording of the older tables that pushctl is built on."""
    tell: str | None = None
    """How the reason is recognised where its name is not in the answer."""
    category: Category
    retryable: Retryable
    vendor_retry: str | None = None
    """Apple's own rule: ``do-not-retry``, ``after-fix``, ``with-delay``, ``after-15-minutes``."""
    min_wait_s: float | None = None
    """The least delay before a retry where the answer names none; ``None``: no rule."""
    token_action: TokenAction
    channel_action: str | None = None
    """Broadcast rows: ``keep`` or ``remove`` the channel."""
    scope: str | None = None
    """What else is affected: ``this-notification``, ``this-token``, ``this-connection`` or
    ``all-sends-with-these-credentials``."""
    causes: tuple[str, ...] = ()
    """Our words and judgement, likeliest first."""
    what_to_do: tuple[str, ...] = ()
    """Our words, in order."""
    notes: str | None = None
    aliases: tuple[str, ...] = ()
    """Other spellings: on the wire, of older versions, of the vendors' own libraries."""
    source: str
    """Keys of :func:`sources`, separated by ``;``, each perhaps with a remark in parentheses."""
    verification: str
    """How far status, name and the vendor's text were verified."""
    examples: tuple[Example, ...] = ()

    @property
    def example(self) -> str | None:
        """The first example body as JSON text."""
        return self.examples[0].body if self.examples else None

    @property
    def in_seed(self) -> bool:
        """Whether the older tables have this row."""
        return bool(self.seed_descriptions)

    @property
    def names(self) -> tuple[str, ...]:
        """The alternatives that :attr:`name` joins."""
        return tuple(self.name.split(" / "))


class _Catalog:
    """The tables in memory, indexed."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.reasons = tuple(_reason(row) for row in data["reasons"])
        self.fallbacks = {
            (row["service"], str(row["key"])): _reason(
                {key: value for key, value in row.items() if key != "key"}
            )
            for row in data["fallbacks"]
        }
        self.accepted: Mapping[str, str] = data["accepted"]
        self.sources = {key: Source(**value) for key, value in data["sources"].items()}
        self.exact: dict[tuple[str, str, str | None], Reason] = {}
        self.prefixes: list[tuple[str, str, Reason]] = []
        for reason in self.reasons:
            for name in reason.names:
                if name.endswith("*"):
                    self.prefixes.append((reason.service, name[:-1], reason))
                else:
                    self.exact[reason.service, name, reason.case] = reason
            for alias in reason.aliases:
                self.exact[reason.service, alias, None] = reason

    def find(self, service: str, name: str, case: str | None) -> Reason | None:
        found = self.exact.get((service, name, case)) or self.exact.get((service, name, None))
        if found is None:
            for owner, prefix, reason in self.prefixes:
                if owner == service and name.startswith(prefix):
                    return reason
        return found


def _reason(row: Mapping[str, Any]) -> Reason:
    values = {
        **row,
        "category": Category(row["category"]),
        "retryable": Retryable(row["retryable"]),
        "token_action": TokenAction(row["token_action"]),
        "examples": tuple(Example(**example) for example in row.get("examples", ())),
    }
    for field in ("seed_descriptions", "causes", "what_to_do", "aliases"):
        values[field] = tuple(row.get(field, ()))
    return Reason(**values)


@functools.cache
def _catalog() -> _Catalog:
    return _Catalog(json.loads(DATA_FILE.read_bytes()))


def lookup(
    service: str, name: str, *, status: int | None = None, case: str | None = None
) -> Reason | None:
    """
    Return the row of *name*, spelt exactly or by a known alias, or ``None``.

    With *service* ``fcm`` the reasons of Google's front end are found too, FCM's own first: an
    answer to a push may carry either.  The cases ``broadcast`` of ``apns`` and ``topics`` of
    ``fcm`` have tables of their own, which are looked into first.  A *case* that is not in the
    tables gives the general row.
    A row documented for another *status* is not returned.
    """
    catalog = _catalog()
    if service == "oauth" and case is not None:
        found = catalog.find(service, case, None) or catalog.find(service, name, None)
    else:
        own_table = _TABLE_OF_CASE.get((service, case or ""))
        found = catalog.find(own_table, name, None) if own_table is not None else None
        found = found or catalog.find(service, name, case)
        if found is None and service == "fcm":
            found = catalog.find("google", name, case)
    if found is not None and status is not None and found.status not in (None, status):
        return None
    return found


@functools.lru_cache(maxsize=1024)
def by_status(service: str, status: int) -> Reason:
    """
    Return what an HTTP *status* alone says, for a missing or unknown reason.

    There is one for every number: the row of the status, of its hundred (``5xx``) or the
    service's last resort.  Apple's three services share theirs, Google's two likewise.
    """
    fallbacks = _catalog().fallbacks
    family = _FAMILIES.get(service, service)
    for key in (str(status), f"{status // 100}xx", OTHER):
        row = fallbacks.get((family, key)) or fallbacks.get(("pushctl", key))
        if row is not None:
            return dataclasses.replace(row, service=service, name=f"HTTP {status}", status=status)
    raise AssertionError("the last resort has no row")


def of_record(
    service: str | None, reason: str | None, *, status: int | None = None, case: str | None = None
) -> Reason | None:
    """
    Return the row that an outcome record speaks of.

    The reason may be the service's or one of pushctl's own; a missing or unknown one is told by
    its *status*.  ``None`` where the record has neither.
    """
    found = None
    if reason is not None:
        found = lookup(service, reason, case=case) if service else None
        found = found or _catalog().find("pushctl", reason, None)
    if found is None and service is not None and status is not None:
        return by_status(service, status)
    return found


def own(name: str) -> Reason:
    """
    Return the row of one of pushctl's own reasons.

    :raises KeyError: if pushctl gives no such reason.
    """
    found = _catalog().find("pushctl", name, None)
    if found is None:
        raise KeyError(name)
    return found


def all_reasons() -> Sequence[Reason]:
    """Return every row in the order of the tables, the APNs device API first."""
    return _catalog().reasons


def accepted(service: str) -> str:
    """Return what an acceptance by *service* (``apns`` or ``fcm``) means, and what it does not."""
    return _catalog().accepted[service]


def sources() -> Mapping[str, Source]:
    """Return the pages and recordings that the rows were read from, by key."""
    return _catalog().sources


__all__ = [
    "BROADCAST",
    "Example",
    "Reason",
    "Source",
    "accepted",
    "all_reasons",
    "by_status",
    "lookup",
    "of_record",
    "own",
    "sources",
]
