"""The diagnosis: each rule speaks where its pattern is plain, and is silent on a near miss."""

import dataclasses
import datetime

import pytest

from pushctl.report.diagnosis import FINDINGS_MAX, Evidence, Lane, Trait, diagnose
from pushctl.report.meaning import meaning_of
from pushctl.report.values import Finding, ReasonKey, Tally

TEN = datetime.datetime(2026, 11, 20, 10, tzinfo=datetime.UTC)
IOS = Lane("apns", "shop-ios", "production", "com.acme")
ANDROID = Lane("fcm", "shop-android", None, None)
NO_LANE = Lane(None, None, None, None)

Reason = tuple[int | None, str]
REFUSED: Reason = (403, "InvalidProviderToken")
BAD_TOKEN: Reason = (400, "BadDeviceToken")
OTHER_TOPIC: Reason = (400, "DeviceTokenNotForTopic")
OTHER_SENDER: Reason = (403, "SENDER_ID_MISMATCH")
TOO_LARGE: Reason = (413, "PayloadTooLarge")
TOO_FAST: Reason = (429, "TooManyRequests")
FAILED: Reason = (500, "InternalServerError")
NO_TOKEN: Reason = (None, "MissingToken")
DEAD: Reason = (410, "Unregistered")
NEW: Reason = (400, "BrandNewReason")


def trait(
    reason: Reason, bounces: int, of: int, *, lane: Lane = IOS, before: int = 0, after: int = 0
) -> Trait:
    """Return *bounces* for *reason* among *of* pushes answered from 10:00 to 10:30."""
    return Trait(
        meaning=meaning_of(ReasonKey(lane.service, *reason, None)),
        lane=lane,
        bounces=bounces,
        first_seen=TEN,
        last_seen=TEN + datetime.timedelta(minutes=30),
        answered_before=before,
        answered_meanwhile=of,
        answered_after=after,
    )


def evidence(*traits: Trait, answered: int = 1000) -> Evidence:
    """Return *traits* among *answered* pushes, and nothing else that a rule could judge by."""
    rejected = min(sum(each.bounces for each in traits), answered)
    return Evidence(
        tally=Tally(accepted=answered - rejected, rejected=rejected),
        bounces=rejected,
        traits=traits,
        lanes={},
        dead_days=(),
    )


def told(given: Evidence) -> Finding:
    """Return the one finding on *given*."""
    (finding,) = diagnose(given)
    return finding


def test_one_refusal_of_a_credential_is_told() -> None:
    """A single refused push is a fact; the credential, when it was and its check are named."""
    finding = told(evidence(trait(REFUSED, 1, 1000)))
    assert "credential-refused" == finding.kind
    assert finding.sentence.startswith("credential 'shop-ios' was refused once with 403 Invalid")
    assert "from 2026-11-20 10:00 to 10:30 UTC" in finding.sentence
    assert "pushctl check shop-ios" == finding.command


def test_a_token_of_another_sender_is_no_refused_credential() -> None:
    """403 SENDER_ID_MISMATCH is about one token, so one of it says nothing of the credential."""
    assert () == diagnose(evidence(trait(OTHER_SENDER, 1, 1000, lane=ANDROID)))


@pytest.mark.parametrize(
    ("bounces", "guess"),
    [(250, "most likely of the sandbox"), (249, "seem to be mixed"), (25, "seem to be mixed")],
)
def test_tokens_of_the_other_environment(bounces: int, guess: str) -> None:
    """From half on the list is of the other environment, from a twentieth on it is mixed."""
    finding = told(evidence(trait(BAD_TOKEN, bounces, 500)))
    assert "wrong-environment" == finding.kind
    assert guess in finding.sentence
    assert "pushctl bounces tokens --suspect" == finding.command


@pytest.mark.parametrize(("bounces", "of"), [(19, 19), (24, 500)])
def test_a_few_bad_tokens_are_no_other_environment(bounces: int, of: int) -> None:
    """Below 20 pushes, or below a twentieth, nothing is said of the environment."""
    assert () == diagnose(evidence(trait(BAD_TOKEN, bounces, of)))


