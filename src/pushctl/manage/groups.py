"""
From the rows of an audience to requests about topics: who is asked for, and with how many others.

Pure, and in memory that does not grow with the audience.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from pushctl.audience.plain import GIVEN_FIDS
from pushctl.gateway.topics import MAX_BATCH, Action
from pushctl.manage.outcomes import own_outcome
from pushctl.outcome import Kind, Outcome, Service
from pushctl.rules import tokens

Row: TypeAlias = tuple[Any, ...]
"""A row of a prepared audience, see :data:`pushctl.audience.prepared.COLUMNS`."""

MAX_SINGLES = 200
"""Registrations that are asked for one by one, in one group."""
MAX_ROWS = 10_000
"""Rows of a group, those that nobody is asked about included."""


@dataclasses.dataclass(slots=True)
class Group:
    """Rows that stand together, and what is done with each."""

    rows: list[Row] = dataclasses.field(default_factory=list)
    """All of them, in order."""
    decided: dict[int, Outcome] = dataclasses.field(default_factory=dict)
    """What is known beforehand, by the number of the row."""
    batch: list[Row] = dataclasses.field(default_factory=list)
    """Registration tokens, asked for together."""
    singles: list[Row] = dataclasses.field(default_factory=list)
    """Installation ids, asked for one by one."""

    @property
    def is_full(self) -> bool:
        """Whether nothing more fits."""
        return (
            len(self.batch) >= MAX_BATCH
            or len(self.singles) >= MAX_SINGLES
            or len(self.rows) >= MAX_ROWS
        )


def groups(
    rows: Iterable[Row], action: Action, *, credential: str, batches: bool = True
) -> Iterator[Group]:
    """
    Yield all of *rows* in groups, each row in one, in their order.

    *credential* is the name of the one that is used: rows that ask for another are left out.
    Without *batches* registration tokens are asked for one by one too.
    """
    group = Group()
    for row in rows:
        group.rows.append(row)
        outcome = judge(row, action, credential)
        if outcome is not None:
            group.decided[row[0]] = outcome
        elif batches and not (row[1] == GIVEN_FIDS or tokens.is_installation_id(row[2])):
            group.batch.append(row)
        else:
            group.singles.append(row)
        if group.is_full:
            yield group
            group = Group()
    if group.rows:
        yield group


def judge(row: Row, action: Action, credential: str) -> Outcome | None:
    """
    Return what is decided about *row* without asking anybody; ``None``: ask.

    Who has not given consent is not subscribed; to unsubscribe somebody takes no consent.
    """
    kind, reason, detail = row[11:14]
    token, service = row[2], row[3]
    if reason == "NoConsent" and action is Action.UNSUBSCRIBE:
        kind, reason, detail = _judge_anew(token, service)
    if kind is not None:
        return own_outcome(Kind(kind), reason, detail)
    if service != Service.FCM:
        why = "this is a device token of APNs, and topics are FCM's"
        return own_outcome(Kind.SKIPPED, "NoCredential", why)
    if row[6] not in (None, credential):
        return own_outcome(Kind.SKIPPED, "NoCredential", "the row asks for another credential")
    return None


def _judge_anew(token: str | None, service: str | None) -> tuple[str | None, str, str | None]:
    """Return the verdict on a row of which nothing but the want of consent had been judged."""
    if token is None:
        return Kind.REJECTED, "MissingToken", None
    fault = None if service == Service.APNS else tokens.fault(token, Service.FCM)
    return (None, "", None) if fault is None else (Kind.REJECTED, "InvalidToken", fault)
