"""What FCM and the front end before it can answer beyond the samples."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl import catalog
from pushctl.gateway import fcm
from pushctl.outcome import Category, Kind, Outcome, Retryable, TokenAction

TYPE = "type.googleapis.com/"


def fcm_error(code: str) -> dict[str, Any]:
    """Return the detail that names FCM's own code."""
    return {"@type": TYPE + "google.firebase.fcm.v1.FcmError", "errorCode": code}


def apns_error(
    reason: str | None, status: object = None, key: str = "statusCode"
) -> dict[str, Any]:
    """Return the detail that carries APNs' answer."""
    detail: dict[str, Any] = {"@type": TYPE + "google.firebase.fcm.v1.ApnsError"}
    if reason is not None:
        detail["reason"] = reason
    if status is not None:
        detail[key] = status
    return detail


def error_info(reason: str) -> dict[str, Any]:
    """Return the detail of Google's front end."""
    return {"@type": TYPE + "google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def bad_request(*fields: str, text: str = "") -> dict[str, Any]:
    """Return the detail that names fields."""
    violations = [{"field": field, "description": text} for field in fields]
    return {"@type": TYPE + "google.rpc.BadRequest", "fieldViolations": violations}


def body(
    *details: object, message: str = "", status: str | None = "INVALID_ARGUMENT", **more: object
) -> bytes:
    """Return an error body."""
    error: dict[str, object] = {"message": message, "details": list(details), **more}
    if status is not None:
        error["status"] = status
    return json.dumps({"error": error}).encode()


def read(status: int, raw: bytes, *headers: tuple[str, str]) -> Outcome:
    """Read an answer."""
    return fcm.read_answer(status, headers, raw)


INVALID = fcm_error("INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b'{"name": "projects/p/messages/0:15%31"}', "projects/p/messages/0:15%31"),
        (b"{}", None),
        (b"", None),
        (b'{"name": 7}', None),
        (b"<html>", None),
        (b'{"error": {"code": 500}}', None),
        (b'{"name": "%s"}' % (b"n" * 128), "n" * 128),
        (b'{"name": "%s"}' % (b"n" * 129), "n" * 127 + "…"),
    ],
)
def test_a_200_is_an_acceptance_whatever_its_body(raw: bytes, name: str | None) -> None:
    """The status says accepted; the message name is kept where there is one."""
    assert Outcome(kind=Kind.ACCEPTED, status=200, id=name) == read(200, raw)


# Survives `gateway/fcm.py`: `_PLAIN_NAME`: what the short cut misses goes through the parser.
# Survives `gateway/fcm.py`: `_PLAIN_NAME.fullmatch(body)`: likewise.
@pytest.mark.parametrize(
    ("status", "kind"),
    [(199, "rejected"), (201, "accepted"), (299, "accepted"), (300, "rejected"), (500, "rejected")],
)
def test_only_a_2xx_is_an_acceptance(status: int, kind: str) -> None:
    """Whatever a proxy makes of the answer, nothing but success counts as accepted."""
    outcome = read(status, b'{"name": "projects/p/messages/1"}')

    assert (kind, status) == (outcome.kind, outcome.status)


