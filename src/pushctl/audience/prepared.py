"""
An audience as it lies in the folder of a run: resolved, judged, numbered, ready to be read.

``audience.parquet`` holds every row.  Beside it lie, in order, the rows that took a closer look,
``rows-N.parquet``, which are empty in the large file, and the verdicts that were found out later
(duplicates, suppressed tokens), ``verdicts-N.parquet``.  Both are laid over the rows while they are
read: that way the large file is written once.
"""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any, TypeAlias

from pushctl.audience.engine import Engine, NotPossible, attempted, damaged, literal, parquet
from pushctl.audience.parts import attributes_of
from pushctl.audience.recipient import Recipient, Verdict
from pushctl.errors import InvalidInput
from pushctl.outcome import Kind, Platform, Service

SCHEMA = 1
TABLE = "audience.parquet"
FACTS = "audience.json"

COLUMNS = (
    "row",
    "source",
    "token",
    "service",
    "platform",
    "profile",
    "credential",
    "environment",
    "topic",
    "registered_at",
    "attributes",
    "verdict_kind",
    "verdict_reason",
    "verdict_detail",
)
"""
What a row is a tuple of: the fields of :class:`Recipient` as plain text, ``None`` where there is
nothing.  ``row`` is a number from 1 on, ``attributes`` a JSON object as text (``None`` where the
recipient has none), and ``verdict_kind`` is ``None`` for whoever is sent to.
"""

Tuple: TypeAlias = tuple[Any, ...]
"""One row, see :data:`COLUMNS`."""

VERDICT_COLUMNS = ("row", *COLUMNS[-3:])
"""What a verdict that was found out later is a tuple of."""

_VERDICT = COLUMNS.index("verdict_kind")


