"""
Reads the answers of FCM's HTTP v1 API (Firebase: FCM error codes; google.rpc error model).

Pure: an answer in, an :class:`~pushctl.outcome.Outcome` out.  Nothing that a server sends makes
these functions raise.  The order in which an answer is looked at decides what it means: a 401
with an FcmError is about the APNs key in the Firebase project and not about our access token, and
a 404 without one is about the project and not about the token.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pushctl import catalog
from pushctl.catalog import Reason
from pushctl.gateway.answer import (
    Headers,
    detail,
    label,
    proto_duration_s,
    raw_detail,
    read_object,
    rejected,
    retry_after_s,
    whole_number,
)
from pushctl.outcome import Category, JsonValue, Kind, Outcome, Service, TokenAction

_FCM_ERROR = "google.firebase.fcm.v1.FcmError"
_APNS_ERROR = "google.firebase.fcm.v1.ApnsError"
_BAD_REQUEST = "google.rpc.BadRequest"
_QUOTA_FAILURE = "google.rpc.QuotaFailure"
_ERROR_INFO = "google.rpc.ErrorInfo"
_RETRY_INFO = "google.rpc.RetryInfo"

INVALID_ARGUMENT = "INVALID_ARGUMENT"
UNDECIDED = "undecided"
"""The case of an INVALID_ARGUMENT whose body does not tell which meaning it has."""

UNDECIDED_CASES = ("bad_condition", "too_large", "bad_token")
"""What a bare "Request contains an invalid argument." has been seen to mean."""

_TOKEN_FIELDS = frozenset({"message.token", "message.fid"})
_TTL_FIELDS = ("message.android.ttl", "message.webpush.headers.ttl")
_PACKAGE_FIELDS = (
    "message.android.restricted_package_name",
    "message.android.restrictedpackagename",
)
_DEAD_TOKEN_STATUSES = frozenset({400, 404, 410})
"""The HTTP statuses under which Google speaks of a token; never remove one under another."""
_GONE = 410
_DEAD_APNS_REASONS = frozenset({"Unregistered", "ExpiredToken"})
_WRONG_APNS_REASONS = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic"})


_PLAIN_NAME = re.compile(
    rb'\s{0,8}\{\s{0,8}"name"\s{0,8}:\s{0,8}"([!#-\[\]-~]{1,128})"\s{0,8}\}\s{0,8}'
)
"""The body of an acceptance, its name in visible ASCII without an escape or a quote."""


def read_answer(status: int, headers: Headers, body: bytes) -> Outcome:
    """
    Return what an answer to ``messages:send`` says about the push.

    ``reason`` is the FcmError code; without one the ErrorInfo reason, the RPC status, or the
    reason of the older error form, whichever the answer carries first.
    """
    if status == 200:
        plain = _PLAIN_NAME.fullmatch(body)  # what every acceptance is: no parser needed
        if plain is not None:
            return Outcome(kind=Kind.ACCEPTED, status=200, id=plain[1].decode("ascii"))
    answer = read_object(body)
    if 200 <= status < 300:
        name = answer.get("name") if answer is not None else None
        return Outcome(kind=Kind.ACCEPTED, status=status, id=label(name))
    given = answer.get("error") if answer is not None else None
    if not isinstance(given, dict):
        return _without_envelope(status, headers, body)
    error = _Error(given)
    reason, row, case = _classify(status, error)
    token_action = _token_action(status, error, row)
    if token_action is TokenAction.REMOVE and row.category is not Category.TOKEN:
        row = catalog.by_status(Service.APNS, _GONE)
    return rejected(
        status,
        reason,
        row,
        case=case,
        token_action=token_action,
        detail=detail(error.text()),
        retry_after_s=_wait_s(headers, error),
        apns_reason=error.apns_reason,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """Which of the meanings of INVALID_ARGUMENT a body has, and what in it says so."""

    name: str
    evidence: str


def invalid_argument_case(body: bytes) -> Case | None:
    """Return the meaning of an INVALID_ARGUMENT *body*; ``None`` if it is none."""
    answer = read_object(body)
    given = answer.get("error") if answer is not None else None
    if not isinstance(given, dict):
        return None
    error = _Error(given)
    code = error.fcm_code or (error.rpc_status if error.info_reason is None else None)
    return _case(error) if code == INVALID_ARGUMENT else None


class _Error:
    """The ``error`` object of an answer, with what matters in it picked out."""

    def __init__(self, given: Mapping[str, JsonValue]) -> None:
        self.message = _text(given.get("message"))
        self.rpc_status = label(given.get("status"))
        self.old_reason = next(_texts(_objects(given.get("errors")), "reason"), None)
        self._details = [
            (_text(entry.get("@type")).rpartition("/")[2], entry)
            for entry in _objects(given.get("details"))
        ]
        self.fcm_code = next(_texts(self._all(_FCM_ERROR), "errorCode"), None)
        self.info_reason = next(_texts(self._all(_ERROR_INFO), "reason"), None)
        apns = next(iter(self._all(_APNS_ERROR)), {})
        self.apns_reason = label(apns.get("reason"))
        self.apns_status = whole_number(apns.get("statusCode", apns.get("status_code")))
        self.has_bad_request = bool(self._all(_BAD_REQUEST))
        self.violations = [
            (_text(entry.get("field")), _text(entry.get("description")))
            for request in self._all(_BAD_REQUEST)
            for entry in _objects(request.get("fieldViolations"))
        ]

    def _all(self, kind: str) -> list[Mapping[str, JsonValue]]:
        return [entry for found, entry in self._details if found == kind]

    @property
    def retry_delay_s(self) -> float | None:
        delays = (proto_duration_s(info.get("retryDelay")) for info in self._all(_RETRY_INFO))
        return next((delay for delay in delays if delay is not None), None)

    def text(self) -> str:
        """Return the message, then what fields and quotas add to it."""
        parts = [self.message]
        for field, description in self.violations:
            parts.append(field if description in ("", self.message) else f"{field}: {description}")
        for failure in self._all(_QUOTA_FAILURE):
            for violation in _objects(failure.get("violations")):
                words = [*_texts([violation], "subject"), *_texts([violation], "description")]
                parts.append(f"quota {': '.join(words)}" if words else "")
        return " | ".join(part for part in parts if part)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _objects(value: JsonValue) -> Sequence[Mapping[str, JsonValue]]:
    if not isinstance(value, list):
        return ()
    return [entry for entry in value if isinstance(entry, dict)]


def _texts(entries: Iterable[Mapping[str, JsonValue]], key: str) -> Iterator[str]:
    return (text for entry in entries if (text := label(entry.get(key))) is not None)


def _without_envelope(status: int, headers: Headers, body: bytes) -> Outcome:
    """Classify by the status alone: the body is a page of the front end, or nothing."""
    page = catalog.lookup("google", f"(html {status})") if body.lstrip()[:1] == b"<" else None
    return rejected(
        status,
        None,
        page or catalog.by_status(Service.FCM, status),
        detail=raw_detail(body),
        retry_after_s=retry_after_s(headers),
    )


def _classify(status: int, error: _Error) -> tuple[str | None, Reason, str | None]:
    """Return the reason, the row that classifies it and the case of INVALID_ARGUMENT."""
    by_status = catalog.by_status(Service.FCM, status)
    if error.fcm_code is not None and error.fcm_code != INVALID_ARGUMENT:
        row = catalog.lookup(Service.FCM, error.fcm_code)
        if row is None or row.status is None:  # new, or UNSPECIFIED_ERROR, which says nothing
            return error.fcm_code, by_status, None
        return error.fcm_code, row, None
    if error.fcm_code is None and error.info_reason is not None:
        row = catalog.lookup("google", error.info_reason)
        if row is not None:
            return error.info_reason, row, None
        row = catalog.lookup("google", error.rpc_status or "", status=status)
        return error.info_reason, row or by_status, None
    if error.fcm_code is not None or (error.rpc_status == INVALID_ARGUMENT and status == 400):
        return _classify_invalid_argument(error)
    if error.rpc_status is not None:
        row = catalog.lookup("google", error.rpc_status, status=status)
        return error.rpc_status, row or by_status, None
    return error.old_reason, by_status, None


def _classify_invalid_argument(error: _Error) -> tuple[str, Reason, str]:
    """Pick the row of the case, or APNs' own row where APNs named the fault."""
    case = _case(error).name
    row = catalog.lookup(Service.FCM, INVALID_ARGUMENT, case=case)
    if error.apns_reason is not None and case in ("bad_token", UNDECIDED):
        apns_row = catalog.lookup(Service.APNS, error.apns_reason)
        row = apns_row or row
    if row is None:
        raise AssertionError("INVALID_ARGUMENT has a general row")
    return INVALID_ARGUMENT, row, case


