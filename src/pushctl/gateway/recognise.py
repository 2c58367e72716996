"""
Tells what a piece of text is that somebody copied from a log: an answer, a record, or a reason.

Known are response bodies of APNs, FCM and the token endpoint, whole HTTP responses (as `curl -i`
prints them, or with HTTP/2 pseudo-headers), outcome records and bounce-log lines, error pages of
Google's front end, and the bare name of a reason.  Pure; nothing that is pasted makes it raise.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping

from pushctl import catalog
from pushctl.catalog import find
from pushctl.catalog.finding import Finding
from pushctl.gateway import apns, fcm, oauth
from pushctl.gateway.answer import Headers, detail, header, label, read_object, whole_number
from pushctl.outcome import JsonValue, Kind, Outcome, TokenAction

RECORDS_MAX = 50
"""Different records that are told apart in one input; the rest repeat."""
_STATUS_LINE = re.compile(r"(?:<<*\s*)?(?:HTTP/[0-9.]+\s+|:status:?\s+)([1-5][0-9]{2})\b.*", re.I)
_FIELD = re.compile(r"(?:<\s+)?(:?[A-Za-z0-9_-]+):\s*(.*)")
_CURL_REMARK = re.compile(r"<\s*$|\* |[{}] \[[0-9]+ bytes data\]")
_GOOGLE_PAGE = re.compile(r"Error ([45][0-9]{2}) \(")
_RECORD_KEYS = frozenset({"schema", "outcome", "event", "service", "token_action"})


def recognise(text: str) -> list[Finding]:
    """Return what *text* is: one finding for an answer, one for each different record, or none."""
    text = text.removeprefix("\ufeff").strip()
    dump = _split_response(text)
    if dump is not None:
        status, headers, body = dump
        return [_from_response(status, headers, body)]
    body = text.encode("utf-8", "surrogatepass")
    given = read_object(body)
    if given is not None and not _is_record(given):
        found = _from_object(given, body)
        return [found] if found is not None else []
    records = list(_records(text))
    if records:
        return records
    return list(_from_words(text))


def _from_response(status: int, headers: Headers, body: bytes) -> Finding:
    given = read_object(body)
    found = _from_object(given, body, status, headers) if given is not None else None
    if found is not None:
        return found
    service = None
    if header(headers, "apns-id") is not None or header(headers, "apns-request-id") is not None:
        service = "apns"
    elif _GOOGLE_PAGE.search(body.decode("utf-8", "replace")):
        service = "fcm"
    return _from_status(status, headers, body, service)


def _from_object(
    given: Mapping[str, JsonValue],
    body: bytes,
    status: int | None = None,
    headers: Headers = (),
) -> Finding | None:
    """Tell a JSON answer by its keys; ``None`` if it is none that pushctl knows."""
    if isinstance(given.get("reason"), str):
        return _from_apns(given, body, status, headers)
    error = given.get("error")
    name = given.get("name")
    if isinstance(error, dict) or (isinstance(name, str) and name.startswith("projects/")):
        return _from_fcm(error if isinstance(error, dict) else None, body, status, headers)
    if isinstance(error, str) or "access_token" in given or "id_token" in given:
        return _from_oauth(body, 400 if "error" in given else 200, status, headers)
    return None


def _from_apns(
    given: Mapping[str, JsonValue], body: bytes, status: int | None, headers: Headers
) -> Finding:
    reason = label(given.get("reason")) or ""
    in_broadcast = header(headers, "apns-request-id") is not None
    tables = ("apns-broadcast", "apns") if in_broadcast else ("apns", "apns-broadcast", "apns-web")
    found = (catalog.lookup(table, reason) for table in tables)
    known = next((row for row in found if row is not None), None)
    if status is None and known is not None:
        status = known.status
    if status is None and "timestamp" in given:
        status = 410
    if status is None:
        rows = (known,) if known is not None else ()
        return Finding(service="apns", kind=Kind.REJECTED, reason=reason, rows=rows)
    outcome = apns.read_answer(status, headers, body)
    row = known or catalog.by_status("apns", status)
    in_other_table = known is not None and known.service != "apns"
    return dataclasses.replace(
        _from_outcome("apns", outcome),
        token_action=row.token_action if in_other_table else outcome.token_action,
        rows=(row,),
    )


def _from_fcm(
    error: Mapping[str, JsonValue] | None, body: bytes, status: int | None, headers: Headers
) -> Finding:
    if status is None:
        code = whole_number(error.get("code")) if error is not None else 200
        status = code if code is not None and 100 <= code < 600 else 400
    outcome = fcm.read_answer(status, headers, body)
    found = _from_outcome("fcm", outcome)
    if outcome.kind is Kind.ACCEPTED:
        return found
    case = fcm.invalid_argument_case(body)
    row = catalog.of_record("fcm", outcome.reason, status=status, case=outcome.case)
    rows = [row] if row is not None else []
    if outcome.apns_reason is not None:
        row = catalog.lookup("apns", outcome.apns_reason)
        rows += [row] if row is not None else []
    candidates = fcm.UNDECIDED_CASES if outcome.case == fcm.UNDECIDED else ()
    return dataclasses.replace(
        found,
        evidence=case.evidence if case is not None else None,
        rows=tuple(rows),
        candidates=tuple(
            row
            for name in candidates
            if (row := catalog.lookup("fcm", fcm.INVALID_ARGUMENT, case=name)) is not None
        ),
    )


def _from_oauth(body: bytes, assumed: int, status: int | None, headers: Headers) -> Finding:
    answer = oauth.read_answer(status or assumed, headers, body)
    if isinstance(answer, oauth.TokenGrant):
        return Finding(service="oauth", status=status, kind=Kind.ACCEPTED)
    row = catalog.lookup("oauth", answer.reason or "")
    if row is None and status is not None:
        row = catalog.by_status("oauth", status)
    return dataclasses.replace(
        _from_outcome("oauth", answer), status=status, rows=(row,) if row is not None else ()
    )


def _from_outcome(service: str, outcome: Outcome) -> Finding:
    return Finding(
        service=service,
        status=outcome.status,
        kind=outcome.kind,
        reason=outcome.reason,
        case=outcome.case,
        token_action=outcome.token_action,
        detail=outcome.detail,
        dead_since=outcome.dead_since,
    )


def _from_status(status: int, headers: Headers, body: bytes, service: str | None) -> Finding:
    """Explain an answer whose body says nothing, for every service that may have sent it."""
    if 200 <= status < 300:
        return Finding(service=service, status=status, kind=Kind.ACCEPTED)
    page = catalog.lookup("google", f"(html {status})") if service == "fcm" else None
    services = (service,) if service is not None else ("apns", "fcm")
    outcome = (apns if service == "apns" else fcm).read_answer(status, headers, body)
    rows = [page] if page is not None else [catalog.by_status(name, status) for name in services]
    return Finding(
        service=service,
        status=status,
        kind=Kind.REJECTED,
        token_action=outcome.token_action if service is not None else None,
        detail=outcome.detail,
        rows=tuple(rows),
    )


def _is_record(given: Mapping[str, JsonValue]) -> bool:
    return not _RECORD_KEYS.isdisjoint(given)


def _records(text: str) -> Iterator[Finding]:
    """Explain each different outcome among lines of JSON; other lines are passed over."""
    seen: set[str] = set()
    for line in _json_values(text):
        if len(seen) >= RECORDS_MAX:
            return
        given = read_object(line.encode("utf-8", "surrogatepass"))
        if given is None or not _is_record(given) or not ({"reason", "outcome"} & given.keys()):
            continue
        found = _from_record(given)
        key = f"{found.service} {found.status} {found.kind} {found.reason} {found.case}"
        if key not in seen:
            seen.add(key)
            yield found


def _json_values(text: str) -> list[str]:
    """Return the lines of *text*, or the whole of it where one object takes several lines."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text.splitlines()
    return [text]


