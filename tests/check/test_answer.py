"""What each refusal of the services says about a credential."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl import catalog
from pushctl.check.answer import (
    judge_apns,
    judge_fcm,
    judge_token_refusal,
    no_answer,
    unproved,
)
from pushctl.check.step import Step, Verdict
from pushctl.gateway import apns, fcm
from pushctl.outcome import Environment, Outcome
from pushctl.simulator import answers

ACCOUNT = "service account push@shop-1234"


def of_apns(status: int, reason: str | None, *, skew: float | None = None) -> Step:
    """Return what an answer of APNs says about a .p8 key."""
    body = b"" if reason is None else json.dumps({"reason": reason}).encode()
    outcome = apns.read_answer(status, (), body)
    return judge_apns("provider-token", outcome, topic="com.acme.shop", skew=skew)


def of_fcm(outcome: Outcome) -> Step:
    """Return what an answer of FCM says about a service account."""
    return judge_fcm(outcome, project_id="shop-1234", who=ACCOUNT)


def of_google(name: str) -> Step:
    """Return what the catalog's example of a reason says about a service account."""
    answer = answers.fcm(name)
    return of_fcm(fcm.read_answer(answer.status, answer.fields, answer.body))


def envelope(status: int, rpc: str, message: str = "", **detail: Any) -> Outcome:
    """Return how an error in Google's envelope is read."""
    error = {"code": status, "message": message, "status": rpc}
    if detail:
        error["details"] = [detail]
    return fcm.read_answer(status, (), json.dumps({"error": error}).encode())


# -- APNs -----------------------------------------------------------------------------------------


def test_a_refused_token_proves_the_key() -> None:
    """BadDeviceToken is the good answer: the provider token was looked at before."""
    step = of_apns(400, "BadDeviceToken")

    assert Verdict.PASS is step.verdict
    assert step.exit_code is None
    assert "APNs accepts the provider token: it answered BadDeviceToken" in step.sentence


def test_what_stays_unproved_is_said() -> None:
    """Topic and environment are named as not proved, with the way to prove them."""
    step = unproved("com.acme.shop", Environment.SANDBOX)

    assert Verdict.SKIPPED is step.verdict
    assert "com.acme.shop" in step.sentence
    assert "sandbox" in step.sentence
    assert "pushctl send" in step.advice[0]


def test_whoever_accepts_the_impossible_is_not_apple() -> None:
    """A 200 passes, and says that this gateway takes anything."""
    step = of_apns(200, None)

    assert Verdict.PASS is step.verdict
    assert "no gateway of Apple's" in step.sentence


REFUSALS = (
    "BadCertificate",
    "BadCertificateEnvironment",
    "ExpiredProviderToken",
    "Forbidden",
    "InvalidProviderToken",
    "MissingProviderToken",
    "UnrelatedKeyIdInToken",
    "BadEnvironmentKeyIdInToken",
    "BadEnvironmentKeyInToken",
)


@pytest.mark.parametrize("reason", REFUSALS)
def test_each_403_is_explained(reason: str) -> None:
    """Every reason of a 403 is a refusal, with Apple's meaning and what the catalog says to do."""
    step = of_apns(403, reason)
    row = catalog.lookup("apns", reason)

    assert row is not None
    assert (Verdict.FAIL, 4) == (step.verdict, step.exit_code)
    assert row.description.rstrip(".") in step.sentence
    assert {*row.what_to_do} < {*step.advice}
    assert f"pushctl explain {step.reason}" == step.advice[-1]


@pytest.mark.parametrize("reason", ["BadTopic", "MissingTopic", "TopicDisallowed"])
def test_a_400_about_the_topic_is_a_refusal(reason: str) -> None:
    """The topic is part of the credential: what APNs says against it is said with its name."""
    step = of_apns(400, reason)

    assert (Verdict.FAIL, 4, reason) == (step.verdict, step.exit_code, step.reason)
    assert "refuses the topic com.acme.shop" in step.sentence


@pytest.mark.parametrize(
    "row", [row for row in catalog.all_reasons() if row.service == "apns" and row.status]
)
def test_every_reason_of_apns_is_judged(row: catalog.Reason) -> None:
    """A pass is only what speaks of the device's token; whatever else does not pass."""
    for name in row.names:
        step = of_apns(row.status or 0, name)

        assert (row.category == "token") == (step.verdict is Verdict.PASS)
        if step.verdict is not Verdict.PASS:
            assert step.exit_code in (4, 5)
            assert row.description.rstrip(".") in step.sentence
            assert step.advice


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (429, "TooManyRequests"),
        (429, "TooManyProviderTokenUpdates"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
        (503, None),
        (502, None),
    ],
)
def test_overload_is_no_refusal(status: int, reason: str | None) -> None:
    """A service in trouble has judged nothing: exit 5, try again."""
    step = of_apns(status, reason)

    assert (Verdict.FAIL, 5) == (step.verdict, step.exit_code)
    assert "did not judge it now" in step.sentence