def _token_action(status: int, error: _Error, row: Reason) -> TokenAction:
    """
    Return what to do with the token.

    ``remove`` only on the vendors' word: FcmError UNREGISTERED, or an APNs 410 inside the answer
    (Firebase: Best practices for FCM registration token management), and only under a status
    that speaks of a token at all; on any doubt the token is at most suspect.
    """
    speaks_of_token = status in _DEAD_TOKEN_STATUSES and error.fcm_code in (
        None,
        INVALID_ARGUMENT,
        "UNREGISTERED",
    )
    if speaks_of_token and error.apns_status == _GONE:
        return TokenAction.REMOVE
    if row.token_action is not TokenAction.REMOVE:
        return row.token_action
    if speaks_of_token and error.fcm_code == "UNREGISTERED":
        return TokenAction.REMOVE
    return TokenAction.SUSPECT


def _wait_s(headers: Headers, error: _Error) -> float | None:
    in_header = retry_after_s(headers)
    return in_header if in_header is not None else error.retry_delay_s


def _case(error: _Error) -> Case:
    """Return the first meaning that something in the answer speaks for."""
    for test in (_case_by_apns, _case_by_message, _case_by_field, _case_by_form):
        found = test(error)
        if found is not None:
            return found
    return Case(UNDECIDED, f"only the message {_quoted(error.message)}, no field is named")