@pytest.mark.parametrize(
    ("reason", "lane", "owner"),
    [
        (OTHER_TOPIC, IOS, "another app than the topic"),
        (OTHER_SENDER, ANDROID, "another Firebase project"),
    ],
)
def test_tokens_of_another_app(reason: Reason, lane: Lane, owner: str) -> None:
    """Tokens of another app or project are told with whose they are."""
    finding = told(evidence(trait(reason, 25, 500, lane=lane)))
    assert "wrong-app" == finding.kind
    assert finding.sentence.startswith("25 of 500 pushes (5.0%)")
    assert finding.sentence.endswith(f"these tokens belong to {owner}")


@pytest.mark.parametrize(("bounces", "of"), [(19, 19), (24, 500)])
@pytest.mark.parametrize(("reason", "lane"), [(OTHER_TOPIC, IOS), (OTHER_SENDER, ANDROID)])
def test_a_few_strays_are_no_other_app(reason: Reason, lane: Lane, bounces: int, of: int) -> None:
    """Below 20 pushes, or below a twentieth, nothing is said of the app."""
    assert () == diagnose(evidence(trait(reason, bounces, of, lane=lane)))


@pytest.mark.parametrize(
    ("bounces", "of", "part"),
    [(1, 1, "the only push"), (5, 10, "5 of 10 pushes"), (20, 1000, "20 of 1,000 pushes")],
)
def test_a_message_at_fault(bounces: int, of: int, part: str) -> None:
    """A message that half of the pushes bounced for, or 20 of them, is at fault."""
    finding = told(evidence(trait(TOO_LARGE, bounces, of)))
    assert "bad-message" == finding.kind
    assert finding.sentence.startswith(part)
    assert "pushctl explain PayloadTooLarge" == finding.command


def test_a_few_messages_are_not_told() -> None:
    """19 of 39 are neither 20 nor half."""
    assert () == diagnose(evidence(trait(TOO_LARGE, 19, 39)))


def test_an_unknown_reason_is_not_blamed_on_the_message() -> None:
    """A 400 for a reason that no table has may be about the token, so nothing is guessed."""
    assert () == diagnose(evidence(trait(NEW, 500, 1000)))


@pytest.mark.parametrize(
    ("reason", "lane", "kind"),
    [
        (TOO_FAST, IOS, "throttled"),
        (FAILED, IOS, "service-failed"),
        (NO_TOKEN, NO_LANE, "bad-list"),
    ],
)
class TestWholeCategories:
    """Throttling, failures of the service and lists without tokens are judged as a whole."""

    def test_many(self, reason: Reason, lane: Lane, kind: str) -> None:
        """20 pushes that are a hundredth of the answers are told."""
        finding = told(evidence(trait(reason, 20, 2000, lane=lane), answered=2000))
        assert kind == finding.kind
        assert finding.sentence.startswith("20 pushes (1.0% of those answered)")
        assert reason[1] in finding.sentence

    @pytest.mark.parametrize(("bounces", "answered"), [(19, 19), (20, 2001)])
    def test_few(self, reason: Reason, lane: Lane, kind: str, bounces: int, answered: int) -> None:
        """Below 20 pushes, or below a hundredth, nothing is said."""
        given = evidence(trait(reason, bounces, answered, lane=lane), answered=answered)
        assert [] == [kind for _ in diagnose(given)]

    def test_uncounted(self, reason: Reason, lane: Lane, kind: str) -> None:
        """Where the logs do not count what was answered, no share is made up."""
        finding = told(evidence(trait(reason, 20, 0, lane=lane), answered=0))
        assert kind == finding.kind
        assert "%" not in finding.sentence


@pytest.mark.parametrize(("after", "over"), [(20, True), (19, False)])
def test_since_one_moment(after: int, over: bool) -> None:
    """Nearly all for one reason where there was none before is told, and whether it is over."""
    finding = told(evidence(trait(NEW, 80, 100, before=20, after=after)))
    assert "since-one-moment" == finding.kind
    assert "80 of 100 pushes (80.0%)" in finding.sentence
    assert "(none of the 20 before)" in finding.sentence
    assert over == finding.sentence.endswith("it is over since")


@pytest.mark.parametrize(
    ("bounces", "of", "before"), [(80, 100, 19), (79, 100, 20), (19, 19, 20), (80, 79, 20)]
)
def test_no_one_moment(bounces: int, of: int, before: int) -> None:
    """Little before, a share below four fifths, few pushes or partial counts: nothing is said."""
    assert () == diagnose(evidence(trait(NEW, bounces, of, before=before)))


