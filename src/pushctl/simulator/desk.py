"""
Where each request goes: to the judge of its service, then past the script, into the counts.

Knows nothing of sockets.  What comes out is a :class:`Plan` for whoever holds the connection.
"""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable
from email.utils import formatdate
from typing import Literal

from h2.errors import ErrorCodes

from pushctl.outcome import Environment
from pushctl.simulator import answers, script, token_endpoint
from pushctl.simulator.apns import ApnsJudge
from pushctl.simulator.fcm import FcmJudge
from pushctl.simulator.http import Answer, Fields, Request, html_answer, json_answer
from pushctl.simulator.provider_token import Session
from pushctl.simulator.script import Action, Cue, Prompter, Script
from pushctl.simulator.stats import Counts
from pushctl.simulator.token_endpoint import TokenEndpoint


@dataclasses.dataclass(frozen=True, slots=True)
class Received:
    """One push as the simulator saw it."""

    time: float
    service: Literal["apns", "fcm"]
    token: str | None
    """The device or registration token, ``topic:NAME`` or ``condition:EXPR``."""
    status: int | None
    """The status of the answer; ``None``: it got none."""
    reason: str | None
    """Why it was refused, or which fault it met; ``None``: accepted and answered."""
    topic: str | None
    """APNs: the topic; FCM: the project."""


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What to do with one stream."""

    answer: Answer
    """What is answered if *action* lets it be answered."""
    action: Action
    delay_s: float = 0.0
    opens_up: bool = False
    """Whether the request had valid credentials: the stream limit may rise."""

    @property
    def answers(self) -> bool:
        """Whether the answer is sent whole."""
        if isinstance(self.action, script.GoAway):
            return self.action.last_stream != "previous"
        return isinstance(self.action, script.Accept | script.Say)


@dataclasses.dataclass(slots=True)
class Visit:
    """What is remembered of one connection."""

    session: Session = dataclasses.field(default_factory=Session)
    pushes: int = 0


_APNS_PATHS = ("/1/", "/2/", "/3/", "/4/")
"""The versions of APNs' API; only ``/3/device/`` is served, the rest is a bad path."""

_ACCEPT = script.Accept()
_REFUSE = script.Reset(code=ErrorCodes.REFUSED_STREAM)


