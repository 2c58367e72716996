"""Telling what somebody pasted."""

import json
from typing import Any

import pytest

from pushctl.catalog.finding import Finding
from pushctl.gateway.recognise import RECORDS_MAX, recognise
from pushctl.outcome import Kind, TokenAction

DISABLED = json.dumps(
    {
        "error": {
            "code": 400,
            "message": "APNs device token is disabled.",
            "status": "INVALID_ARGUMENT",
            "details": [
                {
                    "@type": "type.googleapis.com/google.firebase.fcm.v1.ApnsError",
                    "statusCode": 410,
                    "reason": "Unregistered",
                },
                {
                    "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
                    "errorCode": "INVALID_ARGUMENT",
                },
            ],
        }
    }
)
BARE = json.dumps(
    {
        "error": {
            "code": 400,
            "message": "Request contains an invalid argument.",
            "status": "INVALID_ARGUMENT",
        }
    }
)
BAD_SIGNATURE = '{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}'
NO_ACCESS_TOKEN = "unknown_scope_gives_id_token"
BAD_TTL = {"service": "fcm", "reason": "INVALID_ARGUMENT", "case": "bad_ttl", "status": 400}
RECORD: dict[str, Any] = {
    "schema": 1,
    "event": "Bounced push",
    "outcome": "rejected",
    "service": "apns",
    "status": 410,
    "reason": "Unregistered",
    "case": None,
    "token_action": "keep",
    "detail": None,
    "dead_since": "2026-11-17T10:00:00.000Z",
}


def one(text: str) -> Finding:
    """Return the only finding of *text*."""
    (found,) = recognise(text)
    return found


def rows(found: Finding) -> list[tuple[str, str, str | None]]:
    """Return what a finding is explained by."""
    return [(row.service, row.name, row.case) for row in found.rows]


@pytest.mark.parametrize(
    ("text", "service", "status", "reason", "first"),
    [
        ('{"reason":"BadDeviceToken"}', "apns", 400, "BadDeviceToken", "BadDeviceToken"),
        ('\ufeff {"reason":"BadTopic"}\n', "apns", 400, "BadTopic", "BadTopic"),
        (
            '{"reason":"BadEnvironmentKeyInToken"}',
            "apns",
            403,
            "BadEnvironmentKeyIdInToken",
            "BadEnvironmentKeyIdInToken",
        ),
        ('{"reason":"New","timestamp":1794909600000}', "apns", 410, "New", "HTTP 410"),
        (BAD_SIGNATURE, "oauth", None, "bad_signature", "bad_signature"),
        ('{"id_token":"eyJ"}', "oauth", None, NO_ACCESS_TOKEN, NO_ACCESS_TOKEN),
        (DISABLED, "fcm", 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        ('{"error":{"status":"NOT_FOUND","code":404}}', "fcm", 404, "NOT_FOUND", "NOT_FOUND"),
        ('{"error":{"status":"NEW"}}', "fcm", 400, "NEW", "HTTP 400"),
        ("<title>Error 502 (Server Error)!!1</title>", "fcm", 502, None, "(html 502)"),
        ("unregistered", None, None, "unregistered", "Unregistered"),
    ],
)
def test_a_body_alone_is_told_by_its_form(
    text: str, service: str | None, status: int | None, reason: str | None, first: str
) -> None:
    """The keys of a body say whose it is; the status comes from it or from the tables."""
    found = one(text)

    assert (service, status, reason) == (found.service, found.status, found.reason)
    assert first == found.rows[0].name


def test_a_reason_of_channels_only_is_found_in_its_own_table() -> None:
    """A reason that the device API does not have is explained from the broadcast table."""
    assert [("apns-broadcast", "ChannelNotRegistered", None)] == rows(
        one('{"reason":"ChannelNotRegistered"}')
    )
    dump = 'HTTP/2 400\napns-request-id: 1\n\n{"reason":"BadMessageId"}'
    assert [("apns-broadcast", "BadMessageId", None)] == rows(one(dump))


def test_an_unknown_apns_reason_is_named_without_rows() -> None:
    """A reason that no table has is given back, so that the nearest can be offered."""
    found = one('{"reason":"BadDevceToken"}')

    assert ("BadDevceToken", ()) == (found.reason, found.rows)


def test_an_invalid_argument_brings_its_evidence_and_apns_row() -> None:
    """The meaning, what tells it, the token's fate and what APNs said are all given."""
    found = one(DISABLED)

    assert [
        ("fcm", "INVALID_ARGUMENT", "apns_token_disabled"),
        ("apns", "Unregistered", None),
    ] == rows(found)
    assert ("apns_token_disabled", "ApnsError 410 Unregistered", TokenAction.REMOVE) == (
        found.case,
        found.evidence,
        found.token_action,
    )


def test_a_bare_invalid_argument_brings_its_candidates() -> None:
    """Where the body does not decide, the meanings it may have are listed."""
    found = one(BARE)

    assert "undecided" == found.case
    assert ["bad_condition", "too_large", "bad_token"] == [row.case for row in found.candidates]
    assert [("fcm", "INVALID_ARGUMENT", None)] == rows(found)


@pytest.mark.parametrize(
    "text",
    [
        'HTTP/2 410 \r\napns-id: EABE\r\n\r\n{"reason":"Unregistered","timestamp":1794909600000}',
        ':status: 410\napns-id: EABE\n\n{\n "reason": "Unregistered", "timestamp": 1794909600000}',
        ">>> request\n:method: POST\n\n{}\n\n<<< response\n:status: 410\napns-id: EABE\n\n"
        '{"reason": "Unregistered", "timestamp": 1794909600000}',
        "* Connected\n> POST /3/device/00 HTTP/2\n> \n< HTTP/2 410 \n< apns-id: EABE\n< \n"
        '{ [35 bytes data]\n{"reason":"Unregistered","timestamp":1794909600000}\n* Closing',
        'HTTP/1.1 100 Continue\n\nHTTP/1.1 410 Gone\n\n{"reason":"Unregistered",'
        '"timestamp":1794909600000}',
    ],
)
def test_a_whole_response_is_taken_apart(text: str) -> None:
    """Status line, fields and body are found as curl prints them and as the wire spells them."""
    found = one(text)

    assert (410, "Unregistered", "2026-11-17T10:00:00.000Z") == (
        found.status,
        found.reason,
        found.dead_since,
    )


@pytest.mark.parametrize(
    ("text", "service", "names"),
    [
        ("HTTP/2 503\napns-id: 1\n", "apns", ["HTTP 503"]),
        ("HTTP/2 502\n\n<title>Error 502 (Server Error)!!1</title>", "fcm", ["(html 502)"]),
        ("HTTP/2 418\n\nteapot", None, ["HTTP 418", "HTTP 418"]),
        ('HTTP/2 400\n\n{"other": 1}', None, ["HTTP 400", "HTTP 400"]),
        ('HTTP/2 401\n\n{"error":"new_error"}', "oauth", ["HTTP 401"]),
    ],
)
def test_a_response_that_says_nothing_is_told_by_its_status(
    text: str, service: str | None, names: list[str]
) -> None:
    """Without a readable body the status is explained, for both services if it may be either."""
    found = one(text)

    assert service == found.service
    assert names == [row.name for row in found.rows]


def test_a_status_of_the_token_endpoint_is_explained_as_the_token_endpoints() -> None:
    """A 401 there is about the credentials, not about a push."""
    (row,) = one('HTTP/2 401\n\n{"error":"new_error"}').rows

    assert ("oauth", 401) == (row.service, row.status)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("HTTP/2 200\napns-id: EABE", "apns"),
        ('{"name": "projects/p/messages/1"}', "fcm"),
        ('{"access_token": "ya29.secret", "expires_in": 3599}', "oauth"),
    ],
)
def test_an_acceptance_is_recognised(text: str, service: str) -> None:
    """What was accepted has no reason, and a token in the answer is not repeated."""
    found = one(text)

    assert (service, Kind.ACCEPTED, ()) == (found.service, found.kind, found.rows)
    assert "ya29" not in repr(found)


