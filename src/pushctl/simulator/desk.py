"""
Where each request goes: to the judge of its service, then past the script, into the counts.

Knows nothing of sockets.  What comes out is a :class:`~pushctl.simulator.plan.Plan` for whoever
holds the connection, who says with :meth:`Desk.settle` or :meth:`Desk.abandon` what became of it.
"""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable
from email.utils import formatdate

from h2.errors import ErrorCodes

from pushctl.outcome import Environment
from pushctl.simulator import answers, channels, script, token_endpoint
from pushctl.simulator.apns import ApnsJudge
from pushctl.simulator.channels import Channels
from pushctl.simulator.exchange import Exchange, Outcome, Received
from pushctl.simulator.fcm import FcmJudge
from pushctl.simulator.http import Answer, Fields, Request, html_answer, json_answer
from pushctl.simulator.plan import Plan, Visit, fault_of, is_answered, is_processed
from pushctl.simulator.prompter import Cue, Prompter
from pushctl.simulator.script import Action, GatewayName, Script, ServiceName
from pushctl.simulator.stats import Counts
from pushctl.simulator.subscriptions import Subscriptions
from pushctl.simulator.token_endpoint import TokenEndpoint

_APNS_PATHS = ("/1/", "/2/", "/3/", "/4/")
"""The versions of APNs' API; what is not served in them is a bad path."""

_ACCEPT = script.Accept()
_REFUSE = script.Reset(code=ErrorCodes.REFUSED_STREAM)
_ONLY_HTTP2 = Answer(505, (("content-type", "text/plain"),), b"APNs speaks HTTP/2 only\n")

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
class _Case:
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


