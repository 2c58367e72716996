"""
From a row to a recipient: who delivers, what is wrong, whether it may be sent.  Pure.

The order of the questions is a rule of its own: a row that cannot be read says nothing about
anybody, and of somebody who has not given consent nothing else is judged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from pushctl.audience.row import Row, kind_of
from pushctl.outcome import Environment, JsonValue, Kind, Platform, Service
from pushctl.rules import tokens
from pushctl.rules.text import printable

_SERVICE_OF_PLATFORM = {
    Platform.IOS: Service.APNS,
    Platform.ANDROID: Service.FCM,
    Platform.WEB: Service.FCM,
}
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PLATFORM_OF_SHAPE = {Service.APNS: Platform.IOS, Service.FCM: Platform.ANDROID}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a recipient is not sent to, decided before anything leaves."""

    kind: Kind
    """``REJECTED`` (missing or malformed token: a bounce) or ``SKIPPED`` (a rule of ours)."""
    reason: str
    """One of the catalog's own reasons: ``MissingToken``, ``InvalidToken``, ``NoConsent``…"""
    detail: str | None = None
    """What exactly was found, on one line."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One input of a run: one token, or one profile or row that has none."""

    row: int
    """Ordinal in the run, from 1."""
    source: str
    """``file:line``, or ``--token``."""
    token: str | None
    """Normalised; as it was read (cut to 4096 characters) where the verdict calls it invalid."""
    service: Service | None
    platform: Platform | None
    profile: str | None
    credential: str | None
    environment: str | None
    topic: str | None
    registered_at: str | None
    """As written: RFC 3339 in a profile file, whatever the column holds in a token file."""
    attributes: Mapping[str, JsonValue]
    verdict: Verdict | None
    """``None``: send it."""


def resolve(row: Row, *, ordinal: int, shown: str, fallback: Platform | None) -> Recipient:
    """
    Return *row* as the recipient number *ordinal*, judged.

    *shown* names the file.  *fallback* is the platform of a row that states none and whose
    token does not tell which service it belongs to.
    """
    values = row.values
    faults: list[str] = []
    token = _text(values, "token", faults)
    platform = _word(values, "platform", Platform, faults)
    service = _word(values, "service", Service, faults)
    environment = _word(values, "environment", Environment, faults)
    profile = _text(values, "profile", faults)
    credential = _text(values, "credential", faults)
    topic = _text(values, "topic", faults)
    registered_at = _text(values, "registered_at", faults)

    looks_like = tokens.shape(token) if token else None
    if service is None and looks_like is None and platform is None:
        platform = fallback
    if service is None:
        service = looks_like or (_SERVICE_OF_PLATFORM[platform] if platform else None)
    if platform is None and looks_like is not None:
        platform = _PLATFORM_OF_SHAPE[looks_like]

    verdict = _verdict(row, faults, token, service)
    if token is not None and service is not None and verdict is None:
        token = tokens.normalise(token, service)
    return Recipient(
        row=ordinal,
        source=shown if row.line is None else f"{shown}:{row.line}",
        token=token and token[: tokens.MAX_LENGTH],
        service=service,
        platform=platform,
        profile=profile,
        credential=credential,
        environment=environment,
        topic=topic,
        registered_at=registered_at,
        attributes=row.attributes,
        verdict=verdict,
    )


def _verdict(
    row: Row, faults: list[str], token: str | None, service: Service | None
) -> Verdict | None:
    """Return the first of the reasons not to send that holds, or ``None``."""
    if row.fault is not None:
        return _invalid(row.fault)
    if row.no_consent is not None:
        return Verdict(Kind.SKIPPED, "NoConsent", printable(row.no_consent))
    if faults:
        return _invalid(faults[0])
    if token is None:
        return Verdict(Kind.REJECTED, "MissingToken")
    if service is None:
        damage = tokens.fault(token, Service.FCM)
        return _invalid(damage or "cannot tell which service it is of: set service or platform")
    damage = tokens.fault(token, service)
    return None if damage is None else _invalid(damage)


def _invalid(detail: str) -> Verdict:
    return Verdict(Kind.REJECTED, "InvalidToken", printable(detail))


_Word = TypeVar("_Word", bound=StrEnum)


def _word(
    values: Mapping[str, JsonValue], name: str, words: type[_Word], faults: list[str]
) -> _Word | None:
    """Return the value of *name* as one of *words*, in any case; add to *faults* if it is none."""
    text = _text(values, name, faults)
    if text is None:
        return None
    try:
        return words(text.strip().lower())
    except ValueError:
        faults.append(f"{name} is `{text}`: it is one of {', '.join(words)}")
        return None


def _text(values: Mapping[str, JsonValue], name: str, faults: list[str]) -> str | None:
    """
    Return the value of *name* as a text, ``None`` where it is absent or blank.

    A whole number is taken as it is written, but for a token, which would have lost its leading
    zeros.  Anything else is added to *faults*, and so is a control character: these values reach
    header fields and logs.
    """
    value = values.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        if not value or value.isspace():
            return None
        if name != "token" and _CONTROL.search(value):
            faults.append(f"{name} holds a line break or another control character")
            return None
        return value
    if isinstance(value, int) and not isinstance(value, bool) and name != "token":
        return str(value)
    faults.append(f"{name} is {kind_of(value)}, not a text")
    return None
