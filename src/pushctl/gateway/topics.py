"""
Requests that subscribe registrations to FCM topics, and what their answers say.  Pure.

There are two APIs.  In batches of up to a thousand registration tokens: ``iid/v1:batchAdd`` and
``:batchRemove``, which Firebase's Admin SDKs use (their source is its documentation).  And one by
one, registration tokens or Firebase installation ids: ``registrations.topicSubscriptions`` of
Google's discovery document, revision 20261023.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import quote

from pushctl import catalog
from pushctl.gateway import fcm
from pushctl.gateway.answer import Headers, label, raw_detail, rejected
from pushctl.outcome import Category, Kind, Outcome, Retryable, Service, TokenAction

MAX_BATCH = 1_000
_SEGMENT = "-_.~:"
_READ_ANEW = {404: "NOT_FOUND", 400: "INVALID_ARGUMENT"}
"""What is about the registration where only one was asked for."""


class Action(StrEnum):
    """What is done with registrations and a topic."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One request, without its credential."""

    method: str
    path: str
    fields: tuple[tuple[str, str], ...]
    body: bytes | None


_JSON = (("content-type", "application/json"),)
_BATCH_FIELDS = (*_JSON, ("access_token_auth", "true"))
_ONE_FIELDS = (*_JSON, ("x-goog-api-format-version", "2"))


def batch(action: Action, topic: str, tokens: Sequence[str]) -> Call:
    """
    Return the request about all *tokens* at once.

    :raises ValueError: for none, or more than :data:`MAX_BATCH`.
    """
    if not 0 < len(tokens) <= MAX_BATCH:
        raise ValueError(f"a batch has 1 to {MAX_BATCH} tokens")
    what = "Add" if action is Action.SUBSCRIBE else "Remove"
    body = {"to": f"/topics/{topic}", "registration_tokens": list(tokens)}
    return Call("POST", f"/iid/v1:batch{what}", _BATCH_FIELDS, _encoded(body))


def single(action: Action, topic: str, registration: str, project_id: str) -> Call:
    """Return the request about one *registration*, a token or an installation id."""
    parent = f"/v1/projects/{_quoted(project_id)}/registrations/{_quoted(registration)}"
    if action is Action.SUBSCRIBE:
        path = f"{parent}/topicSubscriptions?topicName={quote(topic, safe='-_.~')}"
        return Call("POST", path, _ONE_FIELDS, b"{}")
    path = f"{parent}/topicSubscriptions/{_quoted(topic)}?allowMissing=true"
    return Call("DELETE", path, _ONE_FIELDS, None)


def read_batch(
    status: int, headers: Headers, body: bytes, number: int
) -> Sequence[Outcome] | Outcome:
    """
    Return the outcome of each of the *number* tokens of a batch, in their order.

    Or one outcome where the answer is about the request as a whole: refused, or ``unknown``
    where it was accepted with results that cannot be laid to the tokens.
    """
    if not 200 <= status < 300:
        whole = fcm.read_answer(status, headers, body)
        return whole._replace(token_action=TokenAction.KEEP)  # it speaks of no single token
    results = (_parsed(body) or {}).get("results")
    if not isinstance(results, list) or len(results) != number:
        found = f"{len(results)} results" if isinstance(results, list) else "no results"
        return Outcome(
            kind=Kind.UNKNOWN,
            status=status,
            category=Category.SERVER,
            retryable=Retryable.WITH_BACKOFF,
            detail=f"the answer has {found} for {number} tokens",
        )
    return [_result(status, result) for result in results]


def read_single(status: int, headers: Headers, body: bytes) -> Outcome:
    """Return the outcome of a request about one registration; one subscribed before is accepted."""
    outcome = fcm.read_answer(status, headers, body)
    if outcome.kind is Kind.ACCEPTED:
        return outcome._replace(id=None)
    if status == 409 and outcome.reason == "ALREADY_EXISTS":
        return Outcome(kind=Kind.ACCEPTED, status=status, detail="it was subscribed already")
    if outcome.reason is not None and outcome.reason == _READ_ANEW.get(status):
        return _refused(status, outcome.reason, outcome.detail)
    return outcome


def _result(status: int, result: object) -> Outcome:
    error = result.get("error") if isinstance(result, dict) else result
    if isinstance(result, dict) and not error:
        return Outcome(kind=Kind.ACCEPTED, status=status)
    reason = label(error)
    if reason is None:
        return Outcome(
            kind=Kind.UNKNOWN,
            status=status,
            category=Category.SERVER,
            retryable=Retryable.WITH_BACKOFF,
            detail=raw_detail(_encoded(result)),
        )
    return _refused(status, reason, None)


def _refused(status: int, reason: str, detail: str | None) -> Outcome:
    row = catalog.lookup(Service.FCM, reason, case=catalog.TOPICS)
    if row is None:  # the status of a batch says nothing about one of its tokens
        return Outcome(
            kind=Kind.REJECTED,
            status=status,
            reason=reason,
            case=catalog.TOPICS,
            description="A reason that pushctl does not know.",
            category=Category.REQUEST,
            detail=detail,
        )
    return rejected(status, reason, row, case=catalog.TOPICS, detail=detail)


def _parsed(body: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _quoted(segment: str) -> str:
    """Return *segment* as one of a path: as Google's own clients write it."""
    return quote(segment, safe=_SEGMENT)