@pytest.mark.parametrize(
    ("case", "details", "message"),
    [
        ("bad_token", [INVALID, bad_request("message.token")], "Request contains an"),
        ("bad_token", [INVALID, bad_request("message.fid")], ""),
        ("bad_token", [INVALID, apns_error("BadDeviceToken", 400)], ""),
        (
            "bad_token",
            [bad_request("message.token"), INVALID],
            "The registration token is not a valid FCM registration token",
        ),
        ("apns_token_disabled", [INVALID], "APNs device token is disabled."),
        ("apns_token_disabled", [INVALID, apns_error("ExpiredToken", 410)], ""),
        ("apns_token_disabled", [INVALID, apns_error(None, 410, "status_code")], ""),
        ("apns_token_disabled", [INVALID, apns_error("Unregistered")], ""),
        ("no_target", [INVALID], "Recipient of the message is not set."),
        ("several_targets", [], "Invalid value at 'message' (oneof), oneof field is already set"),
        ("bad_topic", [INVALID], "Topic name contains invalid characters."),
        ("bad_topic", [INVALID, bad_request("message.topic")], ""),
        ("bad_condition", [INVALID, bad_request("message.condition")], ""),
        ("too_large", [INVALID], "Android message is too big"),
        ("too_large", [INVALID, apns_error("PayloadTooLarge", 413)], ""),
        ("bad_ttl", [INVALID], "TTL must be a non-negative integer."),
        ("bad_ttl", [bad_request("message.android.ttl")], "Invalid value at 'message.android.ttl'"),
        ("bad_ttl", [INVALID, bad_request("message.webpush.headers.TTL")], ""),
        ("bad_token", [INVALID, apns_error("DeviceTokenNotForTopic", 400)], ""),
        ("apns_token_disabled", [INVALID, apns_error("ExpiredToken")], ""),
        ("bad_data_key", [INVALID, bad_request("message.data")], "Invalid data payload key: gcm"),
        ("bad_package", [INVALID, bad_request("message.android.restrictedPackageName")], ""),
        ("bad_package", [INVALID, bad_request("message.android.restricted_package_name")], ""),
        (
            "ios_data_only_priority",
            [INVALID, bad_request("message.apns.headers[apns-priority]")],
            "",
        ),
        ("bad_json_type", [], 'Invalid JSON payload received. Unknown name "to"'),
        ("bad_json_type", [bad_request("message.data[0].value")], "Invalid value at 'message.data"),
        ("bad_json_type", [bad_request()], "Request contains an invalid argument."),
        ("undecided", [INVALID], "Request contains an invalid argument."),
        ("undecided", [INVALID, bad_request("message.token", "message.notification")], ""),
        ("undecided", [INVALID, bad_request("message.something_new")], "Something new."),
        ("undecided", [INVALID, bad_request("message.apns.headers[apns-topic]")], ""),
        ("undecided", [INVALID, bad_request("message.apns.payload.apns-priority")], ""),
        ("undecided", [INVALID], "The oneof is not known."),
        ("undecided", [INVALID], "It is already set."),
    ],
)
def test_the_body_tells_the_meaning_of_invalid_argument(
    case: str, details: list[object], message: str
) -> None:
    """Each meaning is recognised by APNs' word, the message, the named field or the form."""
    raw = body(*details, message=message)
    outcome = read(400, raw)
    told = fcm.invalid_argument_case(raw)

    assert ("INVALID_ARGUMENT", case) == (outcome.reason, outcome.case)
    assert told is not None
    assert case == told.name
    assert told.evidence


def test_the_evidence_quotes_what_decided() -> None:
    """A person is told which part of the body speaks for the meaning."""
    by_field = fcm.invalid_argument_case(body(INVALID, bad_request("message.android.ttl")))
    by_apns = fcm.invalid_argument_case(body(INVALID, apns_error("Unregistered", 410)))

    assert fcm.Case("bad_ttl", 'the field "message.android.ttl"') == by_field
    raw = body(INVALID, bad_request("message.token", text="Bad."), message="Bad.")
    by_token = fcm.Case("bad_token", 'no field but "message.token" is named')
    assert by_token == fcm.invalid_argument_case(raw)
    assert fcm.Case("apns_token_disabled", "ApnsError 410 Unregistered") == by_apns
    for detail, evidence in (
        (apns_error("Unregistered"), "ApnsError Unregistered"),
        (apns_error(None, 410), "ApnsError 410"),
    ):
        told = fcm.invalid_argument_case(body(INVALID, detail))
        assert fcm.Case("apns_token_disabled", evidence) == told
    by_form = fcm.Case("bad_json_type", "a BadRequest without an FcmError: the JSON did not parse")
    assert by_form == fcm.invalid_argument_case(body(bad_request()))
    by_nothing = fcm.Case("undecided", 'only the message "", no field is named')
    assert by_nothing == fcm.invalid_argument_case(body(INVALID))


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b'{"error": "x"}', body(fcm_error("UNREGISTERED")), body(error_info("X"))],
)
def test_only_an_invalid_argument_has_a_meaning_to_tell(raw: bytes) -> None:
    """Other bodies have no case."""
    assert fcm.invalid_argument_case(raw) is None


