"""Whose request it is, and what the judge of that service makes of it."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from email.utils import formatdate

from pushctl.simulator import answers, channels, script, token_endpoint
from pushctl.simulator.apns import ApnsJudge
from pushctl.simulator.channels import Channels
from pushctl.simulator.exchange import Outcome
from pushctl.simulator.fcm import FcmJudge
from pushctl.simulator.http import Answer, Fields, Request
from pushctl.simulator.plan import Visit
from pushctl.simulator.script import ServiceName
from pushctl.simulator.stats import Counts
from pushctl.simulator.subscriptions import Subscriptions
from pushctl.simulator.token_endpoint import TokenEndpoint

_APNS_PATHS = ("/1/", "/2/", "/3/", "/4/")
"""The versions of APNs' API; what is not served in them is a bad path."""

Sayer = Callable[[script.Say], tuple[str, Answer]]
"""Puts a scripted answer into the form of a service."""


@dataclasses.dataclass(frozen=True, slots=True)
class Judges:
    """One for each service."""

    apns: ApnsJudge
    channels: Channels
    fcm: FcmJudge
    subscriptions: Subscriptions
    tokens: TokenEndpoint


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request that was judged."""

    service: ServiceName
    request: Request
    visit: Visit
    now: float
    target: str | None
    topic: str | None
    reason: str | None
    """Why it is refused on its own account; ``None``: good."""
    answer: Answer
    authorised: bool
    say: Sayer
    good: Outcome = "accepted"
    perform: Callable[[], None] | None = None


def service_of(path: str) -> ServiceName | None:
    """Return whose request one to *path* is; ``None``: nobody's."""
    if path.startswith(_APNS_PATHS):
        return "channels" if path.startswith(channels.MANAGEMENT_PREFIX) else "apns"
    if Subscriptions.owns(path):
        return "topics"
    if path.startswith("/v1/projects/"):
        return "fcm"
    return "oauth" if path == token_endpoint.PATH else None


class Docket:
    """Brings each request before its judge."""

    def __init__(self, judges: Judges, counts: Counts, *, sandbox: bool) -> None:
        self._judges = judges
        self._counts = counts
        self._sandbox = sandbox

    def judge(self, service: ServiceName, request: Request, visit: Visit, now: float) -> Case:
        """Count *request*, which came on the connection of *visit*, and return what it is worth."""
        match service:
            case "apns":
                if authorization := request.field("authorization"):
                    self._counts.provider_token(authorization)
                if request.path.startswith(channels.BROADCAST_PREFIX):
                    return self._broadcast(request, visit, now)
                return self._apns(request, visit, now)
            case "channels":
                return self._channels(request, visit, now)
            case "fcm":
                return self._fcm(request, visit, now)
            case "topics":
                return self._subscriptions(request, visit, now)
            case "oauth":
                return self._token_endpoint(request, visit, now)

    def _apns(self, request: Request, visit: Visit, now: float) -> Case:
        verdict = self._judges.apns.judge(request, visit.session, now)
        self._counts.push(verdict.token)
        if verdict.reason is not None:
            answer = answers.apns(verdict.reason, verdict.apns_id, now)
        else:
            head: Fields = (("apns-id", verdict.apns_id),)
            if self._sandbox:
                head = (*head, ("apns-unique-id", str(uuid.uuid4())))
            answer = Answer(200, head)

        def say(wanted: script.Say) -> tuple[str, Answer]:
            return said(wanted, answers.apns, verdict.apns_id, now, now=now)

        return Case(
            service="apns",
            request=request,
            visit=visit,
            now=now,
            target=verdict.token,
            topic=verdict.topic,
            reason=verdict.reason,
            answer=answer,
            authorised=verdict.authorised,
            say=say,
        )

    def _broadcast(self, request: Request, visit: Visit, now: float) -> Case:
        verdict = self._judges.channels.judge_broadcast(request, visit.session, now)
        target = None if verdict.channel is None else f"channel:{verdict.channel}"
        self._counts.push(target)
        return Case(
            service="apns",
            request=request,
            visit=visit,
            now=now,
            target=target,
            topic=verdict.app,
            reason=verdict.reason,
            answer=verdict.answer,
            authorised=verdict.authorised,
            say=lambda wanted: said(wanted, answers.broadcast, verdict.request_id, now=now),
        )

    def _channels(self, request: Request, visit: Visit, now: float) -> Case:
        self._counts.management_request()
        managed = self._judges.channels
        verdict = managed.manage(request, visit.session, now)
        return Case(
            service="channels",
            request=request,
            visit=visit,
            now=now,
            target=verdict.app,
            topic=verdict.app,
            reason=verdict.reason,
            answer=verdict.answer,
            authorised=verdict.authorised,
            say=lambda wanted: said(wanted, answers.broadcast, verdict.request_id, now=now),
            good="answered",
            perform=lambda: managed.perform(request, verdict),
        )

    def _fcm(self, request: Request, visit: Visit, now: float) -> Case:
        verdict = self._judges.fcm.judge(request, now)
        self._counts.push(verdict.target)
        return Case(
            service="fcm",
            request=request,
            visit=visit,
            now=now,
            target=verdict.target,
            topic=verdict.project,
            reason=None if verdict.refusal is None else verdict.reason or "?",
            answer=verdict.refusal or self._judges.fcm.accepted(verdict, now),
            authorised=verdict.authorised,
            say=lambda wanted: said(wanted, answers.fcm, now=now),
            good="validated" if verdict.validate_only else "accepted",
        )

    def _subscriptions(self, request: Request, visit: Visit, now: float) -> Case:
        self._counts.management_request()
        verdict = self._judges.subscriptions.judge(request, now)
        return Case(
            service="topics",
            request=request,
            visit=visit,
            now=now,
            target=verdict.registration,
            topic=verdict.project,
            reason=verdict.reason,
            answer=verdict.answer,
            authorised=verdict.authorised,
            say=lambda wanted: said(wanted, answers.fcm, now=now),
            good="answered",
            perform=verdict.perform,
        )

    def _token_endpoint(self, request: Request, visit: Visit, now: float) -> Case:
        self._counts.token_request()
        verdict = self._judges.tokens.judge(request, now)
        return Case(
            service="oauth",
            request=request,
            visit=visit,
            now=now,
            target=verdict.account,
            topic=None,
            reason=verdict.case,
            answer=verdict.answer,
            authorised=True,
            say=lambda wanted: said(wanted, answers.oauth, now=now),
            good="answered",
        )


def said(
    say: script.Say, form: Callable[..., Answer], *arguments: object, now: float
) -> tuple[str, Answer]:
    """Return what *say* wants in the *form* of a service."""
    fields = say.fields
    if say.retry_after_s is not None:
        moment = formatdate(now + say.retry_after_s, usegmt=True)
        value = moment if say.retry_after_form == "date" else str(say.retry_after_s)
        fields = (*fields, ("retry-after", value))
    options = {"timestamp_ms": say.timestamp_ms} if form is answers.apns else {}
    try:
        answer = form(say.reason, *arguments, status=say.status, fields=fields, **options)
    except answers.UnknownReason as unknown:
        return not_scripted(str(unknown))
    if say.body is not None:
        answer = dataclasses.replace(answer, body=say.body)
    return say.reason or str(answer.status), answer


def not_scripted(why: str) -> tuple[str, Answer]:
    """Tell the author of a script, in the answer, that it cannot be played."""
    return "script error", Answer(501, (("content-type", "text/plain"),), f"{why}\n".encode())
