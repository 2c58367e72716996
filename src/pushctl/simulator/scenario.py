"""
Scenario files: what a simulator is told to do, as YAML or JSON.

Every fault of a file is found at once, each with its line, column and a hint.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pushctl.documents import Document, load, read
from pushctl.errors import InvalidInput, Problem
from pushctl.outcome import Environment, Platform
from pushctl.simulator import answers, script
from pushctl.simulator.devices import Device
from pushctl.simulator.options import Options
from pushctl.simulator.scenario_faults import Steps, problem_of
from pushctl.simulator.scenario_model import (
    AnswerModel,
    ConnectionModel,
    DeviceModel,
    QuotaModel,
    RuleModel,
    ScenarioModel,
)

MAX_BYTES = 4 * 2**20


@dataclasses.dataclass(frozen=True, slots=True)
class Scenario:
    """What a file says."""

    script: script.Script
    devices: Mapping[str, Device]
    environment: Environment | None
    topics: frozenset[str] | None
    access_token_lifetime_s: int

    def options(self) -> Options:
        """Return what a :class:`~pushctl.simulator.server.Simulator` is made with to play it."""
        options: Options = {
            "script": self.script,
            "devices": self.devices,
            "topics": self.topics,
            "access_token_lifetime_s": self.access_token_lifetime_s,
        }
        if self.environment is not None:
            options["environment"] = self.environment
        return options


def read_scenario(path: Path) -> Scenario:
    """
    Read the scenario in the file *path* (``.yaml``, ``.yml`` or ``.json``).

    :raises InvalidInput: with every fault that was found.
    """
    return scenario_of(read(path, max_bytes=MAX_BYTES))


def parse_scenario(text: str, *, name: str = "scenario") -> Scenario:
    """
    Return the scenario that the YAML *text* holds; *name* stands for it in messages.

    :raises InvalidInput: with every fault that was found.
    """
    return scenario_of(load(text.encode(), name, kind="yaml", max_bytes=MAX_BYTES))


def scenario_of(document: Document) -> Scenario:
    """
    Return the scenario in *document*.

    :raises InvalidInput: with every fault that was found.
    """
    value = {} if document.value is None else document.value  # a file of comments alone
    try:
        model = ScenarioModel.model_validate(value)
    except ValidationError as error:
        raise InvalidInput(
            problems=[problem_of(found, document) for found in error.errors(include_url=False)]
        ) from None
    reading = _Reading(document)
    scenario = reading.scenario(model)
    if reading.problems:
        raise InvalidInput(problems=reading.problems)
    return scenario


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file."""
    schema = ScenarioModel.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


