"""
A first look at the whole audience, before anything is sent.

It answers which credentials are needed, how many pushes there will be, and whether every
placeholder of the message can be filled at all: what would fail for everyone must cost nothing.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable

from pushctl.audience import Recipient
from pushctl.config import CredentialSettings
from pushctl.errors import InvalidInput, Problem
from pushctl.job.binding import Chooser, Wish
from pushctl.job.messages import Messages
from pushctl.outcome import Kind, Service


@dataclasses.dataclass(slots=True)
class Survey:
    """What an audience holds."""

    inputs: int = 0
    sendable: Counter[str] = dataclasses.field(default_factory=Counter)
    """How many go out, by credential name."""
    decided: Counter[tuple[Kind, str]] = dataclasses.field(default_factory=Counter)
    """How many were decided before sending, by kind and reason."""
    needed: dict[str, CredentialSettings] = dataclasses.field(default_factory=dict)
    homeless: dict[Wish, int] = dataclasses.field(default_factory=dict)
    """Rows that no credential fits, by what they wish."""
    unfilled: dict[Service, set[str]] = dataclasses.field(default_factory=dict)
    """Placeholders that no recipient of a service has filled so far."""

    @property
    def to_send(self) -> int:
        """Return how many pushes will be tried."""
        return self.sendable.total()


def survey(
    audience: Iterable[Recipient],
    chooser: Chooser,
    messages: Messages,
) -> Survey:
    """
    Return what *audience* holds.

    Raises :class:`InvalidInput` where the message is wrong for a service that is needed.
    """
    found = Survey()
    for recipient in audience:
        found.inputs += 1
        if recipient.verdict is not None:
            found.decided[recipient.verdict.kind, recipient.verdict.reason] += 1
            continue
        wish = Wish.of(recipient)
        settings = chooser.choose(wish)
        if settings is None:
            found.homeless[wish] = found.homeless.get(wish, 0) + 1
            found.decided[Kind.SKIPPED, "NoCredential"] += 1
            continue
        found.needed[settings.name] = settings
        found.sendable[settings.name] += 1
        unfilled = found.unfilled.get(wish.service)
        if unfilled is None:
            unfilled = found.unfilled[wish.service] = set(messages.of(wish.service).placeholders)
        if unfilled:
            unfilled.difference_update(
                name for name in tuple(unfilled) if recipient.attributes.get(name) is not None
            )
    return found


def refuse_hopeless(found: Survey) -> None:
    """
    Raise :class:`InvalidInput` where the run could not send a single push, or no recipient can
    fill a placeholder of the message.
    """
    problems = []
    if found.homeless and not found.sendable:
        for wish, number in found.homeless.items():
            tokens = "1 token" if number == 1 else f"{number:,} tokens"
            problems.append(
                Problem(
                    f"no credential of the config fits {_words(wish)} ({tokens})",
                    hint="see what is configured, and name one with --credential",
                )
            )
    missing = sorted(set().union(*found.unfilled.values())) if found.unfilled else []
    problems += [
        Problem(
            f"no recipient has the attribute {name!r} that the message asks for",
            hint="check the spelling against the attributes of the audience file",
        )
        for name in missing
    ]
    if problems:
        raise InvalidInput(problems=problems)


def _words(wish: Wish) -> str:
    parts = [f"service {wish.service}"]
    for name in ("credential", "environment", "topic"):
        value = getattr(wish, name)
        if value is not None:
            parts.append(f"{name} {value!r}")
    return ", ".join(parts)
