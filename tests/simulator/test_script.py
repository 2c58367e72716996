"""The script: which rule speaks for which push, and how often."""

from __future__ import annotations

import pytest
from h2.errors import ErrorCodes

from pushctl.simulator import (
    Accept,
    Drop,
    GoAway,
    Half,
    Hang,
    Reset,
    Rule,
    Say,
    Script,
    parse_action,
)
from pushctl.simulator.prompter import Prompter
from simulator.kit import ANDROID_TOKEN, TOKEN


@pytest.mark.parametrize(
    ("word", "action"),
    [
        ("accept", Accept()),
        ("drop", Drop()),
        ("hang", Hang()),
        ("half", Half()),
        ("half:drop", Half(then="drop")),
        ("goaway", GoAway()),
        ("goaway:previous", GoAway(last_stream="previous")),
        ("goaway:all", GoAway(last_stream="all")),
        ("rst:REFUSED_STREAM", Reset(code=ErrorCodes.REFUSED_STREAM)),
        ("rst:cancel", Reset(code=ErrorCodes.CANCEL)),
        ("503", Say(status=503)),
        ("Unregistered", Say(reason="Unregistered")),
        ("INVALID_ARGUMENT/bad_ttl", Say(reason="INVALID_ARGUMENT/bad_ttl")),
    ],
)
def test_words_name_actions(word: str, action: object) -> None:
    """Each word of the script means one action."""
    assert action == parse_action(word)


@pytest.mark.parametrize("word", ["", "rst:", "rst:NOPE", "99", "600", "a\nb"])
def test_other_words_are_refused(word: str) -> None:
    """A word that means nothing is an error when the rule is made, not when it acts."""
    with pytest.raises(ValueError):
        Rule(token="x", answer=word)


def test_a_rule_has_one_way_to_choose() -> None:
    """Token and pattern together are refused."""
    with pytest.raises(ValueError):
        Rule(token="x", pattern="y*", answer="drop")


def cues(*rules: Rule, pushes: list[tuple[str, str]], max_tokens: int = 100) -> list[object]:
    prompter = Prompter(Script(rules=rules), max_tokens=max_tokens)
    return [prompter.cue(service, token).action for service, token in pushes]  # type: ignore[arg-type]


def test_tokens_are_matched_by_service() -> None:
    """A rule without a service covers both gateways but not the token endpoint."""
    rules = (Rule(token="a", answer="drop"), Rule(service="oauth", answer="hang"))
    pushes = [("apns", "a"), ("fcm", "a"), ("oauth", "a"), ("apns", "b")]
    assert [Drop(), Drop(), Hang(), Accept()] == cues(*rules, pushes=pushes)


def test_the_case_of_a_device_token_does_not_matter() -> None:
    """APNs tokens match in either case, FCM's as they are."""
    rules = (Rule(token=TOKEN.upper(), answer="drop"), Rule(token=ANDROID_TOKEN, answer="hang"))
    pushes = [("apns", TOKEN), ("fcm", ANDROID_TOKEN), ("fcm", ANDROID_TOKEN.lower())]
    assert [Drop(), Hang(), Accept()] == cues(*rules, pushes=pushes)


def test_patterns_and_everything() -> None:
    """A pattern has * and ?; a rule with neither token nor pattern fits every push."""
    rules = (Rule(pattern="dead*", answer="drop"), Rule(answer="hang", service="fcm"))
    pushes = [("apns", "deadbeef"), ("apns", "beef"), ("fcm", "beef")]
    assert [Drop(), Accept(), Hang()] == cues(*rules, pushes=pushes)


def test_the_first_rule_that_is_not_used_up_acts() -> None:
    """After so many pushes, so often; then the next rule has its turn."""
    rules = (
        Rule(token="a", answer="drop", after=1, times=2),
        Rule(token="a", answer="hang", times=1),
    )
    pushes = [("apns", "a")] * 5
    assert [Hang(), Drop(), Drop(), Accept(), Accept()] == cues(*rules, pushes=pushes)


def test_counting_is_by_token_or_in_all() -> None:
    """A storm counts all pushes together; a flaky service fails each token once."""
    pushes = [("apns", "a"), ("apns", "b"), ("apns", "a"), ("apns", "b")]
    each = cues(Rule(answer="429", times=1), pushes=pushes)
    in_all = cues(Rule(answer="429", times=1, each_token=False), pushes=pushes)
    busy = Say(status=429)
    assert ([busy, busy, Accept(), Accept()], [busy, Accept(), Accept(), Accept()]) == (
        each,
        in_all,
    )


def test_counting_stays_within_its_memory() -> None:
    """Tokens beyond the limit are not remembered: the rule acts on each as on a first."""
    pushes = [("apns", "a"), ("apns", "b"), ("apns", "b"), ("apns", "a")]
    found = cues(Rule(answer="drop", times=1), pushes=pushes, max_tokens=1)
    assert [Drop(), Drop(), Drop(), Accept()] == found


def test_delays_add_up() -> None:
    """The script's delay and the rule's own are both waited for; the token endpoint has none."""
    script = Script(rules=(Rule(token="a", answer="accept", delay_s=2.0),), delay_s=1.0)
    prompter = Prompter(script, max_tokens=10)
    assert [3.0, 1.0, 0.0] == [
        prompter.cue(service, token).delay_s  # type: ignore[arg-type]
        for service, token in (("apns", "a"), ("apns", "b"), ("oauth", "b"))
    ]
