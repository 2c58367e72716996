"""
Rules of APNs broadcast channels.

Sources: Apple, *Sending channel management requests to APNs* and *Sending broadcast push
notification requests to APNs*.  A channel belongs to one app in one environment; APNs gives its
id, which is base64.
"""

from __future__ import annotations

import re
from enum import StrEnum

MAX_BROADCAST_PAYLOAD_BYTES = 5120
MAX_CHANNELS = 10_000
"""Of one app in one environment."""
PUSH_TYPE = "liveactivity"
"""The only one that a channel carries."""
EVENTS = ("update", "end")
"""Of a Live Activity; one cannot be started over a channel."""

_CHANNEL_ID = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_LONGEST_ID = 1024
# Ours: Apple says that there is a limit, and not which.


class Storage(StrEnum):
    """What APNs keeps of a channel for devices that are offline."""

    NONE = "none"
    """Nothing: ``message-storage-policy`` 0."""
    LAST = "last"
    """The most recent message: ``message-storage-policy`` 1."""


def channel_fault(channel: str) -> str | None:
    """
    Return why *channel* is no channel id; ``None`` if it may be one.

    Wider than base64 is, so that no id that Apple gave is ever refused here; what passes is safe
    in a header field.
    """
    if not channel:
        return "a channel id must not be empty"
    if len(channel) > _LONGEST_ID:
        return f"{len(channel)} characters are more than a channel id has"
    if not _CHANNEL_ID.fullmatch(channel):
        return "a channel id is the base64 text that APNs gave the channel, as it was given"
    return None
