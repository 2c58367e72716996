"""
What a simulator is told to do beside judging: answers for chosen tokens, faults of the connection.

A request is judged first.  One that is wrong on its own gets the answer it deserves; a rule speaks
only where the push would have been accepted, so that no script can hide a sender's mistake.
"""

from __future__ import annotations

import dataclasses
from typing import Literal, TypeAlias

from h2.errors import ErrorCodes

from pushctl.simulator.http import Fields

GatewayName = Literal["apns", "fcm"]
ServiceName = Literal["apns", "fcm", "oauth", "channels", "topics"]
"""The two gateways, Google's token endpoint, and the management of channels and of topics."""
Addressee = ServiceName | Literal["other"]
"""Whose request it is; ``other``: nobody's, such as one to the legacy API that was switched off."""


@dataclasses.dataclass(frozen=True, slots=True)
class Accept:
    """Accept the push: for a rule that only delays, or that shields a token from a later rule."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Answer with a reason of the tables, with a bare status, or with anything at all."""

    reason: str | None = None
    """A name of the catalog; ``INVALID_ARGUMENT/bad_ttl`` picks one of its meanings.  Any other
    word needs a *status*."""
    status: int | None = None
    """Default: the status that the tables give."""
    body: bytes | None = None
    """Default: the vendor's form of *reason*; empty where there is no reason."""
    fields: Fields = ()
    """Further header fields, for example ``(("retry-after", "30"),)``."""
    timestamp_ms: int | None = None
    """The ``timestamp`` of an APNs 410.  Default: one hour ago."""
    retry_after_s: int | None = None
    """Send ``Retry-After`` so many seconds ahead."""
    retry_after_form: Literal["seconds", "date"] = "seconds"
    """RFC 9110 section 10.2.3 allows both."""


@dataclasses.dataclass(frozen=True, slots=True)
class Wedge:
    """
    Answer ExpiredProviderToken, and nothing else on this connection from now on.

    So does APNs once it was shown a stale provider token: a client has to connect anew.
    """


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Cut the TCP connection without an answer."""

    processed: bool = True
    """Whether the push was accepted before the cut.  The sender cannot know."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Send RST_STREAM with *code* in place of an answer."""

    code: ErrorCodes = ErrorCodes.INTERNAL_ERROR
    processed: bool = True
    """Ignored for REFUSED_STREAM, which promises that nothing was processed."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GoAway:
    """Send GOAWAY, answer what lies at or below its last stream, then close."""

    last_stream: Literal["this", "previous", "all"] = "this"
    """``this``: this push is accepted; ``previous``: it was not processed; ``all``: the highest
    stream id there is (a first warning), serving goes on."""
    code: ErrorCodes = ErrorCodes.NO_ERROR
    debug: bytes = b""
    answers: Literal["before", "together", "after"] = "together"
    """Where this push's answer stands: in the segment before the GOAWAY, behind it in the same
    segment, or in a segment of its own some time after."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """Never answer; the connection stays open."""

    processed: bool = True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Never send a byte on this connection again, for any stream, SETTINGS and PING included."""

    processed: bool = True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """Send the beginning of an answer and no end of the stream, then hang or cut."""

    then: Literal["hang", "drop"] = "hang"
    of: Say | None = None
    """A refusal: its header fields and half of its body are sent.  ``None``: the status of an
    acceptance alone."""


Action: TypeAlias = Accept | Say | Wedge | Drop | Reset | GoAway | Hang | Silence | Half

WORDS: dict[str, Action] = {
    "accept": Accept(),
    "drop": Drop(),
    "hang": Hang(),
    "silence": Silence(),
    "wedge": Wedge(),
    "half": Half(),
    "half:drop": Half(then="drop"),
    "goaway": GoAway(),
    "goaway:this": GoAway(),
    "goaway:previous": GoAway(last_stream="previous"),
    "goaway:all": GoAway(last_stream="all"),
}
"""Actions by their word; ``rst:CODE``, statuses and reasons come on top."""


def parse_action(word: str) -> Action:
    """
    Return the action that *word* names.

    ``accept``, ``drop``, ``hang``, ``silence``, ``wedge``, ``half``, ``half:drop``,
    ``goaway[:this|:previous|:all]``, ``rst:CODE`` (an HTTP/2 error code by name), a status
    (``503``), else the name of a reason.

    :raises ValueError: *word* is empty, or its error code or status is none.
    """
    if action := WORDS.get(word):
        return action
    if word.startswith("rst:"):
        return Reset(code=error_code(word.removeprefix("rst:")))
    if word.isascii() and word.isdigit():
        status = int(word)
        if not 200 <= status <= 599:
            raise ValueError(f"{word} is not the status of an answer (200 to 599)")
        return Say(status=status)
    if not word or not word.isprintable():
        raise ValueError("an answer needs a name")
    return Say(reason=word)


