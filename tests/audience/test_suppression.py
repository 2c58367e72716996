"""Tests of what a bounce log says about tokens."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.audience.suppression import Dead, epoch_s, is_dead_now, read_dead
from pushctl.errors import InvalidInput
from pushctl.outcome import Service

RECORD: dict[str, Any] = {
    "schema": 1,
    "event": "Bounced push",
    "time": "2026-10-02T08:00:00Z",
    "service": "apns",
    "token": "AB12",
    "token_action": "remove",
    "dead_since": "2026-10-01T08:00:00Z",
}


def log(folder: Path, *lines: dict[str, Any] | str) -> Path:
    """Return a bounce log with *lines*."""
    path = folder / "bounces.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def test_only_what_is_marked_for_removal_is_read(tmp_path: Path) -> None:
    """A token that is suspect or belongs to another environment may be alive."""
    lines = [{**RECORD, "token_action": action} for action in ("keep", "suspect", "remove")]
    path = log(tmp_path, *lines)
    (found,) = read_dead(path)
    since_s = epoch_s("2026-10-01T08:00:00Z")
    when = "dead since 2026-10-01T08:00:00Z"
    assert Dead(Service.APNS, "ab12", since_s, when, f"{path}:3") == found


def test_without_a_time_of_death_the_time_of_the_record_is_told(tmp_path: Path) -> None:
    """FCM says that a token is gone, and not since when."""
    path = log(tmp_path, {**RECORD, "service": "fcm", "dead_since": None})
    (found,) = read_dead(path)
    assert (None, "found dead at 2026-10-02T08:00:00Z") == (found.since_s, found.when)
    assert "AB12" == found.token


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        "remove",
        '{"token_action": "remove"',
        '{"token_action": "remove"}',
        '["remove"]',
        '"remove"',
        '{"a": "remove"}',
        json.dumps({**RECORD, "token": None}),
        json.dumps({**RECORD, "service": "huawei"}),
        json.dumps({**RECORD, "service": []}),
        "[" * 100_000 + '"remove"',
        '{"token_action": "remove", "x": "' + "x" * 2**21 + '"}',
        "\0\N{BOM}",
    ],
    ids=range(14),
)
def test_foreign_lines_are_passed_over(tmp_path: Path, line: str) -> None:
    """A log may be torn, shared with others, or written by a later version."""
    path = log(tmp_path, {**RECORD, "token": "aa"}, line, {**RECORD, "token": "bb"})
    assert ["aa", "bb"] == [dead.token for dead in read_dead(path)]


def test_bytes_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    """Not even UTF-8 is asked of a foreign line."""
    path = tmp_path / "bounces.jsonl"
    path.write_bytes(b'\xff "remove"\n' + json.dumps(RECORD).encode())
    assert ["ab12"] == [dead.token for dead in read_dead(path)]


def test_a_packed_log_is_read(tmp_path: Path) -> None:
    """Old logs are kept packed."""
    path = tmp_path / "bounces.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(RECORD).encode()))
    assert ["ab12"] == [dead.token for dead in read_dead(path)]


@pytest.mark.parametrize("text", ["token\nab12\n", '{"token": "ab12"}\n', "x"])
def test_a_file_that_is_no_log_is_refused(tmp_path: Path, text: str) -> None:
    """A token list given by mistake would suppress nobody, silently."""
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(InvalidInput, match="no line of this file is one of a bounce log"):
        list(read_dead(path))


def test_an_empty_log_suppresses_nobody(tmp_path: Path) -> None:
    """The first run has nothing to look back to."""
    path = tmp_path / "bounces.jsonl"
    path.touch()
    assert [] == list(read_dead(path))


def test_a_log_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A typing error must not send to dead tokens."""
    with pytest.raises(InvalidInput, match="there is no file"):
        list(read_dead(tmp_path / "bounces.jsonl"))


@pytest.mark.parametrize(
    ("service", "since_s", "registered_at", "expected"),
    [
        (Service.APNS, 100.0, None, True),
        (Service.APNS, None, "2026-10-01T08:00:00Z", True),
        (Service.APNS, 100.0, "1970-01-01T00:01:40Z", True),
        (Service.APNS, 100.0, "1970-01-01T00:01:41Z", False),
        (Service.APNS, 100.0, "1970-01-01T01:01:40+01:00", True),
        (Service.APNS, 100.0, "1970-01-01T00:01:41", False),
        (Service.APNS, 100.0, "1970-01-02", False),
        (Service.APNS, 100.0, "yesterday", True),
        (Service.FCM, 100.0, "2026-10-01T08:00:00Z", True),
    ],
)
def test_a_device_token_registered_again_is_alive(
    service: Service, since_s: float | None, registered_at: str | None, expected: bool
) -> None:
    """Apple: stop sending unless the device registered after the time it was found dead."""
    assert expected is is_dead_now(since_s, service, registered_at)


@given(st.text(max_size=30))
def test_any_text_is_a_point_in_time_or_none(text: str) -> None:
    """What a column holds is the sender's affair; it never breaks a run."""
    assert epoch_s(text) is None or isinstance(epoch_s(text), float)
