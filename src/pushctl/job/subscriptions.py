"""Subscribes an audience to a topic of FCM, or ends its subscriptions."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pushctl.audience.prepared import Prepared
from pushctl.config import FcmSettings
from pushctl.credentials import Credential
from pushctl.errors import ExitCode
from pushctl.gateway.topics import Action
from pushctl.job.targets import target_of
from pushctl.manage.client import ManagementClient
from pushctl.manage.groups import Group, groups
from pushctl.manage.topics import (
    GROUPS_AT_ONCE,
    SINGLES_AT_ONCE,
    Ended,
    Order,
    TopicManager,
)
from pushctl.outcome import Kind
from pushctl.records.record import SCHEMA, Record
from pushctl.wire.trace import Trace

_WINDOW = 2_048

FIELDS = (
    "schema", "row", "source", "event", "action", "fcm_topic", "outcome", "profile", "service",
    "platform", "credential", "token", "target", "status", "reason", "case", "description",
    "category", "token_action", "retryable", "attempts", "id", "detail",
)  # fmt: skip
"""Of the record of one registration; what an outcome record has too means the same."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Subscribing:
    """What is to be done, checked and ready."""

    settings: FcmSettings
    credential: Credential
    action: Action
    topic: str
    prepared: Prepared
    batches: bool = True
    """Whether registration tokens are asked for together."""
    timeout_s: float = 30.0
    retry_for_s: float = 300.0

    @property
    def order(self) -> Order:
        """The order as it is carried out."""
        assert self.credential.project_id is not None
        return Order(
            action=self.action,
            topic=self.topic,
            project_id=self.credential.project_id,
            batches=self.settings.topics_origin,
            singles=self.settings.origin,
            retry_for_s=self.retry_for_s,
        )

    def groups(self) -> Iterator[Group]:
        """Return the audience in the groups that requests are made of."""
        rows = (row for window in self.prepared.batches(_WINDOW) for row in window)
        return groups(rows, self.action, credential=self.settings.name, batches=self.batches)


@dataclasses.dataclass(frozen=True, slots=True)
class Finished:
    """How it went as a whole."""

    requests: int
    stop_code: ExitCode | None
    """Of what stopped it before its end."""


async def subscribe(
    work: Subscribing,
    on_ended: Callable[[Sequence[Ended]], None],
    environ: Mapping[str, str],
    *,
    trace: Trace | None = None,
) -> Finished:
    """
    Do *work*; *on_ended* hears of every row once, in order.

    Cancelling it stops it and lets it account for what has begun.
    """
    client = ManagementClient(
        work.settings,
        work.credential,
        environ,
        timeout_s=work.timeout_s,
        trace=trace,
        connections=GROUPS_AT_ONCE + SINGLES_AT_ONCE,
    )
    async with client:
        manager = TopicManager(client, work.order)
        async for ended in manager.run(work.groups()):
            on_ended(ended)
    return Finished(manager.requests, manager.stop_code)


@dataclasses.dataclass(slots=True)
class Forecast:
    """What would be done."""

    asked: int = 0
    """Registrations that Google would be asked about."""
    requests: int = 0
    decided: Counter[tuple[Kind, str]] = dataclasses.field(default_factory=Counter)

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "to_ask": self.asked,
            "requests": self.requests,
            "decided": [
                {"outcome": kind.value, "reason": reason, "count": count}
                for (kind, reason), count in self.decided.most_common()
            ],
        }


def forecast(work: Subscribing) -> Forecast:
    """Return what :func:`subscribe` would do, asking nobody."""
    found = Forecast()
    for group in work.groups():
        found.asked += len(group.batch) + len(group.singles)
        found.requests += bool(group.batch) + len(group.singles)
        for outcome in group.decided.values():
            found.decided[outcome.kind, outcome.reason or ""] += 1
    return found


def record_of(work: Subscribing, ended: Ended) -> Record:
    """Return the record of one registration: the fields of :data:`FIELDS`."""
    row, outcome = ended.row, ended.outcome
    values = (
        SCHEMA, row[0], row[1], None, work.action.value, work.topic, outcome.kind.value, row[5],
        row[3], row[4], work.settings.name, row[2], target_of(row), outcome.status, outcome.reason,
        outcome.case, outcome.description,
        None if outcome.category is None else outcome.category.value,
        outcome.token_action.value, outcome.retryable.value, ended.attempts, outcome.id,
        outcome.detail,
    )  # fmt: skip
    return dict(zip(FIELDS, values, strict=True))


def exit_code(
    totals: Mapping[Kind, int], finished: Finished, signalled: ExitCode | None
) -> ExitCode:
    """Return the exit code: the first that applies of 4, 5, 6, 130/143, 7, 1, and 0."""
    early = finished.stop_code or signalled
    if early is not None:
        return early
    if totals.get(Kind.UNKNOWN):
        return ExitCode.UNKNOWN_OUTCOMES
    return ExitCode.FINDINGS if totals.get(Kind.REJECTED) else ExitCode.OK
