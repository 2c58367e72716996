"""How far a clock is off, told by the Date of an answer."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl.check.clock import advice_on, in_words, judge_clock, skew_seconds
from pushctl.check.step import Verdict

NOW = 1_790_000_000.0
MOMENTS = st.floats(0, 4e9)
SPANS = st.floats(0, 1e7)


def date(moment: float) -> str:
    """Return *moment* as a server writes it: whole seconds, rounded down."""
    return formatdate(int(moment), usegmt=True)


@given(MOMENTS, SPANS, SPANS)
def test_a_right_clock_is_never_blamed(asked: float, until_server: float, back: float) -> None:
    """However slow the network, and whatever the fraction of the second, there is no skew."""
    server = asked + until_server

    assert 0 == skew_seconds(date(server), asked, server + back)


@given(MOMENTS, st.integers(-(10**7), 10**7))
def test_a_wrong_clock_is_measured_to_a_second(moment: float, skew: int) -> None:
    """On a fast network the whole skew is found, with its sign, but for the second of the Date."""
    mine = moment + skew
    found = skew_seconds(date(moment), mine, mine)

    assert found is not None
    assert abs(skew) - 1 <= abs(found) <= abs(skew)
    assert found * skew >= 0


@pytest.mark.parametrize("text", [None, "", "yesterday", "Mon, 99 Foo 2026 99:99:99 GMT", "\x00"])
def test_a_date_that_says_nothing(text: str | None) -> None:
    """A missing or unreadable Date is no skew and no pass: the step is skipped."""
    skew = skew_seconds(text, NOW, NOW)

    assert skew is None
    assert Verdict.SKIPPED is judge_clock(skew).verdict
    assert () == advice_on(skew)


@pytest.mark.parametrize(
    ("skew", "words"),
    [
        (-90.0, "90 s behind"),
        (-119.0, "119 s behind"),
        (600.0, "10 min ahead"),
        (-7200.0, "2 h behind"),
        (86_400.0 * 365, "365 days ahead"),
    ],
)
def test_a_wrong_clock_is_told(skew: float, words: str) -> None:
    """The step says how much and which way, and what to do; so does the advice on a refusal."""
    step = judge_clock(skew)

    assert Verdict.WARN is step.verdict
    assert f"this machine's clock is {words}" == step.sentence == in_words(skew)
    assert "NTP" in step.advice[0]
    assert words in advice_on(skew)[0]


def test_seconds_are_let_pass() -> None:
    """What no service minds is no warning."""
    assert Verdict.PASS is judge_clock(59.9).verdict
    assert Verdict.PASS is judge_clock(-59.9).verdict
    assert Verdict.WARN is judge_clock(60.0).verdict
