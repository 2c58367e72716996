"""Finds what the script says about a push, and keeps count of what each rule has done."""

from __future__ import annotations

import dataclasses
import fnmatch
import math
import re
import zlib
from collections.abc import Callable, Iterable
from typing import Literal

from pushctl.simulator.script import (
    Accept,
    Action,
    ConnectionRule,
    GatewayName,
    Quota,
    Rule,
    Say,
    Script,
    ServiceName,
)

_HEXADECIMAL = re.compile(r"[0-9a-f]+")
_GATEWAYS = ("apns", "fcm")


@dataclasses.dataclass(frozen=True, slots=True)
class Cue:
    """What the script says about one push."""

    action: Action
    delay_s: float


class Prompter:
    """One script at work.  *elapsed* is always seconds since the simulator's start."""

    def __init__(self, script: Script, *, max_tokens: int) -> None:
        """Counting single tokens stops at *max_tokens* for each rule: memory stays bounded."""
        self._script = script
        self._max_tokens = max_tokens
        self._follow(tuple(_Acting(rule, max_tokens) for rule in script.rules))
        self._quotas = tuple(_Spending(quota) for quota in script.quotas)

    def add(self, rule: Rule) -> None:
        """Follow *rule* too, before all others.  They go on counting where they are."""
        self._follow((_Acting(rule, self._max_tokens), *self._rules))

    def _follow(self, rules: tuple[_Acting, ...]) -> None:
        self._rules = rules
        exact = [acting.rule.token for acting in rules if acting.rule.token is not None]
        self._tokens = frozenset(map(_folded, exact))
        self._only_tokens = len(exact) == len(rules)

    def cue(self, service: ServiceName, token: str, elapsed: float = 0.0) -> Cue:
        """Return what to do with an acceptable push to *token*."""
        delay_s = self._script.delay_s if service in _GATEWAYS else 0.0
        for quota in self._quotas:
            if quota.service == service and (say := quota.spend(elapsed)):
                return Cue(say, delay_s)
        folded = _folded(token)
        if not (self._only_tokens and folded not in self._tokens):
            for acting in self._rules:
                if acting.fits(service, token, folded) and acting.turn(folded, elapsed):
                    return Cue(acting.action, delay_s + acting.rule.delay_s)
        return Cue(_ACCEPT, delay_s)


_ACCEPT = Accept()


class Doorkeeper:
    """The script's rules for new connections, at work."""

    def __init__(self, rules: Iterable[ConnectionRule]) -> None:
        self._rules = tuple(rules)
        self._turns = [0] * len(self._rules)

    def admit(self, elapsed: float) -> Literal["accept", "close", "silence"]:
        """Return what becomes of a connection that is made now."""
        for number, rule in enumerate(self._rules):
            if not _in_time(rule, elapsed):
                continue
            self._turns[number] += 1
            if _acts(rule, self._turns[number]):
                return rule.answer
        return "accept"


class _Acting:
    """A rule at work."""

    def __init__(self, rule: Rule, max_tokens: int) -> None:
        self.rule = rule
        self.action = rule.action
        self._token = None if rule.token is None else _folded(rule.token)
        self._pattern = _matcher(rule.pattern)
        self._max_tokens = max_tokens
        self._timed = rule.from_s > 0 or rule.until_s is not None
        self._counted = rule.after > 0 or rule.times is not None or rule.every > 1
        self._turns: dict[str, int] = {}

    def fits(self, service: ServiceName, token: str, folded: str) -> bool:
        wanted = self.rule.service
        if wanted != service and (wanted is not None or service not in _GATEWAYS):
            return False
        if self.rule.share is not None and not _is_in_share(folded, self.rule.share):
            return False
        if self._token is not None:
            return self._token == folded
        return bool(self._pattern(token))

    def turn(self, folded: str, elapsed: float) -> bool:
        """Count one push; return whether the rule acts on it."""
        if self._timed and not _in_time(self.rule, elapsed):
            return False
        if not self._counted:
            return True
        key = folded if self.rule.each_token else ""
        turn = self._turns.get(key, 0) + 1
        if turn > 1 or len(self._turns) < self._max_tokens:
            self._turns[key] = turn
        return _acts(self.rule, turn)


class _Spending:
    """A quota at work."""

    def __init__(self, quota: Quota) -> None:
        self.service: GatewayName = quota.service
        self._quota = quota
        self._period = 0
        self._spent = 0

    def spend(self, elapsed: float) -> Say | None:
        """Count one push; return the answer if it is above the limit."""
        period = int(elapsed // self._quota.per_s)
        if period != self._period:
            self._period, self._spent = period, 0
        self._spent += 1
        if self._spent <= self._quota.pushes:
            return None
        left_s = max(1, math.ceil((period + 1) * self._quota.per_s - elapsed))
        if self._quota.answer is not None:
            return self._quota.answer
        if self.service == "apns":
            return Say(reason="TooManyRequests")  # Apple documents no Retry-After
        return Say(reason="RATE_LIMIT_EXCEEDED", retry_after_s=left_s)


def _in_time(rule: Rule | ConnectionRule, elapsed: float) -> bool:
    return rule.from_s <= elapsed and (rule.until_s is None or elapsed < rule.until_s)


def _acts(rule: Rule | ConnectionRule, turn: int) -> bool:
    """Return whether *rule* acts on its *turn*, counted from 1."""
    turn -= rule.after
    if turn <= 0 or turn % rule.every:
        return False
    return rule.times is None or turn // rule.every <= rule.times


def _is_in_share(token: str, share: float) -> bool:
    return zlib.crc32(token.encode()) < share * 2**32


def _matcher(pattern: str | None) -> Callable[[str], object]:
    if pattern is None:
        return lambda token: True
    return re.compile(fnmatch.translate(pattern)).match


def _folded(token: str) -> str:
    """APNs tokens are hexadecimal, so their case carries nothing; FCM's does."""
    lowered = token.lower()
    return lowered if _HEXADECIMAL.fullmatch(lowered) else token