def _from_record(given: Mapping[str, JsonValue]) -> Finding:
    service, reason, case = (label(given.get(key)) for key in ("service", "reason", "case"))
    status = whole_number(given.get("status"))
    kind = next((kind for kind in Kind if kind == given.get("outcome")), None)
    row = None
    if kind is not Kind.ACCEPTED:
        row = catalog.of_record(service, reason, status=status, case=case)
        if row is None and reason is not None and service is None:
            named = find.by_name(reason)
            row = named[0] if named else None
    return Finding(
        service=service,
        status=status,
        kind=kind,
        reason=reason,
        case=case,
        token_action=next(
            (action for action in TokenAction if action == given.get("token_action")), None
        ),
        detail=detail(said) if isinstance(said := given.get("detail"), str) else None,
        dead_since=label(given.get("dead_since")),
        rows=(row,) if row is not None else (),
    )


def _from_words(text: str) -> Iterator[Finding]:
    """Take *text* for an error page of Google's front end, or for the name of a reason."""
    page = _GOOGLE_PAGE.search(text)
    if page is not None:
        yield _from_status(int(page[1]), (), text.encode("utf-8", "replace"), "fcm")
    elif len(text) <= 200 and "\n" not in text:
        rows = find.by_name(text)
        if rows:
            yield Finding(reason=label(text), rows=tuple(rows))


def _split_response(text: str) -> tuple[int, Headers, bytes] | None:
    """
    Return status, header fields and body of the last HTTP response in *text*, if there is one.

    What `curl -v` writes around it (``< `` before a field, ``* `` remarks) is taken off.
    """
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if _STATUS_LINE.fullmatch(line.strip())]
    if not starts or lines[0][:1] in ("{", "["):
        return None
    match = _STATUS_LINE.fullmatch(lines[starts[-1]].strip())
    if match is None:
        raise AssertionError("the line has just matched")
    headers: list[tuple[str, str]] = []
    rest = lines[starts[-1] + 1 :]
    while rest:
        field = _FIELD.fullmatch(rest[0].strip())
        if field is None:
            break
        headers.append((field[1].lower(), field[2]))
        rest.pop(0)
    body = "\n".join(line for line in rest if not _CURL_REMARK.match(line)).strip()
    return int(match[1]), headers, body.encode("utf-8", "surrogatepass")
