"""
The rules for rows in SQL, for the rows about which there is nothing to say.

:func:`~pushctl.audience.recipient.resolve` decides.  What it decides depends, for a row in good
order, on very little: which kind of token it has, and which service and platform it states.  All
these cases are put to ``resolve`` once, and its answers become a table that DuckDB looks rows up
in.  A row that is in any way unusual is marked as not ``plain``, and ``resolve`` sees the row.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from enum import StrEnum

from pushctl.audience.engine import literal
from pushctl.audience.recipient import Recipient, resolve
from pushctl.audience.relation import Relation, is_fit, spellings
from pushctl.audience.row import Row
from pushctl.outcome import Environment, Kind, Platform, Service
from pushctl.rules import tokens

JUDGED = (
    *("token", "service", "platform", "profile", "credential", "environment", "topic"),
    *("registered_at", "attributes", "verdict_kind", "verdict_reason", "verdict_detail"),
)
"""What a row is judged to be, in the order of :data:`~pushctl.audience.prepared.COLUMNS`."""

_SAMPLES: tuple[str | None, ...] = (None, "ab", "a:b", "cW5kZXJzdGFuZGluZ19fX1")
# One token of each kind that SQL can tell, by the number of the kind: none at all, hexadecimal
# digits, a registration token, a Firebase installation id.
_TEXTS = ("profile", "credential", "topic", "registered_at")
_INSTALLATION_ID = "[c-f][A-Za-z0-9_-]{21}"
_REGISTRATION_TOKEN = "[A-Za-z0-9_-]+:[A-Za-z0-9_:-]+"  # noqa: S105 -- a pattern


def judged(
    relation: Relation, *, origin: int, offset: int, fallback: Platform | None, where: str | None
) -> str:
    """
    Return the query for the rows of *relation*, judged, in order.

    *origin* is the number of the source, *offset* how many rows there are before it, *where* the
    condition of a segment on ``attributes``.  ``key`` is a number by which the token is found, for
    those that are sent to.  A row that is not plain has nothing but its number, origin and line,
    and ``parts`` for :attr:`Relation.row` unless it was handed over already.
    """
    cells = relation.cells
    words = {name: cells.get(name) for name in ("service", "platform", "environment")}
    table = _Decisions(fallback)
    texts = [name for name in _TEXTS if name in cells]
    coded = f"""
        SELECT r, {relation.line} AS line, {cells["token"]} AS token,
            {_kind_of_token(cells["token"])} AS kind_of_token,
            {_code(words["service"], Service)} AS stated_service,
            {_code(words["platform"], Platform)} AS stated_platform,
            {_code(words["environment"], Environment)} AS stated_environment,
            {_texts(relation)},
            {relation.attributes}::VARCHAR AS attributes,
            {relation.no_consent}::VARCHAR AS no_consent,
            {relation.present} AS present,
            {relation.understood}{_all_fit(relation, texts)} AS fit,
            [{", ".join(relation.parts)}] AS parts
        FROM (SELECT row_number() OVER () AS r, * FROM {relation.table})"""
    looked_up = f"""
        SELECT *, {_index("kind_of_token", "stated_service", "stated_platform")} AS case_number,
            present AND fit AND kind_of_token >= 0
                AND least(stated_service, stated_platform, stated_environment) >= 0
                AND {table.column("sure", "case_number", "BOOLEAN")} AS plain
        FROM ({coded})"""
    segment = "" if where is None else f"WHEN NOT ({where}) THEN"
    skipped, rejected = literal(Kind.SKIPPED), literal(Kind.REJECTED)
    verdict = f"""
        SELECT {offset} + r AS row, {origin} AS origin, line,
            CASE WHEN NOT plain THEN NULL
                WHEN no_consent IS NULL AND {table.column("service", "case_number")} = 'apns'
                THEN lower(token) ELSE token END AS token,
            {table.column("service", "case_number")} AS service,
            {table.column("platform", "case_number")} AS platform,
            profile, credential,
            CASE stated_environment {_names(Environment)} END AS environment,
            topic, registered_at, attributes, present, plain, parts,
            CASE WHEN no_consent IS NOT NULL THEN {skipped} WHEN kind_of_token = 0 THEN {rejected}
                {segment and f"{segment} {skipped}"} END AS verdict_kind,
            CASE WHEN no_consent IS NOT NULL THEN 'NoConsent'
                WHEN kind_of_token = 0 THEN 'MissingToken'
                {segment and f"{segment} 'NotInSegment'"} END AS verdict_reason,
            no_consent AS verdict_detail
        FROM ({looked_up})"""
    return f"""
        SELECT row, origin, line, {", ".join(_if_plain(name) for name in JUDGED)},
            CASE WHEN plain AND verdict_kind IS NULL THEN {key("token")} END AS key,
            CASE WHEN present AND NOT plain THEN parts END AS parts
        FROM ({verdict})"""


def key(token: str) -> str:
    """Return the number by which *token* is found quickly.  Two tokens may share one."""
    return f"hash({token})"


def _if_plain(name: str) -> str:
    return f"CASE WHEN plain THEN {name} END AS {name}"


class _Decisions:
    """What ``resolve`` says of every combination that SQL can tell."""

    def __init__(self, fallback: Platform | None) -> None:
        self._recipients = [*_every_case(fallback)]

    def column(self, name: str, at: str, type_name: str = "VARCHAR") -> str:
        """Return the SQL that looks column *name* up at index *at*."""
        values = ", ".join(self._value(recipient, name) for recipient in self._recipients)
        return f"([{values}]::{type_name}[])[{at}]"

    def _value(self, recipient: Recipient, name: str) -> str:
        if name == "sure":
            verdict = recipient.verdict
            return str(verdict is None or verdict.reason == "MissingToken").lower()
        return literal(getattr(recipient, name))


def _every_case(fallback: Platform | None) -> Iterator[Recipient]:
    """Yield the recipients of all combinations, in the order of their index."""
    for platform, service, token in itertools.product(
        (None, *Platform), (None, *Service), _SAMPLES
    ):
        values = {"token": token, "service": service, "platform": platform}
        yield resolve(Row(None, values, {}), ordinal=1, shown="", fallback=fallback)


def _index(kind_of_token: str, service: str, platform: str) -> str:
    """Return the index of a combination, from 1."""
    services = 1 + len(Service)
    return f"1 + {kind_of_token} + {len(_SAMPLES)} * ({service} + {services} * {platform})"


def _kind_of_token(token: str) -> str:
    """Return which of the samples *token* is like, or -1."""
    short = f"strlen({token}) <= {tokens.MAX_LENGTH}"
    return f"""CASE WHEN {token} IS NULL THEN 0
        WHEN contains({token}, ':') THEN
            CASE WHEN {short} AND regexp_full_match({token}, '{_REGISTRATION_TOKEN}') THEN 2
            ELSE -1 END
        WHEN {short} AND strlen({token}) % 2 = 0 AND try(unhex({token})) IS NOT NULL THEN 1
        WHEN strlen({token}) = 22 AND regexp_full_match({token}, '{_INSTALLATION_ID}') THEN 3
        ELSE -1 END"""


def _code(column: str | None, words: type[StrEnum]) -> str:
    """Return the number of the one of *words* in *column*: 0 for none, -1 for another word."""
    if column is None:
        return "0"
    cases = " ".join(
        f"WHEN {column} IN ({spellings([word])}) THEN {number}"
        for number, word in enumerate(words, start=1)
    )
    return f"CASE WHEN {column} IS NULL THEN 0 {cases} ELSE -1 END"


def _names(words: type[StrEnum]) -> str:
    return " ".join(f"WHEN {number} THEN {literal(word)}" for number, word in enumerate(words, 1))


def _texts(relation: Relation) -> str:
    return ", ".join(f"{relation.cells.get(name, 'NULL::VARCHAR')} AS {name}" for name in _TEXTS)


def _all_fit(relation: Relation, names: list[str]) -> str:
    """Return the condition that each of the texts *names* is one that nothing is wrong with."""
    return "".join(f" AND {is_fit(relation.cells[name])}" for name in names)
