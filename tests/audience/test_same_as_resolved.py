"""
Tests that SQL decides as the resolver does: any file is prepared as it is resolved, row by row.

The two ways share their readers and their rules as far as they can; what is left to prove is that
DuckDB sees the same cells, and knows a row about which there is nothing to say.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audience.kit import DEVICES, INSTALLATION, REGISTRATION, check_same
from pushctl.audience import open_audience
from pushctl.errors import InvalidInput
from pushctl.outcome import Platform

ANY = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TOKENS = st.one_of(
    st.sampled_from(
        [
            *DEVICES[:3],
            DEVICES[0].upper(),
            "ABcd12",
            "abc",
            REGISTRATION,
            INSTALLATION,
            "x" * 120,
            "",
            " ",
            f" {DEVICES[4]}",
            f"<{DEVICES[5]}>",
            f"0x{DEVICES[5]}",
            "null",
            "a:b",
            "a:b/c",
            "é:ü",
            "ExponentPushToken[abc]",
            "1.5E+10",
            "ab" * 2049,
            "#comment",
            "\N{ZERO WIDTH SPACE}abcd",
        ]
    ),
    st.text("0123456789abcdefABCDEF", max_size=12),
    st.text(ANY, max_size=8),
)
WORDS = {
    "service": ["", "apns", "APNS", "fcm", "Fcm", " fcm ", "gcm", "\N{KELVIN SIGN}"],
    "platform": ["", "ios", "iOS", "IOS", "android", "Android", "web", "tv", "İOS", "ios\u00a0"],
    "environment": ["", "production", "Sandbox", "SANDBOX", "dev", "sandbox\x1c"],
    "consent": [
        "",
        "true",
        "TRUE",
        "tRuE",
        " true",
        "false",
        "yes",
        "1",
        "ja",
        "a\tb",
        "\u202etrue",
    ],
    "credential": ["", "shop-ios", " ", "a\x85b"],
    "topic": ["", "com.acme.shop", "a\u2028b"],
    "profile": ["", "anna", "Zoë", "17", "\u00a0"],
    "registered_at": ["", "2026-10-01T08:00:00Z", "yesterday"],
    "first_name": ["", "Anna", 'An"na', "Zoë\\", "a\nb", "\x1f", "{}", "null", "\x07", "\ufeff"],
    "orders": ["", "7", "0", "-1", " "],
    'odd "name"': ["", "x"],
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Make a header with a token column, and rows that mostly fit it."""
    others = draw(st.lists(st.sampled_from(sorted(WORDS)), unique=True, max_size=5))
    header = draw(st.permutations(["token", *others]))
    cells = {name: st.sampled_from(words) for name, words in WORDS.items()} | {"token": TOKENS}
    row = st.tuples(*(cells[name] for name in header)).map(list)
    ragged = st.lists(st.sampled_from(["", "a", DEVICES[0]]), min_size=1, max_size=7)
    rows = draw(st.lists(st.one_of(row, row, row, row, ragged), min_size=1, max_size=8))
    return header, rows


def is_sound(options: Mapping[str, Any]) -> bool:
    """Return whether the files of *options* are sound as a whole, so that there are rows."""
    try:
        open_audience(**options)
    except InvalidInput:
        return False
    return True


FUZZED = settings(
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FUZZED
@given(
    table=tables(),
    tabs=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    line_break=st.sampled_from(["\n", "\r\n"]),
    packed=st.booleans(),
    keep=st.booleans(),
    platform=st.sampled_from([None, *Platform]),
)
def test_any_delimited_file_is_prepared_as_it_is_resolved(
    tmp_path: Path,
    table: tuple[list[str], list[list[str]]],
    tabs: bool,
    quoting: Any,
    line_break: str,
    packed: bool,
    keep: bool,
    platform: Platform | None,
) -> None:
    """Rows, verdicts, details, attributes and tallies of SQL are those of the resolver."""
    header, rows = table
    text = io.StringIO(newline="")
    delimiter = "\t" if tabs else ","
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=line_break)
    writer.writerows([header, *rows])
    data = text.getvalue().encode()
    name = ("list.tsv" if tabs else "list.csv") + (".gz" if packed else "")
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if packed else data)
    options = {"token_files": [path], "keep_duplicates": keep, "platform": platform}
    if is_sound(options):
        check_same(tmp_path, **options)


