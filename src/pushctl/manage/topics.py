"""
Subscribes registrations to a topic of FCM, or ends their subscriptions; any number of them.

To subscribe somebody twice does no harm, nor does to unsubscribe somebody twice.  So, unlike a
push, what was not answered is asked for again, as long as ``retry_for_s`` allows; what is then
still unanswered is ``unknown``, for each of its tokens.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from pushctl import catalog
from pushctl.config import Origin
from pushctl.credentials.credential import Authorization
from pushctl.errors import ExitCode, PushctlError
from pushctl.gateway import topics
from pushctl.gateway.topics import Action, Call
from pushctl.manage.client import ManagementClient, Reply, Silence
from pushctl.manage.groups import Group, Row
from pushctl.manage.outcomes import own_outcome
from pushctl.outcome import Category, Kind, Outcome, Retryable, Service

GROUPS_AT_ONCE = 4
SINGLES_AT_ONCE = 20
"""Requests about one registration in flight; FCM allows 3,000 a second to a project."""
_BACKOFF_S = 1.0
_BACKOFF_LIMIT_S = 60.0
_JITTER = 0.25
_SPREAD = random.SystemRandom().random

Result = TypeVar("Result")


class Ended(NamedTuple):
    """How it ended for one row."""

    row: Row
    outcome: Outcome
    attempts: int
    """How often Google was asked about it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be done."""

    action: Action
    topic: str
    project_id: str
    batches: Origin
    """Where batches are sent."""
    singles: Origin
    """Where requests about one registration are sent."""
    retry_for_s: float = 300.0


class _Said(NamedTuple):
    """What one request came to."""

    outcomes: Sequence[Outcome]
    """One for each row."""
    whole: Outcome | None = None
    """That of the request as a whole, where nothing was said of single rows."""


class TopicManager:
    """Carries out one order.  Make it, then iterate over :meth:`run` once."""

    def __init__(
        self,
        client: ManagementClient,
        order: Order,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = _SPREAD,
    ) -> None:
        """*clock* gives seconds from anywhere, *jitter* numbers from 0 to 1."""
        self._client = client
        self._order = order
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._asking = asyncio.Lock()
        self._room = asyncio.Semaphore(SINGLES_AT_ONCE)
        self._stopped: Outcome | None = None
        """What everything ends with that has not begun."""
        self.stop_code: ExitCode | None = None
        """The exit code of what stopped it early; ``None`` where nothing did, or a signal."""
        self.requests = 0

    async def run(self, groups: Iterator[Group]) -> AsyncIterator[Sequence[Ended]]:
        """
        Yield how it ended for the rows of each group: every row once, in order.

        The first group goes alone, so that a refused credential costs one request.  Cancelling
        stops it: what is in flight ends by what is known of it, what has not begun is
        ``not_sent``.
        """
        pending: deque[asyncio.Task[Sequence[Ended]]] = deque()
        at_once = 1
        for group in groups:
            pending.append(asyncio.create_task(self._settle(group)))
            if len(pending) >= at_once:
                await self._until_done(pending)
                yield pending.popleft().result()
                at_once = GROUPS_AT_ONCE
        while pending:
            await self._until_done(pending)
            yield pending.popleft().result()

    async def _until_done(self, pending: Sequence[asyncio.Task[Sequence[Ended]]]) -> None:
        """Wait for the first of *pending*; pass a cancellation on to all of them."""
        while not pending[0].done():
            try:
                await asyncio.wait([pending[0]])
            except asyncio.CancelledError:
                self._stop("Interrupted", None, None)
                for task in pending:
                    task.cancel()

    async def _settle(self, group: Group) -> Sequence[Ended]:
        order = self._order
        ended = {
            row[0]: Ended(row, group.decided[row[0]], 0)
            for row in group.rows
            if row[0] in group.decided
        }
        works = [self._single(row) for row in group.singles]
        if group.batch:
            works.append(self._ask(order.batches, group.batch, self._batch, _read_batch))
        for several in await _all_of(works):
            ended.update((one.row[0], one) for one in several)
        return [ended[row[0]] for row in group.rows]

    async def _single(self, row: Row) -> Sequence[Ended]:
        origin = self._order.singles
        try:
            async with self._room:
                return await self._ask(origin, [row], self._one, _read_single)
        except asyncio.CancelledError:  # it waited for its turn; now everything is stopped
            return await self._ask(origin, [row], self._one, _read_single)

    def _batch(self, rows: Sequence[Row]) -> Call:
        return topics.batch(self._order.action, self._order.topic, [row[2] for row in rows])

    def _one(self, rows: Sequence[Row]) -> Call:
        order = self._order
        return topics.single(order.action, order.topic, rows[0][2], order.project_id)

    # -- asking until it is answered ------------------------------------------------------------

    async def _ask(
        self,
        origin: Origin,
        rows: Sequence[Row],
        call: Callable[[Sequence[Row]], Call],
        read: Callable[[Reply, int], _Said],
    ) -> Sequence[Ended]:
        """Return how it ended for *rows*; those that may yet succeed are asked for again."""
        ended: dict[int, Ended] = {}
        left, begun, attempts, renewed = list(rows), self._clock(), 0, False
        while left and (authorization := await self._authorize()) is not None:
            attempts += 1
            said = await self._once(origin, call(left), authorization, len(left), read)
            if said.whole is not None and said.whole.status == 401 and not renewed:
                renewed = True
                await self._authorize(refused=authorization)
                continue
            for row, outcome in zip(left, said.outcomes, strict=True):
                ended[row[0]] = Ended(row, outcome, attempts)
            left = [row for row in left if _may_succeed(ended[row[0]].outcome)]
            if not left or not await self._waited(begun, self._wait_s(said.outcomes, attempts)):
                self._judge(said.whole)
                break
        stopped = self._stopped
        if stopped is not None and stopped.category is Category.CREDENTIALS:
            # What the service did not let in, it did not do.
            refused = {
                row for row, one in ended.items() if one.outcome.category is stopped.category
            }
            ended = {row: one for row, one in ended.items() if row not in refused}
        return [ended.get(row[0]) or Ended(row, _known(stopped), attempts) for row in rows]

    async def _once(
        self,
        origin: Origin,
        call: Call,
        authorization: Authorization,
        number: int,
        read: Callable[[Reply, int], _Said],
    ) -> _Said:
        self.requests += 1
        reply = await self._client.ask(origin, call, authorization)
        if isinstance(reply, Reply):
            return read(reply, number)
        if self._client.interrupted:
            self._stop("Interrupted", None, None)
        return _whole(_of_silence(reply), number)

    def _wait_s(self, outcomes: Sequence[Outcome], failures: int) -> float:
        """Return how long to wait: as the service says, else the catalog, but ever longer."""
        waits = [_least_wait_s(outcome) for outcome in outcomes if _may_succeed(outcome)]
        backoff = min(_BACKOFF_S * 2.0 ** min(failures - 1, 10), _BACKOFF_LIMIT_S)
        return max([backoff, *waits]) * (1 + _JITTER * self._jitter())

    async def _waited(self, begun: float, wait_s: float) -> bool:
        """Wait; return whether another try is to be made."""
        if self._stopped is not None:
            return False
        if self._clock() + wait_s - begun > self._order.retry_for_s:
            return False
        try:
            await self._sleep(wait_s)
        except asyncio.CancelledError:
            self._stop("Interrupted", None, None)
        return self._stopped is None

    # -- stopping -----------------------------------------------------------------------------

    def _judge(self, whole: Outcome | None) -> None:
        """Stop everything where what became of a request would become of every other."""
        if whole is None or whole.kind is Kind.ACCEPTED:
            return
        if whole.category is Category.CREDENTIALS:
            self._stop("CredentialsRefused", _words(whole), ExitCode.CREDENTIALS_REFUSED)
        elif _may_succeed(whole):
            self._stop("NotReached", f"not tried after {_words(whole)}", ExitCode.UNREACHABLE)
        else:
            why = f"every request would be refused: {_words(whole)}"
            self._stop("Stopped", why, ExitCode.STOPPED)

    def _stop(self, reason: str, why: str | None, code: ExitCode | None) -> None:
        if self._stopped is None:
            self._stopped = own_outcome(Kind.NOT_SENT, reason, why)
            self.stop_code = code

    async def _authorize(self, refused: Authorization | None = None) -> Authorization | None:
        """Return the access token, one newer than *refused*; ``None``: everything is stopped."""
        if self._stopped is not None:
            return None
        try:
            async with self._asking:
                return await self._client.authorization(refused)
        except asyncio.CancelledError:
            self._stop("Interrupted", None, None)
        except PushctlError as error:
            is_refused = error.exit_code is ExitCode.CREDENTIALS_REFUSED
            reason = "CredentialsRefused" if is_refused else "NotReached"
            self._stop(reason, str(error), error.exit_code)
        return None


def _known(outcome: Outcome | None) -> Outcome:
    assert outcome is not None  # a row without an end of its own ends as everything does
    return outcome


async def _all_of(works: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Return the results of *works*, which end by themselves once they are cancelled."""
    tasks = [asyncio.create_task(work) for work in works]
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
    return [task.result() for task in tasks]


