"""
Patterns in the numbers that are plain enough to be put into words, with what to do.  Pure.

A rule speaks only where the numbers leave little doubt: from :data:`ENOUGH` pushes on, except that
one refusal of a credential is a fact already, and so is a message that most of a few pushes bounced
for.  What is told by one rule is not told by another.
"""

from __future__ import annotations

import dataclasses
import datetime
import shlex
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pushctl.outcome import Category, TokenAction
from pushctl.report.values import Fault, Finding, Meaning, Tally, share
from pushctl.rules.text import printable

ENOUGH = 20
"""From so many pushes on, a share means something."""
FINDINGS_MAX = 8
_NEARLY_ALL = 0.8
_MOST = 0.5
_SOME = 0.05
_MANY_DEAD = 0.02
_RISE = 1.5
_NOTABLE = 0.01


class Lane(NamedTuple):
    """What pushes go through; ``None`` where a log does not tell."""

    service: str | None
    credential: str | None
    environment: str | None
    topic: str | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """The bounces of one lane for one reason, and how many pushes of the lane were answered."""

    meaning: Meaning
    lane: Lane
    bounces: int
    first_seen: datetime.datetime
    last_seen: datetime.datetime
    answered_before: int
    """In the hours before the first of them."""
    answered_meanwhile: int
    """From the hour of the first to that of the last."""
    answered_after: int

    @property
    def share_meanwhile(self) -> float:
        """The share of the lane's answers that bounced so while it lasted; 0 if not known."""
        if self.bounces > self.answered_meanwhile:
            return 0.0  # the logs do not hold all counts
        return share(self.bounces, self.answered_meanwhile) or 0.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the rules judge by."""

    tally: Tally
    bounces: int
    traits: Sequence[Trait]
    """Most bounces first."""
    lanes: Mapping[Lane, Tally]
    dead_days: Sequence[tuple[datetime.date, int, int]]
    """Of each day how many pushes were answered, and how many tokens found dead."""


Told = tuple[Finding, Sequence[Trait]]
"""A finding and the traits that it explains."""
Rule = Callable[[Evidence, Sequence[Trait]], Iterable[Told]]


def diagnose(evidence: Evidence) -> tuple[Finding, ...]:
    """Return what is plain from *evidence*, what matters most first; often nothing."""
    findings: list[Finding] = []
    left = list(evidence.traits)
    for rule in _RULES:
        for finding, explained in rule(evidence, tuple(left)):
            findings.append(finding)
            left = [trait for trait in left if trait not in explained]
    return tuple(findings[:FINDINGS_MAX])


# -- the rules, in the order in which they matter --------------------------------------------------


def _refused(evidence: Evidence, traits: Sequence[Trait]) -> Iterator[Told]:
    """A credential was refused: an expired key, a revoked account, the wrong team."""
    refused: dict[tuple[str | None, str], list[Trait]] = defaultdict(list)
    for trait in traits:
        if (
            trait.meaning.fault is Fault.CREDENTIALS
            and trait.meaning.token_action is TokenAction.KEEP
        ):
            refused[trait.lane.credential, _title(trait.meaning)].append(trait)
    for (credential, title), group in refused.items():
        number = sum(trait.bounces for trait in group)
        yield (
            Finding(
                kind="credential-refused",
                sentence=f"credential {_quoted(credential)} was refused"
                f" {'once' if number == 1 else f'{number:,} times'} with {title},"
                f" {_between(group)}{_before(group)}",
                advice=_first_advice(group[0].meaning, "Check the credential."),
                command=f"pushctl check {shlex.quote(printable(credential, 80))}"
                if credential
                else None,
            ),
            group,
        )


def _wrong_environment(evidence: Evidence, traits: Sequence[Trait]) -> Iterator[Told]:
    """Tokens of the sandbox in production, or the other way round."""
    other = {"production": "sandbox", "sandbox": "production"}
    for trait in traits:
        lane = trait.lane
        if trait.meaning.token_action is not TokenAction.CHECK_ENVIRONMENT:
            continue
        if trait.bounces < ENOUGH or trait.share_meanwhile < _SOME:
            continue
        there = lane.environment or "this environment"
        origin = other.get(there, "the other one")
        said = f"{_part(trait)} with credential {_quoted(lane.credential)} ({there}) bounced with"
        if trait.share_meanwhile >= _MOST:
            guess = f"these tokens are most likely of {_world(origin)}"
            advice = (
                f"Send them with a credential for {_world(origin)} and leave them in the list:"
                " in the wrong environment a good token looks like a bad one."
            )
        else:
            guess = "tokens of sandbox and production seem to be mixed in one list"
            advice = (
                "Find out which builds registered these tokens (Xcode builds register in the"
                " sandbox, TestFlight and the App Store in production); delete none on this word."
            )
        yield (
            Finding(
                kind="wrong-environment",
                sentence=f"{said} {_title(trait.meaning)}, {_between([trait])}"
                f"{_before([trait])}: {guess}",
                advice=advice,
                command="pushctl bounces tokens --suspect",
            ),
            [trait],
        )


def _wrong_app(evidence: Evidence, traits: Sequence[Trait]) -> Iterator[Told]:
    """Tokens of another app, or of another Firebase project."""
    whose = {
        "DeviceTokenNotForTopic": "another app than the topic",
        "SENDER_ID_MISMATCH": "another Firebase project",
    }
    for trait in traits:
        owner = whose.get(trait.meaning.key.reason or "")
        if owner is None or trait.bounces < ENOUGH or trait.share_meanwhile < _SOME:
            continue
        topic = f" for {printable(trait.lane.topic, 80)}" if trait.lane.topic else ""
        yield (
            Finding(
                kind="wrong-app",
                sentence=f"{_part(trait)} with credential {_quoted(trait.lane.credential)}{topic}"
                f" bounced with {_title(trait.meaning)}, {_between([trait])}"
                f"{_before([trait])}: these tokens belong to {owner}",
                advice=_first_advice(
                    trait.meaning, "Send them with the credential of the app that they belong to."
                ),
                command="pushctl bounces tokens --suspect",
            ),
            [trait],
        )


def _since_one_moment(evidence: Evidence, traits: Sequence[Trait]) -> Iterator[Told]:
    """Nearly everything bounces for one reason, and before there was none of it."""
    for trait in traits:
        if min(trait.bounces, trait.answered_before) < ENOUGH:
            continue
        if trait.share_meanwhile < _NEARLY_ALL:
            continue
        over = trait.answered_after >= ENOUGH
        yield (
            Finding(
                kind="since-one-moment",
                sentence=f"{_between([trait])}, {_part(trait)} with credential"
                f" {_quoted(trait.lane.credential)} bounced with {_title(trait.meaning)}"
                f"{_before([trait])}" + ("; it is over since" if over else ""),
                advice=_first_advice(
                    trait.meaning, "Look for what was changed at that moment: list, key, message."
                ),
                command=_explain(trait.meaning),
            ),
            [trait],
        )


def _throttled(evidence: Evidence, traits: Sequence[Trait]) -> Iterator[Told]:
    """The service asked us to slow down."""
    yield from _of_category(
        evidence,
        [trait for trait in traits if trait.meaning.category is Category.RATE],
        kind="throttled",
        said="were turned away because they came too fast",
        advice="Send with a lower --rate, and spread the list over more time.",
        command="pushctl runs resume last --retry-failed",
    )


def _service_failed(evidence: Evidence, traits: Sequence[Trait]) -> Iterator[Told]:
    """The service itself had trouble."""
    yield from _of_category(
        evidence,
        [trait for trait in traits if trait.meaning.category is Category.SERVER],
        kind="service-failed",
        said="failed on the side of the service",
        advice="Nothing is wrong with the tokens or the message; send these again later.",
        command="pushctl runs resume last --retry-failed",
    )


def _bad_list(evidence: Evidence, traits: Sequence[Trait]) -> Iterator[Told]:
    """Recipients without a token, or with what is none."""
    yield from _of_category(
        evidence,
        [trait for trait in traits if trait.meaning.fault is Fault.LIST],
        kind="bad-list",
        said="never left, because the token was missing or malformed",
        advice="Correct the list where it is made.",
        command="pushctl tokens check FILE",
    )


def _bad_message(evidence: Evidence, traits: Sequence[Trait]) -> Iterator[Told]:
    """The message or the way it was asked for is at fault."""
    for trait in traits:
        if trait.meaning.fault is not Fault.MESSAGE or _is_new(trait.meaning):
            continue
        if trait.bounces < ENOUGH and trait.share_meanwhile < _MOST:
            continue
        yield (
            Finding(
                kind="bad-message",
                sentence=f"{_part(trait)} with credential {_quoted(trait.lane.credential)} bounced"
                f" with {_title(trait.meaning)}, {_between([trait])}{_before([trait])}: the"
                " message is at fault, not the tokens",
                advice=_first_advice(trait.meaning, "Correct the message."),
                command=_explain(trait.meaning),
            ),
            [trait],
        )


def _dead_tokens(evidence: Evidence, traits: Sequence[Trait]) -> Iterator[Told]:
    """Tokens that are dead by the services' own word pile up."""
    dead = [trait for trait in traits if trait.meaning.token_action is TokenAction.REMOVE]
    number = sum(trait.bounces for trait in dead)
    portion = _portion(number, evidence)
    earlier, later = _halves(evidence.dead_days)
    rises = earlier is not None and later is not None and later > max(earlier * _RISE, _NOTABLE)
    if number < ENOUGH or (portion is not None and portion < _MANY_DEAD and not rises):
        return
    trend = f"; it rose from {earlier:.1%} to {later:.1%} within the period" if rises else ""
    yield (
        Finding(
            kind="dead-tokens",
            sentence=f"{number:,} pushes{_of_answered(portion)} went to tokens that are dead by the"
            f" service's own word{trend}",
            advice="Delete these tokens, unless they were registered again since.",
            command="pushctl bounces tokens",
        ),
        dead,
    )


