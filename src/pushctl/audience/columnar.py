"""
Token files in Parquet: columns that have types.

Values keep their types as those of JSON do.  What a column cannot be is refused for the whole
file: a token that is a number has lost its leading zeros, and consent that is a text is none.
"""

# ruff: noqa: S608 -- whatever comes from outside went through literal() or identifier()

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pushctl.audience.consent import consent_fault
from pushctl.audience.content import Content
from pushctl.audience.engine import Engine, NotPossible, attempted, identifier, literal, parquet
from pushctl.audience.header import header_problems
from pushctl.audience.parts import CELLS, PARTS, member_name, row_of_parts
from pushctl.audience.row import KNOWN_COLUMNS, Row, counted
from pushctl.errors import InvalidInput, Place, Problem
from pushctl.rules.text import printable

_WHOLE_NUMBERS = frozenset(
    (
        *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
        *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
    )
)
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def open_columns(content: Content) -> ColumnarSource:
    """
    Return the rows of the Parquet file *content*.

    Only its footer is read.  Raises :class:`~pushctl.errors.InvalidInput` where that is damaged,
    where names of columns are unusable or misspelt, and where a known column is not of its type;
    and :class:`~pushctl.errors.StorageError` where there is no room for a copy.
    """
    path, keeper = _where_it_lies(content)
    table = parquet(path)
    try:
        with attempted(), Engine(files=[path]) as engine:
            columns = {
                str(name): str(type_name)
                for name, type_name, *_ in engine.all(f"DESCRIBE SELECT * FROM {table}")
            }
            (rows,) = engine.one(f"SELECT count(*) FROM {table}")
    except NotPossible:
        raise damaged_file(content.shown) from None
    place = Place(content.shown)
    hint = "one of the columns must be `token`"
    problems = [*header_problems([*columns], place, hint), *_unfit_types(columns, place)]
    if problems:
        raise InvalidInput(problems=problems)
    return ColumnarSource(content, path, columns, rows, keeper)


def damaged_file(shown: str) -> InvalidInput:
    """Return the error for the file *shown*, which is not Parquet or is damaged."""
    return InvalidInput(
        "this is no Parquet file, or it is damaged or cut off",
        place=Place(shown),
        hint="fetch or export it again",
    )


@dataclass(frozen=True, slots=True)
class ColumnarSource:
    """The rows of a Parquet file."""

    content: Content
    path: Path
    """Where the file lies, or its copy."""
    columns: Mapping[str, str]
    """The types of the columns, in DuckDB's words."""
    rows: int
    keeper: object
    """Removes the copy when it goes."""

    @property
    def records_consent(self) -> bool:
        """Whether there is a column for it."""
        return "consent" in self.columns

    @property
    def attribute_names(self) -> frozenset[str]:
        """The names of all columns that are not known ones."""
        return frozenset(self.columns).difference(KNOWN_COLUMNS)

    @property
    def shown(self) -> str:
        """The name of the file."""
        return self.content.shown

    @property
    def described(self) -> str:
        """The name and the number of rows."""
        return f"{self.shown} ({counted(self.rows, 'row')})"

    @property
    def read_in_place(self) -> Sequence[Path]:
        """The file, or its copy."""
        return [self.path]

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Raise :class:`~pushctl.errors.InvalidInput` where the file changes meanwhile."""
        with self.content.open():
            pass
        yield
        with self.content.open():
            pass

    @property
    def table(self) -> str:
        """The SQL for a table of :data:`PARTS`, all of them texts."""
        cells = ", ".join(f"{self._cell(name)} AS {name}" for name in CELLS)
        return (
            f"(SELECT {cells}, {self._no_consent()} AS no_consent,"
            f" {self._attributes()} AS attributes"
            f" FROM {parquet(self.path)})"
        )

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows, reading the file once more."""
        number = 0
        try:
            with self.unchanged(), attempted(), Engine(files=[self.path]) as engine:
                for rows in engine.stream(f"SELECT {', '.join(PARTS)} FROM {self.table}"):
                    for parts in rows:
                        number += 1
                        yield row_of_parts(number, parts)
        except NotPossible:
            raise damaged_file(self.shown) from None

    def _cell(self, name: str) -> str:
        """Return the known column *name* as a text."""
        type_name = self.columns.get(name)
        if type_name is None:
            return "NULL::VARCHAR"
        column = identifier(name)
        if type_name == "TIMESTAMP WITH TIME ZONE":
            return f"strftime({column} AT TIME ZONE 'UTC', '{_TIME_FORMAT}')"
        if _is_time(type_name):
            return f"strftime({column}, '{_TIME_FORMAT}')"
        return f"nullif({column}::VARCHAR, '')"

    def _no_consent(self) -> str:
        if not self.records_consent:
            return "NULL::VARCHAR"
        silence, refusal = (consent_fault({"consent": value}) for value in (None, False))
        return (
            f"CASE WHEN consent IS NULL THEN {literal(silence)}"
            f" WHEN NOT consent THEN {literal(refusal)} END"
        )

    def _attributes(self) -> str:
        """Return the JSON object of the attributes that are not NULL."""
        members = []
        for name, type_name in self.columns.items():
            if name in KNOWN_COLUMNS:
                continue
            column = identifier(name)
            if type_name in ("FLOAT", "DOUBLE"):
                # JSON has no word for infinity, nor for what is no number.
                column = f"CASE WHEN isfinite({column}) THEN {column} END"
            members.append(f"{literal(member_name(name))} || to_json({column})")
        if not members:
            return "NULL::VARCHAR"
        return f"'{{' || nullif(concat_ws(',', {', '.join(members)}), '') || '}}'"


def _where_it_lies(content: Content) -> tuple[Path, object]:
    """Return a path to the bytes of *content*, and what keeps a copy there."""
    for path in content.in_place:
        with content.open():
            return path, None
    folder = tempfile.TemporaryDirectory(prefix="pushctl-", ignore_cleanup_errors=True)
    weakref.finalize(folder, folder.cleanup)
    path = Path(folder.name, "list.parquet")
    with content.placed(path):
        return path, folder


def _unfit_types(columns: Mapping[str, str], place: Place) -> Iterator[Problem]:
    """Yield the columns that are not of the type that their name demands."""
    for name, type_name in columns.items():
        shown = printable(type_name, 60)
        if name == "consent" and type_name != "BOOLEAN":
            message = f"the column consent is {shown}, not BOOLEAN"
            yield Problem(message, place, "only true gives consent: export it as a boolean")
        elif name == "token" and not _is_text(type_name):
            message = f"the column token is {shown}, not text"
            yield Problem(message, place, "export tokens as text: a number has lost digits")
        elif name == "registered_at" and _is_time(type_name):
            continue
        elif name in CELLS and not _is_text(type_name) and type_name not in _WHOLE_NUMBERS:
            yield Problem(f"the column {name} is {shown}, not text", place, "export it as text")
        elif name not in KNOWN_COLUMNS and "BLOB" in type_name:
            message = f"the column `{printable(name, 60)}` is binary"
            yield Problem(message, place, "export it as text, or leave it out")


def _is_text(type_name: str) -> bool:
    return type_name == "VARCHAR" or type_name.startswith("ENUM(")


def _is_time(type_name: str) -> bool:
    return type_name == "DATE" or type_name.startswith("TIMESTAMP")
