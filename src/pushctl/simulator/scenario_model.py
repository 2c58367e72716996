"""
The shape of a scenario file: which keys there are, and what each may hold.

What the keys mean for the simulator is in :mod:`pushctl.simulator.scenario`; the JSON Schema of the
docs comes from here.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from pushctl.outcome import JsonValue

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h)?")
_UNITS = {"ms": 0.001, None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%")
_FIELD_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
MAX_DURATION_S = 7 * 86_400


def fault(message: str, hint: str | None = None) -> PydanticCustomError:
    """Return a validation error that carries our own words."""
    return PydanticCustomError("scenario", "{message}", {"message": message, "hint": hint})


def _duration(value: Any) -> float:
    found = _DURATION.fullmatch(str(value)) if _is_word(value) else None
    if found is None:
        raise fault("must be a duration", "50ms, 1.5s, 20m or 1h; a bare number is seconds")
    seconds = float(found[1]) * _UNITS[found[2]]
    if seconds > MAX_DURATION_S:
        raise fault("must be a week at most")
    return seconds


def _share(value: Any) -> float:
    found = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        value = float(found[1]) / 100
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise fault("must be a share", "0.05 or 5%")
    return float(value)


def _word(value: Any) -> str:
    if not _is_word(value):
        raise fault(
            "must be the name of a reason, a status or an action",
            "such as Unregistered, 503, drop, goaway or rst:REFUSED_STREAM",
        )
    return str(value)


def _is_word(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _moment(value: Any) -> int:
    """Return RFC 3339, or epoch milliseconds as APNs writes them, in milliseconds."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 10**11:
        return value
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if not isinstance(value, str) or moment is None or moment.tzinfo is None:
        raise fault(
            "must be a moment", "2026-09-21T14:13:20Z, or milliseconds since 1970 as APNs writes"
        )
    return round(moment.timestamp() * 1000)


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise fault("must be a map of header fields")
    for name, text in value.items():
        if not _FIELD_NAME.fullmatch(name):
            raise fault(f"has no header field for a name: {name[:40]!a}", "names are lower case")
        if not isinstance(text, str) or not text.isprintable() or not text.isascii():
            raise fault(f"must have a line of ASCII text for {name}", "put numbers in quotes")
    return dict(value)


def _schema(**schema: JsonValue) -> WithJsonSchema:
    return WithJsonSchema(schema)


_DURATION_SCHEMA: list[JsonValue] = [
    {"type": "number", "minimum": 0},
    {"type": "string", "pattern": f"^{_DURATION.pattern}$"},
]
Duration: TypeAlias = Annotated[
    float,
    BeforeValidator(_duration),
    _schema(anyOf=_DURATION_SCHEMA, description="50ms, 1.5s, 20m, 1h; a number is seconds"),
]
Share: TypeAlias = Annotated[
    float,
    BeforeValidator(_share),
    _schema(
        anyOf=[
            {"type": "number", "minimum": 0, "maximum": 1},
            {"type": "string", "pattern": f"^{_PERCENT.pattern}$"},
        ],
        description="0.05 or 5%",
    ),
]
Word: TypeAlias = Annotated[
    str,
    BeforeValidator(_word),
    _schema(
        anyOf=[{"type": "string"}, {"type": "integer"}],
        description="a reason of the tables, a status, or an action",
    ),
]
Moment: TypeAlias = Annotated[
    int,
    BeforeValidator(_moment),
    _schema(
        anyOf=[{"type": "string", "format": "date-time"}, {"type": "integer"}],
        description="RFC 3339, or milliseconds since 1970",
    ),
]
Headers: TypeAlias = Annotated[
    dict[str, str],
    BeforeValidator(_headers),
    _schema(type="object", additionalProperties={"type": "string"}),
]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Streams: TypeAlias = Annotated[int, Field(ge=0, le=2**31 - 1)]
Status: TypeAlias = Annotated[int, Field(ge=200, le=599)]


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )


class _Timed(_Strict):
    from_: Annotated[Duration, Field(alias="from")] = 0.0
    """Not before so long after the simulator's start."""
    until: Duration | None = None
    """Only until so long after the simulator's start."""
    after: Annotated[int, Field(ge=0)] = 0
    """Let so many pass first."""
    every: Count = 1
    """Then act on each so-manieth."""
    times: Count | None = None
    """Act so often, then never again."""