@pytest.mark.parametrize(
    ("status", "details", "action"),
    [
        (404, [fcm_error("UNREGISTERED")], TokenAction.REMOVE),
        (404, [], TokenAction.KEEP),
        (400, [INVALID, apns_error("Unregistered", 410)], TokenAction.REMOVE),
        (400, [INVALID, apns_error("ExpiredToken", 410, "status_code")], TokenAction.REMOVE),
        (404, [apns_error("Unregistered", 410)], TokenAction.REMOVE),
        (400, [INVALID, apns_error("Unregistered")], TokenAction.SUSPECT),
        (400, [INVALID, apns_error("Unregistered", "410")], TokenAction.SUSPECT),
        (400, [INVALID, apns_error("BadDeviceToken", 400)], TokenAction.CHECK_ENVIRONMENT),
        (400, [INVALID, apns_error("DeviceTokenNotForTopic", 400)], TokenAction.SUSPECT),
        (400, [INVALID, bad_request("message.token")], TokenAction.SUSPECT),
        (403, [fcm_error("SENDER_ID_MISMATCH")], TokenAction.SUSPECT),
        (410, [fcm_error("UNREGISTERED")], TokenAction.REMOVE),
        (411, [fcm_error("UNREGISTERED")], TokenAction.SUSPECT),
        (503, [fcm_error("UNREGISTERED")], TokenAction.SUSPECT),
        (503, [apns_error("Unregistered", 410)], TokenAction.KEEP),
        (401, [fcm_error("THIRD_PARTY_AUTH_ERROR"), apns_error("X", 410)], TokenAction.KEEP),
        (429, [fcm_error("QUOTA_EXCEEDED"), apns_error("X", 410)], TokenAction.KEEP),
        (404, [fcm_error("NEW_CODE")], TokenAction.KEEP),
    ],
)
def test_a_token_is_removed_on_the_documented_word_only(
    status: int, details: list[object], action: TokenAction
) -> None:
    """UNREGISTERED and an APNs 410 remove, under a status that speaks of a token; nothing else."""
    assert action is read(status, body(*details, status=None)).token_action


def test_a_detail_is_known_by_its_name_alone() -> None:
    """In a protobuf Any the type is what stands after the last slash."""
    detail = fcm_error("UNREGISTERED") | {"@type": "proxy/types/google.firebase.fcm.v1.FcmError"}

    assert TokenAction.REMOVE is read(404, body(detail)).token_action


def test_a_removed_token_is_a_matter_of_the_token() -> None:
    """An APNs 410 inside a vague answer is not blamed on the project."""
    outcome = read(404, body(apns_error("Unregistered", 410), status="NOT_FOUND"))

    assert (Category.TOKEN, Retryable.NO) == (outcome.category, outcome.retryable)
    assert "Unregistered" == outcome.apns_reason


@pytest.mark.parametrize(
    ("status", "raw", "reason", "category"),
    [
        (
            401,
            body(error_info("ACCESS_TOKEN_EXPIRED"), fcm_error("THIRD_PARTY_AUTH_ERROR")),
            "THIRD_PARTY_AUTH_ERROR",
            Category.CREDENTIALS,
        ),
        (404, body(fcm_error("APNS_AUTH_ERROR")), "APNS_AUTH_ERROR", Category.CREDENTIALS),
        (503, body(fcm_error("NEW_CODE")), "NEW_CODE", Category.SERVER),
        (500, body(fcm_error("UNSPECIFIED_ERROR")), "UNSPECIFIED_ERROR", Category.SERVER),
        (400, body(error_info("API_KEY_INVALID")), "API_KEY_INVALID", Category.CREDENTIALS),
        (
            403,
            body(error_info("NEW_INFO"), status="PERMISSION_DENIED"),
            "NEW_INFO",
            Category.CREDENTIALS,
        ),
        (429, body(error_info("NEW_INFO"), status=None), "NEW_INFO", Category.RATE),
        (404, body(status="NOT_FOUND"), "NOT_FOUND", Category.REQUEST),
        (409, body(status="ALREADY_EXISTS"), "ALREADY_EXISTS", Category.REQUEST),
        (503, body(status="NEW_STATUS"), "NEW_STATUS", Category.SERVER),
        (403, body(status="NOT_FOUND"), "NOT_FOUND", Category.CREDENTIALS),
        (
            503,
            body(status=None, errors=[{"reason": "backendError"}]),
            "backendError",
            Category.SERVER,
        ),
        (503, body(status=None), None, Category.SERVER),
        (502, b"", None, Category.SERVER),
        (413, b"[]", None, Category.PAYLOAD),
    ],
)
def test_the_first_that_names_a_reason_decides(
    status: int, raw: bytes, reason: str | None, category: Category
) -> None:
    """FcmError, then ErrorInfo, then the RPC status, then the old form, then the HTTP status."""
    outcome = read(status, raw)

    assert (reason, category) == (outcome.reason, outcome.category)


def test_a_page_of_the_front_end_has_a_row_of_its_own() -> None:
    """The HTML of a wrong path is explained as such, and its text is shown."""
    outcome = read(404, b"\n<!DOCTYPE html>\n<title>Error 404 (Not Found)!!1</title>")

    assert "path does not exist" in (outcome.description or "")
    assert "<!DOCTYPE html> <title>Error 404 (Not Found)!!1</title>" == outcome.detail


