"""Points in time as people write them."""

from __future__ import annotations

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.rules.moment import LATEST_EPOCH_S, PATTERN, parse_moment

NOW = 1_795_168_800.75


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (0, 0),
        (1795197600, 1795197600),
        ("1795197600", 1795197600),
        ("2026-11-20T18:00:00Z", 1795197600),
        ("2026-11-20t18:00:00z", 1795197600),
        ("2026-11-20T18:00:00.999Z", 1795197600),
        ("2026-11-20T20:00+02:00", 1795197600),
        ("+0s", 1795168800),
        (" +30m ", 1795170600),
        ("+28d", 1797588000),
    ],
)
def test_each_form_means_its_moment(written: object, meant: int) -> None:
    """Epoch seconds, RFC 3339 and a time from now, blanks around them left aside."""
    assert meant == parse_moment(written, NOW)


@pytest.mark.parametrize(
    "written",
    [
        *(None, True, 1.5, [], {}, "", "now", "-1", "- 4h", "4h", "+", "+90", "+4w", "+1e3s"),
        *(-1, LATEST_EPOCH_S, 1795197600000, "1795197600000", "9" * 30, f"+{'9' * 11}d"),
        *("2026-11-20", "2026-11-20T18:00:00", "2026-13-20T18:00:00Z", "2026-11-20T25:00:00Z"),
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "٣٤٥"),
    ],
)
def test_what_is_unclear_means_nothing(written: object) -> None:
    """No zone, no time, no unit, before 1970, in milliseconds: none of these is guessed at."""
    assert parse_moment(written, NOW) is None


@given(st.datetimes(datetime.datetime(1970, 1, 2), timezones=st.timezones()))  # noqa: DTZ001
def test_every_moment_that_python_writes_is_read(moment: datetime.datetime) -> None:
    """A moment with its zone comes back to the second, and looks as the pattern says."""
    seconds = int(moment.timestamp())

    assert (seconds if seconds < LATEST_EPOCH_S else None) == parse_moment(moment.isoformat(), 0)
    assert re.match(PATTERN, moment.isoformat())


@given(st.text(max_size=20), st.floats(0, 2e9))
def test_any_text_is_a_moment_or_none(text: str, now: float) -> None:
    """No text makes reading fail; what is read is a number that Apple's devices can hold."""
    moment = parse_moment(text, now)

    assert moment is None or 0 <= moment < LATEST_EPOCH_S
