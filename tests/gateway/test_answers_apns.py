"""What APNs can answer beyond its samples."""

import json

import pytest

from pushctl.gateway import apns
from pushctl.outcome import Category, Kind, Outcome, Retryable, TokenAction

APNS_ID = "EABEAE54-14A8-11E5-B60B-1697F925EC7B"


def read(status: int, body: object, *headers: tuple[str, str]) -> Outcome:
    """Read an answer with a JSON body."""
    return apns.read_answer(status, headers, json.dumps(body).encode())


def test_an_acceptance_keeps_the_ids() -> None:
    """A 200 gives the apns-id and, in the sandbox, the key to the delivery log."""
    headers = [("apns-id", APNS_ID), ("apns-unique-id", "3a1f0b9e")]

    assert Outcome(
        kind=Kind.ACCEPTED, status=200, id=APNS_ID, unique_id="3a1f0b9e"
    ) == apns.read_answer(200, headers, b"")


def test_an_acceptance_needs_nothing_but_its_status() -> None:
    """A 200 without ids, or with a body that nobody expects, is still an acceptance."""
    assert Outcome(kind=Kind.ACCEPTED, status=200) == apns.read_answer(200, (), b"<html>")


def test_a_rejection_keeps_the_ids_too() -> None:
    """Apple asks for the apns-id when a refused push is to be traced; the first one counts."""
    headers = [
        ("date", "Fri, 20 Nov 2026 10:00:00 GMT"),
        ("apns-id", APNS_ID),
        ("apns-unique-id", "3a1f0b9e"),
        ("apns-id", "another"),
        ("apns-unique-id", "another"),
    ]
    outcome = apns.read_answer(400, headers, b'{"reason": "BadTopic"}')

    assert (APNS_ID, "3a1f0b9e") == (outcome.id, outcome.unique_id)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(199, "rejected"), (200, "accepted"), (299, "accepted"), (300, "rejected"), (301, "rejected")],
)
def test_only_a_2xx_is_an_acceptance(status: int, kind: str) -> None:
    """Whatever a proxy makes of the answer, nothing but success counts as accepted."""
    assert kind == apns.read_answer(status, (), b"").kind


def test_the_answers_own_spelling_is_told() -> None:
    """A known alias is counted under the documented name; the detail keeps what was said."""
    outcome = read(403, {"reason": "BadEnvironmentKeyInToken"})

    assert "BadEnvironmentKeyIdInToken" == outcome.reason
    assert "the answer spells it BadEnvironmentKeyInToken" == outcome.detail


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (1794909600000, "2026-11-17T10:00:00.000Z"),
        (1794909600123, "2026-11-17T10:00:00.123Z"),
        (1794909600000.0, "2026-11-17T10:00:00.000Z"),
        (1_230_768_000_000, "2009-01-01T00:00:00.000Z"),
        (1_230_767_999_999, None),
        (1794909600, None),
        (-1, None),
        (0, None),
        (10**30, None),
        (4_102_444_800_000, None),
        (1e300, None),
        (float("nan"), None),
        (1794909600000.5, None),
        (True, None),
        ("1794909600000", None),
        (None, None),
        ([], None),
    ],
)
def test_the_time_of_death_is_given_where_it_is_likely(
    timestamp: object, expected: str | None
) -> None:
    """Milliseconds become RFC 3339 in UTC; seconds, texts and absurd numbers become nothing."""
    outcome = read(410, {"reason": "Unregistered", "timestamp": timestamp})

    assert expected == outcome.dead_since
    assert TokenAction.REMOVE is outcome.token_action


# Survives `gateway/apns.py`: `for number in range(60)`: one more is never asked for.
# Survives `gateway/apns.py`: `if type(timestamp_ms) is not int`: spares the common case a call.
# Survives `gateway/apns.py`: `None if given is None else`: no row has None for a name; this is for
# the type checker.
def test_only_a_410_has_a_time_of_death() -> None:
    """A timestamp in another answer says nothing about the token."""
    assert read(400, {"reason": "BadTopic", "timestamp": 1794909600000}).dead_since is None


