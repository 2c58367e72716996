"""
JSON lines in the words of SQL, for lines about which there is nothing to say.

DuckDB reads JSON many times as fast as Python does, but not by the same rules: it lets a trailing
comma, ``NaN`` and two members of one name pass.  A line is left to it only if it is *sound*, that
is, if it holds nothing on which the two might differ; the others are read by
:mod:`pushctl.audience.jsonlines`, which is where the rules are.
"""

# ruff: noqa: S608 -- whatever comes from outside went through literal()

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pushctl.audience.blocks import LineBreak
from pushctl.audience.consent import consent_fault
from pushctl.audience.engine import Engine, literal, text_file
from pushctl.audience.parts import CELLS
from pushctl.audience.relation import is_fit, spellings
from pushctl.audience.row import KNOWN_COLUMNS
from pushctl.outcome import Environment, Platform, Service

UNIT = "\x1f"
"""A control character that no line of JSON may hold."""

_MAX_BYTES = 4_000
# Python refuses numbers of 4300 digits or more.
_MAX_LISTS = 30
# Python's limit on nesting is looked at from 64 brackets on.
_ODDITIES = r"(?i),\s*[}\]]|[:\[,]\s*-?(?:[0-9.]+e|nan|inf)"
_POINT_IN_TIME = (
    r"(?:[1-9]\d{3}|0[1-9]\d\d)-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{3}|\.\d{6})?"
    r"(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)"
)
_PROFILE_KEYS = ("id", "consent", "attributes", "tokens")
_TOKEN_KEYS = tuple(name for name in CELLS if name != "profile")
_WORDS: Mapping[str, Collection[str]] = {
    "platform": tuple(Platform),
    "service": tuple(Service),
    "environment": tuple(Environment),
}
_WHOLE_NUMBERS = ("UBIGINT", "BIGINT")


@dataclass(frozen=True, slots=True)
class Shape:
    """The names in an object, by which many lines are alike."""

    line: int
    """The first that has it."""
    names: Sequence[str]
    has_tokens: bool
    """Whether ``tokens`` is a list."""
    lines: int
    """How many have it."""


def lines_of(path: Path, line_break: LineBreak) -> str:
    """Return the lines of the file *path* as a table of ``line``, counted from 1, and ``j``."""
    table = text_file(path, ["j"], UNIT, line_break)
    return f"(SELECT row_number() OVER () AS line, j FROM {table})"


# -- token files ----------------------------------------------------------------------------------


def token_shapes(engine: Engine, lines: str) -> list[Shape]:
    """Return the shapes of the sound lines of the table *lines*, by first appearance."""
    return [
        Shape(line, names, has_tokens, number)
        for line, names, has_tokens, number in engine.all(
            f"""
            SELECT min(line), keys,
                coalesce(json_type(d, '/tokens') = 'ARRAY', false) AS has_tokens, count(*)
            FROM ({_flat(lines)}) WHERE sound GROUP BY keys, has_tokens ORDER BY 1"""
        )
    ]


def unsound_tokens(engine: Engine, lines: str) -> Iterator[tuple[int, str]]:
    """Yield the other lines of the table *lines*, with their numbers, in order."""
    for rows in engine.stream(f"SELECT line, j FROM ({_flat(lines)}) WHERE NOT sound"):
        yield from rows


def token_table(lines: str) -> str:
    """
    Return the table of the rows in *lines*: ``line``, ``j``, the cells, ``attributes``, ``consent``
    and ``fit``, which tells whether they can be relied on.
    """
    names = [*CELLS, "consent"]
    no_members = "{" + ", ".join(f'"{name}": null' for name in KNOWN_COLUMNS) + "}"
    texts = [f"nullif(texts[{at}], '') AS {name}" for at, name in enumerate(CELLS, start=1)]
    fit = [
        f"coalesce({_is_text(f'types[{at}]', numbers=name not in ('token', *_WORDS))}, true)"
        for at, name in enumerate(CELLS, start=1)
    ]
    attributes = f"json_merge_patch({_without_nulls('d')}, {literal(no_members)})"
    return f"""(
        SELECT line, j, {", ".join(texts)},
            nullif({attributes}::VARCHAR, '{{}}') AS attributes,
            {_consent_word(f"types[{len(names)}]", "d")} AS consent,
            coalesce(sound AND {" AND ".join(fit)}, false) AS fit
        FROM (
            SELECT line, j, d, sound, json_extract_string(d, {_paths(CELLS)}) AS texts,
                json_type(d, {_paths(names)}) AS types
            FROM ({_flat(lines)})
        ))"""


