"""What the page shows: the newest exchanges and how many there were in each second."""

from __future__ import annotations

import itertools
from collections import deque

from pushctl import catalog
from pushctl.outcome import Environment, JsonValue
from pushctl.simulator.exchange import Exchange, Outcome
from pushctl.simulator.stats import Counts

KEPT = 500
"""Exchanges that are remembered."""
SHOWN_AT_ONCE = 60
"""Exchanges in one update at most: nobody reads more, however fast they come."""
SECONDS = 120
_REASONS = 50

_KINDS: dict[Outcome, int] = {"accepted": 0, "validated": 0, "rejected": 1}
_OTHER = 2


class Feed:
    """Remembers a little, in bounded memory.  Used on the simulator's thread alone."""

    def __init__(self, counts: Counts, url: str, environment: Environment) -> None:
        self._counts = counts
        self._url = url
        self._environment = environment
        self._recent: deque[Exchange] = deque(maxlen=KEPT)
        self._taken = 0
        self._seconds: deque[list[int]] = deque(maxlen=SECONDS)

    @property
    def taken(self) -> int:
        """How many exchanges there were: the cursor of a reader that has seen them all."""
        return self._taken

    def take(self, exchange: Exchange) -> None:
        """Remember *exchange*."""
        self._recent.append(exchange)
        self._taken += 1
        second = int(exchange.time)
        if not self._seconds or self._seconds[-1][0] < second:
            self._seconds.append([second, 0, 0, 0])
        kind = _OTHER if exchange.fault else _KINDS.get(exchange.outcome, _OTHER)
        self._seconds[-1][1 + kind] += 1

    def greeting(self) -> dict[str, JsonValue]:
        """Return what a page has to know once."""
        return {"url": self._url, "environment": self._environment.value, "seconds": SECONDS}

    def since(self, cursor: int, now: float) -> dict[str, JsonValue]:
        """Return what is new to a reader that has seen *cursor* exchanges, oldest first."""
        unseen = self._taken - cursor
        shown = min(unseen, SHOWN_AT_ONCE, len(self._recent))
        start = len(self._recent) - shown
        newest = itertools.islice(self._recent, start, None)
        return {
            "now": int(now),
            "totals": self._counts.totals(),
            "rates": [list(second) for second in self._seconds],
            "reasons": self._reasons(),
            "exchanges": [exchange.as_json() for exchange in newest],
            "left_out": unseen - shown,
        }

    def _reasons(self) -> list[JsonValue]:
        counted = self._counts.reasons.most_common(_REASONS)
        return [
            {
                "service": name.partition("/")[0],
                "reason": name.partition("/")[2],
                "count": count,
                "meaning": meaning(name),
            }
            for name, count in counted
        ]


def meaning(name: str) -> str | None:
    """Return what the tables say of ``service/reason``; ``None``: they do not know it."""
    service, _, reason = name.partition("/")
    word, _, case = reason.partition("/")
    tables = {"channels": ("apns-broadcast",), "apns": ("apns", "apns-broadcast")}
    for table in tables.get(service, (service if service == "oauth" else "fcm",)):
        found = catalog.lookup(table, word, case=case or None)
        if found is not None:
            return found.description
    return None