@pytest.mark.parametrize(
    ("status", "reason"), [(400, "BrandNewReason"), (400, None), (404, "BadPath"), (405, None)]
)
def test_what_does_not_tell_does_not_pass(status: int, reason: str | None) -> None:
    """An answer that nobody can read a judgement from is a failure that says so."""
    step = of_apns(status, reason)

    assert (Verdict.FAIL, 5) == (step.verdict, step.exit_code)
    assert "tells nothing about the credential" in step.sentence


def test_an_unknown_403_is_a_refusal() -> None:
    """The status alone says that the credential was refused, whatever the reason is called."""
    assert 4 == of_apns(403, "BrandNewReason").exit_code
    assert 4 == of_apns(403, None).exit_code


@pytest.mark.parametrize("reason", ["ExpiredProviderToken", "InvalidProviderToken"])
def test_a_wrong_clock_comes_first(reason: str) -> None:
    """Where the clock is wrong, it is the first thing to mend; where it is right, it is not."""
    assert "1 h" not in of_apns(403, reason).advice[0]
    assert "60 min behind" in of_apns(403, reason, skew=-3600.0).advice[0]
    assert "behind" not in of_apns(403, "Forbidden", skew=-3600.0).advice[0]


@given(st.integers(100, 599), st.binary(max_size=80))
def test_nothing_but_the_good_answers_pass_at_apns(status: int, body: bytes) -> None:
    """No rubbish of a proxy makes a credential good."""
    outcome = apns.read_answer(status, (), body)
    step = judge_apns("provider-token", outcome, topic=None, skew=None)

    if step.verdict is Verdict.PASS:
        assert 200 <= status < 300 or outcome.category == "token"


# -- FCM ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["INVALID_ARGUMENT/bad_token", "INVALID_ARGUMENT", "UNREGISTERED", "SENDER_ID_MISMATCH"]
)
def test_a_refused_registration_token_proves_the_account(name: str) -> None:
    """Whatever FCM says about the target, it has taken account and project before."""
    step = of_google(name)

    assert Verdict.PASS is step.verdict
    assert "FCM takes messages for shop-1234" in step.sentence


def test_a_validated_message_proves_the_account() -> None:
    """A 200 to validate_only is good as well, and nothing was sent."""
    outcome = fcm.read_answer(200, (), b'{"name": "projects/shop-1234/messages/fake_message_id"}')

    assert Verdict.PASS is of_fcm(outcome).verdict
    assert "not sent" in of_fcm(outcome).sentence


@pytest.mark.parametrize(
    ("name", "lead"),
    [
        ("SERVICE_DISABLED", "missing API: Firebase Cloud Messaging is not switched on"),
        ("IAM_PERMISSION_DENIED", f"missing permission: {ACCOUNT} may not send for shop-1234"),
        ("PERMISSION_DENIED", "missing permission"),
        ("USER_PROJECT_DENIED", "missing permission"),
        ("CONSUMER_INVALID", "wrong project: Google knows no project shop-1234"),
        ("NOT_FOUND", "wrong project: Google knows no project shop-1234"),
        ("ACCESS_TOKEN_SCOPE_INSUFFICIENT", f"FCM refuses the credentials of {ACCOUNT}"),
        ("ACCESS_TOKEN_EXPIRED", f"FCM refuses the credentials of {ACCOUNT}"),
        ("ACCOUNT_STATE_INVALID", f"FCM refuses the credentials of {ACCOUNT}"),
        ("CONSUMER_SUSPENDED", f"FCM refuses the credentials of {ACCOUNT}"),
        ("BILLING_DISABLED", f"FCM refuses the credentials of {ACCOUNT}"),
    ],
)
def test_what_is_missing_is_told_apart(name: str, lead: str) -> None:
    """Missing API, missing permission and wrong project are three things to three people."""
    step = of_google(name)

    assert (Verdict.FAIL, 4) == (step.verdict, step.exit_code)
    assert step.sentence.startswith(lead)
    assert f"pushctl explain {step.reason}" == step.advice[-1]
    assert len(step.advice) > 1


def test_a_broken_apns_key_in_firebase_is_another_matter() -> None:
    """Google's credentials are good then; what is broken is what Firebase shows to Apple."""
    step = of_google("THIRD_PARTY_AUTH_ERROR")

    assert Verdict.WARN is step.verdict
    assert "Firebase cannot reach Apple" in step.sentence


