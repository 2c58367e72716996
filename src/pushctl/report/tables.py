"""
One pass over the logs, in SQL: how many lines of each kind there are, by all that can be asked.

Everything a report says is computed from the small table ``tallied`` that comes out of it, so a
log is read once whatever is asked.  Pure: nothing here runs anything.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from pushctl.audience.engine import literal
from pushctl.outcome import Kind
from pushctl.records.record import SCHEMA
from pushctl.report.logs import KNOWN
from pushctl.report.values import Filter

_KEYS = (
    "event", "outcome", "service", "platform", "credential", "environment", "topic", "campaign",
    "run", "status", "reason", '"case"', "token_action", "seq",
)  # fmt: skip
_RECORD = "event IS NOT DISTINCT FROM 'Bounced push' OR outcome IS NOT NULL"


def tally(chosen: Filter, *, with_rows: bool = False) -> str:
    """
    Return the statement that makes ``tallied`` from the table ``lines``.

    *with_rows* it also holds the numbers of the rows, for :data:`COUNT_REPEATS`.
    """
    rows = ",\n  list(row) FILTER (row IS NOT NULL) AS rows" if with_rows else ""
    return f"""CREATE TABLE tallied AS
SELECT {_columns(chosen, sign="")}{rows}
FROM lines
WHERE wanted OR strange OR newer
GROUP BY ALL"""


COUNT_REPEATS = """SELECT count(*) - count(DISTINCT hash(event, run, row))
FROM (SELECT event, run, unnest(rows) AS row FROM tallied WHERE wanted AND run IS NOT NULL)"""
"""How many lines repeat an event of a run and row; the hash errs to the safe side."""

DROP_ROWS = "ALTER TABLE tallied DROP COLUMN rows"


def find_repeats(chosen: Filter) -> str:
    """Return the statement that makes ``repeated``: run and row of what stands there twice."""
    return f"""CREATE TABLE repeated AS
SELECT event, run, row FROM lines
WHERE ({_RECORD}) AND run IS NOT NULL AND row IS NOT NULL AND {records_wanted(chosen)}
GROUP BY ALL HAVING count(*) > 1"""


def take_back_repeats(chosen: Filter) -> str:
    """Return the statement that takes all but the first of each repeated line out of the count."""
    return f"""INSERT INTO tallied
SELECT {_columns(chosen, sign="-")}
FROM (
  SELECT l.* FROM lines AS l JOIN repeated AS r
    ON l.run = r.run AND l.row = r.row AND l.event IS NOT DISTINCT FROM r.event
  WHERE {records_wanted(chosen)}
  QUALIFY row_number() OVER (PARTITION BY l.event, l.run, l.row ORDER BY l.time) > 1
)
GROUP BY ALL"""


def _columns(chosen: Filter, *, sign: str) -> str:
    """Return the columns of ``tallied``; with a minus *sign* such as take lines back."""
    kinds = ", ".join(f"any_value({kind.value}) AS {kind.value}" for kind in Kind)
    return f"""{", ".join(_KEYS)},
  coalesce(hour, time[1:13]) AS hour,
  coalesce(CASE event WHEN 'Push counts' THEN {_counts_wanted(chosen)}
    ELSE {records_wanted(chosen)} END, false) AS wanted,
  NOT coalesce(schema > {SCHEMA} OR {KNOWN}, false) AS strange,
  coalesce(schema > {SCHEMA}, false) AS newer,
  {sign}count(*) AS lines, min(time) AS first_time, max(time) AS last_time,
  min(token) AS low, max(token) AS high,
  {kinds}"""


def _wanted(chosen: Filter) -> str:
    of_counts, of_records = _counts_wanted(chosen), records_wanted(chosen)
    if of_counts == of_records:
        return f"coalesce({of_records}, false)"
    return (
        f"coalesce(CASE event WHEN 'Push counts' THEN {of_counts}"
        f"\n    ELSE {of_records} END, false)"
    )


_OUTCOMES = ", ".join(
    f"CASE outcome WHEN '{kind.value}' THEN lines ELSE 0 END AS {kind.value}" for kind in Kind
)
_COUNTED = ", ".join(kind.value for kind in Kind)
_WHERE = "service, credential, environment, topic, campaign, run, day, hour, hour_begins"

VIEWS = (
    """CREATE VIEW sound AS