class _Wrong(Exception):
    """A value does not fit its rule, or the rule itself does not."""

    def __init__(self, field: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.field, self.message, self.hint = field, message, hint


class _Reading:
    """A document on its way to a scenario, and what is wrong with it."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.problems: list[Problem] = []

    def scenario(self, model: ScenarioModel) -> Scenario:
        streams, every = model.streams, model.every
        play = script.Script(
            rules=tuple(self._each(model.rules, "rules", _rule)),
            quotas=tuple(self._each(model.quotas, "quotas", _quota)),
            connections=tuple(self._each(model.connections, "connections", _connection)),
            delay_s=model.delay,
            first_streams=streams.first,
            max_streams=streams.then,
            stream_limits=tuple(
                (later.after, later.limit) for later in streams.later if later.after is not None
            ),
            timed_stream_limits=tuple(
                (later.at, later.limit) for later in streams.later if later.at is not None
            ),
            refuse_every=every.refuse,
            cut_every=every.cut,
            goaway_every=every.goaway,
            provider_token_lifetime_s=model.provider_tokens.lifetime,
            provider_token_interval_s=model.provider_tokens.update_interval,
        )
        for number, later in enumerate(streams.later):
            if (later.after is None) == (later.at is None):
                self._note(
                    ("streams", "later", number),
                    "a later limit has `after` or `at`",
                    "after: pushes on the connection; at: time since the simulator's start",
                )
        return Scenario(
            script=play,
            devices=dict(self._each(model.devices, "devices", _device)),
            environment=None if model.environment is None else Environment(model.environment),
            topics=None if model.topics is None else frozenset(model.topics),
            access_token_lifetime_s=model.access_tokens.lifetime,
        )

    def _each(self, models: Sequence[Any], where: str, make: Any) -> Iterator[Any]:
        """Yield what *make* makes of each of *models*; note what is wrong with the others."""
        for number, model in enumerate(models):
            try:
                yield make(model)
            except _Wrong as wrong:
                self._note((where, number, wrong.field), wrong.message, wrong.hint)

    def _note(self, path: Steps, message: str, hint: str | None) -> None:
        self.problems.append(self._document.problem(path, message, hint=hint))


def _rule(model: RuleModel) -> script.Rule:
    if model.token is not None and model.pattern is not None:
        raise _Wrong("pattern", "a rule has `token` or `pattern`, not both")
    _check_times(model)
    service = model.service
    if model.count is not None:
        each_token = model.count == "each-token"
    else:
        each_token = model.token is not None or model.pattern is not None
    action = _action(model, service)
    if isinstance(action, script.Wedge) and service != "apns":
        raise _Wrong(
            "answer", "`wedge` is about provider tokens, which APNs alone has", "service: apns"
        )
    return script.Rule(
        answer=action,
        token=model.token,
        pattern=model.pattern,
        share=model.share,
        service=service,
        after=model.after,
        every=model.every,
        times=model.times,
        each_token=each_token,
        from_s=model.from_,
        until_s=model.until,
        delay_s=model.delay,
    )


def _check_times(model: RuleModel | ConnectionModel) -> None:
    if model.until is not None and model.until <= model.from_:
        raise _Wrong("until", "`until` is not later than `from`: this never acts")


_TAKES: dict[type, tuple[str, ...]] = {
    script.Accept: (),
    script.Wedge: (),
    script.Say: ("status", "body", "headers", "retry_after", "retry_after_date", "timestamp"),
    script.Drop: ("processed",),
    script.Hang: ("processed",),
    script.Silence: ("processed",),
    script.Reset: ("processed",),
    script.Half: ("then", "half_of"),
    script.GoAway: ("last_stream", "answers", "code", "debug"),
}
"""Which fields of a rule go with which action."""
_DETAILS = tuple(sorted({field for fields in _TAKES.values() for field in fields}))


def _action(model: AnswerModel, service: str | None) -> script.Action:
    action = _parsed("answer", model.answer)
    takes = _TAKES[type(action)]
    for field in _DETAILS:
        if getattr(model, field) is not None and field not in takes:
            good = [kind.__name__.lower() for kind, fields in _TAKES.items() if field in fields]
            fits = " and ".join("a refusal" if name == "say" else f"`{name}`" for name in good)
            raise _Wrong(field, f"`{field}` does not go with `{model.answer}`", f"it is for {fits}")
    match action:
        case script.Say():
            return _say(model, action, service)
        case script.Drop() | script.Hang() | script.Silence() | script.Reset():
            processed = model.processed is not False
            return dataclasses.replace(action, processed=processed)
        case script.Half():
            return _half(model, action, service)
        case script.GoAway():
            return _goaway(model, action)
        case _:
            return action


def _say(model: AnswerModel, action: script.Say, service: str | None) -> script.Say:
    if model.retry_after is not None and model.retry_after_date is not None:
        raise _Wrong("retry_after_date", "`retry_after` and `retry_after_date` exclude each other")
    if model.status is not None and action.reason is None:
        raise _Wrong("status", "the status is given twice", "answer: 503 says it already")
    _check_reason("answer", action, service, model.status)
    date = model.retry_after_date
    return dataclasses.replace(
        action,
        status=model.status if action.reason is not None else action.status,
        body=None if model.body is None else model.body.encode(),
        fields=tuple((model.headers or {}).items()),
        timestamp_ms=model.timestamp,
        retry_after_s=model.retry_after if date is None else date,
        retry_after_form="seconds" if date is None else "date",
    )


def _half(model: AnswerModel, action: script.Half, service: str | None) -> script.Half:
    of = None
    if model.half_of is not None:
        parsed = _parsed("half_of", model.half_of)
        if not isinstance(parsed, script.Say):
            raise _Wrong("half_of", f"there is no half of `{model.half_of}`", "name a reason")
        _check_reason("half_of", parsed, service, None)
        of = parsed
    return dataclasses.replace(action, of=of, then=model.then or action.then)


def _goaway(model: AnswerModel, action: script.GoAway) -> script.GoAway:
    try:
        code = action.code if model.code is None else script.error_code(model.code)
    except ValueError as error:
        raise _Wrong("code", str(error), "such as NO_ERROR or ENHANCE_YOUR_CALM") from None
    return dataclasses.replace(
        action,
        code=code,
        last_stream=model.last_stream or action.last_stream,
        answers=model.answers or action.answers,
        debug=(model.debug or "").encode(),
    )


def _parsed(field: str, word: str) -> script.Action:
    try:
        return script.parse_action(word)
    except ValueError as error:
        hint = "503, Unregistered, drop, hang, half, silence, goaway or rst:CODE"
        raise _Wrong(field, f"`{field}`: {error}", hint) from None


def _check_reason(field: str, say: script.Say, service: str | None, status: int | None) -> None:
    """Refuse a reason that the service does not have, unless a status comes with it."""
    if say.reason is None or status is not None or answers.known(say.reason, service):
        return
    near = difflib.get_close_matches(say.reason, [*answers.names(), *script.WORDS], 1, 0.5)
    where = "no service here" if service is None else f"the service {service}"
    has = "has" if service is None else "does not have"
    raise _Wrong(
        field,
        f"{where} {has} the reason {say.reason[:60]!a}",
        f"did you mean {near[0]}?"
        if near and near[0] != say.reason
        else "pushctl explain lists the reasons; one that is not among them needs a `status`",
    )


def _quota(model: QuotaModel) -> script.Quota:
    answer = None
    if model.per <= 0:
        raise _Wrong("per", "`per` must be longer than nothing")
    if model.retry_after is not None and model.retry_after_date is not None:
        raise _Wrong("retry_after_date", "`retry_after` and `retry_after_date` exclude each other")
    word = model.answer
    if word is None and (model.retry_after, model.retry_after_date) != (None, None):
        word = "TooManyRequests" if model.service == "apns" else "RATE_LIMIT_EXCEEDED"
    if word is not None:
        parsed = _parsed("answer", word)
        if not isinstance(parsed, script.Say):
            raise _Wrong("answer", f"a quota cannot `{word}`", "name a reason or a status")
        _check_reason("answer", parsed, model.service, None)
        date = model.retry_after_date
        answer = dataclasses.replace(
            parsed,
            retry_after_s=model.retry_after if date is None else date,
            retry_after_form="seconds" if date is None else "date",
        )
    return script.Quota(service=model.service, pushes=model.pushes, per_s=model.per, answer=answer)


def _connection(model: ConnectionModel) -> script.ConnectionRule:
    _check_times(model)
    return script.ConnectionRule(
        answer=model.answer,
        after=model.after,
        every=model.every,
        times=model.times,
        from_s=model.from_,
        until_s=model.until,
    )


def _device(model: DeviceModel) -> tuple[str, Device]:
    token = model.token
    hexadecimal = all(character in "0123456789abcdefABCDEF" for character in token)
    device = Device(
        environment=None if model.environment is None else Environment(model.environment),
        topic=model.topic,
        project=model.project,
        package=model.package,
        platform=None if model.platform is None else Platform(model.platform),
    )
    return (token.lower() if hexadecimal else token), device