def _flat(lines: str) -> str:
    """Return the query that reads *lines* as objects in which there is no other object."""
    return f"""
        SELECT line, j, d, keys, coalesce(len(keys) = list_unique(keys), false) AS sound FROM (
            SELECT line, j, d, json_keys(d) AS keys FROM (
                SELECT line, j, CASE WHEN {_is_sound("j")} AND j NOT LIKE '{{%{{%' THEN j END AS d
                FROM {lines}
            )
        )"""


# -- profile files --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """What the sound lines of a file are."""

    profiles: int
    inputs: int
    names: frozenset[str]
    """All attributes that are not null."""


def profile_facts(engine: Engine, lines: str) -> ProfileFacts:
    """Return what the sound lines of the table *lines* are."""
    groups = engine.all(
        f"""
        SELECT json_keys({_without_nulls("attributes")}) AS names, count(*),
            sum(greatest(1, len(tokens)))
        FROM ({_profiles(lines)}) WHERE sound GROUP BY names"""
    )
    return ProfileFacts(
        sum(profiles for _, profiles, _ in groups),
        sum(int(inputs) for _, _, inputs in groups),
        frozenset(name for names, _, _ in groups for name in names or ()),
    )


def unsound_profiles(engine: Engine, lines: str) -> Iterator[tuple[int, str]]:
    """Yield the other lines of the table *lines*, with their numbers, in order."""
    for rows in engine.stream(f"SELECT line, j FROM ({_profiles(lines)}) WHERE NOT sound"):
        yield from rows


def profile_table(lines: str, inputs: Mapping[int, int]) -> str:
    """
    Return the table of the inputs in *lines*, as :func:`token_table` does, with ``i``, the index of
    the input in its line.

    *inputs* tells how many inputs an unsound line is, where that is not one.
    """
    number = "1"
    if inputs:
        pairs = ", ".join(f"{line}: {number}" for line, number in inputs.items())
        number = f"coalesce(map_extract_value(MAP {{{pairs}}}, line), 1)"
    texts = [
        f"nullif(token.texts[{at}], '') AS {name}" for at, name in enumerate(_TOKEN_KEYS, start=1)
    ]
    return f"""(
        SELECT line, j, i, CASE WHEN sound THEN id END AS profile, {", ".join(texts)},
            CASE WHEN sound THEN nullif({_without_nulls("attributes")}::VARCHAR, '{{}}') END
                AS attributes,
            {_consent_word("types[2]", "d")} AS consent, sound AS fit
        FROM (
            SELECT line, j, d, sound, id, attributes, types, unnest(range(number)) AS i,
                unnest(list_resize(CASE WHEN sound THEN tokens END, number)) AS token
            FROM (
                SELECT *, CASE WHEN sound THEN greatest(1, len(tokens)) ELSE {number} END AS number
                FROM ({_profiles(lines)})
            )
        ))"""


