"""Tests of token files with columns."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.audience.content import open_content
from pushctl.audience.delimited import DelimitedSource, open_delimited
from pushctl.audience.row import Row
from pushctl.errors import InvalidInput, Place


def opened(text: str | bytes, delimiter: str = ",") -> DelimitedSource:
    """Return *text* as a csv file that arrives on stdin."""
    data = text.encode() if isinstance(text, str) else text
    return open_delimited(open_content("-", stdin=io.BytesIO(data), compression=None), delimiter)


def refused(text: str | bytes, delimiter: str = ",") -> list[tuple[str, Place | None, str | None]]:
    """Return what is said of a file that is broken as a whole."""
    with pytest.raises(InvalidInput) as caught:
        opened(text, delimiter)
    return [(problem.message, problem.place, problem.hint) for problem in caught.value.problems]


def test_known_columns_are_values_and_all_others_attributes() -> None:
    """Columns are told apart by their names, in any order."""
    source = opened("first_name,token,platform,orders\nAnna,aabb,ios,7\n")

    assert [
        Row(2, {"token": "aabb", "platform": "ios"}, {"first_name": "Anna", "orders": "7"})
    ] == list(source)
    assert {"first_name", "orders"} == source.attribute_names
    assert source.rows == 1
    assert not source.records_consent


def test_an_empty_cell_is_a_missing_attribute() -> None:
    """A push that needs the value is skipped and never shows a blank."""
    assert [{}, {"first_name": " "}] == [
        row.attributes for row in opened("token,first_name\naabb,\naabb, \n")
    ]


def test_a_tab_separates_the_columns_of_a_tsv_file() -> None:
    """In a tsv file a comma is text."""
    (row,) = opened("token\tname\naabb\tLovelace, Ada\n", "\t")

    assert {"name": "Lovelace, Ada"} == row.attributes


def test_a_byte_order_mark_and_crlf_line_ends_are_fine() -> None:
    """What Excel writes is read."""
    assert [{"token": "aabb"}, {"token": "ccdd"}] == [
        row.values for row in opened(b"\xef\xbb\xbftoken\r\naabb\r\nccdd\r\n")
    ]


def test_blank_lines_do_not_count_and_quoted_line_breaks_do() -> None:
    """A row is known by its first line, wherever the rows before it ended."""
    source = opened('token,name\n\naabb,"two\nlines"\n\nccdd,x\n')

    assert [3, 6] == [row.line for row in source]
    assert source.rows == 2


@pytest.mark.parametrize("cell", ["true", "TRUE", "True", " true "])
def test_true_in_any_case_gives_consent(cell: str) -> None:
    """Spreadsheets write TRUE."""
    (row,) = opened(f"token,consent\naabb,{cell}\n")

    assert row.no_consent is None


@pytest.mark.parametrize("cell", ["yes", "1", "false", "on", "truee", "ja"])
def test_nothing_but_true_gives_consent(cell: str) -> None:
    """Consent is explicit: no other word for yes is taken."""
    (row,) = opened(f"token,consent\naabb,{cell}\n")

    assert f"consent is `{cell}`: only true gives it" == row.no_consent


def test_an_empty_consent_cell_is_no_consent() -> None:
    """In a file that records consent, silence is a no."""
    (row,) = opened("token,consent\naabb,\n")

    assert "no consent is recorded" == row.no_consent


@pytest.mark.parametrize(("line", "width"), [("aabb", 1), ("aabb,ios,x", 3)])
def test_a_row_of_another_width_is_that_rows_fault(line: str, width: int) -> None:
    """A ragged row is not guessed at, and the rows around it stand."""
    before, ragged, after = opened(f"token,platform\naabb,ios\n{line}\nccdd,ios\n")

    assert ragged.fault is not None
    assert f"{width} columns and the header 2" in ragged.fault
    assert {} == ragged.values
    assert before.fault is None
    assert after.fault is None


def test_an_open_quote_breaks_the_file_at_the_row_that_opens_it() -> None:
    """Nobody can say where the rows behind an open quote end."""
    ((message, place, hint),) = refused('token,name\naabb,x\nccdd,"y\neeff,z\n')

    assert "does not close" in message
    assert Place("-", 3) == place
    assert hint is not None


def test_text_behind_a_closing_quote_breaks_the_file() -> None:
    """A stray quote is not read as whatever a lenient reader makes of it."""
    ((message, place, _),) = refused('token,name\naabb,"y"z\n')

    assert "something follows" in message
    assert Place("-", 2) == place


def test_an_open_quote_in_a_large_file_is_found_within_the_bound() -> None:
    """The rest of the file is not gathered into one cell."""
    ((message, place, _),) = refused('token,name\naabb,"y\n' + "ccdd,z\n" * 20_000)

    assert "more than 64 KiB" in message
    assert Place("-", 2) == place


def test_a_lone_carriage_return_breaks_the_file() -> None:
    """A file with the line ends of old Macs is refused with a hint, not read as one line."""
    ((message, _, hint),) = refused("token,name\raabb,x\r")

    assert "carriage return" in message
    assert "line feed" in (hint or "")


@pytest.mark.parametrize(
    ("header", "message", "hint"),
    [
        pytest.param("tokn,name", "unknown column `tokn`", "did you mean token?", id="slip"),
        pytest.param("Token", "unknown column `Token`", "did you mean token?", id="case"),
        pytest.param(
            "token,Consent", "unknown column `Consent`", "did you mean consent?", id="consent"
        ),
        pytest.param(
            "token, platform", "unknown column ` platform`", "did you mean platform?", id="blank"
        ),
        pytest.param(
            "token,registered-at",
            "unknown column `registered-at`",
            "did you mean registered_at?",
            id="hyphen",
        ),
        pytest.param("name", "no column is called token", "must be `token`", id="none"),
        pytest.param("token;name", "no column is called token", "semicolon", id="semicolon"),
        pytest.param("ab" * 32, "no column is called token", "put `token` above", id="headless"),
        pytest.param("token,", "column 2 has no name", None, id="nameless"),
        pytest.param("token,a,a", "two columns are called `a`", None, id="twice"),
        pytest.param("token, name", "white space around the name", "remove it", id="space"),
    ],
)
def test_a_header_that_cannot_be_meant_is_refused(
    header: str, message: str, hint: str | None
) -> None:
    """A misspelt column would pass as an attribute, and a misspelt consent as everyone's."""
    ((found, place, found_hint),) = refused(f"{header}\naabb\n")

    assert message in found
    assert Place("-", 1) == place
    assert (hint or "") in (found_hint or "")


