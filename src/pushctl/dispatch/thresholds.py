"""When a run is stopped to protect the list: the canary and ``--stop-if``.  Pure."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from typing import Literal

from pushctl.errors import UsageError
from pushctl.outcome import Kind, Outcome, Service

CANARY_ANSWERS = 20
CANARY_SHARE = 0.9
_TELLING = frozenset(
    {
        "BadDeviceToken",
        "DeviceTokenNotForTopic",
        "BadTopic",
        "TopicDisallowed",
        "SENDER_ID_MISMATCH",
    }
)
STOP_IF_ANSWERS = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class Stop:
    """Why a run ends early, in words a person can act on."""

    kind: Literal["canary", "threshold", "interrupted", "terminated", "deadline", "storage"]
    why: str
    hint: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class StopIf:
    """``--stop-if``: a share of the answers or a number of them."""

    what: str
    """``bounced``, ``faulty`` or ``unknown``."""
    share: float | None
    count: int | None

    @classmethod
    def parse(cls, text: str) -> StopIf | None:
        """Return the condition; ``None`` for ``never``.  Raises :class:`UsageError`."""
        if text.strip() == "never":
            return None
        match = re.fullmatch(r"\s*(bounced|faulty|unknown)\s*>\s*(\d+(?:\.\d+)?)\s*(%?)\s*", text)
        if match is None:
            raise UsageError(
                f"--stop-if {text!r} is not a condition",
                hint="write bounced, faulty or unknown, then > and a percentage or a count:"
                " 'faulty>8%', 'unknown>100', or never",
            )
        what, number, percent = match.groups()
        if not percent and "." in number:
            raise UsageError(f"--stop-if {text!r}: a count is a whole number")
        if percent:
            return cls(what, float(number) / 100, None)
        return cls(what, None, int(number))

    def __str__(self) -> str:
        limit = f"{self.share * 100:g}%" if self.share is not None else str(self.count)
        return f"{self.what}>{limit}"


def is_dead_token(outcome: Outcome) -> bool:
    """Tell whether a rejection only says that the token is dead: an old list is no fault."""
    return (outcome.status == 410) or outcome.reason == "UNREGISTERED"


class Tally:
    """Counts final answers and says when ``--stop-if`` is met."""

    def __init__(self, stop_if: StopIf | None) -> None:
        self.stop_if = stop_if
        self.answers = 0
        self.bounced = 0
        self.faulty = 0
        self.unknown = 0

    def add(self, outcome: Outcome) -> Stop | None:
        """Count one final outcome; return why to stop if this one was too many."""
        if outcome.kind is Kind.ACCEPTED:
            self.answers += 1
            return None
        if outcome.kind is Kind.REJECTED:
            self.answers += 1
            self.bounced += 1
            if not is_dead_token(outcome):
                self.faulty += 1
        elif outcome.kind is Kind.UNKNOWN:
            self.answers += 1
            self.unknown += 1
        else:
            return None
        return self._judge()

    def _judge(self) -> Stop | None:
        condition = self.stop_if
        if condition is None:
            return None
        what = condition.what
        if what == "faulty":
            number = self.faulty
        else:
            number = self.bounced if what == "bounced" else self.unknown
        if condition.count is not None:
            met = number > condition.count
        else:
            assert condition.share is not None
            met = self.answers >= STOP_IF_ANSWERS and number > condition.share * self.answers
        if not met:
            return None
        return Stop(
            "threshold",
            f"--stop-if '{condition}' was met: {number:,} {condition.what} of"
            f" {self.answers:,} answers",
            "see the reasons above; after mending the cause, resume the run, or raise --stop-if",
        )


class Canary:
    """
    The first pushes of a lane: if they all fail alike, the list must not be burnt.

    20 or more answers, none accepted, 90 % of them one telling reason: the run stops.
    """

    def __init__(self, size: int, service: Service) -> None:
        self.size = size
        self._service = service
        self._answers = 0
        self._reasons: Counter[str] = Counter()
        self.passed = size == 0

    def room(self, launched: int, due: int) -> int | None:
        """
        Return how many more pushes may be launched; ``None`` when the canary is over.

        It is over at the latest when as many as its size were *launched* and none is *due*: in
        flight, waiting for another try or queued for one.
        """
        if self.passed:
            return None
        if launched >= self.size and not due:
            self.passed = True
            return None
        return max(0, self.size - launched)

    def rejected(self, outcome: Outcome) -> Stop | None:
        """Count a rejection; return why to stop when the pattern is plain."""
        if self.passed:
            return None
        self._answers += 1
        self._reasons[self._telling_name(outcome)] += 1
        if self._answers < CANARY_ANSWERS:
            return None
        name, number = self._reasons.most_common(1)[0]
        if not name or number < CANARY_SHARE * self._answers:
            return None
        why, hint = _diagnosis(name, self._service)
        return Stop(
            "canary", f"{number} of the first {self._answers} answers were {name}: {why}", hint
        )

    def _telling_name(self, outcome: Outcome) -> str:
        if outcome.reason in _TELLING:
            return outcome.reason or ""
        if outcome.status == 404 and outcome.reason != "UNREGISTERED":
            return "a bare 404"
        return ""


def _diagnosis(name: str, service: Service) -> tuple[str, str]:
    match name:
        case "BadDeviceToken":
            return (
                "the tokens very likely belong to the other environment",
                "development builds (run from Xcode) have sandbox tokens; TestFlight and App Store"
                " builds have production tokens: set the credential's environment accordingly",
            )
        case "DeviceTokenNotForTopic":
            return (
                "the tokens very likely belong to another app than the topic",
                "set the credential's topic to the bundle id of the app these tokens come from",
            )
        case "BadTopic" | "TopicDisallowed":
            return (
                "the topic is not one this credential may send to",
                "compare the topic with the app's bundle id, and with the apps the key may serve",
            )
        case "SENDER_ID_MISMATCH":
            return (
                "the tokens very likely belong to another Firebase project",
                "use the service account of the project whose google-services.json the app has",
            )
        case _:
            where = "project id" if service is Service.FCM else "endpoint or its path"
            return (
                f"the {where} is very likely wrong",
                "no token is at fault; check the credential's project_id and endpoint",
            )
