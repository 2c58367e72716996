"""
Requests that manage broadcast channels, and what their answers hold.

Source: Apple, *Sending channel management requests to APNs*.  What a refusal means is told by
:func:`pushctl.gateway.broadcast.read_answer`.  Pure.
"""

from __future__ import annotations

import dataclasses
import json

from pushctl.gateway.answer import Headers, header, label, whole_number
from pushctl.gateway.broadcast import checked_bundle_id
from pushctl.rules.channels import Storage, channel_fault
from pushctl.rules.text import printable

_POLICIES = {Storage.NONE: 0, Storage.LAST: 1}
_STORAGES = {number: storage for storage, number in _POLICIES.items()}
PUSH_TYPE = "LiveActivity"
"""As this API spells it in a body; the header field of a broadcast is lower case."""


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One request, without its credential."""

    method: str
    path: str
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    changes: bool = False
    """Whether it changes something: without an answer, nobody knows whether it did."""


def create(app: str, storage: Storage) -> Call:
    """Return the request that makes a channel of *app*."""
    body = {"message-storage-policy": _POLICIES[storage], "push-type": PUSH_TYPE}
    text = json.dumps(body, separators=(",", ":")).encode("ascii")
    fields = (("content-type", "application/json"),)
    return Call("POST", _path(app, "channels"), fields, text, changes=True)


def read(app: str, channel: str) -> Call:
    """Return the request that asks how *channel* was made."""
    return Call("GET", _path(app, "channels"), _channel(channel))


def delete(app: str, channel: str) -> Call:
    """Return the request that deletes *channel*."""
    return Call("DELETE", _path(app, "channels"), _channel(channel), changes=True)


def list_all(app: str) -> Call:
    """Return the request for the ids of all channels of *app*."""
    return Call("GET", _path(app, "all-channels"))


def _path(app: str, what: str) -> str:
    return f"/1/apps/{checked_bundle_id(app)}/{what}"


def _channel(channel: str) -> tuple[tuple[str, str], ...]:
    if channel_fault(channel) is not None:
        raise ValueError("a channel id is base64")
    return (("apns-channel-id", channel),)


def created_id(headers: Headers) -> str | None:
    """Return the id of the channel that was made; ``None`` if the answer names none."""
    return _shown(header(headers, "apns-channel-id"))


@dataclasses.dataclass(frozen=True, slots=True)
class Properties:
    """How a channel was made; ``None`` where the answer does not tell."""

    storage: Storage | None = None
    push_type: str | None = None


def properties(body: bytes) -> Properties:
    """Return what the answer to :func:`read` tells."""
    answer = _object(body)
    policy = whole_number(answer.get("message-storage-policy"))
    storage = None if policy is None else _STORAGES.get(policy)
    return Properties(storage, label(answer.get("push-type")))


def channel_ids(body: bytes) -> list[str] | None:
    """Return the ids in the answer to :func:`list_all`, safe to show; ``None`` if it is no list."""
    channels = _object(body).get("channels")
    if not isinstance(channels, list):
        return None
    return [channel for channel in map(_shown, channels) if channel is not None]


def _shown(channel: object) -> str | None:
    """Return a channel id whole, and safe to show whatever it holds."""
    return (printable(channel) or None) if isinstance(channel, str) else None


def _object(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
