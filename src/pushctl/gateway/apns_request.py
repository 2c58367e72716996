"""The request of one APNs notification: Apple, *Sending notification requests to APNs*."""

from __future__ import annotations

import functools
import re

from pushctl.gateway.request import PushRequest
from pushctl.message.content import ApnsContent, HeaderFields
from pushctl.rules.apns import topic_for

_HEX_DIGITS = b"0123456789abcdef"
_TOPIC = re.compile(r"[!-~]+").fullmatch


def build(
    content: ApnsContent, *, device_token: str, topic: str | None, apns_id: str | None
) -> PushRequest:
    """
    Return the request that carries *content* to *device_token*.

    *topic* is the app's bundle id, completed by the suffix of the push type; ``None`` leaves
    ``apns-topic`` out, for a client certificate of a single topic.  Without *apns_id* APNs makes
    an id.

    :raises ValueError: if the token is not lower-case hexadecimal or the topic cannot stand in a
        header field: both are to be checked where they are read.
    """
    every = fields(content, topic)
    if apns_id is not None:
        every += ((b"apns-id", apns_id.encode("ascii")),)
    return PushRequest(path(device_token), every, content.body)


def path(device_token: str) -> bytes:
    """
    Return ``:path`` for *device_token*.

    :raises ValueError: if it is not lower-case hexadecimal.
    """
    token = device_token.encode("ascii", "replace")
    if not token or token.translate(None, _HEX_DIGITS):
        raise ValueError("a device token is lower-case hexadecimal")
    return b"/3/device/" + token


def fields(content: ApnsContent, topic: str | None) -> HeaderFields:
    """
    Return the header fields that every push of *content* for the app *topic* carries.

    :raises ValueError: if the topic cannot stand in a header field.
    """
    if topic is None:
        return content.fields
    return content.fields + _topic_fields(content.push_type, topic)


@functools.lru_cache(maxsize=1024)
def _topic_fields(push_type: str, topic: str) -> HeaderFields:
    if not _TOPIC(topic):
        raise ValueError("a topic has visible ASCII characters only")
    return ((b"apns-topic", topic_for(push_type, topic).encode("ascii")),)
