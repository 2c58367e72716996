"""
The lane of one credential: its queue, its retries, its canary, and what each answer leads to.

A lane is told what happened and the time; it never reads a clock, opens a socket or draws a
random number itself.  What must happen outside goes through :class:`Effects`.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from pushctl.dispatch.pace import Pacer
from pushctl.dispatch.policy import Policy, is_stale, refuses_credential, retry_delay
from pushctl.dispatch.push import Push, not_sent, unknown
from pushctl.dispatch.thresholds import Canary, Stop
from pushctl.errors import StorageError
from pushctl.outcome import Category, Kind, Outcome, Retryable, Service
from pushctl.wire.connection import TIMED_OUT

RENEWALS = 3
"""So many times a push may meet a token that the service has stopped taking."""
SILENT_PROBES = 3
"""So many requests in a row, each sent alone, may go unanswered before the lane gives up."""


class Effects(Protocol):
    """What a lane asks of the world."""

    def finished(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
        """*push* ended in *outcome*; called exactly once for every push."""

    def sending(self, lane: Lane, pushes: Sequence[Push]) -> None:
        """
        *pushes* are about to be written to a connection.

        Raises :class:`~pushctl.errors.StorageError` where that cannot be noted: then they are
        not written.
        """

    def retrying(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
        """*push* goes out again: *outcome* is what became of the try that is over."""

    def renew(self, lane: Lane) -> None:
        """The service wants a newer token: get one, then call :meth:`Lane.renewed`."""

    def stop(self, stop: Stop) -> None:
        """The run must stop."""


class Lane:
    """All pushes that go out with one credential."""

    def __init__(
        self,
        name: str,
        service: Service,
        *,
        policy: Policy,
        effects: Effects,
        pacer: Pacer,
        jitter: Callable[[], float],
        least_wait_s: Callable[[Outcome], float | None],
    ) -> None:
        self.name = name
        self.service = service
        self.policy = policy
        self.pacer = pacer
        self.in_flight = 0
        self.launched = 0
        self.proven = False
        """An answer has shown that the service takes this credential, and it still answers."""
        self.refused: Outcome | None = None
        self.renewing = False
        self.paused_until = 0.0
        self._effects = effects
        self._jitter = jitter
        self._least_wait_s = least_wait_s
        self._canary = Canary(policy.canary, service)
        self._queue: deque[Push] = deque()
        self._waiting: list[tuple[float, int, Push]] = []
        self._serial = 0
        self._closed_for: tuple[str, str | None] | None = None
        self._heard_at = 0.0
        """When the service last answered anything."""
        self._silent_probes = 0
        self._renewal_began = -1.0
        self._taken_at = -1.0
        """When the push was sent that was last accepted, or refused for its device token alone."""

    @property
    def closed(self) -> bool:
        """Return whether nothing more is sent."""
        return self._closed_for is not None

    @property
    def closed_for(self) -> tuple[str, str | None] | None:
        """Return the reason why nothing more is sent, with words; ``None`` while it may be."""
        return self._closed_for

    @property
    def queued(self) -> int:
        """Return how many pushes could be sent at once."""
        return len(self._queue)

    @property
    def idle(self) -> bool:
        """Return whether nothing is queued, waiting or in flight."""
        return not (self._queue or self._waiting or self.in_flight)

    def offer(self, pushes: Iterable[Push], now: float) -> None:
        """Take *pushes* into the queue; a closed lane ends them at once."""
        self._queue.extend(pushes)
        self._end_all_unsent(now)

    def ready(self, now: float) -> bool:
        """Return whether a push is due and waits for nothing but a connection."""
        if self._closed_for is not None or self.renewing or now < self.paused_until:
            return False
        self._admit(now)
        return bool(self._queue) and not self.pacer.wait(now)

    def take(self, room: int, now: float) -> list[Push]:
        """
        Return up to *room* pushes to send now; they count as in flight from here on.

        A credential that no answer has proved yet gets one request at a time: a wrong key must
        cost one request, not the list.  The canary limits how many go out before it is judged.
        """
        if self.renewing or now < self.paused_until or self._closed_for is not None:
            return []
        self._admit(now)
        room = min(room, len(self._queue))
        if not self.proven:
            room = min(room, 1 - self.in_flight)
        if not self._canary.passed:
            relaunches = self._relaunches()
            due = self.in_flight + len(self._waiting) + relaunches
            canary_room = self._canary.room(self.launched, due)
            if canary_room is not None:
                room = min(room, canary_room + relaunches)
        room = self.pacer.allowance(room, now)
        if room <= 0:
            return []
        popleft = self._queue.popleft
        taken = [popleft() for _ in range(room)]
        self.pacer.take(room)
        self.in_flight += room
        for push in taken:
            if push.attempts == 0:
                self.launched += 1
                if not push.first_at:
                    push.first_at = now
            push.attempts += 1
            push.sent_at = now
        try:
            self._effects.sending(self, taken)
        except StorageError as error:
            self._put_back(taken)
            self.close("Stopped", str(error), now)
            return []
        return taken

    def next_wake(self, now: float) -> float | None:
        """
        Return when :meth:`take` may give more without any event; ``None`` if never.

        What is due already waits for an event or a connection, see :meth:`ready`.
        """
        if self._closed_for is not None or self.renewing:
            return None
        wakes = []
        if self._queue:
            wakes.append(max(self.paused_until, now + self.pacer.wait(now)))
        if self._waiting:
            wakes.append(max(self._waiting[0][0], self.paused_until))
        return min((wake for wake in wakes if wake > now), default=None)

    def answered_yes(self, push: Push, outcome: Outcome, now: float) -> None:
        """The service accepted *push*."""
        self.in_flight -= 1
        self.proven = True
        self._heard_at = now
        self._taken_at = push.sent_at
        self._silent_probes = 0
        self._canary.passed = True
        self._effects.finished(self, push, outcome, now)

    def answered_no(self, push: Push, outcome: Outcome, now: float) -> None:
        """The service refused *push* with *outcome* (kind ``rejected``)."""
        self.in_flight -= 1
        self._heard_at = now
        self._silent_probes = 0
        if outcome.category is Category.TOKEN and outcome.retryable is Retryable.NO:
            self.proven = True  # the service took the credential, and has judged the token
            self._taken_at = push.sent_at
            self._refused_for_good(push, outcome, now)
            return
        if is_stale(outcome, self.service) and self._may_renew_for(push):
            push.renewals += 1
            self._queue.appendleft(push)
            self._again(push, outcome, now)
            if not self.renewing and self._has_newest_token(push):
                self.renewing = True
                self._renewal_began = now
                self._effects.renew(self)
            return
        if refuses_credential(outcome):
            self._effects.finished(self, push, outcome, now)
            if self._closed_for is None:
                self.refused = outcome
                self.close("CredentialsRefused", outcome.reason, now)
            return
        if outcome.status is not None and outcome.status < 500 and outcome.status != 429:
            self.proven = True
        if self._retry_later(push, outcome, now):
            return
        self._refused_for_good(push, outcome, now)

    def unprocessed(self, push: Push, why: str, now: float) -> None:
        """
        *push* was provably not processed: it goes again, at once and elsewhere.

        Refused again and again while nothing else is answered, it waits between its tries.  A
        server that ends each connection after some answers is making progress: whoever has more
        in flight than it takes on one connection is refused often, and reaches it all the same.
        """
        self._put_back([push])
        push.refusals = 1 if self._heard_at > push.sent_at else push.refusals + 1
        if self._closed_for is not None:
            self._end_all_unsent(now)
            return
        unprocessed = not_sent("NotProcessed", why)
        if push.refusals >= self.policy.refusal_limit:
            self._queue.popleft()
            delay = 1.0 * 2.0 ** min(push.refusals - self.policy.refusal_limit, 6)
            due = now + delay * (1 + self._jitter() / 2)
            if due - push.first_at > self.policy.retry_for_s:
                self._effects.finished(self, push, push.last_answer or unprocessed, now)
                return
            self._wait(push, due)
        if push.last_answer is None or push.last_answer.kind is not Kind.UNKNOWN:
            self._effects.retrying(self, push, unprocessed, now)

    def unanswered(self, push: Push, outcome: Outcome, now: float) -> None:
        """
        *push* was sent and never answered: ``unknown``, and not sent again by default.

        If nothing at all was answered while it waited, the service may be gone: from here on one
        request at a time probes it, so that a silent service costs some requests, not the list.
        """
        self.in_flight -= 1
        if is_silent(self._heard_at, push, now):
            self._fell_silent()
        again = (
            self.policy.on_unknown == "resend"
            and push.attempts < self.policy.resend_limit
            and self._closed_for is None
        )
        if again:
            self._again(push, outcome, now)
            self._queue.appendleft(push)  # in front of what the canary holds back
        else:
            self._effects.finished(self, push, outcome, now)
        if self._silent_probes >= SILENT_PROBES:
            why = f"{SILENT_PROBES} requests in a row went unanswered: {outcome.detail}"
            self.close("NotReached", why, now)

    def renewed(self) -> None:
        """A newer token is there: sending goes on."""
        self.renewing = False

    def close(self, reason: str, why: str | None, now: float) -> None:
        """
        Send nothing more: what is queued or waits for a first try is ``not_sent``.

        A push that was answered and waits for its next try ends ``rejected`` with that answer.
        """
        if self._closed_for is None:
            self._closed_for = (reason, why)
        self._end_all_unsent(now)

    def _has_newest_token(self, push: Push) -> bool:
        """Return whether *push* left with the token that the last renewal brought."""
        return push.sent_at > self._renewal_began

    def _may_renew_for(self, push: Push) -> bool:
        """
        Return whether *push*, answered that its token is stale, goes again with a newer one.

        A token that the service took and then calls stale is replaced.  One that it never took, and
        that came in place of another, shows that the credential is refused.
        """
        if self._closed_for is not None or push.renewals >= RENEWALS:
            return False
        was_taken = self._taken_at > self._renewal_began
        return push.renewals == 0 or was_taken or not self._has_newest_token(push)

    def _refused_for_good(self, push: Push, outcome: Outcome, now: float) -> None:
        self._effects.finished(self, push, outcome, now)
        stop = self._canary.rejected(outcome)
        if stop is not None:
            self._effects.stop(stop)

    def _admit(self, now: float) -> None:
        """Put what has waited long enough in front of the queue."""
        while self._waiting and self._waiting[0][0] <= now:
            self._queue.appendleft(heapq.heappop(self._waiting)[2])

    def _put_back(self, pushes: Sequence[Push]) -> None:
        """Put *pushes*, which count as in flight, back in front: the service has none of them."""
        self.in_flight -= len(pushes)
        for push in reversed(pushes):
            push.attempts -= 1
            if push.attempts == 0:
                self.launched -= 1
            self._queue.appendleft(push)

    def _fell_silent(self) -> None:
        if self.proven:
            self.proven = False
        elif not self.in_flight:  # it was sent alone, or is the last of those sent before
            self._silent_probes += 1

    def _relaunches(self) -> int:
        # Pushes at the head of the queue that were launched before do not use up the canary.
        number = 0
        for push in self._queue:
            if push.attempts == 0:
                break
            number += 1
        return number

    def _retry_later(self, push: Push, outcome: Outcome, now: float) -> bool:
        if self._closed_for is not None:
            return False
        if outcome.reason == "TooManyProviderTokenUpdates" and push.renewals == 0:
            push.renewals = 1
            due = now
        elif outcome.retryable is not Retryable.WITH_BACKOFF:
            return False  # before a random number is drawn: a dead token is the common case
        else:
            delay = retry_delay(
                outcome,
                attempts=push.attempts,
                least_wait_s=self._least_wait_s(outcome),
                jitter=self._jitter(),
            )
            if delay is None or now + delay - push.first_at > self.policy.retry_for_s:
                return False
            due = now + delay
            if outcome.status == 429 and self.service is Service.FCM:
                self.paused_until = max(self.paused_until, due)  # the quota is the project's
        self._again(push, outcome, now)
        self._wait(push, due)
        return True

    def _again(self, push: Push, outcome: Outcome, now: float) -> None:
        self._effects.retrying(self, push, outcome, now)
        push.last_answer = outcome

    def _wait(self, push: Push, due: float) -> None:
        self._serial += 1
        heapq.heappush(self._waiting, (due, self._serial, push))

    def _end_all_unsent(self, now: float) -> None:
        """On a closed lane, end what is queued or waits."""
        if self._closed_for is None:
            return
        reason, why = self._closed_for
        ended = [*self._queue, *(push for _, _, push in self._waiting)]
        self._queue.clear()
        self._waiting.clear()
        for push in ended:
            outcome = push.last_answer or not_sent(reason, why)
            self._effects.finished(self, push, outcome, now)


def is_silent(heard_at: float, push: Push, now: float) -> bool:
    """
    Tell whether whoever was last heard at *heard_at* was silent while *push* waited.

    Half of the time is enough: it left between others that were still answered.
    """
    return now - heard_at > (now - push.sent_at) / 2


def no_answer(why: str) -> Outcome:
    """Return the outcome of a request whose deadline passed or whose connection broke."""
    reason = "NoAnswer" if why == TIMED_OUT else "ConnectionLost"
    return unknown(reason, why)
