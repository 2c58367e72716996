"""
Making, listing, reading and deleting broadcast channels.

Each request ends in an :class:`~pushctl.outcome.Outcome`, as a push does, and "we do not know" is
one of them: a creation that was not answered is never asked for again, because a second channel
could be the result.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence

from pushctl.config import Origin
from pushctl.credentials.credential import Authorization
from pushctl.errors import ExitCode
from pushctl.gateway import broadcast, channels
from pushctl.gateway.channels import Call
from pushctl.manage.client import ManagementClient, Reply, Silence
from pushctl.manage.outcomes import own_outcome
from pushctl.outcome import Category, Kind, Outcome, Retryable
from pushctl.rules.channels import Storage

_NOT_LET_IN = (401, 403)
"""FeatureNotEnabled, a 400, is about the app's set-up and not about who asks."""
_TOKEN_TOO_OLD = "ExpiredProviderToken"  # noqa: S105 -- Apple's word, not a secret


@dataclasses.dataclass(frozen=True, slots=True)
class Channel:
    """One channel, and what became of the request about it."""

    id: str | None
    """``None``: it was not made, or the answer does not name it."""
    outcome: Outcome
    storage: Storage | None = None
    push_type: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """The channels of an app; empty where the request was not accepted."""

    ids: Sequence[str]
    outcome: Outcome


class ChannelManager:
    """Manages the channels of one app, one request after the other."""

    def __init__(self, client: ManagementClient, origin: Origin, app: str) -> None:
        """*app* is the bundle id."""
        self._client = client
        self._origin = origin
        self._app = app
        self._authorization: Authorization | None = None

    async def create(self, storage: Storage) -> Channel:
        """
        Make a channel.

        Its outcome is ``unknown`` where there was no answer: there may be one channel more.
        """
        reply, outcome = await self._ask(channels.create(self._app, storage))
        if reply is None or outcome.kind is not Kind.ACCEPTED:
            return Channel(None, outcome, storage)
        return Channel(channels.created_id(reply.headers), outcome, storage, channels.PUSH_TYPE)

    async def read(self, channel: str) -> Channel:
        """Return how *channel* was made."""
        reply, outcome = await self._ask(channels.read(self._app, channel))
        if reply is None or outcome.kind is not Kind.ACCEPTED:
            return Channel(channel, outcome)
        told = channels.properties(reply.body)
        return Channel(channel, outcome, told.storage, told.push_type)

    async def list_all(self) -> Listing:
        """Return the ids of all channels."""
        reply, outcome = await self._ask(channels.list_all(self._app))
        if reply is None or outcome.kind is not Kind.ACCEPTED:
            return Listing((), outcome)
        ids = channels.channel_ids(reply.body)
        if ids is None:
            return Listing((), _not_read(outcome))
        return Listing(ids, outcome)

    async def delete(self, ids: Sequence[str]) -> list[Channel]:
        """
        Delete *ids* one after the other; return what became of each.

        Once the credential is refused, the service out of reach or the work interrupted, the
        rest is not tried.
        """
        done: list[Channel] = []
        stopped: Outcome | None = None
        for channel in ids:
            outcome = stopped
            if outcome is None:
                _, outcome = await self._ask(channels.delete(self._app, channel))
                stopped = self._ends(outcome)
            done.append(Channel(channel, outcome))
        return done

    def _ends(self, outcome: Outcome) -> Outcome | None:
        """Return the outcome of all that would come after *outcome*; ``None``: it is tried."""
        if self._client.interrupted:
            return own_outcome(Kind.NOT_SENT, "Interrupted", None)
        if exit_code([outcome]) in (ExitCode.CREDENTIALS_REFUSED, ExitCode.UNREACHABLE):
            why = f"not tried after {outcome.reason or outcome.status}"
            return own_outcome(Kind.NOT_SENT, "NotReached", why)
        return None

    async def _ask(self, call: Call) -> tuple[Reply | None, Outcome]:
        """
        Return the answer to *call* and what it means.

        It is asked for twice where the first time was surely in vain: a provider token that
        expired is replaced, a connection that took nothing is too.
        """
        if self._authorization is None:
            self._authorization = await self._client.authorization()
        reply, outcome = await self._ask_once(call)
        if outcome.reason == _TOKEN_TOO_OLD and self._authorization is not None:
            # It was refused, so nothing was done: the same request may be made again.
            self._authorization = await self._client.authorization(self._authorization)
            await self._client.reconnect()
            reply, outcome = await self._ask_once(call)
        elif outcome.reason == "NotReached" and not self._client.interrupted:
            await self._client.reconnect()  # nothing was done: once more, on a new connection
            reply, outcome = await self._ask_once(call)
        return reply, outcome

    async def _ask_once(self, call: Call) -> tuple[Reply | None, Outcome]:
        request_id = (("apns-request-id", str(uuid.uuid4())),)
        reply = await self._client.ask(self._origin, call, self._authorization, more=request_id)
        if isinstance(reply, Silence):
            return None, _without_answer(reply, call)
        return reply, broadcast.read_answer(reply.status, reply.headers, reply.body)


def exit_code(outcomes: Sequence[Outcome], stopped: ExitCode | None = None) -> ExitCode:
    """
    Return the exit code for *outcomes*: the first that applies of 4, 5, 130/143, 7, 1, and 0.

    *stopped* is that of the signal that ended the work, if one did.
    """
    codes = {_exit_code(outcome) for outcome in outcomes} | {stopped}
    order = (
        ExitCode.CREDENTIALS_REFUSED,
        ExitCode.UNREACHABLE,
        ExitCode.INTERRUPTED,
        ExitCode.TERMINATED,
        ExitCode.UNKNOWN_OUTCOMES,
        ExitCode.FINDINGS,
    )
    return next((code for code in order if code in codes), ExitCode.OK)


def _exit_code(outcome: Outcome) -> ExitCode:
    if outcome.kind is Kind.ACCEPTED:
        return ExitCode.OK
    if outcome.kind is Kind.UNKNOWN:
        return ExitCode.UNKNOWN_OUTCOMES
    if outcome.category is Category.CREDENTIALS and outcome.status in _NOT_LET_IN:
        return ExitCode.CREDENTIALS_REFUSED
    if outcome.reason == "Interrupted":
        return ExitCode.OK  # the signal's own code tells
    if outcome.kind is Kind.NOT_SENT or outcome.retryable is Retryable.WITH_BACKOFF:
        return ExitCode.UNREACHABLE
    return ExitCode.FINDINGS


def _without_answer(silence: Silence, call: Call) -> Outcome:
    """Return what is known of a request without an answer."""
    kind = Kind.UNKNOWN if silence.was_sent and call.changes else Kind.NOT_SENT
    return own_outcome(kind, "NoAnswer" if silence.was_sent else "NotReached", silence.why)


def _not_read(outcome: Outcome) -> Outcome:
    return outcome._replace(
        kind=Kind.REJECTED,
        reason=None,
        category=Category.SERVER,
        retryable=Retryable.WITH_BACKOFF,
        detail="the answer is not a list of channels: is this Apple's host for channels?",
    )