def error_code(name: str) -> ErrorCodes:
    """
    Return the HTTP/2 error code called *name* (RFC 9113 section 7), in either case.

    :raises ValueError: there is none.
    """
    found = ErrorCodes.__members__.get(name.upper())
    if found is None:
        raise ValueError(f"{name.upper()[:40] or 'an empty name'} is not an HTTP/2 error code")
    return found


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    What happens to the pushes of some tokens.

    Of several rules that fit, the first that is not used up acts.
    """

    answer: str | Action
    """An action, or its word as :func:`parse_action` reads it."""
    token: str | None = None
    """Exactly this token.  APNs tokens in either case; ``topic:NAME`` and ``condition:EXPR`` for
    FCM's other targets, ``channel:ID`` for broadcasts; the client e-mail address for the token
    endpoint; the bundle id for the management of channels."""
    pattern: str | None = None
    """Or each token that fits this pattern (``*`` and ``?``).  Neither: every token."""
    share: float | None = None
    """Only this part (0 to 1) of the tokens that fit, the same tokens in each run."""
    service: ServiceName | None = None
    """Only for this service.  ``None``: APNs and FCM.  The others have to be named."""
    after: int = 0
    """Let that many pushes pass first."""
    every: int = 1
    """Then act on each so-manieth."""
    times: int | None = None
    """Act that often; ``None``: always."""
    each_token: bool = True
    """Whether *after*, *every* and *times* count each token by itself or all that fit together."""
    from_s: float = 0.0
    """Seconds after the simulator's start before which the rule does nothing, nor counts."""
    until_s: float | None = None
    """And from which on it does nothing any more."""
    delay_s: float = 0.0
    """Wait that long before the answer."""

    def __post_init__(self) -> None:
        if self.token is not None and self.pattern is not None:
            raise ValueError("a rule has a token or a pattern, not both")
        if isinstance(self.answer, str):
            parse_action(self.answer)

    @property
    def action(self) -> Action:
        """What to do."""
        return parse_action(self.answer) if isinstance(self.answer, str) else self.answer


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A limit on good pushes: those above it in a period get a 429, whatever their token."""

    service: GatewayName
    pushes: int
    """How many may pass in a period."""
    per_s: float = 60.0
    """How long a period is.  The first begins with the simulator."""
    answer: Say | None = None
    """Default: TooManyRequests, or FCM's RATE_LIMIT_EXCEEDED with ``Retry-After``: the seconds
    until the period ends."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRule:
    """What becomes of new connections; the first rule that is not used up acts."""

    answer: Literal["accept", "close", "silence"]
    """``close``: the end once TLS is up; ``silence``: never a byte of HTTP."""
    after: int = 0
    """Let that many connections pass first."""
    every: int = 1
    """Then act on each so-manieth."""
    times: int | None = None
    """Act that often; ``None``: always."""
    from_s: float = 0.0
    until_s: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Everything that is not plain serving.  The default script serves plainly."""

    rules: tuple[Rule, ...] = ()
    quotas: tuple[Quota, ...] = ()
    connections: tuple[ConnectionRule, ...] = ()
    delay_s: float = 0.0
    """Wait that long before each answer of the gateways."""
    first_streams: int = 1
    """The stream limit of a new connection."""
    max_streams: int = 1000
    """The stream limit once a request with a valid token was answered (APNs: 1000 was seen)."""
    stream_limits: tuple[tuple[int, int], ...] = ()
    """Later limits: after so many requests on a connection, so many streams."""
    timed_stream_limits: tuple[tuple[float, int], ...] = ()
    """Limits by time: so many seconds after the simulator's start, so many streams, on every
    connection that was opened up."""
    refuse_every: int | None = None
    """Reset each so-manieth push with REFUSED_STREAM."""
    cut_every: int | None = None
    """Accept each so-manieth push, then cut its connection without an answer."""
    goaway_every: int | None = None
    """After so many pushes on a connection: GOAWAY, answer what is open, close."""
    provider_token_lifetime_s: float = 3600
    """The age at which APNs calls a provider token expired."""
    provider_token_interval_s: float = 1200
    """A connection may show a new provider token at most this often."""
