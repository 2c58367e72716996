"""
What a simulator is told to do beside judging: answers for chosen tokens, faults of the connection.

A request is judged first.  One that is wrong on its own gets the answer it deserves; a rule speaks
only where the push would have been accepted, so that no script can hide a sender's mistake.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import re
from collections.abc import Callable
from typing import Literal, TypeAlias

from h2.errors import ErrorCodes

from pushctl.simulator.http import Fields

ServiceName = Literal["apns", "fcm", "oauth"]


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
    """``this``: this push is accepted, its answer follows the GOAWAY; ``previous``: it was not
    processed; ``all``: the highest stream id there is (a first warning), serving goes on."""
    code: ErrorCodes = ErrorCodes.NO_ERROR
    debug: bytes = b""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """Never answer; the connection stays open."""

    processed: bool = True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """Send the status of an acceptance and no end of the stream, then hang or cut."""

    then: Literal["hang", "drop"] = "hang"


Action: TypeAlias = Accept | Say | Drop | Reset | GoAway | Hang | Half

_WORDS: dict[str, Action] = {
    "accept": Accept(),
    "drop": Drop(),
    "hang": Hang(),
    "half": Half(),
    "half:drop": Half(then="drop"),
    "goaway": GoAway(),
    "goaway:this": GoAway(),
    "goaway:previous": GoAway(last_stream="previous"),
    "goaway:all": GoAway(last_stream="all"),
}


def parse_action(word: str) -> Action:
    """
    Return the action that *word* names.

    ``accept``, ``drop``, ``hang``, ``half``, ``half:drop``, ``goaway[:this|:previous|:all]``,
    ``rst:CODE`` (an HTTP/2 error code by name), a status (``503``), else the name of a reason.

    :raises ValueError: *word* is empty, or its error code or status is none.
    """
    if action := _WORDS.get(word):
        return action
    if word.startswith("rst:"):
        name = word.removeprefix("rst:").upper()
        if name not in ErrorCodes.__members__:
            raise ValueError(f"{name or 'an empty name'} is not an HTTP/2 error code")
        return Reset(code=ErrorCodes[name])
    if word.isascii() and word.isdigit():
        status = int(word)
        if not 200 <= status <= 599:
            raise ValueError(f"{word} is not the status of an answer (200 to 599)")
        return Say(status=status)
    if not word or not word.isprintable():
        raise ValueError("an answer needs a name")
    return Say(reason=word)


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
    FCM's other targets; the client e-mail address for the token endpoint."""
    pattern: str | None = None
    """Or each token that fits this pattern (``*`` and ``?``).  Neither: every token."""
    service: ServiceName | None = None
    """Only for this service.  ``None``: APNs and FCM.  The token endpoint has to be named."""
    after: int = 0
    """Let that many pushes pass first."""
    times: int | None = None
    """Then act that often; ``None``: always."""
    each_token: bool = True
    """Whether *after* and *times* count each token by itself or all that fit together."""
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
class Script:
    """Everything that is not plain serving.  The default script serves plainly."""

    rules: tuple[Rule, ...] = ()
    delay_s: float = 0.0
    """Wait that long before each answer of the gateways."""
    first_streams: int = 1
    """The stream limit of a new connection."""
    max_streams: int = 1000
    """The stream limit once a request with a valid token was answered (APNs: 1000 was seen)."""
    stream_limits: tuple[tuple[int, int], ...] = ()
    """Later limits: after so many requests on a connection, so many streams."""
    refuse_every: int | None = None
    """Reset each so-manieth push with REFUSED_STREAM."""
    cut_every: int | None = None
    """Accept each so-manieth push, then cut its connection without an answer."""
    goaway_every: int | None = None
    """After so many pushes on a connection: GOAWAY, answer what is open, close."""


@dataclasses.dataclass(frozen=True, slots=True)
class Cue:
    """What the script says about one push."""

    action: Action
    delay_s: float


class Prompter:
    """Finds the rule for a push and keeps count of what each rule has done."""

    def __init__(self, script: Script, *, max_tokens: int) -> None:
        """Counting single tokens stops at *max_tokens* for each rule: memory stays bounded."""
        self._script = script
        self._rules = tuple(_Acting(rule, max_tokens) for rule in script.rules)
        exact = (acting for acting in self._rules if acting.rule.token is not None)
        self._tokens = frozenset(_folded(acting.rule.token or "") for acting in exact)
        self._only_tokens = all(acting.rule.token is not None for acting in self._rules)

    def cue(self, service: ServiceName, token: str) -> Cue:
        """Return what to do with an acceptable push to *token*."""
        delay_s = 0.0 if service == "oauth" else self._script.delay_s
        folded = _folded(token)
        if not (self._only_tokens and folded not in self._tokens):
            for acting in self._rules:
                if acting.fits(service, token, folded) and acting.turn(folded):
                    return Cue(acting.action, delay_s + acting.rule.delay_s)
        return Cue(_ACCEPT, delay_s)


_ACCEPT = Accept()


class _Acting:
    """A rule at work."""

    def __init__(self, rule: Rule, max_tokens: int) -> None:
        self.rule = rule
        self.action = rule.action
        self._token = None if rule.token is None else _folded(rule.token)
        self._pattern = _matcher(rule.pattern)
        self._max_tokens = max_tokens
        self._counted = rule.after > 0 or rule.times is not None
        self._turns: dict[str, int] = {}

    def fits(self, service: ServiceName, token: str, folded: str) -> bool:
        wanted = self.rule.service
        if (wanted is None and service == "oauth") or wanted not in (None, service):
            return False
        if self._token is not None:
            return self._token == folded
        return bool(self._pattern(token))

    def turn(self, folded: str) -> bool:
        """Count one push; return whether the rule acts on it."""
        if not self._counted:
            return True
        key = folded if self.rule.each_token else ""
        turn = self._turns.get(key, 0) + 1
        if turn > 1 or len(self._turns) < self._max_tokens:
            self._turns[key] = turn
        turn -= self.rule.after
        return turn > 0 and (self.rule.times is None or turn <= self.rule.times)


def _matcher(pattern: str | None) -> Callable[[str], object]:
    if pattern is None:
        return lambda token: True
    return re.compile(fnmatch.translate(pattern)).match


def _folded(token: str) -> str:
    """APNs tokens are hexadecimal, so their case carries nothing; FCM's does."""
    lowered = token.lower()
    return lowered if _HEXADECIMAL.fullmatch(lowered) else token


_HEXADECIMAL = re.compile(r"[0-9a-f]+")