@pytest.mark.parametrize(
    ("registered_at", "expected"),
    [
        ("2026-11-18T00:00:00Z", TokenAction.KEEP),
        ("2026-11-17T12:00:01+02:00", TokenAction.KEEP),
        ("2026-11-17T12:00:00+02:00", TokenAction.REMOVE),
        ("2026-11-16", TokenAction.REMOVE),
        ("2026-11-18", TokenAction.KEEP),
        (None, TokenAction.REMOVE),
        ("", TokenAction.REMOVE),
        ("last week", TokenAction.SUSPECT),
    ],
)
def test_a_token_registered_again_is_kept(registered_at: str | None, expected: TokenAction) -> None:
    """The token stays if the app reported it after its death; on a doubt it is only suspect."""
    outcome = read(410, {"reason": "Unregistered", "timestamp": 1794909600000})

    assert expected is apns.keep_if_registered_since(outcome, registered_at).token_action


def test_without_a_time_of_death_the_registration_decides_nothing() -> None:
    """A 410 without timestamp stays a removal, and what is no removal stays what it is."""
    dead = read(410, {"reason": "Unregistered"})
    alive = read(400, {"reason": "BadTopic"})

    assert dead == apns.keep_if_registered_since(dead, "2099-01-01T00:00:00Z")
    assert alive == apns.keep_if_registered_since(alive, "2099-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("status", "reason", "category", "action"),
    [
        (400, "Unregistered", Category.REQUEST, TokenAction.KEEP),
        (410, "BadDeviceToken", Category.TOKEN, TokenAction.REMOVE),
        (410, "BadProviderToken", Category.TOKEN, TokenAction.REMOVE),
        (503, "BadDeviceToken", Category.SERVER, TokenAction.KEEP),
    ],
)
def test_a_reason_under_a_foreign_status_is_classified_by_the_status(
    status: int, reason: str, category: Category, action: TokenAction
) -> None:
    """The token is removed on 410, whatever the reason, and on nothing else."""
    outcome = read(status, {"reason": reason})

    assert (reason, category, action) == (outcome.reason, outcome.category, outcome.token_action)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", None),
        (b"<html>\n <h1>Bad\tgateway</h1>", "<html> <h1>Bad gateway</h1>"),
        (b"\xff\xfe\x00", "??"),
        (b"[" * 100_000, "[" * 299 + "…"),
        (b'["reason"]', '["reason"]'),
        (b'{"reason": 5}', '{"reason": 5}'),
        (b'{"reason": "\\u001b[31m"}', None),
        (b'{"reason": ""}', '{"reason": ""}'),
        (b'{"reason": "x"' + b" " * 70_000 + b"}", '{"reason": "x"'),
        (b'{"reason": ' + b"9" * 5_000 + b"}", '{"reason": ' + "9" * 288 + "…"),
    ],
)
def test_a_body_of_any_kind_is_survived(body: bytes, detail: str | None) -> None:
    """A body that is no answer leaves the status to decide, and is shown harmlessly."""
    outcome = apns.read_answer(502, (), body)

    assert Category.SERVER is outcome.category
    assert detail == outcome.detail


def test_a_reason_cannot_drive_the_terminal() -> None:
    """Control characters leave a mark, lest it become another reason; a long one is cut."""
    assert "\ufffd[31mBadTopic\ufffd" == read(400, {"reason": "\x1b[31mBadTopic\r"}).reason
    assert "Bad\ufffdTopic" == read(400, {"reason": "Bad\u200bTopic"}).reason
    assert 128 == len(read(400, {"reason": "x" * 500}).reason or "")


@pytest.mark.parametrize(
    ("debug", "reason"),
    [
        (b'{"reason":"Shutdown"}', "Shutdown"),
        (b"Maximum active streams violated for this endpoint", None),
        (b"", None),
        (b'{"reason":7}', None),
        (b"[1]", None),
    ],
)
def test_a_goaway_may_carry_a_reason(debug: bytes, reason: str | None) -> None:
    """The debug data is read as an answer's body is; anything but JSON gives no reason."""
    assert reason == apns.goaway_reason(debug)


def test_the_wait_that_apns_asks_for_is_kept() -> None:
    """Apple documents no Retry-After, but one that comes is honoured."""
    outcome = read(429, {"reason": "TooManyRequests"}, ("retry-after", "30"))

    assert 30 == outcome.retry_after_s
    assert Retryable.WITH_BACKOFF is outcome.retryable
