"""
``--suppress``: tokens that a bounce log, or another file of records, calls dead.

What counts as dead is said in :mod:`pushctl.rules.dead_tokens`.  Read are the records that pushctl
writes, as JSON lines or csv: bounce logs, what ``send`` prints, what ``bounces tokens`` finds.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO

from pushctl.audience.content import open_content, open_growing
from pushctl.audience.formats import FilePath
from pushctl.errors import InvalidInput, Place
from pushctl.outcome import Service
from pushctl.rules import tokens
from pushctl.rules.dead_tokens import Word, word_of
from pushctl.rules.masking import is_masked
from pushctl.rules.text import printable

_LONGEST_LINE_BYTES = 2**20
_REMOVAL = b'"remove"'
_DEATH = b'"dead_since":"'
_SPACED_DEATH = b'"dead_since": "'
_EVENT = b'"event"'
_COLUMNS = frozenset({"token", "token_action"})
"""What the header of a csv file of records has at the least."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a line says about the life of a token."""

    service: Service
    token: str
    word: Word
    shown: str
    """Since when the token is dead or when that was found out, for a person."""
    place: str
    """``file:line``."""


def read_words(path: FilePath, stdin: BinaryIO | None = None) -> Iterator[Said]:
    """
    Yield what the file of records *path* (also ``.gz``, ``.zst``; ``-``: *stdin*) says of tokens.

    Lines that are no such records are passed over: a log may end in a torn line and is read
    while others write to it.  Raises :class:`~pushctl.errors.InvalidInput` where the file cannot
    be read, where nothing in it is a record, and where its tokens are masked.
    """
    shown = printable(str(path))
    with _opened(path, stdin) as stream:
        lines = _lines(stream)
        first = next(lines, None)
        if first is None:
            return
        header = _header(first[1])
        lines = chain([first], lines) if header is None else lines
        records = _of_json(lines, shown) if header is None else _of_csv(lines, header, shown)
        for number, record in records:
            said = _said(record, Place(shown, number))
            if said is not None:
                yield said


def _opened(path: FilePath, stdin: BinaryIO | None) -> AbstractContextManager[BinaryIO]:
    if path == "-":
        return open_content("-", stdin=stdin, compression=None, is_text=False).open()
    return open_growing(path)


def _of_json(
    lines: Iterator[tuple[int, bytes]], shown: str
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the objects of *lines* that may say something.  Raises where none is a record."""
    is_log = False
    for number, line in lines:
        is_log = is_log or _EVENT in line
        if _REMOVAL in line or _DEATH in line or _SPACED_DEATH in line:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                yield number, record
    if not is_log:
        raise InvalidInput(
            "no line of this file is one of a bounce log",
            place=Place(shown),
            hint="--suppress takes the bounce log of earlier runs, or what `pushctl bounces tokens`"
            " found in it",
        )


def _header(line: bytes) -> list[str] | None:
    """Return the names in *line* if it is the header of records as csv."""
    if line.lstrip().startswith(b"{"):
        return None
    names = line.decode("utf-8-sig", "replace").strip().split(",")
    return names if _COLUMNS.issubset(names) else None


def _of_csv(
    lines: Iterator[tuple[int, bytes]], header: list[str], shown: str
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the rows of *lines* by the names in *header*.  Raises where one cannot be read."""
    place = [0]

    def texts() -> Iterator[str]:
        for number, line in lines:
            place[0] = number
            yield line.decode("utf-8", "replace").replace("\0", "")

    try:
        for cells in csv.reader(texts()):
            yield place[0], dict(zip(header, cells, strict=False))
    except csv.Error:
        raise InvalidInput(
            "this row cannot be read as csv, so nobody can say where the next begins",
            place=Place(shown, place[0]),
            hint="is a quote not closed, or a carriage return alone in it? Take the file as it was"
            " written",
        ) from None


def _said(record: Mapping[str, Any], place: Place) -> Said | None:
    """Return what *record* says, or ``None`` where that is nothing about the life of a token."""
    token, service, time = record.get("token"), record.get("service"), record.get("time")
    since = record.get("dead_since") or None
    word = word_of(record.get("token_action"), time, since)
    if word is None or not isinstance(token, str) or service not in tuple(Service):
        return None
    if is_masked(token):
        raise InvalidInput(
            "the tokens of this file are masked: it can tell nobody's token dead",
            place=place,
            hint="use the log that it was masked from",
        )
    shown = f"dead since {since}" if word.since_s is not None else f"found dead at {time}"
    known = Service(service)
    return Said(known, tokens.normalise(token, known), word, printable(shown, 100), str(place))


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
