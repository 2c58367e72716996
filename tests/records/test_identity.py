"""Run ids and push ids."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.errors import UsageError
from pushctl.records.identity import (
    checked_run_id,
    new_run_id,
    push_id,
    push_id_prefix,
    rfc3339,
)


def test_run_ids_sort_by_their_start_and_can_name_a_folder() -> None:
    """A later run has a greater id, and every id passes the check for folder names."""
    earlier = new_run_id(1_795_168_800, b"\xff\xff\xff\xff\xff")
    later = new_run_id(1_795_168_801, b"\x00\x00\x00\x00\x00")

    assert earlier < later
    assert earlier == checked_run_id(earlier)


@pytest.mark.parametrize("text", ["", "..", "../x", "a/b", ".hidden", "-x", "a\0b", "x" * 65, "é"])
def test_a_run_id_cannot_leave_its_folder(text: str) -> None:
    """What is no plain name is refused before it becomes a path."""
    with pytest.raises(UsageError):
        checked_run_id(text)


@given(st.text(min_size=1), st.integers(min_value=1, max_value=16**12 - 1))
def test_push_ids_are_canonical_uuids(run: str, row: int) -> None:
    """Each id is a lower-case UUID of version 8 that tells its row."""
    text = push_id(push_id_prefix(run), row)
    parsed = uuid.UUID(text)

    assert (str(parsed), 8, uuid.RFC_4122) == (text, parsed.version, parsed.variant)
    assert row == int(text[-12:], 16)


def test_push_ids_of_two_runs_differ_and_of_one_run_repeat() -> None:
    """A push that is sent again carries the id it had."""
    assert push_id_prefix("a") == push_id_prefix("a")
    assert push_id_prefix("a") != push_id_prefix("b")


def test_times_are_rfc3339_in_utc_with_milliseconds() -> None:
    """The written form is exact."""
    assert rfc3339(1_795_168_800.25) == "2026-11-20T10:00:00.250Z"
