"""Run ids and push ids."""

import time
import uuid
from collections.abc import Iterator

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


@pytest.fixture(params=["America/New_York", "Asia/Tokyo"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine be in another time zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    rfc3339.cache_clear()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
def test_times_are_utc_wherever_the_machine_is() -> None:
    """The name of a run and the times in its records mean the same everywhere."""
    assert "20261120-100000-aban9" == new_run_id(1_795_168_800, bytes([0, 1, 31, 42, 30 + 31 * 7]))
    assert "2026-11-20T10:00:00.250Z" == rfc3339(1_795_168_800.25)


def test_a_run_id_has_five_random_characters() -> None:
    """However much chance there is, and none that are read for one another."""
    tails = {new_run_id(0, bytes([byte, 0, 0, 0, 0, 9]))[-5:] for byte in range(256)}

    assert {f"{first}aaaa" for first in "abcdefghjkmnpqrstuvwxyz23456789"} == tails


@pytest.mark.parametrize("text", ["a", "Z", "7", "A.b_c-9", "x" * 64])
def test_a_plain_name_can_be_a_run_id(text: str) -> None:
    """One to 64 letters, digits, dots, hyphens and underscores."""
    assert text == checked_run_id(text)


def test_a_refused_run_id_is_shown_in_part_and_the_rule_whole() -> None:
    """A megabyte of nonsense is not printed back."""
    with pytest.raises(UsageError) as caught:
        checked_run_id("é" * 1000)
    (problem,) = caught.value.problems
    assert 80 == problem.message.count("é")
    assert "1 to 64 letters" in str(problem.hint)


# Survives `records/identity.py`: `int(digest[15], 16)`: a single hex digit is the same in base 17.
def test_the_ids_of_a_run_are_the_same_in_every_version() -> None:
    """A run that another version resumes sends each push with the id it had."""
    assert "a70f0970-9d99-8b80-a857-" == push_id_prefix("r2")
    assert "fb846de9-7262-8654-93cf-" == push_id_prefix("r3")
    assert "b46a61d8-7478-8275-91e7-0000000000ff" == push_id(
        push_id_prefix("20261120-100000-abcde"), 255
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
