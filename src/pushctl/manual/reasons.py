"""``docs/reasons.md``: the catalog of reasons as one page of tables."""

from __future__ import annotations

from collections.abc import Iterator

from pushctl import catalog
from pushctl.catalog import Reason

NOTICE = "Generated from the catalog by `python3 dev.py generate`; do not edit."

_TABLES = {
    "apns": ("APNs", "What Apple answers to a push."),
    "fcm": ("FCM", "What Google answers to a push; INVALID_ARGUMENT has several meanings."),
    "google": ("Google's front end", "What Google answers before FCM sees the request."),
    "oauth": ("Google's token endpoint", "What an FCM credential can fail with."),
    "pushctl": ("pushctl", "What is decided on this side of the wire."),
    "apns-broadcast": ("APNs broadcast channels", "Channels and pushes to them."),
    "fcm-topics": (
        "FCM topic subscriptions",
        "What Google says of single registrations when they are subscribed to a topic.",
    ),
    "apns-web": ("Web pushes of Apple", "What Apple's web push service answers."),
}
_HEAD = (
    "| reason | status | what it means | what to do | retry | token |\n|---|---|---|---|---|---|"
)


def reasons_page() -> str:
    """Return all reasons as Markdown."""
    lines = [
        f"<!-- {NOTICE} -->",
        "# Reasons",
        "",
        "Every reason that a push, a credential or a run can end with. `pushctl explain NAME` says",
        "more, without a network: why it happens, an example of the answer, where it was read.",
        "",
        "*Retry*: `no`; `yes-with-backoff`, after waiting; `yes-after-fix`, once the cause is",
        "corrected. *Token*: `keep` it; `remove` it, it is dead; `suspect`, it belongs elsewhere",
        "or is no token; `check-environment`, it may be one of the other environment.",
        "",
    ]
    for service, (title, about) in _TABLES.items():
        lines += [f"## {title}", "", about, "", _HEAD, *_rows(service), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _rows(service: str) -> Iterator[str]:
    for reason in catalog.all_reasons():
        if reason.service == service:
            yield f"| {' | '.join(_cells(reason))} |"


def _cells(reason: Reason) -> Iterator[str]:
    name = reason.name if reason.case is None else f"{reason.name}/{reason.case}"
    yield f"`{name}`"
    yield "" if reason.status is None else str(reason.status)
    yield _escaped(reason.description)
    yield _escaped(" ".join(reason.what_to_do))
    yield reason.retryable.value
    yield "" if reason.service in ("oauth", "apns-broadcast") else reason.token_action.value


def _escaped(text: str) -> str:
    """Return *text* so that a table cell shows it as it is."""
    text = text.replace("\\", "\\\\").replace("<", "&lt;").replace("*", "\\*")
    return " ".join(text.replace("|", "\\|").split())
