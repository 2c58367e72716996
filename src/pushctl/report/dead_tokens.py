"""
The tokens that logs call dead, and those that they only cast a doubt on.

The rule is that of :mod:`pushctl.rules.dead_tokens`.  A bounce log tells every token that was
rejected and only counts those that were accepted.  So nothing here is concluded from a token that
was not rejected again: it may have been accepted, or nobody sent to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pushctl.audience.engine import parquet
from pushctl.audience.marking import LAST_WORD
from pushctl.audience.prepared import TABLE, Prepared, row_file
from pushctl.errors import InvalidInput, Place
from pushctl.outcome import Service, TokenAction
from pushctl.report.logs import Logs
from pushctl.report.tables import records_wanted
from pushctl.report.values import Filter
from pushctl.rules.dead_tokens import Standing, Word, standing, word_of
from pushctl.rules.masking import PREFIX
from pushctl.rules.tokens import DEVICE_TARGETS

DEAD_FIELDS = (
    *("token", "service", "platform", "profile", "token_action", "reason", "status"),
    *("dead_since", "time", "first_time", "bounces", "campaign", "run", "credential"),
    *("environment", "topic", "event", "schema"),
)
"""What is told of a dead token.  ``time`` and ``first_time`` are when it was rejected last and
first, ``bounces`` is how often."""

SUSPECT_FIELDS = (
    *("token", "service", "platform", "profile", "token_action", "reasons", "why", "evidence"),
    *("bounces", "days", "first_time", "time", "runs", "accepted_beside", "campaign", "run"),
    *("credential", "environment", "topic", "event", "schema"),
)
"""What is told of a suspect token.  ``days`` and ``runs`` count those on which it was rejected;
``accepted_beside`` is how many others were accepted in these runs with the same credential,
environment and topic."""

SCHEMA = 1
_AT_ONCE = 2048
_WORD_COLUMNS = (
    *("service", "token", "action", "said", "since", "wanted", "platform", "profile"),
    *("reason", "status", "dead_since", "time", "campaign", "run", "row", "credential"),
    *("environment", "topic"),
)
_WHY = {
    "BadDeviceToken": "APNs does not know it in this environment: a token of the other one looks"
    " just the same",
    "DeviceTokenNotForTopic": "it belongs to another app than this topic: that app may be alive",
    "SENDER_ID_MISMATCH": "it belongs to another Firebase project: that app may be alive",
    "INVALID_ARGUMENT": "FCM cannot read it: it may have been damaged on its way here",
    "InvalidToken": "it cannot be a token: the list has it wrong, which says nothing of the device",
}
_UNREADABLE = "the service called it dead, but its registered_at cannot be read"


@dataclass(slots=True)
class Found:
    """How many tokens of each standing were found."""

    dead: Counter[Service] = field(default_factory=Counter)
    alive: int = 0
    """Registered again since they were called dead."""
    doubtful: int = 0
    """Called dead, with a registration whose time cannot be read."""


def registered_files(prepared: Prepared) -> list[Path]:
    """Return the files of *prepared* that :func:`judge` reads."""
    folder = prepared.folder
    return [folder / TABLE, *(row_file(folder, at) for at in range(prepared.row_files))]


def judge(logs: Logs, chosen: Filter, registered: Prepared | None) -> Found:
    """
    Judge every token that *logs* speak of, and return how many of those that are *chosen* are what.

    Chosen is a token of which a *chosen* line speaks; judged it is by all lines.  *registered* is
    a list that says when the app reported its tokens.  Then :func:`dead` and :func:`suspects` tell
    the tokens.  Raises :class:`~pushctl.errors.InvalidInput` where dead tokens are masked.
    """
    _gather_words(logs, chosen)
    run = logs.engine.run
    struct = LAST_WORD.replace("shown: shown, place: place", _members(_WORD_COLUMNS[6:]))
    run(
        f"""
        CREATE TABLE latest AS
        SELECT service, token, {struct} AS word, min(time) AS first_time,
            arg_max(profile, time) AS profile, arg_max(platform, time) AS platform,
            count(DISTINCT {{run: run, row: row}}) AS bounces, bool_or(wanted) AS wanted
        FROM words GROUP BY service, token"""
    )
    run("DROP TABLE words")
    run("CREATE TABLE seen (service VARCHAR, token VARCHAR, registered VARCHAR[])")
    if registered is not None:
        run(
            f"""
            INSERT INTO seen SELECT service, token, list(DISTINCT registered_at)
            FROM ({_registrations(registered)}) SEMI JOIN latest USING (service, token)
            GROUP BY ALL"""
        )
    run("CREATE TABLE judged (service VARCHAR, token VARCHAR, standing VARCHAR)")
    found = Found()
    for rows in logs.stream(
        """
        SELECT service, token, word.action, word.said, word.since, registered, wanted
        FROM latest LEFT JOIN seen USING (service, token)"""
    ):
        logs.engine.append("judged", [*_judged(rows, found)])
    return found


def _judged(rows: Sequence[tuple[Any, ...]], found: Found) -> Iterator[tuple[Any, ...]]:
    for service, token, action, said, since, registered, wanted in rows:
        known = Service(service)
        verdict = standing(known, Word(TokenAction(action), said, since), registered or ())
        if wanted:
            found.dead[known] += verdict is Standing.DEAD
            found.alive += verdict is Standing.ALIVE
            found.doubtful += verdict is Standing.SUSPECT
        yield service, token, verdict.value


def _gather_words(logs: Logs, chosen: Filter) -> None:
    """Put what the logs say about the life of tokens into ``words``."""
    types = {"said": "DOUBLE", "since": "DOUBLE", "wanted": "BOOLEAN", "status": "BIGINT"}
    columns = ", ".join(
        f"{name} {types.get(name, 'BIGINT' if name == 'row' else 'VARCHAR')}"
        for name in _WORD_COLUMNS
    )
    logs.engine.run(f"CREATE TABLE words ({columns})")
    services = ", ".join(f"'{service}'" for service in Service)
    query = f"""
        SELECT service, {_spelling()} AS token, token_action, {records_wanted(chosen)} AS wanted,
            {", ".join(_WORD_COLUMNS[6:])}
        FROM bounces
        WHERE {_OF_A_TOKEN} AND service IN ({services})
            AND (token_action = 'remove' OR dead_since IS NOT NULL)"""
    at = _WORD_COLUMNS[6:].index
    since_at, time_at = 4 + at("dead_since"), 4 + at("time")
    for rows in logs.stream(query, size=_AT_ONCE):
        words = []
        for row in rows:
            service, token, action, wanted, *more = row
            word = word_of(action, row[time_at], row[since_at])
            if word is None:
                continue
            if token.startswith(PREFIX):
                raise _masked(logs)
            life = (word.action.value, word.said_s, word.since_s)
            words.append((service, token, *life, wanted, *more))
        logs.engine.append("words", words)


def _masked(logs: Logs) -> InvalidInput:
    return InvalidInput(
        "the tokens of this log are masked: which tokens are dead can be told from the real ones"
        " only",
        place=Place(", ".join(file.shown for file in logs.files)),
        hint="read the log that it was masked from, where that is kept",
    )


def dead(logs: Logs) -> Iterator[Mapping[str, Any]]:
    """Yield the chosen tokens that are dead, as :data:`DEAD_FIELDS`, those of last news last."""
    for rows in logs.stream(
        """
        SELECT token, service, word, platform, profile, first_time, bounces
        FROM latest JOIN judged USING (service, token)
        WHERE wanted AND standing = 'dead' ORDER BY word.time, token"""
    ):
        for token, service, word, platform, profile, first_time, bounces in rows:
            values = {
                **word,
                "token": token,
                "service": service,
                "platform": platform,
                "profile": profile,
                "token_action": TokenAction.REMOVE.value,
                "first_time": first_time,
                "bounces": bounces,
                "event": "Dead token",
                "schema": SCHEMA,
            }
            yield {name: values[name] for name in DEAD_FIELDS}


def suspects(logs: Logs, chosen: Filter) -> Iterator[Mapping[str, Any]]:
    """
    Yield the chosen tokens that are only suspect, as :data:`SUSPECT_FIELDS`, news last.

    A token that is dead is not among them, whatever else is said of it.
    """
    query = f"""
        WITH doubts AS (
            SELECT *, {_spelling()} AS spelling, {records_wanted(chosen)} AS wanted,
                concat_ws('/', coalesce(reason, 'HTTP ' || status), "case") AS named
            FROM bounces
            WHERE {_OF_A_TOKEN} AND (token_action IN ('suspect', 'check-environment')
                OR dead_since IS NOT NULL AND ({_DOUBTED}))
        ),
        accepted AS (
            SELECT run, credential, environment, topic, sum(accepted) AS number
            FROM counts GROUP BY ALL
        ),
        beside AS (
            SELECT doubt.service, doubt.spelling, sum(accepted.number) AS accepted_beside
            FROM (SELECT DISTINCT service, spelling, run, credential, environment, topic
                FROM doubts) AS doubt
            JOIN accepted ON accepted.run = doubt.run
                AND accepted.credential IS NOT DISTINCT FROM doubt.credential
                AND accepted.environment IS NOT DISTINCT FROM doubt.environment
                AND accepted.topic IS NOT DISTINCT FROM doubt.topic
            GROUP BY ALL
        ),
        tokens AS (
            SELECT service, spelling, list_sort(list(DISTINCT named)) AS reasons,
                count(DISTINCT {{run: run, row: row}}) AS bounces,
                count(DISTINCT time[:10]) AS days, count(DISTINCT run) AS runs,
                arg_max(platform, time) AS platform, arg_max(profile, time) AS profile,
                min(time) AS first_time,
                max({{time: time, {_members(_LATEST)}}}) AS last
            FROM doubts GROUP BY ALL HAVING bool_or(wanted)
        )
        SELECT tokens.*, coalesce(accepted_beside, 0)
        FROM tokens
            LEFT JOIN beside ON beside.service IS NOT DISTINCT FROM tokens.service
                AND beside.spelling = tokens.spelling
            ANTI JOIN (FROM judged WHERE standing = 'dead') AS gone
                ON gone.service = tokens.service AND gone.token = tokens.spelling
        ORDER BY last.time, tokens.spelling"""
    for rows in logs.stream(query):
        for service, token, reasons, bounces, days, runs, *who, first_time, last, beside in rows:
            values = {
                **last,
                "token": token,
                "service": service,
                "platform": who[0],
                "profile": who[1],
                "token_action": _action(last["token_action"]),
                "reasons": " ".join(reasons),
                "why": "; ".join(why(name) for name in reasons),
                "evidence": evidence(reasons, days=days, accepted_beside=int(beside)),
                "bounces": bounces,
                "days": days,
                "runs": runs,
                "first_time": first_time,
                "accepted_beside": int(beside),
                "event": "Suspect token",
                "schema": SCHEMA,
            }
            yield {name: values[name] for name in SUSPECT_FIELDS}


def why(reason: str) -> str:
    """Return why *reason* alone (``BadDeviceToken``, ``INVALID_ARGUMENT/bad_token``) proves nothing
    of the token's death."""
    return _WHY.get(reason.partition("/")[0], _UNREADABLE)