def _one_credential(evidence: Evidence, traits: Sequence[Trait]) -> Iterator[Told]:
    """A reason that only one of several credentials meets."""
    answered: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for lane, tally in evidence.lanes.items():
        if lane.service is not None and lane.credential is not None:
            answered[lane.service][lane.credential] += tally.answered
    by_reason: dict[Meaning, list[Trait]] = defaultdict(list)
    for trait in evidence.traits:
        by_reason[trait.meaning].append(trait)
    for meaning, group in by_reason.items():
        number = sum(trait.bounces for trait in group)
        credentials = {trait.lane.credential for trait in group}
        (one, *more) = credentials
        if number < ENOUGH or more or one is None or not set(group) & set(traits):
            continue
        of_service = answered[meaning.key.service or ""]
        others = {name: count for name, count in of_service.items() if name != one}
        if sum(others.values()) < max(ENOUGH, of_service[one] * _SOME):
            continue
        names = ", ".join(_quoted(name) for name in sorted(others)[:3])
        yield (
            Finding(
                kind="one-credential",
                sentence=f"all {number:,} bounces with {_title(meaning)} are of credential"
                f" {_quoted(one)}; the {sum(others.values()):,} pushes answered with {names}"
                f"{' and others' if len(others) > 3 else ''} have none",
                advice="Compare the lists and settings of these credentials.",
                command=f"pushctl bounces report --by credential --reason"
                f" {shlex.quote(printable(meaning.key.reason, 80))}"
                if meaning.key.reason
                else None,
            ),
            group,
        )