SELECT *, hour[1:10] AS day, try_strptime(hour, '%Y-%m-%dT%H') AS hour_begins
FROM tallied
WHERE wanted AND NOT strange AND length(hour) = 13 AND hour_begins >= '1970-01-01'""",
    """CREATE VIEW bounced AS
SELECT *, lines AS bounces,
  coalesce(try_cast(first_time AS TIMESTAMP), hour_begins) AS first_seen,
  coalesce(try_cast(last_time AS TIMESTAMP), hour_begins) AS last_seen
FROM sound
WHERE event = 'Bounced push' AND run IS NOT NULL""",
    """CREATE VIEW counted AS
SELECT * FROM sound
WHERE event = 'Push counts'
QUALIFY row_number() OVER (PARTITION BY run, seq ORDER BY hour) = 1""",
    f"""CREATE VIEW answered AS
SELECT {_WHERE}, {_COUNTED} FROM counted
UNION ALL
SELECT {_WHERE}, {_OUTCOMES} FROM sound
WHERE outcome IS NOT NULL AND run NOT IN (SELECT run FROM counted)
  AND run IN (SELECT run FROM sound WHERE outcome <> 'rejected')""",
)
"""
The statements that make, from ``tallied``:

- ``bounced``: the bounces, with how many there are of each kind;
- ``answered``: how pushes ended; as "Push counts" tell it or, where a run has none (in what
  ``send -o jsonl`` wrote), as its records do.  Bounces alone tell nothing of what was accepted.
"""

UNSOUND = """SELECT
  coalesce(sum(lines) FILTER (strange OR (wanted AND NOT newer AND (hour_begins IS NULL
    OR hour_begins < '1970-01-01' OR length(hour) <> 13) AND event IS DISTINCT FROM 'Run finished'
    )), 0),
  coalesce(sum(lines) FILTER (newer), 0)
FROM (SELECT *, try_strptime(hour, '%Y-%m-%dT%H') AS hour_begins FROM tallied)"""
"""How many lines are torn or foreign, and how many of a newer schema."""


def records_wanted(chosen: Filter) -> str:
    """Return the condition of records that are *chosen*."""
    """Return the condition of the records that *chosen* lets through."""
    conditions = _common(chosen)
    if chosen.since is not None:
        conditions.append(f"time >= {literal(_text(chosen.since))}")
    if chosen.until is not None:
        conditions.append(f"time < {literal(_text(chosen.until))}")
    if chosen.reasons:
        statuses = [reason for reason in chosen.reasons if reason.isdecimal()]
        either = [_any("reason", chosen.reasons)]
        either += [f"status IN ({', '.join(str(int(status)) for status in statuses)})"] * bool(
            statuses
        )
        conditions.append(f"(event IS DISTINCT FROM 'Bounced push' OR {' OR '.join(either)})")
    return " AND ".join(conditions) or "true"


def _counts_wanted(chosen: Filter) -> str:
    """Return the condition of "Push counts": they stand for whole hours."""
    conditions = _common(chosen)
    if chosen.since is not None:
        conditions.append(f"hour >= {literal(_text(chosen.since)[:13])}")
    if chosen.until is not None:
        last = chosen.until - datetime.timedelta(microseconds=1)
        conditions.append(f"hour <= {literal(_text(last)[:13])}")
    return " AND ".join(conditions) or "true"


def _common(chosen: Filter) -> list[str]:
    conditions = []
    for column, values in (
        ("campaign", chosen.campaigns),
        ("run", chosen.runs),
        ("service", chosen.services),
    ):
        if values:
            conditions.append(_any(column, values))
    return conditions


def _any(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(literal(value) for value in values)})"


def _text(moment: datetime.datetime) -> str:
    """Return *moment* as records have it, so that it compares as text."""
    utc = moment.astimezone(datetime.UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
