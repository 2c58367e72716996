"""
Shows what reasons mean: as pages, as a table, as JSON and as Markdown.

Pure: rows in, text out.  A vendor's sentence stands on one line of its own wherever the width is
not limited, so that it can be found word for word.
"""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pushctl import catalog
from pushctl.catalog import Reason
from pushctl.catalog.finding import Finding
from pushctl.errors import ExitCode
from pushctl.outcome import Category, Kind, Retryable, TokenAction

SERVICE_NAMES: Mapping[str, str] = {
    "apns": "APNs",
    "apns-broadcast": "APNs broadcast and channels",
    "apns-web": "Apple web push",
    "fcm": "FCM",
    "fcm-topics": "FCM topic subscriptions",
    "google": "Google API front end",
    "oauth": "Google token endpoint",
    "pushctl": "pushctl",
}
_TOKENLESS = frozenset({"apns-broadcast", "oauth"})
_WHOSE_CREDENTIALS = {
    "apns": "Whoever manages the push key or certificate in the Apple developer account.",
    "pushctl": "Whoever manages the credentials named in pushctl.yaml.",
}
_WHOSE_CREDENTIALS_DEFAULT = "Whoever manages the service account and the Firebase project."
_WHO = {
    Category.TOKEN: "The owner of the token list; a working token comes only from the app.",
    Category.REQUEST: "Whoever builds the request: its target, topic and header fields.",
    Category.PAYLOAD: "Whoever writes the message.",
    Category.RATE: "The sender, by sending more slowly.",
    Category.CONNECTION: "Whoever runs the network in between; often a new connection is enough.",
    Category.RULE: "The sender: it is a rule on our side, and no service was asked.",
}
_SCOPES = {
    "this-notification": "Other notifications are not affected.",
    "this-token": "Only this token is affected.",
    "this-connection": "Everything on this connection is affected.",
    "all-sends-with-these-credentials": "Everything sent with these credentials is affected.",
}
_RETRY = {
    Retryable.NO: "No. The same push to the same token cannot succeed.",
    Retryable.AFTER_FIX: "Yes, once the cause is corrected.",
    Retryable.WITH_BACKOFF: "Yes, the same push, later.",
}
_VENDOR_RETRY = {
    "do-not-retry": "Apple says: do not retry.",
    "after-fix": "Apple says: retry after fixing the error.",
    "with-delay": "Apple says: retry with a delay.",
    "after-15-minutes": "Apple says: retry after 15 minutes, with back-off.",
}
_TOKEN = {
    TokenAction.KEEP: "This says nothing against it: keep it.",
    TokenAction.REMOVE: (
        "No. Remove it, unless the app registered it again after the service found it dead."
    ),
    TokenAction.SUSPECT: (
        "Doubtful. Keep it apart for a person to look at; pushctl never exports it as dead."
    ),
    TokenAction.CHECK_ENVIRONMENT: (
        "Perhaps. See first whether it belongs to this environment (production or sandbox); "
        "pushctl never exports it as dead."
    ),
}
_COLUMNS = ("REASON", "SERVICE", "STATUS", "RETRY", "TOKEN", "MEANING")
_MEANING_WIDTH_MIN = 20
_NAME_WIDTH_MAX = 34


@dataclasses.dataclass(frozen=True, slots=True)
class Style:
    """How text is laid out."""

    width: int | None = None
    """Columns to wrap at; ``None``: never."""
    color: bool = False

    def bold(self, text: str) -> str:
        """Return *text* in bold, if colour is wanted."""
        return f"\x1b[1m{text}\x1b[0m" if self.color else text

    def dim(self, text: str) -> str:
        """Return *text* dimmed, if colour is wanted."""
        return f"\x1b[2m{text}\x1b[0m" if self.color else text


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """One heading of a page and what stands under it."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    bullets: tuple[str, ...] = ()
    terms: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Names, each with paragraphs of its own."""
    code: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """The explanation of one thing, before it is laid out."""

    title: str
    facts: str
    sections: tuple[Section, ...]


def page_of(reason: Reason, cases: Sequence[Reason] = ()) -> Page:
    """Return the page of a row; *cases* are the meanings to list on a general row's page."""
    sections = (
        Section("What it means", _meaning(reason)),
        _meanings(cases),
        Section("Who can fix it", _who(reason)),
        Section("Why it happens", bullets=reason.causes),
        Section("What to do", bullets=reason.what_to_do),
        Section("Retry?", (_retry(reason),)),
        Section("Is the token still good?", (_token(reason),)),
        Section("Good to know", (reason.notes,) if reason.notes else ()),
        _example(reason),
        Section("Read at", _sources(reason)),
    )
    return Page(_title(reason), _facts(reason), tuple(_filled(sections)))


