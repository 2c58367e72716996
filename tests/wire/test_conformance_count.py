"""The list of h2spec's client cases is whole."""

from __future__ import annotations

from wire import test_conformance_connection as connection
from wire import test_conformance_frames as frames
from wire import test_conformance_streams as streams

# How many cases each section of h2spec's client list has (2.6, folder client/).
LISTED = {
    "1": 1,
    "4.1": 3,
    "4.2": 3,
    "4.3": 1,
    "5.1": 10,
    "5.1.1": 1,
    "5.4.1": 2,
    "5.5": 1,
    "6.1": 3,
    "6.2": 3,
    "6.3": 2,
    "6.4": 3,
    "6.5": 3,
    "6.5.2": 4,
    "6.5.3": 1,
    "6.7": 4,
    "6.8": 1,
    "6.9": 3,
    "6.9.1": 2,
    "6.10": 6,
}


def test_all_57_cases_are_there() -> None:
    """Each number of the list is played once, each with the section of RFC 9113 that rules it."""
    cases = [*frames.CASES, *streams.CASES, *connection.CASES]
    played = [*(case.number for case in cases), streams.CLOSES_TCP]
    listed = [f"{section}/{n + 1}" for section, many in LISTED.items() for n in range(many)]

    assert 57 == len(listed)
    assert sorted(listed) == sorted(played)
    assert all(case.section for case in cases)