class Desk:
    """Judges requests and plans the answers."""

    def __init__(
        self,
        *,
        apns: ApnsJudge,
        fcm: FcmJudge,
        tokens: TokenEndpoint,
        environment: Environment,
        script: Script,
        counts: Counts,
        ca_pem: bytes,
        max_tokens: int,
        clock: Callable[[], float] = time.time,
        on_push: Callable[[Received], None] | None = None,
    ) -> None:
        self._apns = apns
        self._fcm = fcm
        self._tokens = tokens
        self._sandbox = environment is Environment.SANDBOX
        self._script = script
        self._prompter = Prompter(script, max_tokens=max_tokens)
        self._counts = counts
        self._ca_pem = ca_pem
        self._clock = clock
        self._on_push = on_push
        self._pushes = 0

    def handle(self, request: Request, visit: Visit) -> Plan:
        """Return what to do with *request*, which came on the connection of *visit*."""
        path = request.path
        if path.startswith(_APNS_PATHS):
            if request.version != "2":
                page = Answer(505, (("content-type", "text/plain"),), b"APNs speaks HTTP/2 only\n")
                return Plan(page, _ACCEPT)
            return self._push(visit) or self._to_apns(request, visit)
        if path.startswith("/v1/projects/"):
            return self._push(visit) or self._to_fcm(request, visit)
        if path == token_endpoint.PATH:
            return self._to_token_endpoint(request)
        return Plan(self._page(request), _ACCEPT, opens_up=True)

    def _push(self, visit: Visit) -> Plan | None:
        """Count a push; return the plan if the script refuses it unseen."""
        self._pushes += 1
        visit.pushes += 1
        every = self._script.refuse_every
        if every is None or self._pushes % every:
            return None
        self._counts.push(None)
        self._counts.fault("rst")
        return Plan(Answer(503), _REFUSE)

    def _to_apns(self, request: Request, visit: Visit) -> Plan:
        now = self._clock()
        verdict = self._apns.judge(request, visit.session, now)
        self._counts.push(verdict.token)
        if authorization := request.field("authorization"):
            self._counts.provider_token(authorization)
        token = verdict.token or ""
        head: Fields = (("apns-id", verdict.apns_id),)
        if verdict.reason is not None:
            answer = answers.apns(verdict.reason, verdict.apns_id, now)
            plan = Plan(answer, _ACCEPT, self._script.delay_s, verdict.authorised)
            return self._told("apns", plan, verdict.token, verdict.topic, verdict.reason, now)
        if self._sandbox:
            head = (*head, ("apns-unique-id", str(uuid.uuid4())))
        cue = self._disturbed(self._prompter.cue("apns", token), visit)
        answer = Answer(200, head)
        reason = None
        if isinstance(cue.action, script.Say):
            reason, answer = self._say_apns(cue.action, verdict.apns_id, now)
        plan = Plan(answer, cue.action, cue.delay_s, opens_up=True)
        return self._told("apns", plan, token, verdict.topic, reason, now)

    def _say_apns(self, say: script.Say, apns_id: str, now: float) -> tuple[str, Answer]:
        try:
            answer = answers.apns(
                say.reason,
                apns_id,
                now,
                status=say.status,
                timestamp_ms=say.timestamp_ms,
                fields=say.fields,
            )
        except answers.UnknownReason as unknown:
            return _not_scripted(unknown)
        return say.reason or str(answer.status), _with_body(answer, say.body)

    def _to_fcm(self, request: Request, visit: Visit) -> Plan:
        now = self._clock()
        verdict = self._fcm.judge(request, now)
        self._counts.push(verdict.target)
        date = (("date", formatdate(now, usegmt=True)),)
        if verdict.refusal is not None:
            answer = dataclasses.replace(verdict.refusal, fields=(*verdict.refusal.fields, *date))
            plan = Plan(answer, _ACCEPT, self._script.delay_s, verdict.authorised)
            return self._told(
                "fcm", plan, verdict.target, verdict.project, verdict.reason or "?", now
            )
        cue = self._disturbed(self._prompter.cue("fcm", verdict.target or ""), visit)
        answer = self._fcm.accepted(verdict, now)
        reason = None
        if isinstance(cue.action, script.Say):
            reason, answer = _say_google(answers.fcm, cue.action)
        answer = dataclasses.replace(answer, fields=(*answer.fields, *date))
        plan = Plan(answer, cue.action, cue.delay_s, opens_up=True)
        return self._told("fcm", plan, verdict.target, verdict.project, reason, now)

    def _to_token_endpoint(self, request: Request) -> Plan:
        self._counts.token_request()
        verdict = self._tokens.judge(request, self._clock())
        cue = Cue(_ACCEPT, 0.0)
        answer, reason = verdict.answer, verdict.case
        if reason is None:
            cue = self._prompter.cue("oauth", verdict.account or "")
            if isinstance(cue.action, script.Say):
                reason, answer = _say_google(answers.oauth, cue.action)
        if reason is not None:
            self._counts.refused("oauth", reason)
        return Plan(answer, cue.action, cue.delay_s, opens_up=True)

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
        if self._script.cut_every and self._pushes % self._script.cut_every == 0:
            return Cue(script.Drop(), cue.delay_s)
        if self._script.goaway_every and visit.pushes % self._script.goaway_every == 0:
            return Cue(script.GoAway(), cue.delay_s)
        return cue

    def _told(
        self,
        service: Literal["apns", "fcm"],
        plan: Plan,
        token: str | None,
        topic: str | None,
        reason: str | None,
        now: float,
    ) -> Plan:
        """Count what becomes of a push, before anything of it leaves, and tell the listener."""
        kind = _FAULTS.get(type(plan.action))
        if kind is not None:
            self._counts.fault(kind)
        if reason is not None:
            self._counts.refused(service, reason)
        elif token is not None and _is_processed(plan.action):
            self._counts.push_accepted(token)
        if self._on_push is not None:
            status = plan.answer.status if plan.answers else None
            shown = kind if status is None else reason
            self._on_push(Received(now, service, token, status, shown, topic))
        return plan


_FAULTS: dict[type, str] = {
    script.Drop: "drop",
    script.Hang: "hang",
    script.Reset: "rst",
    script.GoAway: "goaway",
    script.Half: "half",
}


def _is_processed(action: Action) -> bool:
    """Whether a real server would have processed the push before this happened."""
    match action:
        case script.Reset():
            return action.processed and action.code != ErrorCodes.REFUSED_STREAM
        case script.Drop() | script.Hang():
            return action.processed
        case script.GoAway():
            return action.last_stream != "previous"
        case _:
            return True


def _say_google(form: Callable[..., Answer], say: script.Say) -> tuple[str, Answer]:
    try:
        answer = form(say.reason, status=say.status, fields=say.fields)
    except answers.UnknownReason as unknown:
        return _not_scripted(unknown)
    return say.reason or str(answer.status), _with_body(answer, say.body)


def _with_body(answer: Answer, body: bytes | None) -> Answer:
    return answer if body is None else dataclasses.replace(answer, body=body)


def _not_scripted(unknown: answers.UnknownReason) -> tuple[str, Answer]:
    """Tell the author of a script, in the answer, that it cannot be played."""
    return "script error", Answer(501, (("content-type", "text/plain"),), f"{unknown}\n".encode())