_RULES: tuple[Rule, ...] = (
    _refused,
    _wrong_environment,
    _wrong_app,
    _bad_message,
    _throttled,
    _service_failed,
    _bad_list,
    _since_one_moment,
    _dead_tokens,
    _one_credential,
)


# -- words -----------------------------------------------------------------------------------------


def _of_category(
    evidence: Evidence,
    traits: Sequence[Trait],
    *,
    kind: str,
    said: str,
    advice: str,
    command: str,
) -> Iterator[Told]:
    """Yield one finding on all of *traits*, if they are many or a notable share."""
    number = sum(trait.bounces for trait in traits)
    portion = _portion(number, evidence)
    if number < ENOUGH or (portion is not None and portion < _NOTABLE):
        return
    titles = list(dict.fromkeys(_title(trait.meaning) for trait in traits))
    listed = ", ".join(titles[:3]) + (" and others" if len(titles) > 3 else "")
    yield (
        Finding(
            kind=kind,
            sentence=f"{number:,} pushes{_of_answered(portion)} {said} ({listed}),"
            f" {_between(traits)}",
            advice=advice,
            command=command,
        ),
        traits,
    )


def _portion(number: int, evidence: Evidence) -> float | None:
    """Return *number* as a share of all answers; ``None`` where the logs do not count them."""
    return share(number, evidence.tally.answered) if number <= evidence.tally.answered else None


def _of_answered(portion: float | None) -> str:
    return "" if portion is None else f" ({portion:.1%} of those answered)"


def _part(trait: Trait) -> str:
    whole = trait.answered_meanwhile
    if whole < trait.bounces:
        return f"{trait.bounces:,} pushes"
    if whole == trait.bounces:
        return f"all {whole:,} pushes" if whole > 1 else "the only push"
    return f"{trait.bounces:,} of {whole:,} pushes ({trait.share_meanwhile:.1%})"


def _between(traits: Sequence[Trait]) -> str:
    first = min(trait.first_seen for trait in traits)
    last = max(trait.last_seen for trait in traits)
    if last - first < datetime.timedelta(minutes=1):
        return f"at {first:%Y-%m-%d %H:%M} UTC"
    until = f"{last:%H:%M}" if last.date() == first.date() else f"{last:%Y-%m-%d %H:%M}"
    return f"from {first:%Y-%m-%d %H:%M} to {until} UTC"


def _before(traits: Sequence[Trait]) -> str:
    before = min(trait.answered_before for trait in traits)
    return f" (none of the {before:,} before)" if before >= ENOUGH else ""


def _halves(
    days: Sequence[tuple[datetime.date, int, int]],
) -> tuple[float | None, float | None]:
    """Return the share of dead tokens in the earlier and the later half of the days."""
    middle = len(days) // 2
    return tuple(  # type: ignore[return-value]
        share(sum(dead for *_, dead in half), answered)
        if (answered := sum(number for _, number, _ in half)) >= ENOUGH
        else None
        for half in (days[:middle], days[middle:])
    )


def _title(meaning: Meaning) -> str:
    return printable(meaning.key.title, 120)


def _quoted(name: str | None) -> str:
    return f"'{printable(name, 80)}'" if name else "none"


def _world(environment: str) -> str:
    return {"sandbox": "the sandbox"}.get(environment, environment)


def _first_advice(meaning: Meaning, otherwise: str) -> str:
    return meaning.what_to_do[0] if meaning.what_to_do else otherwise


def _is_new(meaning: Meaning) -> bool:
    """Return whether only the status tells whose side it is about: too little to put it so."""
    return meaning.key.reason is not None and not meaning.is_documented


def _explain(meaning: Meaning) -> str | None:
    return f"pushctl explain {meaning.key.reason}" if meaning.is_documented else None
