"""Token files with nothing but tokens: ``.txt``, one a line, and the tokens of ``--token``."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pushctl.audience.blocks import Plainness, plain_tokens
from pushctl.audience.content import Content, numbered_lines
from pushctl.audience.row import Row, counted
from pushctl.errors import InvalidInput, Place
from pushctl.outcome import JsonValue, Platform, Service

GIVEN_FIDS = "--fid"
"""The source of rows that the option of this name gave."""
_BETWEEN_COLUMNS = re.compile("[,;\t]")


@dataclass(frozen=True, slots=True)
class PlainSource:
    """The lines of a text file: one token each.  Blank lines and ``#`` comments do not count."""

    content: Content
    rows: int
    plain: Plainness | None
    """How lines are tokens; ``None`` where some are not, or have something around the token."""
    records_consent: bool = False
    attribute_names: frozenset[str] | None = frozenset()

    @property
    def shown(self) -> str:
        """The name of the file."""
        return self.content.shown

    @property
    def read_in_place(self) -> Sequence[Path]:
        """The file if its lines are its rows and it is not packed."""
        return () if self.plain is None else self.content.in_place

    @property
    def described(self) -> str:
        """The name and the number of tokens."""
        return f"{self.shown} ({counted(self.rows, 'token')})"

    def __iter__(self) -> Iterator[Row]:
        """Yield the tokens, reading the file once more."""
        return (Row(number, {"token": text}, {}) for number, text in _token_lines(self.content))


@dataclass(frozen=True, slots=True)
class GivenTokens:
    """The tokens of ``--token``, with the platform of ``--platform``; or the ids of ``--fid``."""

    tokens: Sequence[str]
    platform: Platform | None
    shown: str = "--token"
    service: Service | None = None
    """Whose they are, where the option says it."""
    records_consent: bool = False
    read_in_place: Sequence[Path] = ()
    attribute_names: frozenset[str] | None = frozenset()

    @property
    def rows(self) -> int:
        """How many tokens were given."""
        return len(self.tokens)

    @property
    def described(self) -> str:
        """The name and the number of tokens."""
        return f"{self.shown} ({counted(self.rows, 'token')})"

    def __iter__(self) -> Iterator[Row]:
        """Yield the tokens in the order they were given."""
        known: dict[str, JsonValue] = {"platform": self.platform}
        if self.service is not None:
            known["service"] = self.service
        return (Row(None, {"token": text, **known}, {}) for text in self.tokens)


def open_plain(content: Content) -> PlainSource:
    """
    Return the tokens of *content*, which is read once whole.

    Raises :class:`~pushctl.errors.InvalidInput` where a line is too long or not text, or where
    the first line is a header: then this is a csv file under another name.
    """
    tokens = _token_lines(content)
    with closing(tokens):
        for number, text in islice(tokens, 1):
            if _is_header(text):
                raise InvalidInput(
                    "a header: a .txt file holds a token a line and nothing else",
                    place=Place(content.shown, number, 1),
                    hint="name the file .csv or .tsv (or give --format with -)",
                    source_line=text,
                )
    plain = plain_tokens(content)
    rows = plain.lines if plain is not None else sum(1 for _ in _token_lines(content))
    return PlainSource(content, rows, plain)


def _token_lines(content: Content) -> Generator[tuple[int, str]]:
    """Yield the number and the token of each line that has one."""
    with content.open() as stream:
        for number, text in numbered_lines(stream, content.shown):
            token = text.strip()
            if token and not token.startswith("#"):
                yield number, token


def _is_header(line: str) -> bool:
    """Return whether *line* names columns, one of them ``token``."""
    return "token" in (name.strip(' "').lower() for name in _BETWEEN_COLUMNS.split(line))
