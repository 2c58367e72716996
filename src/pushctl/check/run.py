"""A check from settings to reports: what is asked in which order, and of whom."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from pushctl.check import answer, clock
from pushctl.check.connection import steps_of_connection, steps_of_failure
from pushctl.check.opening import FileFacts, Opened, judge_config, judge_opening
from pushctl.check.probe import Reply, Visit, visit
from pushctl.check.step import Report, Step, failed, passed, skipped
from pushctl.config import ApnsCertificateSettings, CredentialSettings, Settings
from pushctl.credentials import Authorization, Credential, TokenRefused, open_credential
from pushctl.errors import ExitCode, InvalidInput, Problem, Unreachable
from pushctl.gateway import apns, apns_request, fcm, fcm_request
from pushctl.gateway.request import PushRequest
from pushctl.message.content import ApnsContent, FcmContent
from pushctl.outcome import Outcome, Service
from pushctl.proxy import choose_way
from pushctl.rules.apns import PUSH_TYPES
from pushctl.wire.link import Endpoint

_EMPTY_MESSAGE = FcmContent(
    message=b'{"data":{"pushctl":"check"}}', fields=((b"content-type", b"application/json"),)
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """How credentials are checked."""

    environ: Mapping[str, str]
    clock: Callable[[], float]
    """Gives epoch seconds."""
    offline: bool = False
    timeout_s: float = 10.0
    """Of the opening of a connection and of an answer, each."""


def check_credentials(wanted: Sequence[CredentialSettings], how: Checking) -> list[Report]:
    """
    Return a report of each of *wanted*, in their order; they are checked side by side.

    Raises nothing for what is wrong with a credential or the network: that is what the reports
    are for.
    """

    async def every() -> list[Report]:
        return await asyncio.gather(*(_check(settings, how) for settings in wanted))

    return asyncio.run(every())


def check_config(settings: Settings, shown: str) -> Report:
    """Return the report of the config file itself; *shown* is what it is called."""
    assert settings.path is not None  # without a file there is nothing to check
    status = os.stat(settings.path)
    facts = FileFacts(str(settings.path), status.st_uid, stat.S_IMODE(status.st_mode))
    if os.name == "nt":
        return Report(name=shown, steps=(skipped("config-file", "Windows keeps no such modes"),))
    return Report(name=shown, steps=(judge_config(facts, os.geteuid()),))


async def _check(settings: CredentialSettings, how: Checking) -> Report:
    now = how.clock()
    opened = await asyncio.to_thread(_open, settings, how.environ, now)
    steps = list(judge_opening(opened, now))
    if how.offline:
        steps.append(skipped("service", "nobody was asked (--offline)"))
    elif opened.usable is None:
        steps.append(skipped("service", "nobody was asked: the credential cannot be used"))
    else:
        steps += await _Online(settings, opened.usable, how).steps()
    credential, spot = opened.credential, settings.places.get("")
    return Report(
        name=settings.name,
        steps=tuple(steps),
        service=settings.service,
        environment=settings.environment,
        topic=credential.topic if credential is not None else settings.topic,
        place=spot.place if spot is not None else None,
        project_id=credential.project_id if credential is not None else settings.project_id,
        fingerprint=credential.fingerprint if credential is not None else None,
    )


def _open(settings: CredentialSettings, environ: Mapping[str, str], now: float) -> Opened:
    try:
        credential = open_credential(settings, environ=environ, now=now)
    except InvalidInput as error:
        return Opened(settings, None, error.problems)
    try:
        credential.ssl_context()  # reads ca_file
    except InvalidInput as error:
        return Opened(settings, credential, error.problems)
    return Opened(settings, credential)


class _Online:
    """Asks the services about one credential.  Make it, then await :meth:`steps` once."""

    def __init__(self, settings: CredentialSettings, credential: Credential, how: Checking) -> None:
        self._settings = settings
        self._credential = credential
        self._how = how
        self._presents = isinstance(settings, ApnsCertificateSettings)

    async def steps(self) -> list[Step]:
        """Return all steps, in the order in which they were taken."""
        credential, origin = self._credential, self._credential.origin
        try:
            way = choose_way(
                origin.host,
                origin.port,
                configured=self._settings.proxy,
                environ=self._how.environ,
            )
        except InvalidInput as error:
            return [_of_environment(problem) for problem in error.problems]
        endpoint = Endpoint(origin.host, origin.port, str(origin), proxy=way.proxy)
        first, authorization = await self._authorize()
        asks = authorization is not None or self._presents
        visited = await visit(
            endpoint,
            credential.ssl_context(),
            request=self._request() if asks else None,
            authorization=authorization.header if authorization is not None else None,
            timeout_s=self._how.timeout_s,
            clock=self._how.clock,
        )
        return [*first, *self._connection_steps(endpoint, visited), *self._answer_steps(visited)]

    async def _authorize(self) -> tuple[list[Step], Authorization | None]:
        """Return what the request carries; for FCM, with the step of the exchange."""
        credential, asked_at = self._credential, self._how.clock()
        begun = time.monotonic()
        try:
            authorization = await asyncio.to_thread(credential.authorization, asked_at)
        except TokenRefused as refused:
            skew = clock.skew_seconds(refused.date, asked_at, self._how.clock())
            (problem,) = refused.problems
            step = answer.judge_token_refusal(
                problem.message, refused.status, refused.body, hint=problem.hint, skew=skew
            )
            return [step], None
        except Unreachable as error:
            return [_unreached(problem) for problem in error.problems], None
        if credential.service is Service.APNS or authorization is None:
            return [], authorization
        minutes = (authorization.expires_at - authorization.issued_at) / 60
        seconds = time.monotonic() - begun
        granted = passed("access-token", f"granted, for {minutes:.0f} min", seconds=seconds)
        return [granted], authorization

    def _request(self) -> PushRequest:
        credential = self._credential
        if credential.service is Service.APNS:
            return apns_request.build(
                _quiet_push(credential.topic or ""),
                device_token=answer.APNS_TOKEN,
                topic=credential.topic,
                apns_id=None,
            )
        return fcm_request.build(
            _EMPTY_MESSAGE,
            project_id=str(credential.project_id),
            target=("token", answer.FCM_TOKEN),
            validate_only=True,
        )

    def _connection_steps(self, endpoint: Endpoint, visited: Visit) -> Iterator[Step]:
        if visited.peer is not None:
            now = self._how.clock()
            yield from steps_of_connection(endpoint, visited.peer, now, seconds=visited.seconds)
        elif visited.failure is not None:
            yield from steps_of_failure(
                endpoint,
                visited.failure,
                shown=visited.shown,
                presents_certificate=self._presents,
            )

    def _answer_steps(self, visited: Visit) -> Iterator[Step]:
        name = self._step_name()
        reply = visited.reply
        if reply is None:
            why = "nothing could be asked"
            yield skipped(name, why if visited.peer is None else "there is no access token to show")
            return
        skew = clock.skew_seconds(reply.date, reply.asked_at, reply.answered_at)
        yield clock.judge_clock(skew)
        outcome = self._outcome(reply)
        if outcome is None:
            yield answer.no_answer(name, reply.why or "the connection was closed")
            return
        step = self._judge(name, outcome, skew)
        yield dataclasses.replace(step, seconds=reply.seconds)
        environment = self._credential.environment
        if environment is not None and step.exit_code is None:
            yield answer.unproved(self._credential.topic, environment)

    def _step_name(self) -> str:
        if self._credential.service is Service.FCM:
            return "project"
        return "client-certificate" if self._presents else "provider-token"

    def _outcome(self, reply: Reply) -> Outcome | None:
        """Return what was answered; a GOAWAY with a reason counts as an answer."""
        said = reply.answer
        if said is not None:
            read = apns.read_answer if self._credential.service is Service.APNS else fcm.read_answer
            return read(said.status, said.headers or (), said.body)
        reason = apns.goaway_reason(reply.goaway) if reply.goaway else None
        return apns.read_answer(403, (), reply.goaway) if reason in _CERTIFICATE_REASONS else None

    def _judge(self, name: str, outcome: Outcome, skew: float | None) -> Step:
        credential = self._credential
        if credential.service is Service.APNS:
            return answer.judge_apns(name, outcome, topic=credential.topic, skew=skew)
        return answer.judge_fcm(
            outcome, project_id=str(credential.project_id), who=credential.fingerprint
        )


def _quiet_push(topic: str) -> ApnsContent:
    """Return a push that fits *topic*, a VoIP certificate's for example, and shows nothing."""
    suffixed = (row for row in PUSH_TYPES.values() if row.topic_suffix)
    fitting = (row for row in suffixed if topic.endswith(row.topic_suffix))
    row = next(fitting, PUSH_TYPES["background"])
    return ApnsContent(
        push_type=row.name,
        topic_suffix=row.topic_suffix,
        fields=(
            (b"apns-push-type", row.name.encode("ascii")),
            (b"apns-priority", str(row.default_priority).encode("ascii")),
            (b"apns-expiration", b"0"),
        ),
        body=json.dumps({"aps": dict(row.aps)}, separators=(",", ":")).encode("ascii"),
    )


_CERTIFICATE_REASONS = frozenset({"BadCertificate", "BadCertificateEnvironment"})
"""APNs says these of a connection, by GOAWAY; of a request they are a 403."""


def _unreached(problem: Problem) -> Step:
    advice = (problem.hint,) if problem.hint else ()
    return failed("access-token", problem.message, *advice, exit_code=ExitCode.UNREACHABLE)


def _of_environment(problem: Problem) -> Step:
    advice = (problem.hint,) if problem.hint else ()
    return failed("proxy", problem.message, *advice, exit_code=ExitCode.INVALID_INPUT)