def test_a_word_with_something_invisible_in_it_is_another_word() -> None:
    """Half a character inside UNREGISTERED does not make it the word that removes a token."""
    raw = json.dumps({"error": {"details": [fcm_error("UNREGIST\ud800ERED")]}}).encode()

    outcome = read(404, raw)

    assert "UNREGIST\ufffdERED" == outcome.reason
    assert TokenAction.REMOVE is not outcome.token_action


def test_the_detail_names_fields_and_quotas() -> None:
    """What the server says in fields and quotas stands beside its message, harmless to show."""
    quota = {
        "@type": TYPE + "google.rpc.QuotaFailure",
        "violations": [{"subject": "device:x", "description": "too many\x1b[2J"}, {}, 7],
    }
    raw = body(
        bad_request("message.data", text="key \u202efrom"),
        bad_request("message.topic", text="Slow down."),
        quota,
        message="Slow down.",
    )

    assert (
        "Slow down. | message.data: key from | message.topic | quota device:x: too many\ufffd[2J"
        == read(429, raw).detail
    )


def test_a_field_without_words_is_named_alone() -> None:
    """Nothing is put together with what is not there, and nothing at all is nothing."""
    raw = body(bad_request("message.data"), message="Bad.")

    assert "Bad. | message.data" == read(400, raw).detail
    assert read(500, b'{"error": {"message": 7}}').detail is None


def test_only_a_page_of_html_is_a_page_of_the_front_end() -> None:
    """Any other body leaves the status alone to decide; the wait asked for holds in any case."""
    said = read(404, b"oops", ("retry-after", "7"))

    assert catalog.by_status("fcm", 404).description == said.description
    assert ("oops", 7) == (said.detail, said.retry_after_s)


# Survives `gateway/fcm.py`: `error.rpc_status or ""`: no row is called either.
def test_an_unknown_errorinfo_is_classified_by_the_rpc_status_where_it_fits() -> None:
    """Under a foreign HTTP status that decides."""
    raw = body(error_info("NEW_INFO"), status="PERMISSION_DENIED")
    row = catalog.lookup("google", "PERMISSION_DENIED")

    assert row is not None
    assert row.description == read(403, raw).description
    assert catalog.by_status("fcm", 503).description == read(503, raw).description


def test_apns_own_row_stands_for_a_token_that_apns_named() -> None:
    """Of a payload FCM's row tells more; without a word of APNs there is no other."""
    for case, reason, row in (
        ("too_large", "PayloadTooLarge", ("fcm", "INVALID_ARGUMENT")),
        ("bad_token", "DeviceTokenNotForTopic", ("apns", "DeviceTokenNotForTopic")),
    ):
        expected = catalog.lookup(*row, case=case if row[0] == "fcm" else None)
        outcome = read(400, body(INVALID, apns_error(reason)))
        assert expected is not None
        assert (case, expected.description) == (outcome.case, outcome.description)


def test_the_header_tells_the_wait_before_retryinfo() -> None:
    """Retry-After wins over RetryInfo, which counts where the header is missing."""
    retry_info = {"@type": TYPE + "google.rpc.RetryInfo", "retryDelay": "42s"}
    raw = body({**retry_info, "retryDelay": None}, retry_info, status="UNAVAILABLE")

    assert 42 == read(503, raw).retry_after_s
    assert 7 == read(503, raw, ("retry-after", "7")).retry_after_s


@pytest.mark.parametrize(
    "error",
    [
        {"details": {"@type": "x"}, "message": 7, "status": []},
        {"details": [[], "x", {"@type": 7}, {"@type": TYPE + "google.rpc.BadRequest"}]},
        {"details": [{"@type": TYPE + "google.rpc.BadRequest", "fieldViolations": [{"field": 1}]}]},
        {"details": [{**fcm_error("x"), "errorCode": {}}], "errors": "none"},
    ],
)
def test_an_envelope_of_any_shape_is_survived(error: dict[str, Any]) -> None:
    """Fields of the wrong type count as missing."""
    outcome = read(500, json.dumps({"error": error}).encode())

    assert (Kind.REJECTED, None, Category.SERVER) == (
        outcome.kind,
        outcome.reason,
        outcome.category,
    )


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F), max_size=140))
def test_a_name_is_read_alike_with_and_without_the_parser(name: str) -> None:
    """The short cut for the usual body gives what reading the JSON gives."""
    body = json.dumps({"name": name}, ensure_ascii=False).encode()
    with_more = json.dumps({"name": name, "more": 1}, ensure_ascii=False).encode()

    assert fcm.read_answer(200, [], with_more) == fcm.read_answer(200, [], body)
