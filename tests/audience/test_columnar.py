"""Tests of token files in Parquet."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audience.kit import DEVICES, REGISTRATION, check_same, column, prepared_in
from pushctl.audience import Recipient, open_audience
from pushctl.errors import InvalidInput


def parquet_file(path: Path, select: str, values: list[Any] | None = None) -> Path:
    """Return *path*, which now holds the result of *select*."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Asia/Tokyo'")
        target = str(path).replace("'", "''")
        connection.execute(f"CREATE TABLE t AS {select}", values)
        connection.execute(f"COPY t TO '{target}' (FORMAT parquet)")
    return path


def everybody(path: Path, **options: Any) -> list[Recipient]:
    """Return the recipients of the file *path*, which are those that are prepared."""
    return list(open_audience(token_files=[path], **options))


def test_columns_are_found_by_their_names_and_keep_their_types(tmp_path: Path) -> None:
    """Numbers and truth stay what they are; NULL is nothing, as in the other formats."""
    path = parquet_file(
        tmp_path / "list.parquet",
        f"""
        SELECT '{DEVICES[0]}' AS token, 'apns' AS service, 'iOS' AS platform, 17 AS profile,
            true AS consent, 'sandbox' AS environment, NULL::VARCHAR AS topic,
            'shop' AS credential, TIMESTAMPTZ '2026-10-01 17:00:00+09' AS registered_at,
            'Zoë' AS first_name, 7 AS orders, 2.5 AS spent, 1e300 AS much, 'nan'::DOUBLE AS none,
            false AS vip, ['a', NULL] AS tags, {{city: 'Bonn', zip: NULL}} AS address,
            DATE '2001-02-03' AS born, NULL AS empty, '' AS blank, 4611686018427387905 AS large,
            x.y AS "odd ""name" FROM (SELECT {{y: 1}} AS x)""",
    )
    (one,) = everybody(path)
    assert ("17", "ios", "sandbox", "shop", None) == (
        one.profile,
        one.platform,
        one.environment,
        one.credential,
        one.topic,
    )
    assert "2026-10-01T08:00:00Z" == one.registered_at
    assert f"{path}:1" == one.source
    assert {
        "first_name": "Zoë",
        "orders": 7,
        "spent": 2.5,
        "much": 1e300,
        "vip": False,
        "tags": ["a", None],
        "address": {"city": "Bonn", "zip": None},
        "born": "2001-02-03",
        "blank": "",
        "large": 2**62 + 1,
        'odd "name': 1,
    } == one.attributes
    check_same(tmp_path, token_files=[path])


def test_rows_are_judged_as_those_of_any_file(tmp_path: Path) -> None:
    """Bad tokens, silence about consent, and duplicates."""
    rows = [
        (DEVICES[0], True),
        (DEVICES[0].upper(), True),
        (DEVICES[1], False),
        (DEVICES[2], None),
        (None, True),
        ("", True),
        (" spaced", True),
        (REGISTRATION, True),
    ]
    values = ", ".join(["(?::VARCHAR, ?::BOOLEAN)"] * len(rows))
    path = parquet_file(
        tmp_path / "list.parquet",
        f"SELECT * FROM (VALUES {values}) AS t(token, consent)",
        [value for row in rows for value in row],
    )
    prepared = check_same(tmp_path, token_files=[path])
    assert [
        *(None, "Duplicate", "NoConsent", "NoConsent", "MissingToken", "MissingToken"),
        *("InvalidToken", None),
    ] == column(prepared, "verdict_reason")
    assert [
        "consent is false: only true gives it",
        "no consent is recorded",
    ] == column(prepared, "verdict_detail")[2:4]


def test_a_long_file_keeps_its_order(tmp_path: Path) -> None:
    """Whatever row groups it has."""
    path = parquet_file(
        tmp_path / "list.parquet",
        "SELECT printf('%064x', i) AS token, i AS n FROM range(60000) t(i)",
    )
    prepared = prepared_in(tmp_path, open_audience(token_files=[path]))
    assert [f"{number:064x}" for number in range(60_000)] == column(prepared, "token")
    assert 0 == prepared.row_files


@pytest.mark.parametrize("packed", [True, False])
def test_stdin_and_packed_files_are_read(tmp_path: Path, packed: bool) -> None:
    """Parquet can only be read from a file, so what is none is copied to one."""
    path = parquet_file(tmp_path / "list.parquet", f"SELECT '{DEVICES[0]}' AS token")
    data = gzip.compress(path.read_bytes()) if packed else path.read_bytes()
    source = io.BytesIO(data)
    name = "parquet.gz" if packed else "parquet"
    audience = open_audience(token_files=["-"], format=name, stdin=source)
    prepared = prepared_in(tmp_path, audience)
    assert ["-:1"] == column(prepared, "source")
    assert [DEVICES[0]] == [one.token for one in audience]


