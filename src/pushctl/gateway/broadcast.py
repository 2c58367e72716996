"""
Pushes to broadcast channels, and what APNs answers to them and to the management of channels.

Sources: Apple, *Sending broadcast push notification requests to APNs* and *Handling error
responses from APNs*.  The latter is a table of its own: one reason can mean there something else
than in an answer to a push to a device.  Pure; nothing that a server sends makes a reader raise.
"""

from __future__ import annotations

import functools
import re

from pushctl import catalog
from pushctl.gateway.answer import (
    Headers,
    identifier,
    label,
    raw_detail,
    read_object,
    rejected,
    retry_after_s,
)
from pushctl.message.content import HeaderFields
from pushctl.outcome import Kind, Outcome, Service, TokenAction
from pushctl.rules.channels import channel_fault

_BUNDLE_ID = re.compile(r"[A-Za-z0-9.-]+").fullmatch


def path(bundle_id: str) -> bytes:
    """
    Return ``:path`` of broadcasts of the app *bundle_id*.

    :raises ValueError: if it cannot stand in a path.
    """
    return f"/4/broadcasts/apps/{checked_bundle_id(bundle_id)}".encode("ascii")


def checked_bundle_id(bundle_id: str) -> str:
    """
    Return *bundle_id*.

    :raises ValueError: if it cannot stand in a path.
    """
    if not _BUNDLE_ID(bundle_id):
        raise ValueError("a bundle id has letters, digits, dots and hyphens")
    return bundle_id


def fields(own: HeaderFields, *, channel: str, request_id: bytes) -> HeaderFields:
    """
    Return the header fields of a broadcast: *own* are those of the content.

    ``apns-expiration`` is required; where nothing was asked for it is 0, which every channel
    takes.

    :raises ValueError: if *channel* is no channel id.
    """
    if channel_fault(channel) is not None:
        raise ValueError("a channel id is base64")
    if all(name != b"apns-expiration" for name, _ in own):
        own = (*own, (b"apns-expiration", b"0"))
    addressed = (b"apns-channel-id", channel.encode("ascii"))
    return (*own, addressed, (b"apns-request-id", request_id))


def read_answer(status: int, headers: Headers, body: bytes) -> Outcome:
    """
    Return what an answer to a broadcast, or to a request about channels, says.

    Its reasons are those of the broadcast table, which the case ``broadcast`` says.  There is no
    token in these requests, so the token's fate is never decided here.  A reason that the table
    does not know, or knows under another status, is classified by the status.
    """
    # Apple's samples name the id of a request in two ways.
    request_id = identifier(headers, "apns-request-id") or identifier(headers, "apns-id")
    unique_id = identifier(headers, "apns-unique-id")
    if 200 <= status < 300:
        return Outcome(kind=Kind.ACCEPTED, status=status, id=request_id, unique_id=unique_id)
    answer = read_object(body)
    given = label(answer.get("reason")) if answer is not None else None
    reason, row = _row(status, given)
    detail = None
    if given is None:
        detail = raw_detail(body)
    elif given != reason:
        detail = f"the answer spells it {given}"
    return rejected(
        status,
        reason,
        row,
        case=catalog.BROADCAST,
        token_action=TokenAction.KEEP,
        id=request_id,
        unique_id=unique_id,
        detail=detail,
        retry_after_s=retry_after_s(headers),
    )


@functools.lru_cache(maxsize=256)
def _row(status: int, given: str | None) -> tuple[str | None, catalog.Reason]:
    """Return the reason in its documented spelling, and the row that classifies it."""
    row = None
    if given is not None:
        row = catalog.lookup(Service.APNS, given, case=catalog.BROADCAST)
    if row is None or row.status != status:
        return given, catalog.by_status("apns-broadcast", status)
    return row.name, row