@dataclass(frozen=True, slots=True)
class Tallies:
    """What an audience holds, counted."""

    sendable: Mapping[tuple[str, str | None, str | None, str | None], int]
    """How many are sent to, by service, credential, environment and topic as the rows state
    them."""
    verdicts: Mapping[tuple[str, str], int]
    """How many are not, by kind and reason."""
    attributes: Mapping[str, frozenset[str]]
    """The attributes that at least one of those who are sent to has, by service."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The audience in a folder."""

    folder: Path
    total: int
    """How many rows there are, those that are not sent to included."""
    consent: str
    """Who says that these people agreed, see :attr:`Audience.consent`."""
    without_consent: Sequence[str]
    """The files that say nothing of consent."""
    description: str
    """The sources and their sizes, for a person."""
    attribute_names: frozenset[str] | None
    """Every attribute that any row has; ``None`` where they are too many to know."""
    sources: Sequence[str]
    """The names of the sources, as people know them."""
    row_files: int
    """How many files there are of rows that took a closer look."""
    verdict_files: int
    """How many files there are of verdicts that were found out later."""
    constants: Mapping[str, str | None]
    """The columns that are the same in every row of the table, with their value."""
    line_shift: int | None
    """By how much the line of a row exceeds its number; ``None`` where that varies."""
    counted: Tallies

    @classmethod
    def open(cls, folder: Path) -> Prepared:
        """
        Return the audience that lies in *folder*.

        Raises :class:`~pushctl.errors.InvalidInput` where it is missing, incomplete or damaged.
        """
        path = folder / FACTS
        try:
            prepared = _of_facts(folder, json.loads(path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise damaged(path) from None
        prepared.check()
        return prepared

    def check(self) -> None:
        """Raise :class:`~pushctl.errors.InvalidInput` where a file is missing or incomplete."""
        path = self.folder / TABLE
        try:
            with attempted(), Engine(folder=self.folder) as engine:
                (rows,) = engine.one(f"SELECT count(*) FROM {parquet(path)}")
                for path in self.later_files():
                    engine.one(f"SELECT count(*) FROM {parquet(path)}")
        except NotPossible:
            raise damaged(path) from None
        if rows != self.total:
            raise damaged(path)

    def tallies(self) -> Tallies:
        """Return what the audience holds; it was counted when it was prepared."""
        return self.counted

    def later_files(self) -> list[Path]:
        """Return the files that are laid over the table."""
        return [
            *(row_file(self.folder, number) for number in range(self.row_files)),
            *(verdict_file(self.folder, number) for number in range(self.verdict_files)),
        ]

    def batches(self, size: int, *, after: int = 0) -> Iterator[list[Tuple]]:
        """
        Yield the rows after row number *after* in order, *size* at a time, as :data:`COLUMNS` says.

        Holds one batch and the reader's own buffers, about 100 MB.  Raises
        :class:`~pushctl.errors.InvalidInput` where the files are damaged.
        """
        path = self.folder / TABLE
        try:
            with attempted(), Engine(folder=self.folder) as engine:
                rows = self._later(engine, row_file, self.row_files, COLUMNS, after)
                verdicts = self._later(
                    engine, verdict_file, self.verdict_files, VERDICT_COLUMNS, after
                )
                row, verdict = next(rows, None), next(verdicts, None)
                table = self._table(engine, size, after)
                while batch := _uninterrupted(table):
                    first, last = batch[0][0], batch[-1][0]
                    while row is not None and row[0] <= last:
                        batch[row[0] - first] = row
                        row = next(rows, None)
                    while verdict is not None and verdict[0] <= last:
                        at = verdict[0] - first
                        batch[at] = batch[at][:_VERDICT] + verdict[1:]
                        verdict = next(verdicts, None)
                    yield batch
        except NotPossible:
            raise damaged(path) from None

    def recipient(self, row: Tuple) -> Recipient:
        """Return *row* as a recipient."""
        return recipient_of(row)

    def _table(self, engine: Engine, size: int, after: int) -> Iterator[list[Tuple]]:
        """Yield the rows of the table; what need not be read is filled in here."""
        names = [name for name in COLUMNS if name != "row" and name not in self.constants]
        if self.line_shift is not None:
            names.remove("source")
        selected = ", ".join(
            source_of(self.sources) if name == "source" else name for name in names
        )
        sql = f"SELECT {selected} FROM {parquet(self.folder / TABLE)} WHERE row > {int(after)}"
        constants = {name: repeat(value) for name, value in self.constants.items()}
        first = after + 1
        for rows in engine.stream(sql, size=size):
            numbers = range(first, first + len(rows))
            columns: dict[str, Iterable[Any]] = {
                **constants,
                **dict(zip(names, zip(*rows, strict=True), strict=True)),
                "row": numbers,
            }
            if self.line_shift is not None:
                columns["source"] = self._sources_of(numbers, self.line_shift)
            yield list(zip(*(columns[name] for name in COLUMNS), strict=False))
            first = numbers.stop

    def _sources_of(self, numbers: range, shift: int) -> list[str]:
        """Return the sources of rows *numbers*, which all lie in one file."""
        (shown,) = self.sources
        return [f"{shown}:{line}" for line in range(numbers.start + shift, numbers.stop + shift)]

    def _later(
        self,
        engine: Engine,
        file: Callable[[Path, int], Path],
        files: int,
        columns: Sequence[str],
        after: int,
    ) -> Iterator[Tuple]:
        """Yield the *columns* of what was found out later of the rows after row *after*."""
        paths = (file(self.folder, number) for number in range(files))
        batches = (
            engine.stream(
                f"SELECT {', '.join(columns)} FROM {parquet(path)} WHERE row > {int(after)}"
            )
            for path in paths
        )
        return chain.from_iterable(chain.from_iterable(batches))


def recipient_of(row: Tuple) -> Recipient:
    """Return *row*, a tuple as :data:`COLUMNS` says, as a recipient."""
    (number, source, token, service, platform, profile, credential, environment, topic,
     registered_at, attributes, kind, reason, detail) = row  # fmt: skip
    return Recipient(
        row=number,
        source=source,
        token=token,
        service=None if service is None else Service(service),
        platform=None if platform is None else Platform(platform),
        profile=profile,
        credential=credential,
        environment=environment,
        topic=topic,
        registered_at=registered_at,
        attributes=attributes_of(attributes),
        verdict=None if kind is None else Verdict(Kind(kind), reason, detail),
    )


def facts_of(prepared: Prepared) -> dict[str, Any]:
    """Return *prepared* as JSON."""
    counted = prepared.counted
    names = prepared.attribute_names
    return {
        "schema": SCHEMA,
        "total": prepared.total,
        "consent": prepared.consent,
        "without_consent": list(prepared.without_consent),
        "description": prepared.description,
        "attribute_names": None if names is None else sorted(names),
        "sources": list(prepared.sources),
        "row_files": prepared.row_files,
        "verdict_files": prepared.verdict_files,
        "constants": dict(prepared.constants),
        "line_shift": prepared.line_shift,
        "sendable": [[*key, number] for key, number in counted.sendable.items()],
        "verdicts": [[*key, number] for key, number in counted.verdicts.items()],
        "attributes": {name: sorted(found) for name, found in counted.attributes.items()},
    }


def _of_facts(folder: Path, facts: Mapping[str, Any]) -> Prepared:
    if facts["schema"] != SCHEMA:
        raise InvalidInput(
            "the audience was prepared by another version of pushctl",
            hint="resume the run with the version that began it",
        )
    names = facts["attribute_names"]
    return Prepared(
        folder=folder,
        total=int(facts["total"]),
        consent=facts["consent"],
        without_consent=facts["without_consent"],
        description=facts["description"],
        attribute_names=None if names is None else frozenset(names),
        sources=facts["sources"],
        row_files=int(facts["row_files"]),
        verdict_files=int(facts["verdict_files"]),
        constants=facts["constants"],
        line_shift=facts["line_shift"],
        counted=Tallies(
            sendable=Counter({tuple(key): number for *key, number in facts["sendable"]}),
            verdicts=Counter({tuple(key): number for *key, number in facts["verdicts"]}),
            attributes={name: frozenset(found) for name, found in facts["attributes"].items()},
        ),
    )


def row_file(folder: Path, number: int) -> Path:
    """Return where the rows that took a closer look lie in *folder*, file *number* from 0."""
    return folder / f"rows-{number}.parquet"


def verdict_file(folder: Path, number: int) -> Path:
    """Return where the verdicts that were found out later lie, file *number* from 0."""
    return folder / f"verdicts-{number}.parquet"


def source_of(sources: Sequence[str], origin: str = "origin", line: str = "line") -> str:
    """Return the SQL for the source of a row, file and line, from its *origin* and *line*."""
    if len(sources) == 1:
        shown = literal(sources[0])
    else:
        shown = f"([{', '.join(map(literal, sources))}])[{origin} + 1]"
    return f"CASE WHEN {line} IS NULL THEN {shown} ELSE {shown} || ':' || {line} END"


def _uninterrupted(batches: Iterator[list[Tuple]]) -> list[Tuple] | None:
    """
    Return the next of *batches* without looking for garbage meanwhile.

    A batch is thousands of tuples without a cycle: looking through them took a third of the time.
    """
    if not gc.isenabled():
        return next(batches, None)
    gc.disable()
    try:
        return next(batches, None)
    finally:
        gc.enable()