def _case_by_apns(error: _Error) -> Case | None:
    said = " ".join(str(it) for it in ("ApnsError", error.apns_status, error.apns_reason) if it)
    if error.apns_status == _GONE or error.apns_reason in _DEAD_APNS_REASONS:
        return Case("apns_token_disabled", said)
    if error.apns_reason in _WRONG_APNS_REASONS:
        return Case("bad_token", said)
    if error.apns_reason == "PayloadTooLarge":
        return Case("too_large", said)
    return None


def _case_by_message(error: _Error) -> Case | None:
    said = error.message.casefold()
    evidence = f"the message {_quoted(error.message)}"
    if said.startswith("apns device token is disabled"):
        return Case("apns_token_disabled", evidence)
    if "too large" in said or "too big" in said:
        return Case("too_large", evidence)
    if said.startswith("recipient of the message is not set"):
        return Case("no_target", evidence)
    if said.startswith("topic name contains invalid characters"):
        return Case("bad_topic", evidence)
    if "oneof" in said and "already set" in said:
        return Case("several_targets", evidence)
    if said.startswith("ttl must be"):
        return Case("bad_ttl", evidence)
    if "not a valid fcm registration token" in said and not _other_fields(error):
        return Case("bad_token", evidence)
    return None


def _case_by_field(error: _Error) -> Case | None:
    for field, _ in error.violations:
        case = _case_of_field(field.casefold(), _is_schema_fault(error))
        if case is not None:
            return Case(case, f"the field {_quoted(field)}")
    if error.violations and not _other_fields(error):
        return Case("bad_token", f"no field but {_quoted(error.violations[0][0])} is named")
    return None


def _case_of_field(field: str, is_schema_fault: bool) -> str | None:
    if field.startswith(_TTL_FIELDS):
        return "bad_ttl"
    if field.startswith(_PACKAGE_FIELDS):
        return "bad_package"
    if field.startswith("message.apns.headers") and "apns-priority" in field:
        return "ios_data_only_priority"
    if field.startswith("message.data") and not is_schema_fault:
        return "bad_data_key"
    if field == "message.topic":
        return "bad_topic"
    if field == "message.condition":
        return "bad_condition"
    return None


def _case_by_form(error: _Error) -> Case | None:
    if _is_schema_fault(error):
        return Case("bad_json_type", f"the message {_quoted(error.message)}")
    if error.has_bad_request and error.fcm_code is None:
        return Case("bad_json_type", "a BadRequest without an FcmError: the JSON did not parse")
    return None


def _other_fields(error: _Error) -> bool:
    """Whether a fault of the payload is named: then nothing is said about the token."""
    return any(field not in _TOKEN_FIELDS for field, _ in error.violations)


def _is_schema_fault(error: _Error) -> bool:
    return error.message.startswith(("Invalid JSON payload received", "Invalid value at"))


def _quoted(text: str) -> str:
    return f'"{detail(text) or ""}"'