def evidence(reasons: Sequence[str], *, days: int, accepted_beside: int) -> str:
    """
    Return in a sentence what speaks against the token, and what for another fault.

    *accepted_beside* others were accepted in the same runs with the same credential, environment
    and topic: where there are some, these are right, and the token is what is wrong.
    """
    if reasons == ["InvalidToken"]:
        return "never sent: no service has judged it"
    again = f"rejected on {days} days" if days > 1 else "rejected on one day only"
    if accepted_beside == 0:
        return f"{again}; nobody was accepted beside it: the set-up may be at fault"
    others = "1 other was" if accepted_beside == 1 else f"{accepted_beside:,} others were"
    return f"{again}; {others} accepted beside it: credential, environment and topic are right"


def _action(token_action: str) -> str:
    """Return what is told of a suspect: never a removal, whatever the log's line says."""
    doubts = (TokenAction.SUSPECT.value, TokenAction.CHECK_ENVIRONMENT.value)
    return token_action if token_action in doubts else TokenAction.SUSPECT.value


_DEVICES = ", ".join(f"'{kind}'" for kind in DEVICE_TARGETS)
_OF_A_TOKEN = f"token IS NOT NULL AND coalesce(target, 'token') IN ({_DEVICES})"
_DOUBTED = """
    SELECT count(*) > 0 FROM judged WHERE standing = 'suspect' AND judged.service = bounces.service
        AND judged.token = CASE WHEN bounces.service = 'apns' THEN lower(bounces.token)
            ELSE bounces.token END"""
_LATEST = (*("token_action", "campaign", "run", "credential", "environment", "topic"),)


def _spelling() -> str:
    """Return the SQL for the one spelling under which a token is compared."""
    return "CASE WHEN service = 'apns' THEN lower(token) ELSE token END"


def _members(names: Sequence[str]) -> str:
    return ", ".join(f"{name}: {name}" for name in names)


def _registrations(registered: Prepared) -> str:
    """Return the query for when the app reported each token of the list, all rows of it."""
    tables = [
        f"SELECT service, {_spelling()} AS token, registered_at FROM {parquet(path)}"
        " WHERE token IS NOT NULL AND registered_at IS NOT NULL"
        for path in registered_files(registered)
    ]
    return " UNION ALL ".join(tables)