@pytest.mark.parametrize(
    "name", ["QUOTA_EXCEEDED", "UNAVAILABLE", "INTERNAL", "RATE_LIMIT_EXCEEDED"]
)
def test_overload_of_google_is_no_refusal(name: str) -> None:
    """A service in trouble has judged nothing: exit 5."""
    assert (Verdict.FAIL, 5) == (of_google(name).verdict, of_google(name).exit_code)


@pytest.mark.parametrize(
    "outcome",
    [
        envelope(400, "INVALID_ARGUMENT", "Invalid JSON payload received. Unexpected token."),
        fcm.read_answer(400, (), b"<html>Bad Request</html>"),
        fcm.read_answer(302, (), b""),
        fcm.read_answer(404, (), b"<html>Not Found</html>"),
    ],
    ids=["the JSON", "a page", "a redirect", "a 404 page"],
)
def test_what_comes_from_in_front_of_fcm_does_not_pass(outcome: Outcome) -> None:
    """An answer that FCM need not have given proves nothing."""
    assert (Verdict.FAIL, 5) == (of_fcm(outcome).verdict, of_fcm(outcome).exit_code)


@pytest.mark.parametrize(
    "row",
    [
        row
        for row in catalog.all_reasons()
        if row.service in ("fcm", "google") and row.status and row.example
    ],
    ids=lambda row: f"{row.name} {row.case or ''}",
)
def test_every_reason_of_google_is_judged(row: catalog.Reason) -> None:
    """Each documented body ends in a step with words; a 401 or 403 never passes for nothing."""
    outcome = fcm.read_answer(row.status or 0, (), (row.example or "").encode())
    step = of_fcm(outcome)

    assert step.sentence
    if step.verdict is Verdict.PASS:
        assert outcome.reason in ("INVALID_ARGUMENT", "UNREGISTERED", "SENDER_ID_MISMATCH")
    elif step.verdict is Verdict.FAIL:
        assert step.exit_code in (4, 5)
        assert (outcome.status in (401, 403)) <= (step.exit_code == 4)


# -- the token endpoint ---------------------------------------------------------------------------


def refusal(status: int, body: bytes, *, skew: float | None = None) -> Step:
    """Return the step of an exchange that was refused."""
    message = f"Google's token endpoint refused {ACCOUNT}: x"
    return judge_token_refusal(message, status, body, hint=None, skew=skew)


@pytest.mark.parametrize(
    "row",
    [row for row in catalog.all_reasons() if row.service == "oauth" and row.name != "server_side"],
    ids=lambda row: row.name,
)
def test_each_refusal_of_the_exchange_is_explained(row: catalog.Reason) -> None:
    """Every case of the token endpoint has its meaning, and what to do."""
    step = refusal(row.status or 400, (row.example or "").encode())

    assert (Verdict.FAIL, 4, "access-token") == (step.verdict, step.exit_code, step.name)
    assert row.name == step.reason
    assert row.description in step.sentence
    assert {*row.what_to_do} < {*step.advice}


def test_the_clock_is_named_where_google_names_it() -> None:
    """The assertion's times are what Google complains of: a clock that is off explains them."""
    body = answers.oauth("clock_or_lifetime").body

    assert "2 h ahead" in refusal(400, body, skew=7200.0).advice[0]
    assert "ahead" not in refusal(400, body, skew=0.0).advice[0]
    assert "ahead" not in refusal(400, answers.oauth("bad_signature").body, skew=7200.0).advice[0]


def test_a_refused_impersonation_is_explained() -> None:
    """The API that impersonates answers in Google's envelope, which is read as such."""
    error = {"code": 403, "message": "denied", "status": "PERMISSION_DENIED"}
    step = refusal(403, json.dumps({"error": error}).encode())

    assert ("PERMISSION_DENIED", 4) == (step.reason, step.exit_code)
    assert "pushctl explain PERMISSION_DENIED" == step.advice[-1]


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"error": 7}', b'{"error": "new_one"}'])
def test_an_unknown_refusal_is_still_a_refusal(body: bytes) -> None:
    """A 4xx of the token endpoint refuses, whatever its body."""
    assert (Verdict.FAIL, 4) == (refusal(400, body).verdict, refusal(400, body).exit_code)


def test_no_answer_is_no_judgement() -> None:
    """A request that got no answer ends in exit 5, with the reason."""
    step = no_answer("provider-token", "the stream was reset")

    assert (Verdict.FAIL, 5) == (step.verdict, step.exit_code)
    assert "the stream was reset" in step.sentence
