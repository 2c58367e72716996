"""Tests of the quick look at blocks: what it calls plain, every reader must read alike."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.audience import blocks
from pushctl.audience.blocks import (
    Plainness,
    plain_columns,
    plain_objects,
    plain_tokens,
)
from pushctl.audience.content import MAX_LINE_BYTES, Content, open_content


def raw(data: bytes, folder: Path) -> Content:
    """Return *data* as the content of a file, which may have any lines."""
    path = folder / "list"
    path.write_bytes(data)
    return open_content(path, stdin=None, compression=None)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"token,name\nab,Anna\n", Plainness(2, "\n")),
        (b"token,name\r\nab,Anna\r\n", Plainness(2, "\r\n")),
        (b"token,name\nab,Anna", Plainness(2, "\n")),
        (b"token,name\r\nab,Anna", Plainness(2, "\r\n")),
        (b"\xef\xbb\xbftoken,name\nab,\xc3\x89mile\n", Plainness(2, "\n")),
        (b"token,name\n,\n", Plainness(2, "\n")),
        (b"token,name\nab\n", None),
        (b"token,name\nab,Anna,x\n", None),
        (b'token,name\nab,"Anna"\n', None),
        (b"token,name\n\nab,Anna\n", None),
        (b"token,name\r\nab,Anna\n", None),
        (b"token,name\nab,Anna\r\n", None),
        (b"token,name\nab,An\rna\n", None),
        (b"token,name\r\nab,An\rna\r\n", None),
        (b"token,name\nab,\xff\n", None),
        (b"token,name\nab,\0\n", None),
        (b"token,name\nab," + b"x" * MAX_LINE_BYTES, None),
        (b"", Plainness(0, "\n")),
    ],
)
def test_columns_are_plain_if_each_line_is_as_wide_as_it_should_be(
    data: bytes, expected: Plainness | None, tmp_path: Path
) -> None:
    """No quotes, no blank lines, one kind of line break, UTF-8, bounded lines."""
    assert expected == plain_columns(raw(data, tmp_path), width=2, delimiter=",")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"ab\ncd\n", Plainness(2, "\n")),
        (b"a:b\r\ncd", Plainness(2, "\r\n")),
        (b"ab\n# comment\n", None),
        (b" ab\n", None),
        (b"\nab\n", None),
        (b"ab\n\ncd\n", None),
        (b"\xc3\xa9\n", None),
    ],
)
def test_tokens_are_plain_if_nothing_stands_around_them(
    data: bytes, expected: Plainness | None, tmp_path: Path
) -> None:
    """A list of bare words needs no reader that knows comments and blanks."""
    assert expected == plain_tokens(raw(data, tmp_path))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a": 1}\n{}\n', Plainness(2, "\n")),
        (b'{"a": 1}\n {}\n', None),
        (b'{"a": 1}\n[]\n', None),
        (b"[]\n", None),
        (b'{"a": "\x1f"}\n', None),
        (b'{"a": "\xff"}\n', None),
    ],
)
def test_objects_are_plain_if_each_line_begins_like_one(
    data: bytes, expected: Plainness | None, tmp_path: Path
) -> None:
    """What follows the brace is looked at line by line, later."""
    assert expected == plain_objects(raw(data, tmp_path))


def test_a_file_larger_than_a_block_is_looked_at_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks end at line breaks, wherever the reads end, and the last line counts."""
    monkeypatch.setattr(blocks, "_BLOCK_BYTES", 7)
    good = b"token,name\n" + b"abcdef,Anna\n" * 5
    assert Plainness(6, "\n") == plain_columns(raw(good, tmp_path), width=2, delimiter=",")
    assert plain_columns(raw(good + b"x\n", tmp_path), width=2, delimiter=",") is None
    packed = b"token,name\r\n" + b"abcdef,Anna\r\n" * 5 + b"ab,c"
    assert Plainness(7, "\r\n") == plain_columns(raw(packed, tmp_path), width=2, delimiter=",")


def test_a_file_that_cannot_be_read_is_left_to_the_strict_reader(tmp_path: Path) -> None:
    """This module refuses nothing: who knows the place says what is wrong."""
    path = tmp_path / "list.csv.gz"
    path.write_bytes(b"no gzip")
    content = open_content(path, stdin=None, compression="gz")
    assert plain_columns(content, width=1, delimiter=",") is None


@given(st.text('ab,\t\n\r"é\0\x1f ', max_size=30))
def test_what_is_plain_has_a_row_for_each_line(text: str) -> None:
    """Python's csv reader finds the same rows by splitting at line breaks and commas."""
    content = open_content("-", stdin=io.BytesIO(text.encode()), compression=None)
    found = plain_columns(content, width=2, delimiter=",")
    if found is not None:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert found.lines == len(rows)
        lines = text.split(found.line_break)
        assert [line.split(",") for line in lines if line] == rows
