"""
Where each request goes: to the judge of its service, then past the script, into the counts.

Knows nothing of sockets.  What comes out is a :class:`~pushctl.simulator.plan.Plan` for whoever
holds the connection, who says with :meth:`Desk.settle` or :meth:`Desk.abandon` what became of it.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from email.utils import formatdate

from h2.errors import ErrorCodes

from pushctl.outcome import Environment
from pushctl.simulator import answers, script
from pushctl.simulator.docket import Case, Docket, Judges, not_scripted, service_of
from pushctl.simulator.exchange import Exchange, Outcome, Received
from pushctl.simulator.http import Answer, Request, html_answer, json_answer
from pushctl.simulator.plan import Plan, Visit, fault_of, is_answered, is_processed
from pushctl.simulator.prompter import Cue, Prompter
from pushctl.simulator.script import Action, Addressee, GatewayName, Rule, Script
from pushctl.simulator.stats import Counts

_ACCEPT = script.Accept()
_REFUSE = script.Reset(code=ErrorCodes.REFUSED_STREAM)
_ONLY_HTTP2 = Answer(505, (("content-type", "text/plain"),), b"APNs speaks HTTP/2 only\n")


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
        self._docket = Docket(judges, counts, sandbox=environment is Environment.SANDBOX)
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

    def add(self, rule: Rule) -> None:
        """Follow *rule* too, before those of the script."""
        self._prompter.add(rule)

    def handle(self, request: Request, visit: Visit) -> Plan:
        """Return what to do with *request*, which came on the connection of *visit*."""
        service = service_of(request.path)
        if service is None:
            page = self._own_page(request)
            if page is not None:
                return Plan(page, _ACCEPT, opens_up=True)
            return self._turned_away("other", request, visit)
        if service in ("apns", "channels") and request.version != "2":
            return self._turned_away(service, request, visit)
        if service in ("apns", "fcm"):
            refused = self._refused_unseen(service, request, visit)
            if refused is not None:
                return refused
        return self._plan(self._docket.judge(service, request, visit, self._clock()))

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
            self._on_exchange(
                Exchange(
                    number=self._number(),
                    time=self._clock(),
                    service=service_of(request.path) or "other",
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

    def _plan(self, case: Case) -> Plan:
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

    def _turned_away(self, service: Addressee, request: Request, visit: Visit) -> Plan:
        """Return the plan for a request that no judge sees: to the legacy API, or to no API."""
        answer, reason = html_answer(404, "Not Found"), answers.NOT_FOUND_PAGE
        if service != "other":
            answer, reason = _ONLY_HTTP2, "HTTP/1.1"
        exchange = Exchange(
            number=self._number(),
            time=self._clock(),
            service=service,
            request=request,
            connection=visit.number,
            target=None,
            topic=None,
            outcome="rejected" if service == "apns" else "answered",
            reason=reason,
            answer=answer,
        )
        return Plan(answer, _ACCEPT, opens_up=service == "other", exchange=exchange)

    def _own_page(self, request: Request) -> Answer | None:
        """Return what the simulator tells of itself; ``None``: nothing is at that address."""
        if request.method != "GET":
            return None
        match request.path:
            case "/health":
                return Answer(200, (("content-type", "text/plain"),), b"ok\n")
            case "/ca.pem":
                return Answer(200, (("content-type", "application/x-pem-file"),), self._ca_pem)
            case "/stats":
                return json_answer(200, self._counts.snapshot().as_json())
            case _:
                return None

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


def _scripted(action: Action, case: Case) -> tuple[str | None, Answer]:
    """Return reason and answer of a good request as *action* wants them."""
    match action:
        case script.Say():
            return case.say(action)
        case script.Half(of=script.Say() as refusal):
            return case.say(refusal)
        case script.Wedge():
            if case.service != "apns":
                return not_scripted("only APNs has provider tokens that wedge a connection")
            case.visit.session.wedged = True
            return case.say(script.Say(reason="ExpiredProviderToken"))
        case _:
            return None, case.answer
