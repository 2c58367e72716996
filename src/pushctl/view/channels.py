"""Shows broadcast channels: made, listed, read, deleted; and why one was not."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pushctl import catalog
from pushctl.errors import Problem, PushctlError
from pushctl.outcome import Kind, Outcome, Service
from pushctl.rules.channels import MAX_CHANNELS
from pushctl.rules.text import printable
from pushctl.view.outcomes import csv_cell
from pushctl.view.terminal import Terminal

FIELDS = (
    "id", "storage", "push_type", "app", "environment", "credential", "outcome", "status", "reason",
    "description", "detail",
)  # fmt: skip
_LISTED = ("id", "app", "environment", "credential")
_STORAGE_WORDS = {
    "none": "none: a device that is offline misses what is sent",
    "last": "last: a device that comes online gets the most recent message",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Home:
    """Whose channels they are."""

    app: str
    environment: str
    credential: str

    def __str__(self) -> str:
        return f"{self.app} ({self.environment})"


def channel_document(
    home: Home,
    id: str | None,
    outcome: Outcome,
    *,
    storage: str | None = None,
    push_type: str | None = None,
) -> dict[str, Any]:
    """Return a channel, and what became of the request about it, as JSON values."""
    return {
        "id": id,
        "storage": storage,
        "push_type": push_type,
        **dataclasses.asdict(home),
        "outcome": outcome.kind.value,
        "status": outcome.status,
        "reason": outcome.reason,
        "description": outcome.description,
        "detail": outcome.detail,
    }


def show_made(document: Mapping[str, Any], terminal: Terminal, output: str) -> None:
    """Print a channel that was made: as a table, its id alone."""
    if output != "table":
        _show_documents([document], terminal, output, FIELDS)
    elif document["id"] is not None:
        terminal.data(f"{printable(document['id'], 4096)}\n")


def show_one(document: Mapping[str, Any], terminal: Terminal, output: str) -> None:
    """Print how a channel was made."""
    if output != "table":
        _show_documents([document], terminal, output, FIELDS)
        return
    if document["outcome"] != Kind.ACCEPTED:
        return
    storage = document["storage"]
    words = _STORAGE_WORDS.get(storage, "the answer does not tell")
    lines = [("id", document["id"]), ("storage", words), ("push type", document["push_type"])]
    lines += [(name, document[name]) for name in ("app", "environment", "credential")]
    for name, value in lines:
        terminal.data(f"{name:12} {printable(str(value or '-'), 4096)}\n")


def show_deleted(documents: Sequence[Mapping[str, Any]], terminal: Terminal, output: str) -> None:
    """Print what became of each channel that was to be deleted."""
    if output != "table":
        if output == "json":
            terminal.data(_json(list(documents)))
        else:
            _show_documents(documents, terminal, output, FIELDS)
        return
    for document in documents:
        kind = Kind(document["outcome"])
        said = "deleted" if kind is Kind.ACCEPTED else _said(document)
        style = "green" if kind is Kind.ACCEPTED else "red" if kind is Kind.REJECTED else "yellow"
        mark = terminal.paint(f"{terminal.mark(kind)} {said}", style, out=True)
        terminal.data(f"{mark}  {printable(document['id'], 4096)}\n")


def show_listing(home: Home, ids: Sequence[str], terminal: Terminal, output: str) -> None:
    """Print the ids of all channels of an app."""
    documents = [{"id": one, **dataclasses.asdict(home)} for one in ids]
    if output == "json":
        listed = [{"id": one} for one in ids]
        terminal.data(_json({**dataclasses.asdict(home), "count": len(ids), "channels": listed}))
    elif output != "table":
        _show_documents(documents, terminal, output, _LISTED)
    else:
        terminal.data("".join(f"{printable(one, 4096)}\n" for one in ids))
    number = f"{len(ids):,} channel" + ("" if len(ids) == 1 else "s")
    terminal.say(f"{number} of {home}; {MAX_CHANNELS:,} are possible")


def show_request(request: Mapping[str, Any], terminal: Terminal, output: str) -> None:
    """Print a request that was not made; *request* has method, url, headers and body."""
    if output != "table":
        text = _json(request) if output == "json" else json.dumps(request) + "\n"
        terminal.data(text)
        return
    terminal.data(f"{request['method']} {request['url']}\n")
    for name, value in request["headers"].items():
        terminal.data(f"{name}: {value}\n")
    if request["body"] is not None:
        terminal.data(f"\n{request['body']}\n")


def problem_of(outcome: Outcome, what: str, *, if_unknown: str | None = None) -> PushctlError:
    """
    Return why *what* ("create the channel") was not done, as an error with what to do.

    *if_unknown* is what to do where nobody knows whether it was.
    """
    detail = f" ({outcome.detail})" if outcome.detail else ""
    description = outcome.description or ""
    if outcome.kind is Kind.UNKNOWN:
        message = f"APNs was asked to {what} and has not answered: it may have been done{detail}"
        return PushctlError(problems=[Problem(message, hint=if_unknown)])
    if outcome.reason == "NoAnswer":
        message = f"cannot {what}: APNs has not answered{detail}"
        return PushctlError(problems=[Problem(message, hint="nothing was changed: try again")])
    if outcome.status is None:
        message = f"cannot {what}: {description}{detail}"
        return PushctlError(problems=[Problem(message, hint=_advice(outcome))])
    name = outcome.reason or f"HTTP {outcome.status}"
    status = f"{outcome.status} " if outcome.reason else ""
    message = f"APNs refused to {what}: {status}{name}: {description}{detail}"
    return PushctlError(problems=[Problem(message, hint=_advice(outcome))])


def _advice(outcome: Outcome) -> str | None:
    row = catalog.of_record(
        Service.APNS, outcome.reason, status=outcome.status, case=catalog.BROADCAST
    )
    return row.what_to_do[0] if row is not None and row.what_to_do else None


def _said(document: Mapping[str, Any]) -> str:
    words = (document["outcome"], document["status"], document["reason"])
    return " ".join(str(word).replace("_", " ") for word in words if word)


def _show_documents(
    documents: Sequence[Mapping[str, Any]],
    terminal: Terminal,
    output: str,
    fields: Sequence[str],
) -> None:
    if output == "json":
        (document,) = documents
        terminal.data(_json(document))
    elif output == "jsonl":
        for document in documents:
            terminal.data(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(fields)
        for document in documents:
            writer.writerow([csv_cell(document[name]) for name in fields])
        terminal.data(buffer.getvalue())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
