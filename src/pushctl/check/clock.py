"""
How far this machine's clock is off, told by the ``Date`` of an answer.

A wrong clock is the usual cause of refused tokens: APNs refuses a provider token that was issued
more than an hour ago (Apple, "Establishing a token-based connection to APNs") or in the future,
and Google's token endpoint takes an assertion at most five minutes ahead (measured).
"""

from __future__ import annotations

from pushctl.check.step import Step, passed, skipped, warned

WARN_SECONDS = 60.0
"""From here on a clock is called wrong: NTP keeps machines within a second."""

_SET_CLOCK = "set this machine's clock, best by NTP: `timedatectl set-ntp true`, or restart chronyd"


def skew_seconds(date: str | None, asked_at: float, answered_at: float) -> float | None:
    """
    Return how many seconds this clock is ahead of the server's; negative: behind.

    *date* is the answer's ``Date`` (RFC 9110 §6.6.1), whole seconds; *asked_at* and *answered_at*
    are what this clock said before and after, epoch seconds.  What network and rounding can
    explain counts as nothing.  ``None`` without a date, or for one that cannot be read.
    """
    if date is None:
        return None
    from email.utils import parsedate_to_datetime

    try:
        server = parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    # The server wrote it between the two moments, at any point of the second that it names.
    if answered_at < server:
        return answered_at - server
    return max(asked_at - (server + 1), 0.0)


def judge_clock(skew: float | None) -> Step:
    """Return what *skew*, as :func:`skew_seconds` gives it, means."""
    if skew is None:
        return skipped("clock", "the server sent no Date to compare this machine's clock with")
    if abs(skew) < WARN_SECONDS:
        return passed("clock", f"this machine's clock is right to within {int(abs(skew)) + 1} s")
    return warned("clock", in_words(skew), _SET_CLOCK)


def in_words(skew: float) -> str:
    """Return a sentence about a clock that is wrong."""
    return f"this machine's clock is {_span(abs(skew))} {'ahead' if skew > 0 else 'behind'}"


def advice_on(skew: float | None) -> tuple[str, ...]:
    """Return what to do first where a token was refused under a clock that is wrong."""
    if skew is None or abs(skew) < WARN_SECONDS:
        return ()
    return (f"{in_words(skew)}: that alone can be the cause; {_SET_CLOCK}",)


def _span(seconds: float) -> str:
    if seconds < 2 * 60:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3_600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.0f} h" if seconds < 2 * 86_400 else f"{seconds / 86_400:.0f} days"
