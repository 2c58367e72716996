"""What is pasted, and all that is told about it: nothing more, nothing less."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pushctl.catalog.finding import Finding
from pushctl.gateway.recognise import recognise


def told(found: Finding) -> dict[str, Any]:
    """Return the fields of *found* that are filled, its rows by service, name and case."""
    rows = [" ".join(filter(None, (row.service, row.name, row.case))) for row in found.rows]
    fields = {it.name: getattr(found, it.name) for it in dataclasses.fields(found)}
    fields["candidates"] = [row.case for row in found.candidates]
    filled = {name: value for name, value in fields.items() if value not in (None, (), [])}
    return filled | {"rows": rows}


WHOLE: list[tuple[str, dict[str, Any] | None]] = [
    (
        '{"reason":"BadDeviceToken"}',
        {
            "service": "apns",
            "status": 400,
            "kind": "rejected",
            "reason": "BadDeviceToken",
            "token_action": "check-environment",
            "rows": ["apns BadDeviceToken"],
        },
    ),
    (
        '{"reason":"BadDevceToken"}',
        {"service": "apns", "kind": "rejected", "reason": "BadDevceToken", "rows": []},
    ),
    (
        'HTTP/2 410 \r\napns-id: EABE\r\n\r\n{"reason":"Unregistered","timestamp":1794909600000}',
        {
            "service": "apns",
            "status": 410,
            "kind": "rejected",
            "reason": "Unregistered",
            "token_action": "remove",
            "dead_since": "2026-11-17T10:00:00.000Z",
            "rows": ["apns Unregistered"],
        },
    ),
    (
        'HTTP/2 400\napns-request-id: 1\n\n{"reason":"BadMessageId"}',
        {
            "service": "apns",
            "status": 400,
            "kind": "rejected",
            "reason": "BadMessageId",
            "token_action": "keep",
            "rows": ["apns-broadcast BadMessageId"],
        },
    ),
    (
        'HTTP/2 410\napns-request-id: 1\n\n{"reason":"ChannelNotRegistered"}',
        {
            "service": "apns",
            "status": 410,
            "kind": "rejected",
            "reason": "ChannelNotRegistered",
            "token_action": "keep",
            "rows": ["apns-broadcast ChannelNotRegistered"],
        },
    ),
    (
        'HTTP/2 400\n\n{"reason":"ChannelNotRegistered"}',
        {
            "service": "apns",
            "status": 400,
            "kind": "rejected",
            "reason": "ChannelNotRegistered",
            "token_action": "keep",
            "rows": ["apns-broadcast ChannelNotRegistered"],
        },
    ),
    (
        '{"reason":"New","timestamp":5}',
        {
            "service": "apns",
            "status": 410,
            "kind": "rejected",
            "reason": "New",
            "token_action": "remove",
            "rows": ["apns HTTP 410"],
        },
    ),
    (
        'HTTP/2 429\n\n{"reason":"New"}',
        {
            "service": "apns",
            "status": 429,
            "kind": "rejected",
            "reason": "New",
            "token_action": "keep",
            "rows": ["apns HTTP 429"],
        },
    ),
    (
        '{"name": "projects/p/messages/1"}',
        {"service": "fcm", "status": 200, "kind": "accepted", "token_action": "keep", "rows": []},
    ),
    (
        'HTTP/2 200\n\n{"name": "projects/p/messages/1"}',
        {"service": "fcm", "status": 200, "kind": "accepted", "token_action": "keep", "rows": []},
    ),
    ('{"name": "other"}', None),
    (
        '{"error":{"status":"NEW","code":99}}',
        {
            "service": "fcm",
            "status": 400,
            "kind": "rejected",
            "reason": "NEW",
            "token_action": "keep",
            "rows": ["fcm HTTP 400"],
        },
    ),
    (
        '{"error":{"status":"NEW","code":100}}',
        {
            "service": "fcm",
            "status": 100,
            "kind": "rejected",
            "reason": "NEW",
            "token_action": "keep",
            "rows": ["fcm HTTP 100"],
        },
    ),
    (
        '{"error":{"status":"NEW","code":599}}',
        {
            "service": "fcm",
            "status": 599,
            "kind": "rejected",
            "reason": "NEW",
            "token_action": "keep",
            "rows": ["fcm HTTP 599"],
        },
    ),
    (
        '{"error":{"status":"NEW","code":600}}',
        {
            "service": "fcm",
            "status": 400,
            "kind": "rejected",
            "reason": "NEW",
            "token_action": "keep",
            "rows": ["fcm HTTP 400"],
        },
    ),
    (
        'HTTP/2 404\n\n{"error":{"status":"NOT_FOUND","code":400}}',
        {
            "service": "fcm",
            "status": 404,
            "kind": "rejected",
            "reason": "NOT_FOUND",
            "token_action": "keep",
            "rows": ["google NOT_FOUND"],
        },
    ),
    (
        '{"error":"invalid_grant","error_description":"Invalid JWT Signature."}',
        {
            "service": "oauth",
            "kind": "rejected",
            "reason": "bad_signature",
            "case": "bad_signature",
            "token_action": "keep",
            "detail": "invalid_grant: Invalid JWT Signature.",
            "rows": ["oauth bad_signature"],
        },
    ),
    (
        'HTTP/2 400\n\n{"error":"invalid_grant","error_description":"Invalid JWT Signature."}',
        {
            "service": "oauth",
            "status": 400,
            "kind": "rejected",
            "reason": "bad_signature",
            "case": "bad_signature",
            "token_action": "keep",
            "detail": "invalid_grant: Invalid JWT Signature.",
            "rows": ["oauth bad_signature"],
        },
    ),
    (
        'HTTP/2 503\n\n{"error":"new"}',
        {
            "service": "oauth",
            "status": 503,
            "kind": "rejected",
            "reason": "server_side",
            "case": "server_side",
            "token_action": "keep",
            "detail": "new",
            "rows": ["oauth server_side"],
        },
    ),
    (
        '{"error":"new"}',
        {
            "service": "oauth",
            "kind": "rejected",
            "reason": "new",
            "token_action": "keep",
            "detail": "new",
            "rows": [],
        },
    ),
    (
        'HTTP/2 200\n\n{"id_token":"eyJ"}',
        {
            "service": "oauth",
            "status": 200,
            "kind": "rejected",
            "reason": "unknown_scope_gives_id_token",
            "case": "unknown_scope_gives_id_token",
            "token_action": "keep",
            "rows": ["oauth unknown_scope_gives_id_token"],
        },
    ),
    (
        'HTTP/2 200\n\n{"access_token":"eyJ"}',
        {"service": "oauth", "status": 200, "kind": "accepted", "rows": []},
    ),
    (
        "HTTP/2 503\napns-id: 1\n\noops",
        {
            "service": "apns",
            "status": 503,
            "kind": "rejected",
            "token_action": "keep",
            "detail": "oops",
            "rows": ["apns HTTP 503"],
        },
    ),
    (
        "HTTP/2 503\napns-request-id: 1\n\noops",
        {
            "service": "apns",
            "status": 503,
            "kind": "rejected",
            "token_action": "keep",
            "detail": "oops",
            "rows": ["apns HTTP 503"],
        },
    ),
    (
        "HTTP/2 410\n\ngone",
        {
            "status": 410,
            "kind": "rejected",
            "detail": "gone",
            "rows": ["apns HTTP 410", "fcm HTTP 410"],
        },
    ),
    (
        "HTTP/2 410\napns-id: 1\n",
        {
            "service": "apns",
            "status": 410,
            "kind": "rejected",
            "token_action": "remove",
            "rows": ["apns HTTP 410"],
        },
    ),
    ("HTTP/2 299\n\nx", {"status": 299, "kind": "accepted", "rows": []}),
    (
        "HTTP/2 300\n\nx",
        {
            "status": 300,
            "kind": "rejected",
            "detail": "x",
            "rows": ["apns HTTP 300", "fcm HTTP 300"],
        },
    ),
    ("HTTP/2 200\n\nx", {"status": 200, "kind": "accepted", "rows": []}),
    (
        "HTTP/2 199\n\n",
        {"status": 199, "kind": "rejected", "rows": ["apns HTTP 199", "fcm HTTP 199"]},
    ),
    (
        "HTTP/2 502\n\n<title>Error 502 (Server Error)!!1</title>",
        {
            "service": "fcm",
            "status": 502,
            "kind": "rejected",
            "token_action": "keep",
            "detail": "<title>Error 502 (Server Error)!!1</title>",
            "rows": ["google (html 502)"],
        },
    ),
    (
        "<title>Error 502 (Server Error)!!1</title>",
        {
            "service": "fcm",
            "status": 502,
            "kind": "rejected",
            "token_action": "keep",
            "detail": "<title>Error 502 (Server Error)!!1</title>",
            "rows": ["google (html 502)"],
        },
    ),
    (
        "<title>Error 404 (Not Found)!!1</title>",
        {
            "service": "fcm",
            "status": 404,
            "kind": "rejected",
            "token_action": "keep",
            "detail": "<title>Error 404 (Not Found)!!1</title>",
            "rows": ["google (html 404)"],
        },
    ),
    (
        "HTTP/2 404\n\n<title>Error 502 (x",
        {
            "service": "fcm",
            "status": 404,
            "kind": "rejected",
            "token_action": "keep",
            "detail": "<title>Error 502 (x",
            "rows": ["google (html 404)"],
        },
    ),
    ("unregistered", {"reason": "unregistered", "rows": ["apns Unregistered", "fcm UNREGISTERED"]}),
    (
        "Idle Timeout",
        {"reason": "Idle Timeout", "rows": ["apns IdleTimeout", "apns-web IdleTimeout"]},
    ),
    (
        '{"error":{"message":"Request contains an invalid argument.","status":"INVALID_ARGUMENT"}}',
        {
            "service": "fcm",
            "status": 400,
            "kind": "rejected",
            "reason": "INVALID_ARGUMENT",
            "case": "undecided",
            "evidence": 'only the message "Request contains an invalid argument.", no field is'
            " named",
            "token_action": "keep",
            "detail": "Request contains an invalid argument.",
            "rows": ["fcm INVALID_ARGUMENT"],
            "candidates": ["bad_condition", "too_large", "bad_token"],
        },
    ),
    (
        '{"outcome":"rejected","reason":"Unregistered","service":"apns","status":410,"token_action":"remove","detail":"x\\u001b","dead_since":"2026"}',
        {
            "service": "apns",
            "status": 410,
            "kind": "rejected",
            "reason": "Unregistered",
            "token_action": "remove",
            "detail": "x",
            "dead_since": "2026",
            "rows": ["apns Unregistered"],
        },
    ),
    (
        '{"schema":1,"outcome":"accepted","service":"fcm","status":200}',
        {"service": "fcm", "status": 200, "kind": "accepted", "rows": []},
    ),
    ('{"schema":1,"reason":"Shutdown"}', {"reason": "Shutdown", "rows": ["apns Shutdown"]}),
    ('{"schema":1,"reason":"Nothing"}', {"reason": "Nothing", "rows": []}),
    (
        "HTTP/2 410\n\nx\n\nHTTP/2 503\nApns-Id: 7\n\n* remark\n{ [35 bytes data]\noops\n< \n"
        "} [5 bytes data]",
        {
            "service": "apns",
            "status": 503,
            "kind": "rejected",
            "token_action": "keep",
            "detail": "oops",
            "rows": ["apns HTTP 503"],
        },
    ),
    (
        "<<< :status 404\ncontent-type: a:b\n\n",
        {"status": 404, "kind": "rejected", "rows": ["apns HTTP 404", "fcm HTTP 404"]},
    ),
    (": status 404", None),
    ('{"a":1}\nHTTP/2 410', None),
    ("[1]\nHTTP/2 410", None),
    ("HTTP/2 4100", None),
    ("HTTP/1.1 410Gone", None),
    ("HTTP/2 600", None),
    ("a\nunregistered", None),
    (
        "Error 404 (",
        {
            "service": "fcm",
            "status": 404,
            "kind": "rejected",
            "token_action": "keep",
            "detail": "Error 404 (",
            "rows": ["google (html 404)"],
        },
    ),
    ("Error 399 (", None),
    ("Error 604 (", None),
    (
        '{"reason":7,"error":"x"}',
        {
            "service": "oauth",
            "kind": "rejected",
            "reason": "x",
            "token_action": "keep",
            "detail": "x",
            "rows": [],
        },
    ),
    ('{"error":7}', None),
    ('{"name":7}', None),
    (
        '{"error":null,"access_token":""}',
        {
            "service": "oauth",
            "kind": "rejected",
            "token_action": "keep",
            "rows": [],
        },
    ),
    (
        "\ufeffHTTP/2 410\napns-id: 1",
        {
            "service": "apns",
            "status": 410,
            "kind": "rejected",
            "token_action": "remove",
            "rows": ["apns HTTP 410"],
        },
    ),
    (
        '{"schema":1,"event":"x","status":503,"service":"fcm","reason":null,"outcome":"rejected"}',
        {"service": "fcm", "status": 503, "kind": "rejected", "rows": ["fcm HTTP 503"]},
    ),
    (
        '{"token_action":"keep","reason":"Shutdown","outcome":"unknown","dead_since":7,"service":"x"}',
        {
            "service": "x",
            "kind": "unknown",
            "reason": "Shutdown",
            "token_action": "keep",
            "rows": [],
        },
    ),
    (
        '{"service":"apns","outcome":"skipped","reason":"NoConsent"}',
        {
            "service": "apns",
            "kind": "skipped",
            "reason": "NoConsent",
            "rows": ["pushctl NoConsent"],
        },
    ),
    (
        '{"event":"x","reason":"idle timeout"}',
        {"reason": "idle timeout", "rows": ["apns IdleTimeout"]},
    ),
    (
        '{"schema":1,"outcome":"accepted","reason":"Unregistered","service":"apns","status":410}',
        {
            "service": "apns",
            "status": 410,
            "kind": "accepted",
            "reason": "Unregistered",
            "rows": [],
        },
    ),
    (
        "<HTTP/2 410\n<apns-id: 1",
        {
            "status": 410,
            "kind": "rejected",
            "detail": "<apns-id: 1",
            "rows": ["apns HTTP 410", "fcm HTTP 410"],
        },
    ),
    ("HTTP/ 410", None),
    ("HTTP/2410", None),
    (":status404", None),
    (
        "http/2 410",
        {
            "status": 410,
            "kind": "rejected",
            "rows": ["apns HTTP 410", "fcm HTTP 410"],
        },
    ),
    (
        "HTTP/2 503\napns-id: 1\n: oops",
        {
            "service": "apns",
            "status": 503,
            "kind": "rejected",
            "token_action": "keep",
            "detail": ": oops",
            "rows": ["apns HTTP 503"],
        },
    ),
    (
        "HTTP/2 503\napns-id:1",
        {
            "service": "apns",
            "status": 503,
            "kind": "rejected",
            "token_action": "keep",
            "rows": ["apns HTTP 503"],
        },
    ),
    (
        "HTTP/2 503\ncontent-type:\napns-id: 1",
        {
            "service": "apns",
            "status": 503,
            "kind": "rejected",
            "token_action": "keep",
            "rows": ["apns HTTP 503"],
        },
    ),
    (
        "HTTP/2 503\n< apns-id: 1\n<\noops\n<",
        {
            "service": "apns",
            "status": 503,
            "kind": "rejected",
            "token_action": "keep",
            "detail": "oops",
            "rows": ["apns HTTP 503"],
        },
    ),
    (
        "HTTP/2 503\n\nx\n{ [ bytes data]",
        {
            "status": 503,
            "kind": "rejected",
            "detail": "x { [ bytes data]",
            "rows": ["apns HTTP 503", "fcm HTTP 503"],
        },
    ),
    (
        "HTTP/2 503\n\noops\nmore",
        {
            "status": 503,
            "kind": "rejected",
            "detail": "oops more",
            "rows": ["apns HTTP 503", "fcm HTTP 503"],
        },
    ),
    (
        '{"outcome":7,"reason":"Shutdown"}',
        {
            "reason": "Shutdown",
            "rows": ["apns Shutdown"],
        },
    ),
    (
        '{"event":7,"reason":"Shutdown"}',
        {
            "reason": "Shutdown",
            "rows": ["apns Shutdown"],
        },
    ),
    (
        '{"service":7,"reason":"Shutdown"}',
        {
            "reason": "Shutdown",
            "rows": ["apns Shutdown"],
        },
    ),
    (
        '{"token_action":7,"reason":"Shutdown"}',
        {
            "reason": "Shutdown",
            "rows": ["apns Shutdown"],
        },
    ),
    (
        "\n unregistered \n",
        {
            "reason": "unregistered",
            "rows": ["apns Unregistered", "fcm UNREGISTERED"],
        },
    ),
    ("\ud800", None),
    ('{"reason":"BadTopic\ud800"}', None),
    ('{"schema":1,"reason":"\ud800"}\nx', None),
    (
        "HTTP/2 410\n\n\ud800",
        {
            "status": 410,
            "kind": "rejected",
            "detail": "???",
            "rows": ["apns HTTP 410", "fcm HTTP 410"],
        },
    ),
    (
        "Error 404 (\ud800",
        {
            "service": "fcm",
            "status": 404,
            "kind": "rejected",
            "token_action": "keep",
            "detail": "Error 404 (?",
            "rows": ["google (html 404)"],
        },
    ),
    (
        "HTTP/2 502\n\nError 502 (\ud800",
        {
            "service": "fcm",
            "status": 502,
            "kind": "rejected",
            "token_action": "keep",
            "detail": "Error 502 (???",
            "rows": ["google (html 502)"],
        },
    ),
    (
        '{"name":"projects/p/messages/1","error":"x"}',
        {
            "service": "fcm",
            "status": 200,
            "kind": "accepted",
            "token_action": "keep",
            "rows": [],
        },
    ),
    (
        '{"reason":""}',
        {
            "service": "apns",
            "kind": "rejected",
            "reason": "",
            "rows": [],
        },
    ),
    (
        'HTTP/2 400\napns-request-id: 1\n\n{"reason":"BadCollapseId"}',
        {
            "service": "apns",
            "status": 400,
            "kind": "rejected",
            "reason": "BadCollapseId",
            "token_action": "keep",
            "rows": ["apns BadCollapseId"],
        },
    ),
    (
        '{"reason":"IdleTimeout"}',
        {
            "service": "apns",
            "status": 400,
            "kind": "rejected",
            "reason": "IdleTimeout",
            "token_action": "keep",
            "rows": ["apns IdleTimeout"],
        },
    ),
    (
        '{"reason":"Shutdown"}',
        {
            "service": "apns",
            "status": 503,
            "kind": "rejected",
            "reason": "Shutdown",
            "token_action": "keep",
            "rows": ["apns Shutdown"],
        },
    ),
    (
        '{"error":{"status":"INVALID_ARGUMENT","details":'
        '[{"@type":"x/google.firebase.fcm.v1.ApnsError","reason":"New"}]}}',
        {
            "service": "fcm",
            "status": 400,
            "kind": "rejected",
            "reason": "INVALID_ARGUMENT",
            "case": "undecided",
            "evidence": 'only the message "", no field is named',
            "token_action": "keep",
            "rows": ["fcm INVALID_ARGUMENT"],
            "candidates": ["bad_condition", "too_large", "bad_token"],
        },
    ),
    (
        '{"error":{"code":503}}',
        {
            "service": "fcm",
            "status": 503,
            "kind": "rejected",
            "token_action": "keep",
            "rows": ["fcm HTTP 503"],
        },
    ),
    (
        '{"error":{}}',
        {
            "service": "fcm",
            "status": 400,
            "kind": "rejected",
            "token_action": "keep",
            "rows": ["fcm HTTP 400"],
        },
    ),
    (
        "Error 418 (",
        {
            "service": "fcm",
            "status": 418,
            "kind": "rejected",
            "token_action": "keep",
            "detail": "Error 418 (",
            "rows": ["fcm HTTP 418"],
        },
    ),
    (
        "Error 410 (Gone",
        {
            "service": "fcm",
            "status": 410,
            "kind": "rejected",
            "token_action": "keep",
            "detail": "Error 410 (Gone",
            "rows": ["fcm HTTP 410"],
        },
    ),
    (
        'HTTP/2 400\n\n{"reason":"Unregistered"}',
        {
            "service": "apns",
            "status": 400,
            "kind": "rejected",
            "reason": "Unregistered",
            "token_action": "keep",
            "rows": ["apns Unregistered"],
        },
    ),
    (
        '{"service":"fcm","reason":"INVALID_ARGUMENT","case":"bad_ttl","status":400}',
        {
            "service": "fcm",
            "status": 400,
            "reason": "INVALID_ARGUMENT",
            "case": "bad_ttl",
            "rows": ["fcm INVALID_ARGUMENT bad_ttl"],
        },
    ),
    ("Idle\nTimeout", None),
    (
        '{"error":"invalid_grant"}',
        {
            "service": "oauth",
            "kind": "rejected",
            "reason": "invalid_grant",
            "token_action": "keep",
            "detail": "invalid_grant",
            "rows": [],
        },
    ),
    (
        '{"outcome":"rejected"}',
        {
            "kind": "rejected",
            "rows": [],
        },
    ),
    (
        '{"outcome":"rejected","service":"apns","reason":"Nope"}',
        {
            "service": "apns",
            "kind": "rejected",
            "reason": "Nope",
            "rows": [],
        },
    ),
    (
        '{"outcome":"rejected","reason":"Nope","status":500}',
        {
            "status": 500,
            "kind": "rejected",
            "reason": "Nope",
            "rows": [],
        },
    ),
    (
        '{"reason":"BadTtl"}',
        {
            "service": "apns",
            "status": 400,
            "kind": "rejected",
            "reason": "BadTtl",
            "token_action": "keep",
            "rows": ["apns-web BadTtl"],
        },
    ),
    (
        '{"reason":"InternalServerError"}',
        {
            "service": "apns",
            "status": 500,
            "kind": "rejected",
            "reason": "InternalServerError",
            "token_action": "keep",
            "rows": ["apns InternalServerError"],
        },
    ),
    (
        '{"reason":"IdleTimeout","timestamp":7}',
        {
            "service": "apns",
            "status": 400,
            "kind": "rejected",
            "reason": "IdleTimeout",
            "token_action": "keep",
            "rows": ["apns IdleTimeout"],
        },
    ),
    (
        "unregistered" + "-" * 188,
        {
            "reason": "unregistered" + "-" * 115 + "…",
            "rows": ["apns Unregistered", "fcm UNREGISTERED"],
        },
    ),
    ("unregistered" + "-" * 189, None),
    (
        '{"reason":"BadProviderToken"}',
        {
            "service": "apns",
            "kind": "rejected",
            "reason": "BadProviderToken",
            "rows": ["apns BadProviderToken"],
        },
    ),
]


# Survives `gateway/recognise.py`: `(?:HTTP/[0-9.]+`: in small letters it matches the same.
# Survives `gateway/recognise.py`: `:status:?`: in capitals likewise.
# Survives `gateway/recognise.py`: `400 if "error" in given else 200`: any 4xx, any 2xx will do.
# Survives `gateway/recognise.py`: `(row is not None) or True`: with a status there is always a row.
# Survives `gateway/recognise.py`: `answer.reason or ""`: no row is called either.
@pytest.mark.parametrize(("text", "expected"), WHOLE)
def test_all_that_a_text_tells_is_told(text: str, expected: dict[str, Any] | None) -> None:
    """Service, status, reason, meaning, evidence, the token's fate, and the rows behind it."""
    assert ([] if expected is None else [expected]) == [told(found) for found in recognise(text)]
