"""
Profile files: people, whether they consent, and the tokens of their devices.

In ``.yaml`` and ``.json`` the whole file is checked before anything else, and all that is wrong
with its form is reported at once.  In ``.jsonl``, a profile a line, each line stands alone.
Either way a profile is as many inputs as it has tokens, and one if it has none.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pushctl.audience.content import Content
from pushctl.audience.jsonlines import (
    MAX_ATTRIBUTE_NAMES,
    Line,
    consent_fault,
    no_objects,
    present_attributes,
    read_lines,
)
from pushctl.audience.row import Row, did_you_mean, kind_of
from pushctl.documents import Document
from pushctl.errors import InvalidInput, Place, Problem
from pushctl.outcome import Environment, JsonValue, Platform, Service
from pushctl.rules.text import printable

_PROFILE_KEYS = ("id", "consent", "attributes", "tokens")
_WORDS: Mapping[str, type[StrEnum]] = {
    "platform": Platform,
    "service": Service,
    "environment": Environment,
}
_TOKEN_KEYS = (*_WORDS, "token", "topic", "credential", "registered_at")
_MAX_PROBLEMS = 100

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Fault:
    """Something wrong with the form of a profile, and where: a path into the document."""

    path: Path
    message: str
    hint: str | None = None
    key: bool = False
    """Whether the key at the path is meant, not its value."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of sound form."""

    id: str
    no_consent: str | None
    attributes: Mapping[str, JsonValue]
    tokens: Sequence[Mapping[str, JsonValue]]

    def rows(self, line_of: Callable[[int | None], int | None]) -> Iterator[Row]:
        """
        Yield a row for each token, or one without a token if there is none.

        *line_of* tells the line of the token with that index, and of the profile for ``None``.
        """
        if not self.tokens:
            yield self._row({}, line_of(None))
        for index, token in enumerate(self.tokens):
            yield self._row(token, line_of(index))

    def _row(self, token: Mapping[str, JsonValue], line: int | None) -> Row:
        return Row(line, {**token, "profile": self.id}, self.attributes, self.no_consent)


@dataclass(frozen=True, slots=True)
class ProfileDocument:
    """The profiles of a ``.yaml`` or ``.json`` file, or those of them that were asked for."""

    document: Document
    profiles: Sequence[tuple[int, Profile]]
    """Each with its index in the file."""
    records_consent: bool = True

    @property
    def shown(self) -> str:
        """The name of the file."""
        return self.document.file

    @property
    def rows(self) -> int:
        """How many inputs the profiles are: one a token, and one where there is none."""
        return sum(max(1, len(profile.tokens)) for _, profile in self.profiles)

    @property
    def attribute_names(self) -> frozenset[str]:
        """Every attribute that any of the profiles has."""
        return frozenset(name for _, profile in self.profiles for name in profile.attributes)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows of each profile, with the line that each token stands on."""
        for index, profile in self.profiles:
            yield from profile.rows(lambda token, index=index: self._line(index, token))

    def _line(self, profile: int, token: int | None) -> int | None:
        path: Path = ("profiles", profile)
        path = path if token is None else (*path, "tokens", token, "token")
        return self.document.place(path).line


def open_profile_document(document: Document, wanted: Collection[str]) -> ProfileDocument:
    """
    Return the profiles of *document* whose id is *wanted*, or all where nothing is.

    Raises :class:`~pushctl.errors.InvalidInput` with everything that is wrong with its form.
    """
    reader = _Reader(numbers_are_ids=False)
    profiles = reader.profiles(document.value)
    if reader.faults:
        raise InvalidInput(problems=_problems(document, reader.faults))
    chosen = [item for item in profiles if not wanted or item[1].id in wanted]
    return ProfileDocument(document, chosen)


@dataclass(frozen=True, slots=True)
class ProfileLines:
    """The profiles of a ``.jsonl`` file, or those of them that were asked for."""

    content: Content
    wanted: Collection[str]
    rows: int
    ids: Collection[str]
    attribute_names: frozenset[str] | None
    records_consent: bool = True

    @property
    def shown(self) -> str:
        """The name of the file."""
        return self.content.shown

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows of each profile, reading the file once more."""
        return (row for line in read_lines(self.content) for row in _rows_of(line, self.wanted))
