"""All who get the push, as one stream of recipients."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Literal, TypeAlias

from pushctl.audience.duplicates import Seen, Sighting
from pushctl.audience.formats import (
    FilePath,
    ProfileSource,
    open_any,
    open_profiles,
    open_tokens,
)
from pushctl.audience.plain import GIVEN_FIDS, GivenTokens
from pushctl.audience.recipient import Recipient, Verdict, resolve
from pushctl.audience.row import Source, did_you_mean
from pushctl.errors import InvalidInput, Place, Problem, UsageError
from pushctl.outcome import Kind, Platform, Service
from pushctl.rules.text import printable

Consent: TypeAlias = Literal["recorded", "stated by the sender", "mixed"]


def open_audience(
    *,
    tokens: Sequence[str] = (),
    fids: Sequence[str] = (),
    platform: Platform | None = None,
    profile_files: Sequence[FilePath] = (),
    profile_ids: Sequence[str] = (),
    token_files: Sequence[FilePath] = (),
    format: str | None = None,
    stdin: BinaryIO | None = None,
    keep_duplicates: bool = False,
) -> Audience:
    """
    Return everybody that *tokens*, *fids*, *profile_files* and *token_files* name, in this order.

    All files are read once to find them sound as a whole, so this takes as long as reading does.

    Parameters
    ----------
    tokens
        The values of ``--token``.
    fids
        The values of ``--fid``: Firebase installation ids.
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
    given: list[Source] = [GivenTokens(tokens, platform)] if tokens else []
    if fids:
        given.append(GivenTokens(fids, None, GIVEN_FIDS, Service.FCM))
    files = _open_files(profile_files, frozenset(profile_ids), token_files, format, stdin)
    if not given and not files:
        raise UsageError("nobody to send to", hint="give --token, --fid, --profiles or --tokens")
    return Audience([*given, *files], fallback=platform, keep_duplicates=keep_duplicates)


def open_lists(
    files: Sequence[FilePath],
    *,
    platform: Platform | None = None,
    format: str | None = None,
    stdin: BinaryIO | None = None,
) -> Audience:
    """
    Return everybody in *files*, each a profile file or a token file, for a look at them.

    Parameters and errors are those of :func:`open_audience`.
    """
    if [*files].count("-") > 1:
        raise UsageError("stdin (-) can be read only once")
    problems: list[Problem] = []
    sources: list[Source] = []
    for path in files:
        with _gathered(problems):
            sources.append(open_any(path, format=format, stdin=stdin))
    problems += _empty(sources, "token")
    if problems:
        raise InvalidInput(problems=problems)
    return Audience(sources, fallback=platform, keep_duplicates=False)