class Desk:
    """Judges requests and plans the answers."""

    def __init__(
        self,
        judges: Judges,
        *,
        environment: Environment,
        script: Script,
        counts: Counts,
        ca_pem: bytes,
        max_tokens: int,
        clock: Callable[[], float] = time.time,
        on_push: Callable[[Received], None] | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
    ) -> None:
        self._judges = judges
        self._sandbox = environment is Environment.SANDBOX
        self._counts = counts
        self._ca_pem = ca_pem
        self._max_tokens = max_tokens
        self._clock = clock
        self._on_push = on_push
        self._on_exchange = on_exchange
        self._pushes = 0
        self._arrivals = 0
        self._started = clock()
        self.play(script)

    def play(self, script: Script) -> None:
        """Follow *script* from now on.  Its rules count from nothing, its time goes on."""
        self.script = script
        self._prompter = Prompter(script, max_tokens=self._max_tokens)

    def handle(self, request: Request, visit: Visit) -> Plan:
        """Return what to do with *request*, which came on the connection of *visit*."""
        path = request.path
        if path.startswith(_APNS_PATHS):
            if request.version != "2":
                return Plan(_ONLY_HTTP2, _ACCEPT)
            if path.startswith(channels.MANAGEMENT_PREFIX):
                return self._to_channels(request, visit)
            return self._refused_unseen("apns", request, visit) or self._to_apns(request, visit)
        if Subscriptions.owns(path):
            return self._to_subscriptions(request, visit)
        if path.startswith("/v1/projects/"):
            return self._refused_unseen("fcm", request, visit) or self._to_fcm(request, visit)
        if path == token_endpoint.PATH:
            return self._to_token_endpoint(request, visit)
        return Plan(self._page(request), _ACCEPT, opens_up=True)

    def settle(self, plan: Plan) -> None:
        """Count and tell what a plan did, before anything of it leaves."""
        exchange = plan.exchange
        if exchange is None:
            return
        if plan.perform is not None and exchange.outcome != "unprocessed":
            plan.perform()
        if exchange.fault is not None:
            self._counts.fault(exchange.fault)
        if exchange.reason is not None:
            self._counts.refused(exchange.service, exchange.reason)
        elif exchange.outcome == "accepted":
            self._counts.push_accepted(exchange.target or "")
        elif exchange.outcome == "validated":
            self._counts.push_validated()
        elif exchange.outcome == "unprocessed" and exchange.is_push:
            self._counts.push_unprocessed()
        self._tell(exchange)

    def abandon(self, plan: Plan) -> None:
        """Note that a plan was never carried out: its stream lies above a GOAWAY's last one."""
        exchange = plan.exchange
        if exchange is not None:
            if exchange.is_push:
                self._counts.push_unprocessed()
            self._tell(
                dataclasses.replace(
                    exchange, outcome="unprocessed", reason=None, fault="goaway", answer=None
                )
            )

    def refused_stream(self, request: Request, visit: Visit) -> None:
        """Note a stream that was above the announced limit; nobody has read it."""
        self._counts.stream_refused()
        if self._on_exchange is not None:
            service: GatewayName = "apns" if request.path.startswith(_APNS_PATHS) else "fcm"
            self._on_exchange(
                Exchange(
                    number=self._number(),
                    time=self._clock(),
                    service=service,
                    request=request,
                    connection=visit.number,
                    target=None,
                    topic=None,
                    outcome="unprocessed",
                    reason="above the stream limit",
                    fault="rst",
                )
            )

    def _refused_unseen(self, service: GatewayName, request: Request, visit: Visit) -> Plan | None:
        """Count a push; return the plan if the script refuses it unseen."""
        self._pushes += 1
        visit.pushes += 1
        every = self.script.refuse_every
        if every is None or self._pushes % every:
            return None
        self._counts.push(None)
        exchange = Exchange(
            number=self._number(),
            time=self._clock(),
            service=service,
            request=request,
            connection=visit.number,
            target=None,
            topic=None,
            outcome="unprocessed",
            fault="rst",
        )
        return Plan(Answer(503), _REFUSE, exchange=exchange)

    def _to_apns(self, request: Request, visit: Visit) -> Plan:
        now = self._clock()
        if authorization := request.field("authorization"):
            self._counts.provider_token(authorization)
        if request.path.startswith(channels.BROADCAST_PREFIX):
            return self._to_broadcast(request, visit, now)
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
            return _said(wanted, answers.apns, verdict.apns_id, now, now=now)

        return self._plan(
            _Case(
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
        )

    def _to_broadcast(self, request: Request, visit: Visit, now: float) -> Plan:
        verdict = self._judges.channels.judge_broadcast(request, visit.session, now)
        target = None if verdict.channel is None else f"channel:{verdict.channel}"
        self._counts.push(target)
        return self._plan(
            _Case(
                service="apns",
                request=request,
                visit=visit,
                now=now,
                target=target,
                topic=verdict.app,
                reason=verdict.reason,
                answer=verdict.answer,
                authorised=verdict.authorised,
                say=lambda wanted: _said(wanted, answers.broadcast, verdict.request_id, now=now),
            )
        )

    def _to_channels(self, request: Request, visit: Visit) -> Plan:
        now = self._clock()
        self._counts.management_request()
        managed = self._judges.channels
        verdict = managed.manage(request, visit.session, now)
        return self._plan(
            _Case(
                service="channels",
                request=request,
                visit=visit,
                now=now,
                target=verdict.app,
                topic=verdict.app,
                reason=verdict.reason,
                answer=verdict.answer,
                authorised=verdict.authorised,
                say=lambda wanted: _said(wanted, answers.broadcast, verdict.request_id, now=now),
                good="answered",
                perform=lambda: managed.perform(request, verdict),
            )
        )

    def _to_fcm(self, request: Request, visit: Visit) -> Plan:
        now = self._clock()
        verdict = self._judges.fcm.judge(request, now)
        self._counts.push(verdict.target)
        return self._plan(
            _Case(
                service="fcm",
                request=request,
                visit=visit,
                now=now,
                target=verdict.target,
                topic=verdict.project,
                reason=None if verdict.refusal is None else verdict.reason or "?",
                answer=verdict.refusal or self._judges.fcm.accepted(verdict, now),
                authorised=verdict.authorised,
                say=lambda wanted: _said(wanted, answers.fcm, now=now),
                good="validated" if verdict.validate_only else "accepted",
            )
        )

    def _to_subscriptions(self, request: Request, visit: Visit) -> Plan:
        now = self._clock()
        self._counts.management_request()
        verdict = self._judges.subscriptions.judge(request, now)
        return self._plan(
            _Case(
                service="topics",
                request=request,
                visit=visit,
                now=now,
                target=verdict.registration,
                topic=verdict.project,
                reason=verdict.reason,
                answer=verdict.answer,
                authorised=verdict.authorised,
                say=lambda wanted: _said(wanted, answers.fcm, now=now),
                good="answered",
                perform=verdict.perform,
            )
        )

    def _to_token_endpoint(self, request: Request, visit: Visit) -> Plan:
        now = self._clock()
        self._counts.token_request()
        verdict = self._judges.tokens.judge(request, now)
        return self._plan(
            _Case(
                service="oauth",
                request=request,
                visit=visit,
                now=now,
                target=verdict.account,
                topic=None,
                reason=verdict.case,
                answer=verdict.answer,
                authorised=True,
                say=lambda wanted: _said(wanted, answers.oauth, now=now),
                good="answered",
            )
        )

    def _plan(self, case: _Case) -> Plan:
        """Return the plan for a request that was judged: what the script wants, if it was good."""
        gateway = case.service in ("apns", "fcm")
        cue = Cue(_ACCEPT, self.script.delay_s if gateway else 0.0)
        reason, answer = case.reason, case.answer
        if reason is None:
            elapsed = case.now - self._started
            cue = self._prompter.cue(case.service, case.target or "", elapsed)
            if gateway:
                cue = self._disturbed(cue, case.visit)
            reason, answer = _scripted(cue.action, case)
        action = cue.action
        if case.service == "fcm":
            date = ("date", formatdate(case.now, usegmt=True))
            answer = dataclasses.replace(answer, fields=(*answer.fields, date))
        outcome: Outcome = case.good
        if reason is not None:
            outcome = "rejected"
        elif not is_processed(action):
            outcome = "unprocessed"
        exchange = Exchange(
            number=self._number(),
            time=case.now,
            service=case.service,
            request=case.request,
            connection=case.visit.number,
            target=case.target,
            topic=case.topic,
            outcome=outcome,
            reason=reason,
            fault=fault_of(action),
            answer=answer if is_answered(action) else None,
            delay_s=cue.delay_s,
        )
        # What a rule refuses is not done: a channel that "could not be created" is not there.
        perform = case.perform if reason is None else None
        return Plan(answer, action, cue.delay_s, case.authorised, exchange, perform)

    def _page(self, request: Request) -> Answer:
        if request.method != "GET":
            return html_answer(404, "Not Found")  # the legacy /fcm/send and /batch too
        match request.path:
            case "/health":
                return Answer(200, (("content-type", "text/plain"),), b"ok\n")
            case "/ca.pem":
                return Answer(200, (("content-type", "application/x-pem-file"),), self._ca_pem)
            case "/stats":
                return json_answer(200, self._counts.snapshot().as_json())
            case _:
                return html_answer(404, "Not Found")

    def _disturbed(self, cue: Cue, visit: Visit) -> Cue:
        """Return *cue*, or the script's disturbance of the connection in place of an acceptance."""
        if not isinstance(cue.action, script.Accept):
            return cue
        if self.script.cut_every and self._pushes % self.script.cut_every == 0:
            return Cue(script.Drop(), cue.delay_s)
        if self.script.goaway_every and visit.pushes % self.script.goaway_every == 0:
            return Cue(script.GoAway(), cue.delay_s)
        return cue

    def _number(self) -> int:
        self._arrivals += 1
        return self._arrivals

    def _tell(self, exchange: Exchange) -> None:
        if self._on_push is not None and exchange.is_push:
            self._on_push(exchange.as_received())
        if self._on_exchange is not None:
            self._on_exchange(exchange)


def _scripted(action: Action, case: _Case) -> tuple[str | None, Answer]:
    """Return reason and answer of a good request as *action* wants them."""
    match action:
        case script.Say():
            return case.say(action)
        case script.Half(of=script.Say() as refusal):
            return case.say(refusal)
        case script.Wedge():
            if case.service != "apns":
                return _not_scripted("only APNs has provider tokens that wedge a connection")
            case.visit.session.wedged = True
            return case.say(script.Say(reason="ExpiredProviderToken"))
        case _:
            return None, case.answer


def _said(
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
        return _not_scripted(str(unknown))
    if say.body is not None:
        answer = dataclasses.replace(answer, body=say.body)
    return say.reason or str(answer.status), answer


def _not_scripted(why: str) -> tuple[str, Answer]:
    """Tell the author of a script, in the answer, that it cannot be played."""
    return "script error", Answer(501, (("content-type", "text/plain"),), f"{why}\n".encode())
