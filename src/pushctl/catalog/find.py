"""Finding reasons the way a person asks for them: in any case, by half a name, by a word."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pushctl.catalog import Reason, all_reasons

SERVICE_GROUPS: Mapping[str, frozenset[str]] = {
    "apns": frozenset({"apns", "apns-broadcast", "apns-web"}),
    "fcm": frozenset({"fcm", "fcm-topics", "google"}),
    "google": frozenset({"google"}),
    "oauth": frozenset({"oauth"}),
    "pushctl": frozenset({"pushctl"}),
}
"""What a person means by a service, and the tables that belong to it."""


def group_of(service: str) -> str:
    """Return the first group that the table *service* belongs to."""
    return next(group for group, tables in SERVICE_GROUPS.items() if service in tables)


def by_name(text: str, services: frozenset[str] | None = None) -> list[Reason]:
    """
    Return the rows that *text* names in any case, or else with any separators.

    Names, aliases, cases (``bad_token``, ``INVALID_ARGUMENT/bad_token``) and the token
    endpoint's ``error`` words are names.  The name of a reason with several meanings gives its
    general row and all of them.  Rows spelt exactly as *text* come first, then in the order of
    the tables.
    """
    text = text.strip()
    wanted = _squash(text)
    if not wanted:
        return []
    found = [reason for reason in _within(services) if _is_spelt(reason, text.casefold())]
    if not found:
        found = [reason for reason in _within(services) if _is_like(reason, wanted)]
    return sorted(found, key=lambda reason: text not in _spellings(reason))


def by_status(status: int, services: frozenset[str] | None = None) -> list[Reason]:
    """Return the rows that come with an HTTP *status*, in the order of the tables."""
    return [reason for reason in _within(services) if reason.status == status]


def by_words(text: str, services: frozenset[str] | None = None) -> list[Reason]:
    """Return the rows in whose texts every word of *text* occurs, in any case."""
    words = text.casefold().split()
    if not words:
        return []
    return [
        reason for reason in _within(services) if all(word in _text_of(reason) for word in words)
    ]


def nearest(text: str, services: frozenset[str] | None = None, limit: int = 3) -> list[str]:
    """Return up to *limit* names that look like *text*, the likest first."""
    import difflib  # only a miss needs it

    names: dict[str, str] = {}
    for reason in _within(services):
        for spelling in _spellings(reason):
            names.setdefault(_squash(spelling), spelling)
    wanted = _squash(text)
    close = difflib.get_close_matches(wanted, names, n=limit, cutoff=0.6)
    begun = [name for name in names if len(wanted) >= 3 and name.startswith(wanted)]
    return [names[name] for name in dict.fromkeys([*close, *begun])][:limit]


def _within(services: frozenset[str] | None) -> Iterable[Reason]:
    if services is None:
        return all_reasons()
    return (reason for reason in all_reasons() if reason.service in services)


def _is_spelt(reason: Reason, folded: str) -> bool:
    for spelling in _spellings(reason):
        known = spelling.casefold()
        if known == folded or (known.endswith("*") and folded.startswith(known[:-1])):
            return True
    return False


def _is_like(reason: Reason, squashed: str) -> bool:
    return any(_squash(spelling) == squashed for spelling in _spellings(reason))


def _spellings(reason: Reason) -> Iterator[str]:
    yield from reason.names
    yield from reason.aliases
    if reason.case is not None:
        yield reason.case
        yield f"{reason.name}/{reason.case}"
    if reason.error is not None:
        yield reason.error


@functools.lru_cache(maxsize=4096)
def _squash(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _text_of(reason: Reason) -> str:
    parts: Sequence[str | None] = (
        *_spellings(reason),
        reason.service,
        reason.description,
        reason.resolution,
        *reason.seed_descriptions,
        reason.tell,
        *reason.causes,
        *reason.what_to_do,
        reason.notes,
    )
    return "\n".join(part for part in parts if part).casefold()
