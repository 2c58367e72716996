"""
Answers in the vendors' form, from the tables of the catalog.

The tables say which status belongs to a reason and, where one was documented or captured, what a
whole body looks like.  Nothing here reads an answer: that is the sender's business.
"""

from __future__ import annotations

import functools
import http.client
import json
import re
from collections.abc import Mapping

from pushctl import catalog
from pushctl.outcome import JsonValue
from pushctl.simulator.http import Answer, Fields, html_answer, json_answer, json_bytes

_APNS_JSON = (("content-type", "application/json"),)
_HOUR_MS = 3_600_000

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"

_RPC_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""The name of each HTTP status in google.rpc.Code (google/rpc/code.proto)."""


NOT_FOUND_PAGE = "(html 404)"
"""The catalog's name for the page that Google's front end sends where no API is."""
_PAGE_NAME = re.compile(r"\(html (\d{3})\)")
_TITLES = {404: "Not Found", 502: "Server Error"}


class UnknownReason(ValueError):
    """A script names a reason that the service does not have, and gives no status."""


def apns(
    reason: str | None,
    apns_id: str,
    now: float,
    *,
    status: int | None = None,
    timestamp_ms: int | None = None,
    fields: Fields = (),
) -> Answer:
    """
    Return APNs' refusal for *reason*: ``{"reason": …}``, with ``timestamp`` for a 410.

    Form: Apple, "Handling notification responses from APNs".

    :raises UnknownReason: neither the tables nor *status* tell the status.
    """
    if status is None:
        status = _status("apns", reason)
    body: dict[str, JsonValue] = {}
    if reason is not None:
        body["reason"] = reason
        if status == http.HTTPStatus.GONE:
            body["timestamp"] = int(now * 1000) - _HOUR_MS if timestamp_ms is None else timestamp_ms
    head = (("apns-id", apns_id), *(_APNS_JSON if body else ()), *fields)
    return Answer(status, head, json_bytes(body) if body else b"")


def broadcast(
    reason: str | None, request_id: str, *, status: int | None = None, fields: Fields = ()
) -> Answer:
    """
    Return APNs' refusal of a broadcast, or of a request to manage channels.

    Form: Apple, "Handling error responses from APNs".

    :raises UnknownReason: neither the tables nor *status* tell the status.
    """
    if status is None:
        status = _status("apns-broadcast", reason)
    body = b"" if reason is None else json_bytes({"reason": reason})
    head = (("apns-request-id", request_id), *(_APNS_JSON if body else ()), *fields)
    return Answer(status, head, body)


def fcm(name: str | None, *, status: int | None = None, fields: Fields = ()) -> Answer:
    """
    Return FCM's refusal for *name*: an FcmError code, ``CODE/case``, or a reason of Google's API
    front end, with the body that the catalog gives as an example.

    :raises UnknownReason: neither the tables nor *status* tell the status.
    """
    if name is None:
        status = status or 500
        if status == http.HTTPStatus.BAD_GATEWAY:
            return html_answer(status, _TITLES[status], fields)  # what Google's front end sends
        return google_error(status, "", (), fields)
    if (page := _page_status(name)) is not None:
        return html_answer(status or page, _TITLES[page], fields)
    found = _google_example(name)
    if found is None:
        if status is None:
            raise UnknownReason(f"FCM has no reason {name}")
        return google_error(
            status, name, ({"@type": FCM_ERROR, "errorCode": name.partition("/")[0]},), fields
        )
    table_status, body = found
    return Answer(
        status or table_status, (("content-type", "application/json; charset=UTF-8"), *fields), body
    )


def oauth(case: str | None, *, status: int | None = None, fields: Fields = ()) -> Answer:
    """
    Return the token endpoint's refusal for *case* of the catalog (RFC 6749 section 5.2).

    :raises UnknownReason: neither the tables nor *status* tell the status.
    """
    found = None if case is None else catalog.lookup("oauth", case)
    if found is None or found.example is None:
        if status is None:
            raise UnknownReason(f"the token endpoint has no case {case}")
        return json_answer(status, {} if case is None else {"error": case}, fields)
    return json_answer(status or found.status or 400, json.loads(found.example), fields)


def google_error(
    status: int,
    message: str,
    details: tuple[Mapping[str, JsonValue], ...],
    fields: Fields = (),
) -> Answer:
    """Return an error in the envelope of Google's APIs (google.rpc.Status as JSON)."""
    error: dict[str, JsonValue] = {
        "code": status,
        "message": message or http.client.responses.get(status, "Error"),
        "status": _RPC_STATUS.get(status, "UNKNOWN"),
    }
    if details:
        error["details"] = details
    return json_answer(status, {"error": error}, fields)


def known(word: str, service: str | None = None) -> bool:
    """Whether *service*, or any service of the simulator, has the reason *word*."""
    apns = ("apns", "apns-broadcast")
    tables = {"apns": apns, "channels": apns[1:], "oauth": ("oauth",)}.get(service or "", ())
    if service is None:
        tables = (*apns, "oauth")
    if any(catalog.lookup(table, word) is not None for table in tables):
        return True
    if service not in (None, "fcm", "topics"):
        return False
    return _page_status(word) is not None or _google_example(word) is not None


def names() -> list[str]:
    """Return every reason that can be scripted, for suggestions."""
    services = {"apns", "apns-broadcast", "fcm", "google", "oauth"}
    rows = (reason for reason in catalog.all_reasons() if reason.service in services)
    spelt = {name for row in rows for name in row.names}
    return sorted(name for name in spelt if "*" not in name and "(" not in name)


@functools.lru_cache(maxsize=256)
def _status(service: str, reason: str | None) -> int:
    found = None if reason is None else catalog.lookup(service, reason)
    if found is None or found.status is None:
        raise UnknownReason(f"APNs has no reason {reason}")
    return found.status


def _page_status(name: str) -> int | None:
    """Return the status of a page of Google's front end, by the catalog's name for it."""
    found = _PAGE_NAME.fullmatch(name)
    known = found is not None and catalog.lookup("google", name) is not None
    return int(found[1]) if found is not None and known else None


@functools.lru_cache(maxsize=256)
def _google_example(name: str) -> tuple[int, bytes] | None:
    """Return the status and an example body for an FCM or Google front-end reason."""
    code, _, case = name.partition("/")
    found = catalog.lookup("fcm", code, case=case or None)
    if found is None or (case and found.case != case) or "(" in code:
        return None
    status = found.status or 500
    if found.example is None:
        detail = {"@type": FCM_ERROR, "errorCode": code}
        return status, google_error(status, found.description, (detail,)).body
    body = json.loads(found.example)
    for detail in body["error"].get("details", ()):
        if detail["@type"] == ERROR_INFO:
            detail["reason"] = code  # one row may stand for several reasons
    return status, json_bytes(body)