def exit_code_page(code: ExitCode) -> Page:
    """Return the page of an exit code."""
    todo = ("`pushctl runs resume` sends the rest.",) if "resumable" in code.meaning else ()
    order = "Where several apply, the first of 74, 4, 5, 6, 130/143, 7, 1 is given."
    sections = (
        Section("What it means", (code.meaning[0].upper() + code.meaning[1:] + ".",)),
        Section("What to do", bullets=todo),
        Section("Good to know", (order,)),
    )
    return Page(f"exit {int(code)}", "exit code of pushctl", tuple(_filled(sections)))


def status_page(status: int, rows: Sequence[Reason]) -> Page:
    """Return the page of an HTTP status; *rows* say what it means by itself, one a service."""
    terms = tuple(
        (
            SERVICE_NAMES.get(row.service, row.service),
            tuple(
                filter(
                    None,
                    (
                        row.description,
                        row.notes,
                        f"Retry? {_retry(row)}",
                        f"Is the token still good? {_token(row)}",
                    ),
                )
            ),
        )
        for row in rows
    )
    heading = "What it means where the reason is missing or new"
    return Page(f"HTTP {status}", "an HTTP status", (Section(heading, terms=terms),))


def accepted_page(services: Iterable[str], status: int | None = 200) -> Page:
    """Return the page of an accepted push."""
    says = tuple(catalog.accepted(service) for service in services)
    facts = f"HTTP {status}" if status is not None else "an outcome"
    return Page("accepted", facts, (Section("What it means", says),))


def finding_page(finding: Finding) -> Page:
    """Return the page about an answer itself: what it is, and what in it says so."""
    parts = [SERVICE_NAMES.get(finding.service or "", finding.service)]
    parts += [f"HTTP {finding.status}" if finding.status is not None else None]
    parts += [finding.kind.value if finding.kind is not None else None]
    about = []
    if finding.reason is not None:
        case = f", case {finding.case}" if finding.case and finding.case != finding.reason else ""
        about.append(f"Reason: {finding.reason}{case}")
    if finding.evidence is not None:
        about.append(f"Told by: {finding.evidence}")
    if finding.detail is not None:
        about.append(f"The server's text: {finding.detail}")
    if finding.dead_since is not None:
        about.append(f"Dead since: {finding.dead_since}")
    sections = [Section("This answer", tuple(about))]
    usual = finding.rows[0].token_action if finding.rows else None
    if finding.token_action not in (None, usual) and finding.kind is Kind.REJECTED:
        sections.append(Section("The token in this case", (_TOKEN[finding.token_action],)))
    if finding.candidates:
        sections.append(_candidates(finding.candidates))
    return Page(
        finding.reason or "answer", " · ".join(filter(None, parts)), tuple(_filled(sections))
    )


def _candidates(candidates: Sequence[Reason]) -> Section:
    return Section(
        "It may be one of",
        (
            "The body alone does not decide. Send the same message with --dry-run "
            "--validate-only to a token that is known to be good: if that fails too, the message "
            "is at fault and not the token.",
        ),
        terms=tuple((row.case or row.name, (row.description,)) for row in candidates),
    )


def _filled(sections: Iterable[Section]) -> Iterable[Section]:
    return (
        section
        for section in sections
        if section.paragraphs or section.bullets or section.terms or section.code
    )


def _title(reason: Reason) -> str:
    return f"{reason.name} ({reason.case})" if reason.case else reason.name


def _facts(reason: Reason) -> str:
    facts = [SERVICE_NAMES.get(reason.service, reason.service)]
    if reason.status is not None and not reason.name.startswith("HTTP "):
        facts.append(f"HTTP {reason.status}")
    facts.append(reason.category.value)
    return " · ".join(facts)


def _meaning(reason: Reason) -> tuple[str, ...]:
    parts = [reason.description]
    if reason.resolution is not None:
        parts.append(reason.resolution)
    parts += [f"In the older table: {text}" for text in _older(reason)]
    if reason.tell is not None:
        parts.append(f"Recognised by: {reason.tell}")
    if reason.aliases:
        parts.append(f"Also spelt: {', '.join(reason.aliases)}")
    return tuple(parts)