def test_a_bounce_log_line_is_explained() -> None:
    """A record leads to its row and keeps what the run knew about the token."""
    found = one(json.dumps(RECORD))

    assert [("apns", "Unregistered", None)] == rows(found)
    assert (TokenAction.KEEP, "2026-11-17T10:00:00.000Z", 410) == (
        found.token_action,
        found.dead_since,
        found.status,
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (BAD_TTL, ("fcm", "INVALID_ARGUMENT", "bad_ttl")),
        ({"reason": "NoConsent", "status": None}, ("pushctl", "NoConsent", None)),
        ({"reason": None, "status": 503}, ("apns", "HTTP 503", None)),
        ({"service": None, "status": None, "reason": "Shutdown"}, ("apns", "Shutdown", None)),
        ({"detail": 7, "outcome": "new", "token_action": "new"}, ("apns", "Unregistered", None)),
    ],
)
def test_a_record_of_any_kind_leads_to_a_row(
    change: dict[str, Any], expected: tuple[str, str, str | None]
) -> None:
    """Cases, our own reasons and bare statuses in a record are all explained."""
    assert [expected] == rows(one(json.dumps({**RECORD, **change})))


def test_different_records_are_explained_once_each() -> None:
    """Of many lines each different outcome is explained once; other lines are passed over."""
    lines = [
        RECORD,
        {"schema": 1, "event": "Push counts", "accepted": 5},
        {**RECORD, "row": 2},
        {**RECORD, "reason": "BadTopic", "status": 400},
        {**RECORD, "outcome": "accepted", "reason": None, "status": 200},
    ]
    text = "\n".join([*(json.dumps(line) for line in lines), "not json", "[1]"])

    assert ["Unregistered", "BadTopic", None] == [found.reason for found in recognise(text)]


def test_a_record_over_several_lines_is_read() -> None:
    """A record that was pretty-printed is still one record."""
    assert "Unregistered" == one(json.dumps(RECORD, indent=2)).reason


def test_the_number_of_records_is_bounded() -> None:
    """A whole log cannot make a book: only so many different outcomes are told apart."""
    lines = [json.dumps({**RECORD, "reason": f"New{number}"}) for number in range(200)]

    assert 50 == RECORDS_MAX == len(recognise("\n".join(lines)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "{}",
        '{"hello": 1}',
        "7",
        "a\nb",
        "x" * 500,
        "[" * 50_000,
        '{"schema": 1, "event": "Run finished"}',
    ],
)
def test_what_is_no_answer_gives_nothing(text: str) -> None:
    """Nothing is guessed for text that is none of the known forms."""
    assert [] == recognise(text)