class Audience:
    """
    Recipients in the order of their sources, numbered from 1, judged, duplicates marked.

    Iterating reads the files once more, in memory that does not grow with them but for what
    duplicates are known by (about 200 bytes a token).  It raises
    :class:`~pushctl.errors.InvalidInput` where a file has changed since it was checked.  Each
    iteration starts anew; one at a time.
    """

    def __init__(
        self, sources: Sequence[Source], *, fallback: Platform | None, keep_duplicates: bool
    ) -> None:
        self.sources = sources
        self.fallback = fallback
        """The platform of a row that states none and whose token does not tell its service."""
        self.keep_duplicates = keep_duplicates

    @property
    def total(self) -> int:
        """How many inputs there are, those that will not be sent to included."""
        return sum(source.rows for source in self.sources)

    @property
    def consent(self) -> Consent:
        """Who says that these people agreed: the files, whoever runs the command, or both."""
        recorded = {source.records_consent for source in self.sources}
        if len(recorded) > 1:
            return "mixed"
        return "recorded" if recorded == {True} else "stated by the sender"

    @property
    def without_consent(self) -> Sequence[str]:
        """The files that say nothing of consent.  ``--token`` is not among them: it is exempt."""
        return [
            source.shown
            for source in self.sources
            if not source.records_consent and not isinstance(source, GivenTokens)
        ]

    @property
    def description(self) -> str:
        """The sources and their sizes, for a person: ``list.csv (1,000 rows)``."""
        return ", ".join(source.described for source in self.sources)

    @property
    def attribute_names(self) -> frozenset[str] | None:
        """Every attribute that any recipient has; ``None`` where they are too many to know."""
        names: set[str] = set()
        for source in self.sources:
            if source.attribute_names is None:
                return None
            names |= source.attribute_names
        return frozenset(names)

    def require_consent(self, credential: str) -> None:
        """
        Refuse files that say nothing of consent, for a *credential* with ``require_consent``.

        Raises :class:`~pushctl.errors.InvalidInput` that names each of them.
        """
        problems = [
            Problem(
                f"the file records no consent, and {printable(credential)} requires it",
                Place(shown),
                hint="add a consent column (true for whoever agreed), or send a profile file",
            )
            for shown in self.without_consent
        ]
        if problems:
            raise InvalidInput(problems=problems)

    def __iter__(self) -> Iterator[Recipient]:
        """Yield every recipient once."""
        seen = None if self.keep_duplicates else Seen()
        ordinal = 0
        for number, source in enumerate(self.sources):
            for row in source:
                ordinal += 1
                recipient = resolve(
                    row, ordinal=ordinal, shown=source.shown, fallback=self.fallback
                )
                if seen is None or recipient.verdict is not None:
                    yield recipient
                    continue
                first = seen.first(recipient, source=number, line=row.line)
                yield recipient if first is None else self._duplicate(recipient, first)

    def _duplicate(self, recipient: Recipient, first: Sighting) -> Recipient:
        shown = self.sources[first.source].shown
        place = shown if first.line is None else f"{shown}:{first.line}"
        verdict = Verdict(Kind.SKIPPED, "Duplicate", f"first at row {first.row} ({place})")
        return dataclasses.replace(recipient, verdict=verdict)


def _open_files(
    profile_files: Sequence[FilePath],
    wanted: Collection[str],
    token_files: Sequence[FilePath],
    format: str | None,
    stdin: BinaryIO | None,
) -> list[Source]:
    """Return all files as sources; raise one error with the problems of all of them."""
    problems: list[Problem] = []
    profiles: list[ProfileSource] = []
    lists: list[Source] = []
    for path in profile_files:
        with _gathered(problems):
            profiles.append(open_profiles(path, format=format, stdin=stdin, wanted=wanted))
    for path in token_files:
        with _gathered(problems):
            lists.append(open_tokens(path, format=format, stdin=stdin))
    if not problems:  # a file that cannot be read may well hold the profile that is missed
        problems += _unknown_ids(wanted, profiles)
    if not wanted:
        problems += _empty(profiles, "profile")
    problems += _empty(lists, "token")
    if problems:
        raise InvalidInput(problems=problems)
    return [*profiles, *lists]


def _empty(sources: Iterable[Source], thing: str) -> Iterator[Problem]:
    """Yield a problem for each of *sources* that has no row."""
    for source in sources:
        if not source.rows:
            yield Problem(
                f"the file holds no {thing}",
                Place(source.shown),
                hint="check that the file is the one you mean, and that it was written whole",
            )


@contextmanager
def _gathered(problems: list[Problem]) -> Iterator[None]:
    """Add the problems of an invalid file to *problems* and go on."""
    try:
        yield
    except InvalidInput as error:
        problems.extend(error.problems)


def _unknown_ids(wanted: Collection[str], sources: Sequence[ProfileSource]) -> Iterator[Problem]:
    """Yield a problem for each of the *wanted* ids that none of *sources* has."""
    files = ", ".join(source.shown for source in sources)
    ids = {name for source in sources for name in source.ids}
    for name in sorted(wanted):
        if name not in ids:
            message = f"no profile has the id `{printable(name)}`"
            yield Problem(message, Place(files), did_you_mean(name, ids))