def _older(reason: Reason) -> list[str]:
    return [text for text in reason.seed_descriptions if text != reason.description]


def _meanings(cases: Sequence[Reason]) -> Section:
    terms = tuple(
        (
            f"{row.case} (token: {row.token_action}, retry: {row.retryable})",
            (
                row.description,
                *(f"In the older table: {text}" for text in _older(row)),
                f"Recognised by: {row.tell}",
                f"What to do: {' '.join(row.what_to_do)}",
            ),
        )
        for row in cases
    )
    return Section("Its meanings (each has a page: pushctl explain bad_token)", terms=terms)


def _who(reason: Reason) -> tuple[str, ...]:
    if reason.category is Category.CREDENTIALS:
        family = "apns" if reason.service.startswith("apns") else reason.service
        who = _WHOSE_CREDENTIALS.get(family, _WHOSE_CREDENTIALS_DEFAULT)
    elif reason.category is Category.SERVER:
        vendor = "Apple" if reason.service.startswith("apns") else "Google"
        who = f"{vendor if reason.service != 'pushctl' else 'The service'}; we can only wait."
    else:
        who = _WHO[reason.category]
    scope = _SCOPES.get(reason.scope or "")
    return (f"{who} {scope}" if scope else who,)


def _retry(reason: Reason) -> str:
    if reason.category is Category.RULE and reason.retryable is Retryable.NO:
        return "No. It is left out on purpose."
    parts = [_RETRY[reason.retryable]]
    if reason.min_wait_s is not None:
        parts.append(f"Wait for Retry-After, without it at least {_duration(reason.min_wait_s)}.")
    if reason.vendor_retry is not None:
        parts.append(_VENDOR_RETRY[reason.vendor_retry])
    return " ".join(parts)


def _duration(seconds: float) -> str:
    if seconds >= 120 and seconds % 60 == 0:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds:.0f} second{'' if seconds == 1 else 's'}"


def _token(reason: Reason) -> str:
    if reason.channel_action == "remove":
        return "No token is involved. The channel is gone: remove it."
    if reason.service in _TOKENLESS:
        return "No token is involved."
    return _TOKEN[reason.token_action]


def _example(reason: Reason) -> Section:
    if not reason.examples:
        return Section("Example response")
    example = reason.examples[0]
    note = f" ({example.note})" if example.note else ""
    body = json.dumps(json.loads(example.body), indent=2, ensure_ascii=False)
    return Section("Example response", (f"{example.provenance}{note}",), code=body)


def _sources(reason: Reason) -> tuple[str, ...]:
    known = catalog.sources()
    if not reason.source or reason.service == "pushctl":
        return ()
    lines = []
    for part in reason.source.split(";"):
        key, _, remark = part.strip().partition(" (")
        source = known.get(key) or known.get(part.strip())
        if source is None:
            lines.append(part.strip())
        else:
            lines.append(
                source.title
                + (f" ({remark}" if remark else "")
                + (f" {source.url}" if source.url else "")
            )
    return (*lines, f"Checked: {reason.verification}")


def pages_of(reasons: Sequence[Reason]) -> list[Page]:
    """
    Return a page for each row.

    Where the general row of a reason is among them, its cases are listed on that page and get
    none of their own.
    """
    general = {(row.service, row.name) for row in reasons if row.case is None}
    pages = []
    for row in reasons:
        key = (row.service, row.name)
        if row.case is None:
            cases = [
                other for other in reasons if (other.service, other.name) == key and other.case
            ]
            pages.append(page_of(row, cases))
        elif key not in general:
            pages.append(page_of(row))
    return pages


def as_text(pages: Iterable[Page], style: Style) -> str:
    """Return *pages* for a terminal, each ending in an empty line but the last."""
    return "\n\n".join(_page_text(page, style) for page in pages)


