"""
When a token is dead: the one rule for whoever leaves tokens out and whoever deletes them.

Dead is only what a service itself called dead: APNs with a 410 (the time in its answer tells since
when), FCM with UNREGISTERED.  APNs device tokens come back to life when the app registers again
with the same token, so a registration that is later than that time saves the token (Apple,
*Handling notification responses from APNs*).  FCM states no time, and gives an app that registers
again another token (Firebase, *Best practices for FCM registration token management*).  A doubt is
never death: a registration whose time cannot be read makes a token suspect.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from pushctl.outcome import Service, TokenAction


class Standing(StrEnum):
    """What is to be done with a token."""

    DEAD = "dead"
    """Do not send to it; delete it."""
    SUSPECT = "suspect"
    """Keep it; a person may look at it."""
    ALIVE = "alive"
    """Registered again since it was called dead."""


@dataclass(frozen=True, slots=True)
class Word:
    """What one line of a log says about the life of its token.  Times are epoch seconds."""

    action: TokenAction
    said_s: float | None
    """When the service said so."""
    since_s: float | None
    """From when on it calls the token dead; ``None`` where it does not say."""

    @property
    def order(self) -> tuple[float, bool, float, str]:
        """Sorts words by time; what has no time is the last word, and so is a doubt."""
        said_s = self.said_s if self.said_s is not None else self.since_s
        return (
            math.inf if said_s is None else said_s,
            self.action is not TokenAction.REMOVE,
            math.inf if self.since_s is None else self.since_s,
            self.action.value,
        )


def word_of(token_action: object, time: object, dead_since: object) -> Word | None:
    """
    Return the word in the fields of an outcome record, or ``None`` where it is none.

    A word is a removal, or an answer with a time of death that was no reason to remove the token
    when it came, because the token was registered again.
    """
    since_s = epoch_s(dead_since) if isinstance(dead_since, str) else None
    if token_action != TokenAction.REMOVE and since_s is None:
        return None
    try:
        action = TokenAction(str(token_action))
    except ValueError:
        action = TokenAction.SUSPECT
    return Word(action, epoch_s(time) if isinstance(time, str) else None, since_s)


def last_word(words: Iterable[Word]) -> Word:
    """Return the one of *words* on a token that counts.  Raises ValueError where there is none."""
    return max(words, key=lambda word: word.order)


def standing(service: Service, word: Word, registered: Iterable[str | None] = ()) -> Standing:
    """
    Return where a token stands of which *word* is the last word.

    *registered* is when the app reported the token, as the lists that hold it say: RFC 3339 or a
    date, UTC where it says nothing else.
    """
    if word.action is not TokenAction.REMOVE:
        return Standing.ALIVE if word.action is TokenAction.KEEP else Standing.SUSPECT
    # Without a time of death the answer's own will do: the token was dead by then.
    dead_s = word.since_s if word.since_s is not None else word.said_s
    if service is not Service.APNS or dead_s is None:
        return Standing.DEAD
    found = {_standing(dead_s, text) for text in registered if text and not text.isspace()}
    for milder in (Standing.ALIVE, Standing.SUSPECT):
        if milder in found:
            return milder
    return Standing.DEAD


def _standing(dead_s: float, registered_at: str) -> Standing:
    registered_s = epoch_s(registered_at)
    if registered_s is None:
        return Standing.SUSPECT
    return Standing.ALIVE if registered_s > dead_s else Standing.DEAD


def epoch_s(text: str) -> float | None:
    """Return the point in time *text*, RFC 3339 or a date, UTC where it says nothing else."""
    try:
        point = datetime.fromisoformat(text.strip())
        return (point if point.tzinfo else point.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