def test_dead_tokens_pile_up() -> None:
    """A fiftieth of dead tokens is told, with the command that lists them."""
    finding = told(evidence(trait(DEAD, 20, 1000)))
    assert "dead-tokens" == finding.kind
    assert finding.sentence.startswith("20 pushes (2.0% of those answered) went to tokens")
    assert "pushctl bounces tokens" == finding.command


@pytest.mark.parametrize(("bounces", "answered"), [(19, 19), (39, 2000)])
def test_some_tokens_are_always_dead(bounces: int, answered: int) -> None:
    """Below 20, or below a fiftieth, dead tokens are what every list has."""
    assert () == diagnose(evidence(trait(DEAD, bounces, answered), answered=answered))


@pytest.mark.parametrize(
    ("earlier", "later", "rises"), [(5, 16, True), (5, 10, False), (11, 16, False)]
)
def test_a_rise_of_dead_tokens(earlier: int, later: int, rises: bool) -> None:
    """Below a fiftieth, half as many again and more than a hundredth are told all the same."""
    day = TEN.date()
    given = dataclasses.replace(
        evidence(trait(DEAD, 21, 2000), answered=2000),
        dead_days=((day, 1000, earlier), (day + datetime.timedelta(1), 1000, later)),
    )
    findings = diagnose(given)
    assert rises == bool(findings)
    if rises:
        assert "it rose from 0.5% to 1.6%" in findings[0].sentence


def with_lanes(given: Evidence, other: Lane, answered: int) -> Evidence:
    """Return *given* with 1,000 answers in the lane :data:`IOS`, and *answered* in *other*."""
    lanes = {IOS: Tally(accepted=1000), other: Tally(accepted=answered)}
    return dataclasses.replace(given, lanes=lanes)


OTHER_IOS = IOS._replace(credential="club-ios")


def test_one_credential_of_several() -> None:
    """A reason that the other credentials of the service do not meet is told."""
    finding = told(with_lanes(evidence(trait(NEW, 20, 1000)), OTHER_IOS, 50))
    assert "one-credential" == finding.kind
    assert "all 20 bounces" in finding.sentence
    assert "credential 'shop-ios'; the 50 pushes answered with 'club-ios'" in finding.sentence
    assert finding.command is not None
    assert finding.command.endswith("--by credential --reason BrandNewReason")


@pytest.mark.parametrize(
    ("other", "answered", "bounces"),
    [(OTHER_IOS, 49, 20), (OTHER_IOS, 50, 19), (ANDROID, 1000, 20)],
)
def test_no_other_credential_to_compare(other: Lane, answered: int, bounces: int) -> None:
    """Few answers with the other credential, few bounces or another service: nothing is said."""
    assert () == diagnose(with_lanes(evidence(trait(NEW, bounces, 1000)), other, answered))


def test_a_reason_of_two_credentials() -> None:
    """One bounce of the other credential is enough to say nothing."""
    given = evidence(trait(NEW, 20, 1000), trait(NEW, 1, 1000, lane=OTHER_IOS))
    assert () == diagnose(with_lanes(given, OTHER_IOS, 1000))


def test_what_one_rule_told_no_other_tells() -> None:
    """All of a list wrong since one moment, with one credential, is one finding."""
    given = with_lanes(evidence(trait(BAD_TOKEN, 500, 500, before=500)), OTHER_IOS, 1000)
    assert "wrong-environment" == told(given).kind


def test_what_matters_most_comes_first() -> None:
    """The order is that of what to do first, whatever there is most of; the list is short."""
    lanes = [IOS._replace(credential=f"shop-{number}") for number in range(9)]
    refused = [trait(REFUSED, 1, 1000, lane=lane) for lane in lanes]
    more = [
        trait(*each) for each in ((DEAD, 400, 1000), (TOO_FAST, 300, 1000), (BAD_TOKEN, 200, 1000))
    ]
    assert ["credential-refused", "wrong-environment", "throttled", "dead-tokens"] == [
        finding.kind for finding in diagnose(evidence(*more, refused[0]))
    ]
    assert FINDINGS_MAX == len(diagnose(evidence(*more, *refused)))
