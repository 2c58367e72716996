"""
``--suppress``: tokens that a bounce log marks for removal.

Only ``token_action: remove`` counts, which is a vendor's own word that a token is dead.  A device
token may come back to life when the app registers again, so an APNs token is left out only if the
row was not registered after the time from which Apple calls the token dead (Apple, *Handling
notification responses from APNs*: stop unless the device registered later).  FCM states no time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from pushctl.audience.content import COMPRESSIONS, open_content
from pushctl.errors import InvalidInput, Place
from pushctl.outcome import Service, TokenAction
from pushctl.rules import tokens
from pushctl.rules.text import printable

_LONGEST_LINE_BYTES = 2**20
_REMOVAL = b'"remove"'
_EVENT = b'"event"'


@dataclass(frozen=True, slots=True)
class Dead:
    """A token that a log marks for removal."""

    service: Service
    token: str
    since_s: float | None
    """Epoch seconds from which it is dead; ``None`` where nothing says so."""
    when: str
    """The same, or when it was found out, for a person."""
    place: str
    """``file:line`` of the log."""


def read_dead(path: Path) -> Iterator[Dead]:
    """
    Yield every token that the bounce log *path* (also ``.gz``, ``.zst``) marks for removal.

    Lines that are no outcome records are passed over: a log may end in a torn line and is read
    while others write to it.  Raises :class:`~pushctl.errors.InvalidInput` where the file cannot
    be read, and where nothing in it is a line of a bounce log.
    """
    ending = path.name.lower().rpartition(".")[2]
    compression = next((each for each in COMPRESSIONS if each == ending), None)
    content = open_content(path, stdin=None, compression=compression)
    is_log = is_empty = True
    with content.open() as stream:
        for number, line in _lines(stream):
            if is_empty:
                is_empty = is_log = False
            is_log = is_log or _EVENT in line
            if _REMOVAL in line:
                dead = _dead(line, f"{content.shown}:{number}")
                if dead is not None:
                    yield dead
    if not is_log:
        raise InvalidInput(
            "no line of this file is one of a bounce log",
            place=Place(content.shown),
            hint="--suppress takes the bounce log of earlier runs",
        )


def is_dead_now(since_s: float | None, service: Service, registered_at: str | None) -> bool:
    """
    Return whether a token that is dead since *since_s* is not to be sent to.

    It is unless *registered_at*, as the row has it, says that the app registered it later.
    """
    if service is not Service.APNS or since_s is None or registered_at is None:
        return True
    registered_s = epoch_s(registered_at)
    return registered_s is None or registered_s <= since_s


def epoch_s(text: str) -> float | None:
    """Return the point in time *text*, RFC 3339 or a date, UTC where it says nothing else."""
    try:
        point = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (point if point.tzinfo else point.replace(tzinfo=UTC)).timestamp()


def _dead(line: bytes, place: str) -> Dead | None:
    """Return the token that *line* marks for removal, or ``None`` where it is no such line."""
    try:
        record: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or record.get("token_action") != TokenAction.REMOVE:
        return None
    token, service = record.get("token"), record.get("service")
    if not isinstance(token, str) or service not in tuple(Service):
        return None
    since, time = record.get("dead_since"), record.get("time")
    since_s = epoch_s(since) if isinstance(since, str) else None
    when = f"dead since {since}" if since_s is not None else f"found dead at {time}"
    return Dead(
        Service(service),
        tokens.normalise(token, Service(service)),
        since_s,
        printable(when, 100),
        place,
    )


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank with their numbers; what is too long is passed over."""
    number = 0
    while line := stream.readline(_LONGEST_LINE_BYTES):
        number += 1
        whole = line.endswith(b"\n") or len(line) < _LONGEST_LINE_BYTES
        while line and not line.endswith(b"\n") and len(line) == _LONGEST_LINE_BYTES:
            line = stream.readline(_LONGEST_LINE_BYTES)
        if whole and not line.isspace():
            yield number, line