class AnswerModel(_Strict):
    """What is answered; which fields go with which answer is for the scenario to say."""

    answer: Word
    """A reason (`Unregistered`, `INVALID_ARGUMENT/bad_ttl`), a status (`503`), or an action:
    accept, drop, hang, half, silence, wedge, goaway, rst:CODE."""
    status: Status | None = None
    """Another status than the tables give, or the status of a reason they do not know."""
    body: str | None = None
    """Another body than the service's own."""
    headers: Headers | None = None
    """Further header fields."""
    retry_after: Annotated[int, Field(ge=0, le=10**7)] | None = None
    """Retry-After in seconds."""
    retry_after_date: Annotated[int, Field(ge=0, le=10**7)] | None = None
    """Retry-After as a date so many seconds ahead."""
    timestamp: Moment | None = None
    """Since when the token of an APNs 410 is dead."""
    processed: bool | None = None
    """Whether the push was accepted before the fault; the sender cannot know.  Default: yes."""
    then: Literal["hang", "drop"] | None = None
    """After half an answer."""
    half_of: Word | None = None
    """The refusal of which half is answered."""
    last_stream: Literal["this", "previous", "all"] | None = None
    """Up to which stream a GOAWAY promises answers."""
    answers: Literal["before", "together", "after"] | None = None
    """Where the answer stands to the GOAWAY: in the segment before, in the same, or later."""
    code: str | None = None
    """The HTTP/2 error code of a GOAWAY."""
    debug: str | None = None
    """The debug data of a GOAWAY."""


class RuleModel(AnswerModel, _Timed):
    """What happens to the pushes of some tokens."""

    token: str | None = None
    """Exactly this token (or topic:NAME, condition:EXPR, channel:ID)."""
    pattern: str | None = None
    """Or each token that fits: * and ? stand for anything."""
    share: Share | None = None
    """Only this part of them, the same in each run."""
    service: Literal["apns", "fcm", "oauth", "channels", "topics"] | None = None
    """Default: apns and fcm."""
    count: Literal["each-token", "together"] | None = None
    """What after, every and times count.  Default: each token by itself where the rule names
    tokens, together otherwise."""
    delay: Duration = 0.0
    """Wait so long before the answer."""


class QuotaModel(_Strict):
    """So many good pushes in a period; the others get a 429."""

    service: Literal["apns", "fcm"]
    pushes: Annotated[int, Field(ge=0)]
    per: Duration = 60.0
    answer: Word | None = None
    """Default: TooManyRequests, or RATE_LIMIT_EXCEEDED with Retry-After."""
    retry_after: Annotated[int, Field(ge=0, le=10**7)] | None = None
    retry_after_date: Annotated[int, Field(ge=0, le=10**7)] | None = None


class ConnectionModel(_Timed):
    """What becomes of new connections."""

    answer: Literal["accept", "close", "silence"]


class LimitModel(_Strict):
    """A later stream limit: by pushes on the connection, or by time."""

    after: Count | None = None
    at: Duration | None = None
    limit: Streams


class StreamsModel(_Strict):
    """The limit of concurrent streams on a connection."""

    first: Streams = 1
    """Until a request with good credentials was answered."""
    then: Streams = 1000
    later: list[LimitModel] = []


class EveryModel(_Strict):
    """What happens to each so-manieth push."""

    refuse: Count | None = None
    """REFUSED_STREAM, over all connections."""
    cut: Count | None = None
    """Accepted, and the connection cut without an answer, over all connections."""
    goaway: Count | None = None
    """GOAWAY after so many pushes on a connection."""


class ProviderTokensModel(_Strict):
    """How APNs takes provider tokens."""

    lifetime: Duration = 3600.0
    update_interval: Duration = 1200.0


class AccessTokensModel(_Strict):
    """How Google grants access tokens."""

    lifetime: Annotated[int, Field(ge=1, le=86_400)] = 3599


class DeviceModel(_Strict):
    """What is known of a token; a token that is not listed fits everything."""

    token: str
    environment: Literal["production", "sandbox"] | None = None
    topic: str | None = None
    project: str | None = None
    package: str | None = None
    platform: Literal["ios", "android", "web"] | None = None


class ScenarioModel(_Strict):
    """A scenario of the pushctl simulator."""

    environment: Literal["production", "sandbox"] | None = None
    """Which APNs is played."""
    topics: list[str] | None = None
    """The bundle ids that may be pushed to.  Default: all."""
    delay: Duration = 0.0
    """Wait so long before each answer of the gateways."""
    devices: list[DeviceModel] = []
    rules: list[RuleModel] = []
    quotas: list[QuotaModel] = []
    connections: list[ConnectionModel] = []
    streams: StreamsModel = StreamsModel()
    every: EveryModel = EveryModel()
    provider_tokens: ProviderTokensModel = ProviderTokensModel()
    access_tokens: AccessTokensModel = AccessTokensModel()