def _page_text(page: Page, style: Style) -> str:
    lines = [style.bold(page.title), style.dim(page.facts), ""]
    for section in page.sections:
        lines.append(style.bold(section.heading))
        for text in section.paragraphs:
            lines += _wrapped(text, style, "  ")
        for text in section.bullets:
            lines += _wrapped(text, style, "  - ", "    ")
        for term, texts in section.terms:
            lines.append(f"  {style.bold(term)}")
            for text in texts:
                lines += _wrapped(text, style, "    ")
        if section.code is not None:
            lines += textwrap.indent(section.code, "  ").split("\n")
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def _wrapped(text: str, style: Style, first: str, rest: str | None = None) -> list[str]:
    if style.width is None:
        return [first + text]
    return textwrap.wrap(
        text,
        max(style.width, 20),
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(reasons: Iterable[Reason], style: Style) -> str:
    """Return one line a row; with a width the meaning is cut to it, without one it is whole."""
    rows = [_cells(reason) for reason in reasons]
    widths = [max(len(row[column]) for row in (_COLUMNS, *rows)) for column in range(5)]
    room = None
    if style.width is not None:
        widths[0] = min(widths[0], _NAME_WIDTH_MAX)
        room = max(style.width - sum(widths) - 2 * len(widths), _MEANING_WIDTH_MIN)
    lines = [style.bold(_line(_COLUMNS, widths, room))]
    lines += [_line(row, widths, room) for row in rows]
    return "\n".join(lines) + "\n"


def _cells(reason: Reason) -> tuple[str, ...]:
    return (
        f"{reason.name}/{reason.case}" if reason.case else reason.name,
        reason.service,
        "-" if reason.status is None else str(reason.status),
        reason.retryable.value,
        "-" if reason.service in _TOKENLESS else reason.token_action.value,
        reason.description,
    )


def _line(cells: Sequence[str], widths: Sequence[int], room: int | None) -> str:
    *fixed, meaning = cells
    padded = [_cut(cell, width).ljust(width) for cell, width in zip(fixed, widths, strict=True)]
    return "  ".join([*padded, meaning if room is None else _cut(meaning, room)])


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def as_json(objects: Sequence[Mapping[str, Any]]) -> str:
    """Return *objects* as one JSON list."""
    return json.dumps(objects, indent=2, ensure_ascii=False) + "\n"


def reason_object(reason: Reason) -> dict[str, Any]:
    """
    Return a row as JSON; every key is always there.

    ``kind`` is ``reason``, or ``status`` for what an HTTP status alone says.
    """
    return {
        "kind": "status" if reason.name.startswith("HTTP ") else "reason",
        **dataclasses.asdict(reason),
        "in_seed": reason.in_seed,
    }


def exit_code_object(code: ExitCode) -> dict[str, Any]:
    """Return an exit code as JSON."""
    return {"kind": "exit-code", "code": int(code), "meaning": code.meaning}


def accepted_object(services: Iterable[str], status: int | None = 200) -> dict[str, Any]:
    """Return the meaning of an acceptance as JSON."""
    meanings = {service: catalog.accepted(service) for service in services}
    return {"kind": "accepted", "status": status, "meanings": meanings}


def finding_object(finding: Finding) -> dict[str, Any]:
    """Return what was found out about an answer as JSON; its rows are objects of their own."""
    return {
        "kind": "answer",
        "service": finding.service,
        "status": finding.status,
        "outcome": finding.kind,
        "reason": finding.reason,
        "case": finding.case,
        "candidates": [row.case for row in finding.candidates],
        "evidence": finding.evidence,
        "token_action": finding.token_action,
        "dead_since": finding.dead_since,
        "detail": finding.detail,
    }


def as_markdown(pages: Iterable[Page]) -> str:
    """Return *pages* as Markdown."""
    return "\n".join(_page_markdown(page) for page in pages)


def _page_markdown(page: Page) -> str:
    lines = [f"## {_escaped(page.title)}", "", _escaped(page.facts), ""]
    for section in page.sections:
        lines += [f"### {section.heading}", ""]
        for text in section.paragraphs:
            lines += [_escaped(text), ""]
        for text in section.bullets:
            lines.append(f"- {_escaped(text)}")
        for term, texts in section.terms:
            lines.append(f"- **{_escaped(term)}**")
            lines += [f"  - {_escaped(text)}" for text in texts]
        if section.code is not None:
            lines += ["```json", section.code, "```"]
        if lines[-1]:
            lines.append("")
    return "\n".join(lines)


def markdown_table(reasons: Iterable[Reason]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| Reason | Service | Status | Retry | Token | Meaning |", "|---|---|---|---|---|---|"]
    for reason in reasons:
        cells = (_escaped(cell).replace("|", "\\|") for cell in _cells(reason))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Return *text* so that Markdown shows it as it is (only what would be taken for markup)."""
    return text.replace("<", "&lt;").replace("*", "\\*")
