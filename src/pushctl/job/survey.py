"""
A first look at the whole audience, before anything is sent.

It answers which credentials are needed, how many pushes there will be, and whether every
placeholder of the message can be filled at all: what would fail for everyone must cost nothing.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from pushctl.audience.prepared import Prepared
from pushctl.config import ApnsKeySettings
from pushctl.errors import InvalidInput, Problem
from pushctl.job.binding import Chooser, Need, Wish
from pushctl.job.messages import Messages
from pushctl.job.targets import service_of
from pushctl.outcome import Kind, Service
from pushctl.rules.apns import Sender, Signing


@dataclasses.dataclass(slots=True)
class Survey:
    """What an audience holds."""

    inputs: int = 0
    sendable: Counter[str] = dataclasses.field(default_factory=Counter)
    """How many go out, by the name of the lane: the credential's, or that of its broadcasts."""
    decided: Counter[tuple[Kind, str]] = dataclasses.field(default_factory=Counter)
    """How many were decided before sending, by kind and reason."""
    needed: dict[str, Need] = dataclasses.field(default_factory=dict)
    """What each lane is needed for, by its name."""
    homeless: dict[Wish, int] = dataclasses.field(default_factory=dict)
    """Rows that no credential fits, by what they wish."""
    unfilled: set[str] = dataclasses.field(default_factory=set)
    """Placeholders of the message that no recipient of a service can fill."""

    @property
    def to_send(self) -> int:
        """Return how many pushes will be tried."""
        return self.sendable.total()


def passed_over(found: Survey, chosen: Sequence[str]) -> list[Problem]:
    """
    Return the warning that no push goes through a credential of *chosen*, if that is so.

    One name of several may well be for the other service; that none is used is a slip.
    """
    used = list(dict.fromkeys(need.settings.name for need in found.needed.values()))
    if not chosen or not used or set(chosen) & set(used):
        return []
    return [
        Problem(
            f"no push goes through {' or '.join(chosen)}, but through {' and '.join(used)}",
            hint="give --credential one of the service that delivers: pushctl config show",
        )
    ]


def survey(
    prepared: Prepared | None,
    targets: Sequence[tuple[str, str]],
    chooser: Chooser,
    messages: Messages,
) -> Survey:
    """
    Return what the audience and the *targets* beside it hold.

    Raises :class:`InvalidInput` where the message is wrong for a service that is needed, or the
    config does not decide which credential serves.
    """
    found = Survey()
    problems: list[Problem] = []
    wishes: Counter[Wish] = Counter()
    filled: dict[Service, set[str]] = {}
    if prepared is not None:
        tallies = prepared.tallies()
        found.inputs = prepared.total
        for (kind, reason), number in tallies.verdicts.items():
            found.decided[Kind(kind), reason] += number
        for (service, credential, environment, topic), number in tallies.sendable.items():
            wishes[Wish(Service(service), credential, environment, topic)] += number
        filled = {Service(service): set(names) for service, names in tallies.attributes.items()}
    found.inputs += len(targets)
    for kind, _ in targets:
        wishes[Wish(service_of(kind), None, None, None, kind == "channel")] += 1
    for wish, number in wishes.items():
        settings = chooser.choose(wish)
        if settings is None:
            found.homeless[wish] = number
            found.decided[Kind.SKIPPED, "NoCredential"] += number
        else:
            lane = wish.lane(settings.name)
            found.needed[lane] = Need(settings, wish.to_channel)
            found.sendable[lane] += number
    for service, to_channel in sorted(
        {(need.settings.service, need.to_channel) for need in found.needed.values()}
    ):
        try:
            senders = _senders(found)
            placeholders = messages.of(service, senders, to_channel=to_channel).placeholders
        except InvalidInput as error:
            problems += [problem for problem in error.problems if problem not in problems]
        else:
            found.unfilled |= placeholders - (set() if to_channel else filled.get(service, set()))
    if problems:
        raise InvalidInput(problems=problems)
    return found


def _senders(found: Survey) -> list[Sender]:
    """Return the credentials of APNs, as the rules ask for them."""
    every = {need.settings.name: need.settings for need in found.needed.values()}
    return [
        Sender(
            one.topic,
            Signing.KEY if isinstance(one, ApnsKeySettings) else Signing.CERTIFICATE,
        )
        for one in every.values()
        if one.service is Service.APNS
    ]


def refuse_hopeless(found: Survey) -> None:
    """
    Raise :class:`InvalidInput` where the run could not send a single push for want of a
    credential, or no recipient can fill a placeholder of the message.
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
    problems += [
        Problem(
            f"no recipient has the attribute {name!r} that the message asks for",
            hint="check the spelling against the attributes of the audience file",
        )
        for name in sorted(found.unfilled)
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
