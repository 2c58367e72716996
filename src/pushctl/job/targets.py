"""What a row is addressed to: a token, an installation id, a topic, a condition, a channel."""

from __future__ import annotations

from typing import Any, TypeAlias

from pushctl.audience.plain import GIVEN_FIDS
from pushctl.outcome import Service
from pushctl.rules.tokens import is_installation_id

Row: TypeAlias = tuple[Any, ...]
"""A row of a prepared audience, see :data:`pushctl.audience.prepare.COLUMNS`."""

CHANNEL_SOURCE = "--apns-channel"
_OPTIONS = {
    "topic": ("--fcm-topic", Service.FCM),
    "condition": ("--fcm-condition", Service.FCM),
    "channel": (CHANNEL_SOURCE, Service.APNS),
}
"""The targets that no audience holds: by which option they are given, and who delivers."""
_KINDS = {option: kind for kind, (option, _) in _OPTIONS.items()} | {GIVEN_FIDS: "fid"}
_FCM = Service.FCM.value


def target_of(row: Row) -> str:
    """
    Return the kind of target of *row*: ``token``, ``fid``, ``topic``, ``condition``, ``channel``.

    A Firebase installation id in a list is told by its form: FCM takes one as a token too, but
    calls that a transition (discovery document, ``Message.token``).
    """
    kind = _KINDS.get(row[1])
    if kind is not None:
        return kind
    token = row[2]
    is_fid = row[3] == _FCM and token is not None and is_installation_id(token)
    return "fid" if is_fid else "token"


def target_row(number: int, kind: str, value: str) -> Row:
    """Return a row for a target that no audience holds."""
    option, service = _OPTIONS[kind]
    rest = (None,) * 10
    return (number, option, value, service.value, *rest)


def service_of(kind: str) -> Service:
    """Return who delivers to a target that no audience holds."""
    return _OPTIONS[kind][1]
