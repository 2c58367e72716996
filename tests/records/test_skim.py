"""What is skimmed of a record's line is what parsing it gives, and no JSON is never skimmed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.outcome import Kind, Retryable
from pushctl.records.record import FIELDS, to_line
from pushctl.records.rows import RowSet
from pushctl.records.skim import Skimmed, skim, skim_sound

PREFIX = b'{"t":"outcome","record":'
WORDS = st.sampled_from(
    ['"retryable":"no"', '"attempts":0,', '","row":9', "Zo\u00eb", "\\", '"', "\x1b[31m", "\ud83d"]
)
TEXTS = st.text(max_size=8) | WORDS | st.just("com.acme")
MAYBE = st.none() | TEXTS


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """Return a record as one of ours may be, with any texts in it."""
    record: dict[str, Any] = {name: draw(MAYBE) for name in FIELDS}
    return record | {
        "schema": 1,
        "row": draw(st.integers(1, 1 << 31)),
        "source": draw(TEXTS),
        "event": draw(st.sampled_from([None, "Bounced push"])),
        "outcome": str(draw(st.sampled_from(Kind))),
        "time": "2026-11-20T10:00:00.000Z",
        "run": "20261120-100000-abcde",
        "target": "token",
        "status": draw(st.none() | st.integers(200, 599)),
        "token_action": "keep",
        "retryable": str(draw(st.sampled_from(Retryable))),
        "attempts": draw(st.integers(0, 12)),
        "latency_ms": draw(st.none() | st.integers(0, 90_000)),
    }


def agrees(skimmed: Skimmed, record: dict[str, Any]) -> bool:
    """Return whether *skimmed* says what *record* does."""
    where = json.loads(b"{" + skimmed.where + b"}")
    return (
        int(skimmed.row) == record["row"]
        and json.loads(skimmed.event) == record["event"]
        and skimmed.outcome.decode() == record["outcome"]
        and skimmed.time.decode() == record["time"]
        and skimmed.run.decode() == record["run"]
        and where == {name: record[name] for name in FIELDS[9:14]}
        and skimmed.may_be_tried() == (record["retryable"] != "no" and record["attempts"] > 0)
        and skimmed.record() == record
    )


@given(records())
def test_what_is_skimmed_is_what_is_parsed(record: dict[str, Any]) -> None:
    """Whatever stands in the texts of a record, quoted names of its own fields included."""
    line = to_line(record).encode("utf-8", "surrogatepass")
    parsed = json.loads(line)
    journalled = PREFIX + line[:-1] + b',"crc":"00000000"}\n'
    skimmed, sound = skim(line), skim_sound(journalled, len(PREFIX))

    assert skimmed is None or agrees(skimmed, parsed)
    assert sound is not None
    assert agrees(sound, parsed)


@given(records(), st.data())
def test_what_is_no_json_is_never_skimmed(record: dict[str, Any], data: st.DataObject) -> None:
    """Cut anywhere, or with any byte of it another one."""
    line = to_line(record).encode("utf-8", "surrogatepass")
    place = data.draw(st.integers(0, len(line) - 1))
    other = bytes([data.draw(st.integers(0, 255))])
    assert skim(line[:place]) is None
    damaged = line[:place] + other + line[place + 1 :]
    skimmed = skim(damaged)

    assert skimmed is None or agrees(skimmed, json.loads(damaged))


def test_what_we_mostly_write_is_skimmed() -> None:
    """A plain line is not parsed: else a resume of millions of rejections takes thrice as long."""
    record = dict.fromkeys(FIELDS, "plain text, with 1 comma") | {
        "schema": 1, "row": 7, "event": "Bounced push", "outcome": "rejected", "status": 410,
        "time": "2026-11-20T10:00:00.000Z", "run": "20261120-100000-abcde", "retryable": "no",
        "attempts": 1, "latency_ms": None, "case": None,
    }  # fmt: skip
    skimmed = skim(to_line(record).encode())

    assert skimmed is not None
    assert agrees(skimmed, record)
    assert skim(json.dumps(record | {"schema": 2}).encode() + b"\n") is None


@pytest.mark.parametrize("row", [-3, 0, 10, 1 << 70])
def test_a_set_of_rows_has_no_others(row: int) -> None:
    """A log may hold any number; one that is no row of the run is never in the set."""
    rows = RowSet(9)
    rows.add(row)

    assert (0, []) == (len(rows), [*rows])
    assert row not in rows


@given(st.sets(st.integers(1, 50)), st.sets(st.integers(1, 50)))
def test_a_set_of_rows_is_a_set(mine: set[int], theirs: set[int]) -> None:
    """It counts, tells and subtracts as Python's own does."""
    sets = RowSet(50), RowSet(50)
    for rows, members in zip(sets, (mine, theirs), strict=True):
        for row in members:
            rows.add(row)

    assert (sorted(mine), len(mine)) == ([*sets[0]], len(sets[0]))
    assert [row in mine for row in range(60)] == [row in sets[0] for row in range(60)]
    assert len(mine - theirs) == sets[0].without(sets[1])