def test_all_problems_of_a_header_are_told_at_once() -> None:
    """One repair is enough."""
    assert ["column 2 has no name", "unknown column `platfrom`", "no column is called token"] == [
        message for message, _, _ in refused("platfrom,,name\n")
    ]


@pytest.mark.parametrize("name", ["topics", "profiles", "platform_version", "services", "order"])
def test_names_of_their_own_are_attributes(name: str) -> None:
    """Only a slip of the finger is taken for one."""
    assert {name} == opened(f"token,{name}\naabb,x\n").attribute_names


def test_an_empty_file_has_no_header() -> None:
    """Not even an empty header is one."""
    assert ["no column is called token"] == [message for message, _, _ in refused("")]


def test_the_rows_can_be_read_again(tmp_path: Path) -> None:
    """A source yields the same rows each time it is asked."""
    path = tmp_path / "list.csv"
    path.write_text("token\naabb\nccdd\n")
    source = open_delimited(open_content(path, stdin=None, compression=None), ",")

    assert list(source) == list(source)
    assert f"{path} (2 rows)" == source.described


@given(
    rows=st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12),
            min_size=2,
            max_size=2,
        ),
        max_size=12,
    )
)
def test_whatever_a_csv_writer_writes_is_read_back(rows: list[list[str]]) -> None:
    """Quotes, delimiters and line breaks in cells survive, and no row is lost or won."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["token", "name"], *rows])
    source = opened(text.getvalue())

    assert source.rows == len(rows)
    assert [(token, name) for token, name in rows] == [
        (row.values["token"], row.attributes.get("name", "")) for row in source
    ]


@given(data=st.binary(max_size=200))
def test_any_bytes_are_rows_or_one_clear_error(data: bytes) -> None:
    """No file ends in a traceback, and the number of rows found is the number yielded."""
    try:
        source = opened(b"token,name\n" + data)
    except InvalidInput:
        return

    assert source.rows == len(list(source))