def _read_batch(reply: Reply, number: int) -> _Said:
    found = topics.read_batch(reply.status, reply.headers, reply.body, number)
    return _whole(found, number) if isinstance(found, Outcome) else _Said(found)


def _read_single(reply: Reply, number: int) -> _Said:
    outcome = topics.read_single(reply.status, reply.headers, reply.body)
    about_it = outcome.kind is Kind.ACCEPTED or outcome.case == catalog.TOPICS
    return _Said([outcome]) if about_it else _whole(outcome, number)


def _whole(outcome: Outcome, number: int) -> _Said:
    return _Said([outcome] * number, outcome)


def _of_silence(silence: Silence) -> Outcome:
    if silence.was_sent:
        return own_outcome(Kind.UNKNOWN, "NoAnswer", silence.why)
    return own_outcome(Kind.NOT_SENT, "NotReached", silence.why)


def _may_succeed(outcome: Outcome) -> bool:
    """Return whether the same request may end otherwise later."""
    if outcome.kind is Kind.ACCEPTED:
        return False
    return outcome.retryable is Retryable.WITH_BACKOFF


def _least_wait_s(outcome: Outcome) -> float:
    if outcome.retry_after_s is not None:
        return outcome.retry_after_s
    if outcome.kind is not Kind.REJECTED:
        return 0.0
    row = None
    if outcome.reason is not None:
        row = catalog.lookup(Service.FCM, outcome.reason, case=outcome.case)
    if row is None or row.min_wait_s is None:
        row = catalog.by_status(Service.FCM, outcome.status or 0)
    return row.min_wait_s or 0.0


def _words(outcome: Outcome) -> str:
    words = (outcome.status, outcome.reason, outcome.detail)
    return " ".join(str(word) for word in words if word) or "an error"