def test_other_formats_are_told_from_the_ending(tmp_path: Path) -> None:
    """A consent that is a number, for one, is refused before anybody is sent to."""
    path = parquet_file(tmp_path / "list.parquet", f"SELECT '{DEVICES[0]}' AS token")
    assert [f"{path} (1 row)"] == [open_audience(token_files=[path]).description]
    assert "stated by the sender" == open_audience(token_files=[path]).consent


@pytest.mark.parametrize(
    ("select", "message", "hint"),
    [
        ("SELECT 7 AS token", "the column token is INTEGER, not text", "a number has lost digits"),
        (
            "SELECT 'ab'::BLOB AS token",
            "the column token is BLOB, not text",
            "export tokens as text",
        ),
        (
            "SELECT 'ab' AS token, 'true' AS consent",
            "the column consent is VARCHAR, not BOOLEAN",
            "only true gives consent",
        ),
        (
            "SELECT 'ab' AS token, 1.5 AS profile",
            "the column profile is DECIMAL(2,1), not text",
            "export it as text",
        ),
        (
            "SELECT 'ab' AS token, 'x'::BLOB AS picture",
            "the column `picture` is binary",
            "leave it out",
        ),
        ("SELECT 'ab' AS tokn", "unknown column `tokn`", "did you mean token?"),
        ("SELECT 1 AS n", "no column is called token", "one of the columns must be `token`"),
    ],
)
def test_columns_that_cannot_be_what_they_are_called_break_the_file(
    tmp_path: Path, select: str, message: str, hint: str
) -> None:
    """It is said before anything is sent, for the file as a whole."""
    path = parquet_file(tmp_path / "list.parquet", select)
    with pytest.raises(InvalidInput) as caught:
        open_audience(token_files=[path])
    (problem,) = caught.value.problems
    assert message == problem.message
    assert hint in (problem.hint or "")


def test_a_file_without_rows_is_empty(tmp_path: Path) -> None:
    """As with any other format."""
    path = parquet_file(tmp_path / "list.parquet", "SELECT 'ab' AS token WHERE false")
    with pytest.raises(InvalidInput, match="the file holds no token"):
        open_audience(token_files=[path])


@pytest.mark.parametrize("data", [b"", b"token\nab\n", b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1"])
def test_what_is_no_parquet_is_refused(tmp_path: Path, data: bytes) -> None:
    """Whatever the name says."""
    path = tmp_path / "list.parquet"
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match="no Parquet file, or it is damaged"):
        open_audience(token_files=[path])


def test_damage_inside_is_found_before_anything_is_sent(tmp_path: Path) -> None:
    """The footer is sound; preparing reads all the rest."""
    path = parquet_file(
        tmp_path / "list.parquet", "SELECT md5(i::VARCHAR) AS token FROM range(9000) t(i)"
    )
    data = bytearray(path.read_bytes())
    data[100:2000] = b"\xff" * 1900
    path.write_bytes(bytes(data))
    audience = open_audience(token_files=[path])
    with pytest.raises(InvalidInput, match="no Parquet file, or it is damaged"):
        list(audience)
    with pytest.raises(InvalidInput, match="no Parquet file, or it is damaged"):
        prepared_in(tmp_path, audience)


def test_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    """As with any other format."""
    path = parquet_file(tmp_path / "list.parquet", f"SELECT '{DEVICES[0]}' AS token")
    audience = open_audience(token_files=[path])
    parquet_file(path, f"SELECT '{DEVICES[1]}' AS token FROM range(2)")
    with pytest.raises(InvalidInput, match="changed since it was checked"):
        prepared_in(tmp_path, audience)


CELLS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=6))


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.sampled_from([*DEVICES[:3], REGISTRATION]), CELLS),
            st.one_of(st.sampled_from(["ios", "Android", "tv"]), CELLS),
            st.one_of(st.none(), st.booleans()),
            CELLS,
            st.one_of(st.none(), st.floats()),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_rows_are_prepared_as_they_are_resolved(tmp_path: Path, rows: list[Any]) -> None:
    """Whatever texts and numbers there are."""
    one = "(?::VARCHAR, ?::VARCHAR, ?::BOOLEAN, ?::VARCHAR, ?::DOUBLE)"
    path = parquet_file(
        tmp_path / "list.parquet",
        f"SELECT * FROM (VALUES {', '.join([one] * len(rows))})"
        " AS t(token, platform, consent, note, spent)",
        [value for row in rows for value in row],
    )
    check_same(tmp_path, token_files=[path])
