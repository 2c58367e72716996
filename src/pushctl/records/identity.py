"""Names of runs and the ids of their pushes.  Pure: clock and randomness are passed in."""

from __future__ import annotations

import datetime
import functools
import hashlib
import re

from pushctl.errors import UsageError

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no characters that are read for one another


def new_run_id(now: float, random_bytes: bytes) -> str:
    """Return a run id that sorts by its start (UTC) and ends in five random characters."""
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    tail = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in random_bytes[:5])
    return f"{moment:%Y%m%d-%H%M%S}-{tail}"


def checked_run_id(text: str) -> str:
    """
    Return *text* if it can name a run folder.

    Raises :class:`UsageError` otherwise: a run id becomes a folder name, so it may hold no
    separator and may not start with a dot.
    """
    if not _RUN_ID.match(text):
        raise UsageError(
            f"{text[:80]!r} cannot be a run id",
            hint="use 1 to 64 letters, digits, dots, hyphens and underscores, not starting"
            " with a dot or hyphen",
        )
    return text


def push_id_prefix(run: str) -> str:
    """
    Return the first 24 characters that every apns-id of *run* shares.

    The id of a row is this prefix and the row as twelve hex digits: a canonical lower-case
    UUID (version 8, RFC 9562 section 5.8).  It needs no storage, and a push that is sent again
    carries the same id as before.
    """
    digest = hashlib.blake2b(run.encode(), digest_size=10).hexdigest()
    variant = "89ab"[int(digest[15], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-8{digest[12:15]}-{variant}{digest[16:19]}-"


def push_id(prefix: str, row: int) -> str:
    """Return the apns-id of *row* in the run that *prefix* belongs to."""
    return f"{prefix}{row:012x}"


@functools.lru_cache(maxsize=64)
def rfc3339(seconds: float) -> str:
    """
    Return epoch *seconds* as RFC 3339 in UTC with milliseconds.

    The answers of one network read share their time, so the last few are remembered.
    """
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
