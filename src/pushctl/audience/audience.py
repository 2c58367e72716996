"""All who get the push, as one stream of recipients."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import BinaryIO, Literal, TypeAlias

from pushctl.audience.duplicates import Seen
from pushctl.audience.formats import FilePath, open_profiles, open_tokens
from pushctl.audience.plain import GivenTokens
from pushctl.audience.recipient import Recipient, Verdict, resolve
from pushctl.audience.row import Source, did_you_mean
from pushctl.errors import InvalidInput, Place, Problem, PushctlError, UsageError
from pushctl.outcome import Kind, Platform
from pushctl.rules.text import printable

Consent: TypeAlias = Literal["recorded", "stated by the sender", "mixed"]


def open_audience(
    *,
    tokens: Sequence[str] = (),
    platform: Platform | None = None,
    profile_files: Sequence[FilePath] = (),
    profile_ids: Sequence[str] = (),
    token_files: Sequence[FilePath] = (),
    format: str | None = None,
    stdin: BinaryIO | None = None,
    keep_duplicates: bool = False,
) -> Audience:
    """
    Return everybody that *tokens*, *profile_files* and *token_files* name, in this order.

    All files are read once to find them sound as a whole, so this takes as long as reading does.

    Parameters
    ----------
    tokens
        The values of ``--token``.
    platform
        Of *tokens*, and of rows that state none and whose token does not tell its service.
    profile_files, token_files
        Paths, or ``-`` for *stdin*, at most once.
    profile_ids
        Send only to these profiles of *profile_files*; all of them where there is none.
    format
        Of *stdin* and of files whose name has no known ending: ``csv``, ``jsonl.gz`` and so on.
    keep_duplicates
        Send to a token as often as it is given.

    Raises
    ------
    InvalidInput
        With everything that is wrong: files that cannot be read, are broken as a whole or hold
        nobody, and ids that no profile has.
    UsageError
        The arguments contradict each other.
    StorageError
        There is no room for a copy of stdin.
    """
    if [*profile_files, *token_files].count("-") > 1:
        raise UsageError("stdin (-) can be read only once")
    if profile_ids and not profile_files:
        raise UsageError("--profile needs --profiles", hint="give the file that holds the profile")
    sources: list[Source] = [GivenTokens(tokens, platform)] if tokens else []
    opening = _Opening(profile_ids, format, stdin)
    sources += opening.open(profile_files, token_files)
    if not sources:
        raise UsageError("nobody to send to", hint="give --token, --profiles or --tokens")
    return Audience(sources, platform, keep_duplicates=keep_duplicates)
