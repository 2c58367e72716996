"""
Token files with columns, csv and tsv.

A file that is accepted has the rows that Python's own csv reader finds in it, each of the width of
the header or faulty, and says of each what a plain reading says; what that reader finds sound is
accepted if its header is.  Where the lines are taken for rows, lines and rows are the same.  One
file in a few goes the way of a large one as well, through DuckDB, and gives the same recipients.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator

from audience.kit import DEVICES, REGISTRATION, check_same
from fuzz import kit
from fuzz.draw import Draw
from fuzz.memory import InMemory, folder
from pushctl.audience.content import MAX_LINE_BYTES
from pushctl.audience.delimited import DelimitedSource, open_delimited
from pushctl.audience.row import KNOWN_COLUMNS, Row
from pushctl.outcome import Platform

EXECUTIONS = 8_000
LARGE_WAY = 200
"""One in so many files goes the way of a large one."""
_FOLDER = folder("delimited")
WORDS = (
    *(b"token", b"service", b"platform", b"profile", b"consent", b"environment", b"topic"),
    *(
        b"credential",
        b"registered_at",
        b"first_name",
        b"true",
        b"TRUE",
        b"apns",
        b"ios",
        b"android",
    ),
    *(
        b"\r\n",
        b"\n",
        b'""',
        b'","',
        b'"\n"',
        b"\xef\xbb\xbf",
        b"\xc3\xa9",
        b"\xff\xfe",
        b"\t",
        b";",
    ),
    *(b"2026-10-01T08:00:00Z", b"schema,event", b"'=", b"\x00", b"\r", b"ab12", b"0x", b"#"),
)


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    chosen = draw.byte()
    delimiter = "\t" if chosen & 1 else ","
    text = draw.rest()
    expected = _by_csv(text, delimiter)
    try:
        with kit.refusals(InMemory.shown):
            source = open_delimited(InMemory(text), delimiter)  # type: ignore[arg-type]
            rows = list(source)
    except kit.Refused as refused:
        if expected is not None and _is_good_header(expected[0]):
            kit.must_not_be(refused)
        return
    assert expected is not None, "accepted, and csv finds it broken"
    assert list(source.header) == expected[0]
    _check_rows(source, rows, expected[1:])
    if source.plain is not None:
        lines = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        assert source.plain.lines == len(lines) - (lines[-1] == b"")
    if rows and kit.is_sampled(text, LARGE_WAY):
        _check_large(text, "list.tsv" if delimiter == "\t" else "list.csv", draw)


def seeds() -> Iterator[bytes]:
    """Yield lists as people have them."""
    header = b"token,platform,consent,first_name,profile\n"
    row = f"{DEVICES[0]},ios,true,Anna,a\n".encode()
    for way in (b"\x04", b"\x02"):
        yield way + header + row + f"{REGISTRATION},android,TRUE,Zo\u00eb,b\n".encode()
        yield way + b'"token","first_name"\r\n"ab12","O""Neill, x"\r\n"cd34","a\nb"\r\n'
        yield way + b"token\nab12\n\ncd34"
    yield b"\x05" + header.replace(b",", b"\t") + row.replace(b",", b"\t")


def _by_csv(data: bytes, delimiter: str) -> list[list[str]] | None:
    """Return the records that are not blank as Python's reader has them; ``None`` if broken."""
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
        if "\0" in text or any(len(line) > MAX_LINE_BYTES for line in data.split(b"\n")):
            return None
        lines = io.StringIO(text, newline="\n")  # a lone carriage return ends no line
        records = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    return [record for record in records if record] or None


def _is_good_header(header: list[str]) -> bool:
    """Return whether there is no doubt about *header*."""
    known = {*KNOWN_COLUMNS, "first_name"}
    return "token" in header and len({*header}) == len(header) and {*header} <= known


def _check_rows(source: DelimitedSource, rows: list[Row], records: list[list[str]]) -> None:
    assert source.rows == len(rows) == len(records)
    header = source.header
    before = 0
    for row, record in zip(rows, records, strict=True):
        assert row.line is not None
        assert row.line > before
        before = row.line
        if len(record) != len(header):
            assert row.fault is not None
            continue
        cells = dict(zip(header, record, strict=True))
        if source.holds_records:
            continue
        assert row.fault is None
        assert row.values == {name: cells[name] for name in header if name in KNOWN_COLUMNS}
        assert row.attributes == {
            name: cell for name, cell in cells.items() if cell and name not in KNOWN_COLUMNS
        }
        agreed = cells.get("consent", "true").strip().lower() == "true"
        assert agreed == (row.no_consent is None)


def _check_large(data: bytes, name: str, draw: Draw) -> None:
    place = _FOLDER / "large"
    place.mkdir(parents=True)
    try:
        (place / name).write_bytes(data)
        check_same(place, token_files=[place / name], platform=draw.pick((None, *Platform)))
    finally:
        shutil.rmtree(place)