JSON_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**63, 2**64, -(2**63) - 1, 10**30, 0.1, 1e5, -0.0, 1e-7, 1e22, 12345678.9]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", " ", "Anna", "Zoë", "\U0001f600", "\0", "nan", "[1,]", '{"a', "null", "\x7f"]
    ),
    st.text(ANY, max_size=5),
    st.lists(st.one_of(st.none(), st.integers(), st.text(ANY, max_size=2)), max_size=3),
    st.just({"a": None}),
    st.just([[[]], {"b": [None]}]),
)
TYPED: dict[str, st.SearchStrategy[Any]] = {
    "token": st.one_of(TOKENS, TOKENS, TOKENS, st.sampled_from([None, 7, True, ["x"], "a\0b"])),
    "consent": st.sampled_from([True, True, False, None, "true", 1, 0.0, [], {}]),
} | {
    name: st.one_of(st.sampled_from(words), st.sampled_from([None, 17, -0, 2**70, True, 1.5, {}]))
    for name, words in WORDS.items()
    if name != "consent"
}
OPTIONAL = TYPED | {"first_name": JSON_VALUES, "orders": JSON_VALUES}
del OPTIONAL["token"]
RAW_LINES = st.sampled_from(
    [
        '{"token": NaN}',
        '{"token": "ab12", "a": -Infinity}',
        '{"token": "ab12",}',
        '{"token": "ab12", "a": [1,]}',
        '{"token": "ab12", "token": "ab12"}',
        '{"token": "ab12", "\\u0074oken": "ab13"}',
        '{"token": "ab12", "a": {"b": 1, "b": 2}}',
        '{"token": "ab12", "a": 1e400}',
        '{"token": "ab12", "a": 1e5, "b": -0, "c": 1E-3}',
        '{"token": "ab12", "a": "\\ud83d\\ude00"}',
        '{"token": "ab12", "a": "\\ud83d"}',
        '{"token": "ab12", "a": "\\u0000"}',
        '{"token": "ab12", "a": ' + "9" * 4400 + "}",
        '{"token": "ab12", "a": ' + "[" * 70 + "]" * 70 + "}",
        '{"token": "ab12"} x',
        '{"token": "ab12", "a": 01}',
        "{token: 1}",
        "{",
        '{"a": 1}',
        "{}",
        '  {"token": "ab12"}',
        "[]",
        "   ",
        '\x1f{"token": "ab12"}',
    ]
)


@FUZZED
@given(
    lines=st.lists(
        st.one_of(
            st.fixed_dictionaries(
                {"token": TYPED["token"]},
                optional=OPTIONAL,
            ),
            RAW_LINES,
        ),
        min_size=1,
        max_size=8,
    ),
    ascii_only=st.booleans(),
    line_break=st.sampled_from(["\n", "\r\n"]),
    packed=st.booleans(),
)
def test_any_file_of_json_lines_is_prepared_as_it_is_resolved(
    tmp_path: Path,
    lines: list[dict[str, Any] | str],
    ascii_only: bool,
    line_break: str,
    packed: bool,
) -> None:
    """DuckDB's reading of a line is Python's, or Python reads the line."""
    same_lines(tmp_path, "token_files", lines, ascii_only, line_break, packed)


def same_lines(
    folder: Path,
    kind: str,
    lines: list[dict[str, Any] | str],
    ascii_only: bool,
    line_break: str,
    packed: bool,
) -> None:
    """Check that a file of *lines*, each JSON or text, is prepared as it is resolved."""
    text = "".join(
        (line if isinstance(line, str) else json.dumps(line, ensure_ascii=ascii_only)) + line_break
        for line in lines
    )
    path = folder / ("list.jsonl.gz" if packed else "list.jsonl")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    if is_sound({kind: [path]}):
        check_same(folder, **{kind: [path]})


TIMES = (
    *("2026-10-01T08:00:00Z", "2026-10-01", "2026-02-30T08:00:00Z", "", None, "soon"),
    *("2026-10-01T08:00:00.123+02:00", "0000-01-01T00:00:00Z", "2026-10-01T24:00:00Z"),
)
PROFILE_TOKENS = st.fixed_dictionaries(
    {"token": TYPED["token"]},
    optional={
        name: st.one_of(st.sampled_from(WORDS[name]), st.sampled_from([None, 7]))
        for name in ("service", "platform", "environment", "credential", "topic")
    }
    | {
        "registered_at": st.sampled_from(TIMES),
        "unknown": st.just(1),
    },
)
PROFILES = st.fixed_dictionaries(
    {"id": st.sampled_from(["anna", "Émile", "a\tb", " ", "", 17, None, True, -0, "\u3000x"])},
    optional={
        "consent": TYPED["consent"],
        "attributes": st.one_of(
            st.dictionaries(st.sampled_from(["first_name", "orders", ""]), JSON_VALUES),
            st.sampled_from([None, [], "x"]),
        ),
        "tokens": st.one_of(
            st.lists(PROFILE_TOKENS, max_size=3), st.sampled_from([None, {}, [7], [[]]])
        ),
        "unknown": st.just(None),
    },
)


@FUZZED
@given(
    first=st.booleans(),
    lines=st.lists(st.one_of(PROFILES, PROFILES, PROFILES, RAW_LINES), min_size=1, max_size=6),
    ascii_only=st.booleans(),
    line_break=st.sampled_from(["\n", "\r\n"]),
    packed=st.booleans(),
)
def test_any_file_of_profile_lines_is_prepared_as_it_is_resolved(
    tmp_path: Path,
    first: bool,
    lines: list[dict[str, Any] | str],
    ascii_only: bool,
    line_break: str,
    packed: bool,
) -> None:
    """So too with profiles, each of which is as many inputs as it has tokens."""
    good = {"id": "zoe", "consent": True, "tokens": [{"token": DEVICES[8]}]}
    same_lines(
        tmp_path,
        "profile_files",
        [good, *lines] if first else lines,
        ascii_only,
        line_break,
        packed,
    )
