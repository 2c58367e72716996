"""
What a report asks the tables of :mod:`pushctl.report.tables`, in SQL.  Pure.

``bounces report --sql`` prints these very statements.
"""

from __future__ import annotations

from collections.abc import Sequence

from pushctl.outcome import Kind, TokenAction
from pushctl.report.values import Dimension

_REASON = ("service", "status", "reason", '"case"')

COLUMNS = {
    Dimension.REASON: _REASON,
    Dimension.SERVICE: ("service",),
    Dimension.PLATFORM: ("platform",),
    Dimension.CREDENTIAL: ("credential",),
    Dimension.ENVIRONMENT: ("environment",),
    Dimension.TOPIC: ("topic",),
    Dimension.CAMPAIGN: ("campaign",),
    Dimension.RUN: ("run",),
    Dimension.DAY: ("day",),
    Dimension.HOUR: ("hour",),
}
"""What ``bounced`` is grouped by for each dimension."""

ACTIONS = (TokenAction.REMOVE, TokenAction.CHECK_ENVIRONMENT, TokenAction.SUSPECT)
"""The token actions that are counted apart; what remains is kept."""

SUMS = ", ".join(f"coalesce(sum({kind.value}), 0) AS {kind.value}" for kind in Kind)
_SEEN = "min(first_seen) AS first_seen, max(last_seen) AS last_seen"


def columns_of(by: Sequence[Dimension]) -> list[str]:
    """Return the columns to group ``bounced`` by, each once."""
    return list(dict.fromkeys(column for dimension in by for column in COLUMNS[dimension]))


def counted_columns_of(by: Sequence[Dimension]) -> list[str]:
    """
    Return the columns to group ``answered`` by for the rates of the same groups.

    An acceptance has no reason, so a reason stands for its service; nobody counts platforms.
    """
    known = [dimension for dimension in by if dimension is not Dimension.PLATFORM]
    return [column for column in columns_of(known) if column not in _REASON[1:]]


def groups(by: Sequence[Dimension]) -> str:
    """Return the query for bounces by *by*: its columns, the count, actions, moments, samples."""
    keys = columns_of(by)
    actions = ", ".join(
        f"coalesce(sum(bounces) FILTER (token_action = '{action.value}'), 0) AS \"{action.value}\""
        for action in ACTIONS
    )
    is_timeline = by[0] in (Dimension.DAY, Dimension.HOUR)
    order = ", ".join((*keys[:1] * is_timeline, "bounces DESC", *keys))
    return f"""SELECT {", ".join(keys)}, sum(bounces) AS bounces,
  {actions},
  {_SEEN}, min(low) AS a_token, max(high) AS another
FROM bounced
GROUP BY {", ".join(keys)} HAVING sum(bounces) > 0
ORDER BY {order}"""


def tallies(by: Sequence[Dimension]) -> str:
    """Return the query for how pushes ended by the columns that *by* has there."""
    keys = counted_columns_of(by)
    listed = "".join(f"{key}, " for key in keys)
    grouped = f"\nGROUP BY {', '.join(keys)}" if keys else ""
    return f"SELECT {listed}{SUMS}\nFROM answered{grouped}"


TOTALS = f"""SELECT
  (SELECT coalesce(sum(bounces), 0) FROM bounced) AS bounces,
  (SELECT count(DISTINCT run) FROM sound) AS runs,
  (SELECT min(first_seen) FROM bounced) AS first_bounce,
  (SELECT max(last_seen) FROM bounced) AS last_bounce,
  min(hour_begins) AS first_hour, max(hour_begins) AS last_hour, {SUMS}
FROM answered"""

_BOTH = """(
  SELECT campaign, run, day, hour_begins AS first_seen, hour_begins AS last_seen,
    accepted AS received, 0 AS bounced, true AS is_counted
  FROM answered
  UNION ALL
  SELECT campaign, run, day, first_seen, last_seen, 0, bounces, false FROM bounced
)"""
_NUMBERS = (
    "sum(received) AS received, sum(bounced) AS bounced,"
    " bool_or(is_counted) OR sum(bounced) = 0 AS is_counted"
)

DAYS = f"""SELECT day, {_NUMBERS}
FROM {_BOTH}
GROUP BY day ORDER BY day"""

CAMPAIGNS = f"""SELECT campaign, {_NUMBERS},
  count(DISTINCT run) AS runs, min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM {_BOTH}
GROUP BY campaign ORDER BY sum(received) + sum(bounced) DESC, campaign"""

CAMPAIGN_DAYS = f"""SELECT campaign, day, {_NUMBERS}
FROM {_BOTH}
GROUP BY campaign, day HAVING sum(received) <> 0 OR sum(bounced) <> 0 ORDER BY campaign, day"""

HEAT = f"""SELECT {", ".join(_REASON)}, CAST(hour[12:13] AS INTEGER) AS hour_of_day,
  sum(bounces) AS bounces
FROM bounced
GROUP BY ALL HAVING sum(bounces) > 0 ORDER BY ALL"""

_LANE = ("service", "credential", "environment", "topic")
_TRAIT = f'{", ".join(_LANE)}, status, reason, "case"'
_TRAITS_MAX = 200

TRAITS = f"""WITH traits AS (
  SELECT {_TRAIT}, sum(bounces) AS bounces, {_SEEN},
    min(hour_begins) AS first_hour, max(hour_begins) AS last_hour
  FROM bounced GROUP BY ALL HAVING sum(bounces) > 0
  ORDER BY bounces DESC, {_TRAIT} LIMIT {_TRAITS_MAX}
), lanes AS (
  SELECT {", ".join(_LANE)}, hour_begins, sum(accepted) AS accepted,
    sum(accepted + rejected) AS answered
  FROM answered GROUP BY ALL
)
SELECT traits.* EXCLUDE (first_hour, last_hour),
  coalesce(sum(answered) FILTER (hour_begins < first_hour), 0) AS answered_before,
  coalesce(sum(answered) FILTER (hour_begins BETWEEN first_hour AND last_hour), 0)
    AS answered_meanwhile,
  coalesce(sum(answered) FILTER (hour_begins > last_hour), 0) AS answered_after
FROM traits LEFT JOIN lanes ON {
    " AND ".join(f"traits.{column} IS NOT DISTINCT FROM lanes.{column}" for column in _LANE)
}
GROUP BY ALL ORDER BY bounces DESC, {_TRAIT}"""
"""Each reason of each credential, environment and topic, and what was answered around it."""

LANES = f"""SELECT {", ".join(_LANE)}, {SUMS}
FROM answered WHERE credential IS NOT NULL GROUP BY {", ".join(_LANE)} ORDER BY ALL"""

DEAD_DAYS = """SELECT day, sum(answered) AS answered, sum(dead) AS dead FROM (
  SELECT day, accepted + rejected AS answered, 0 AS dead FROM answered
  UNION ALL
  SELECT day, 0, bounces FROM bounced WHERE token_action = 'remove'
)
GROUP BY day ORDER BY day"""
"""How many tokens were found dead on each day."""