def _profiles(lines: str) -> str:
    """
    Return the query that reads *lines* as profiles of sound form.

    ``tokens`` is a list of the types and texts of :data:`_TOKEN_KEYS`, and how many members a token
    has.  Members that are as many as the known names that are there, are those names, each once.
    """
    sound = " AND ".join(
        (
            "members = list_aggregate(types, 'count')",
            _is_text("types[1]", numbers=True),
            "id IS NOT NULL",
            is_fit("id"),
            "coalesce(types[2] IN ('BOOLEAN', 'NULL'), true)",
            "coalesce(types[3] IN ('OBJECT', 'NULL'), true)",
            "coalesce(types[4] IN ('ARRAY', 'NULL'), true)",
            "(attributes IS NULL OR len(json_keys(attributes)) ="
            " list_unique(json_keys(attributes)))",
            "strlen(d) - strlen(replace(d, '{', '')) ="
            " 1 + len(tokens) + CASE WHEN attributes IS NULL THEN 0 ELSE 1 END",
            f"len(list_filter(tokens, lambda token: {_is_sound_token('token')})) = len(tokens)",
        )
    )
    return f"""
        SELECT line, j, d, id, types, tokens, attributes, coalesce({sound}, false) AS sound FROM (
            SELECT line, j, d, members, types, values[1]->>'$' AS id,
                CASE WHEN types[3] = 'OBJECT' THEN values[3] END AS attributes,
                list_transform(
                    CASE WHEN types[4] = 'ARRAY' THEN json_extract(values[4], '$[*]') ELSE [] END,
                    lambda token: {{
                        'types': json_type(token, {_paths(_TOKEN_KEYS)}),
                        'texts': json_extract_string(token, {_paths(_TOKEN_KEYS)}),
                        'members': len(json_keys(token))
                    }}
                ) AS tokens
            FROM (
                SELECT line, j, d, len(json_keys(d)) AS members,
                    json_type(d, {_paths(_PROFILE_KEYS)}) AS types,
                    json_extract(d, {_paths(_PROFILE_KEYS)}) AS values
                FROM (SELECT line, j, CASE WHEN {_is_sound("j")} THEN j END AS d FROM {lines})
            )
        )"""


def _is_sound_token(token: str) -> str:
    """Return the condition that *token*, read from a profile, is what a token must be."""
    types = f"{token}.types"
    conditions = [
        f"{token}.members = list_aggregate({types}, 'count')",
        f"NOT list_has_any({types}, ['OBJECT', 'ARRAY', 'BOOLEAN', 'UBIGINT', 'BIGINT', 'DOUBLE'])",
    ]
    for at, name in enumerate(_TOKEN_KEYS, start=1):
        text = f"{token}.texts[{at}]"
        if name in _WORDS:
            conditions.append(f"coalesce({text} IN ({spellings(_WORDS[name])}), true)")
        if name == "registered_at":
            conditions.append(
                f"({text} IS NULL OR (regexp_full_match({text}, '{_POINT_IN_TIME}')"
                f" AND TRY_CAST({text} AS TIMESTAMPTZ) IS NOT NULL))"
            )
    return f"coalesce({' AND '.join(conditions)}, false)"


# -- both -----------------------------------------------------------------------------------------


def no_consent_of(consent: str) -> str:
    """Return why nothing may be sent, from the column *consent* of a table of this module."""
    silence, refusal = (literal(consent_fault({"consent": value})) for value in (None, False))
    return f"CASE {consent} WHEN 'none' THEN {silence} WHEN 'false' THEN {refusal} END"


def _consent_word(type_name: str, document: str) -> str:
    """Return ``true``, ``false``, ``none`` or, for whatever else stands there, ``odd``."""
    return (
        f"CASE WHEN coalesce({type_name}, 'NULL') = 'NULL' THEN 'none'"
        f" WHEN {type_name} = 'BOOLEAN' THEN json_extract_string({document}, '/consent')"
        " ELSE 'odd' END"
    )


def _is_sound(text: str) -> str:
    """Return the condition that DuckDB and Python read the JSON *text* alike, but for names."""
    return (
        f"(json_valid({text}) AND strlen({text}) < {_MAX_BYTES}"
        f" AND NOT regexp_matches({text}, '{_ODDITIES}')"
        f" AND (NOT contains({text}, '[')"
        f" OR strlen({text}) - strlen(replace({text}, '[', '')) <= {_MAX_LISTS}))"
    )


def _without_nulls(document: str) -> str:
    """Return the JSON *document*, in which there is no other object, without its null members."""
    return (
        f"(CASE WHEN contains({document}::VARCHAR, 'null')"
        f" THEN json_strip_nulls({document}) ELSE {document}::JSON END)"
    )


def _is_text(type_name: str, *, numbers: bool) -> str:
    allowed = ("VARCHAR", "NULL", *(_WHOLE_NUMBERS if numbers else ()))
    return f"{type_name} IN ({', '.join(literal(name) for name in allowed)})"


def _paths(names: Sequence[str]) -> str:
    return f"[{', '.join(literal('/' + name) for name in names)}]"
