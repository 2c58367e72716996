"""
What was opened: a file of an app's or an analytics service's own, matched with what was sent.

An open has a ``time`` and says who: ``token``, ``profile`` or ``id`` (the apns-id of the push).
Its campaign is what its own ``campaign`` or ``run`` says; else that of the run whose apns-id it
has; else that of the last run before it that had the token or profile in its audience.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pushctl.audience.engine import NotPossible, attempted, identifier, literal
from pushctl.errors import InvalidInput, Place, UsageError
from pushctl.records.identity import push_id_prefix
from pushctl.report.files import LogFile, look_at
from pushctl.report.logs import Logs
from pushctl.report.values import Filter, Note, NoteKind, Opens

WHO = ("token", "profile", "id")
_KNOWN = ("time", *WHO, "campaign", "run")
_DELIMITERS = {"csv": ",", "tsv": "\t"}
_PREFIX_LENGTH = 24


@dataclass(frozen=True, slots=True)
class RunAudience:
    """Whom a run was sent to, as its folder has it."""

    run: str
    campaign: str | None
    begun: datetime.datetime
    files: tuple[Path, ...]
    """Parquet files with ``token`` and ``profile``."""


@dataclass(frozen=True, slots=True)
class OpenCounts:
    """How many opens there were; without a file nothing is known."""

    summary: Opens | None = None
    by_day: Mapping[datetime.date, int] = field(default_factory=dict)
    by_campaign_day: Mapping[tuple[str | None, datetime.date], int] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    @property
    def total(self) -> int | None:
        """All of them."""
        return None if self.summary is None else self.summary.counted

    def of_day(self, day: datetime.date) -> int | None:
        """Return those of *day*."""
        return None if self.summary is None else self.by_day.get(day, 0)

    def of_campaign_day(self, name: str | None, day: datetime.date) -> int | None:
        """Return those of the campaign *name* on *day*."""
        return None if self.summary is None else self.by_campaign_day.get((name, day), 0)

    def of_campaign(self, name: str | None) -> int | None:
        """Return those of the campaign *name*."""
        if self.summary is None:
            return None
        return sum(count for (of, _), count in self.by_campaign_day.items() if of == name)


def find_opens(word: str) -> LogFile:
    """
    Return the file that ``--opens`` names.

    Raises :class:`~pushctl.errors.UsageError` where its name tells no format, and
    :class:`~pushctl.errors.InvalidInput` where it cannot be read.
    """
    file = look_at(Path(word))
    if format_of(file) not in (*_DELIMITERS, "jsonl"):
        raise UsageError(
            f"--opens {file.shown}: the ending of the name tells no format",
            hint="one of .csv, .tsv, .jsonl, or .gz or .zst after it",
        )
    return file


def format_of(file: LogFile) -> str:
    """Return the format that the name of *file* tells, in lower case."""
    assert file.path is not None
    endings = file.path.name.lower().split(".")[1:]
    if file.packing is not None:
        endings.pop()
    return endings[-1] if endings else ""


def count_opens(
    logs: Logs, file: LogFile, place: Path, chosen: Filter, audiences: Sequence[RunAudience]
) -> OpenCounts:
    """
    Return what of *file*, which lies at *place*, is *chosen*; each row of it once.

    *logs* have been counted.  Raises :class:`~pushctl.errors.InvalidInput` where the file has not
    the columns it takes, or is broken.
    """
    try:
        with attempted():
            _load(logs, file, place)
    except NotPossible:
        raise InvalidInput(
            "this is no sound " + format_of(file),
            place=Place(file.shown),
            hint="a header with time and token, profile or id; every row as wide as the header",
        ) from None
    unreadable, first = logs.one("SELECT count(*), min(time) FROM opens WHERE moment IS NULL")
    _attribute(logs, audiences)
    counts: Counter[tuple[str | None, datetime.date]] = Counter()
    days: Counter[datetime.date] = Counter()
    without = 0
    for known, campaign, day, number in logs.all(_chosen(chosen)):
        if known:
            counts[campaign, day] += number
        else:
            without += number
        days[day] += number
    return OpenCounts(
        summary=Opens(file=file.shown, counted=sum(days.values()), without_campaign=without),
        by_day=days,
        by_campaign_day=counts,
        notes=_unreadable(file, unreadable, first),
    )


def _load(logs: Logs, file: LogFile, place: Path) -> None:
    """Make the table ``opens``, with ``moment`` and every column it may have."""
    path = literal(str(place))
    packing = {"gz": "gzip", "zst": "zstd", None: "none"}[file.packing]
    if format_of(file) == "jsonl":
        typed = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in _KNOWN)
        table = (
            f"read_json({path}, format = 'newline_delimited', columns = {{{typed}}},"
            f" compression = '{packing}')"
        )
    else:
        table = (
            f"read_csv({path}, header = true, all_varchar = true, delim = "
            f"{literal(_DELIMITERS[format_of(file)])}, quote = '\"', escape = '\"',"
            f" null_padding = false, compression = '{packing}')"
        )
    there = {name.lower(): name for name, *_ in logs.all(f"DESCRIBE FROM {table}")}
    if "time" not in there or not any(name in there for name in WHO):
        raise InvalidInput(
            f"no column {'time' if 'time' not in there else 'token, profile or id'}",
            place=Place(file.shown, 1),
            hint="an open has a time, and a token, a profile or an id",
        )
    columns = ", ".join(
        f"nullif(trim({identifier(there[name])}), '') AS {name}"
        if name in there
        else f"CAST(NULL AS VARCHAR) AS {name}"
        for name in _KNOWN
    )
    logs.engine.run(
        f"CREATE TABLE opens AS SELECT DISTINCT *, {_MOMENT} AS moment FROM"
        f" (SELECT {columns} FROM {table})"
    )


_MOMENT = """CASE
  WHEN regexp_full_match(time, '[0-9]{9,10}([.][0-9]{1,9})?')
    THEN make_timestamp(CAST(CAST(time AS DOUBLE) * 1000000 AS BIGINT))
  WHEN regexp_full_match(time, '[0-9]{12,13}') THEN make_timestamp(CAST(time AS BIGINT) * 1000)
  WHEN NOT regexp_matches(time, '^[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN NULL
  WHEN regexp_matches(upper(time), '[0-9] ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)$')
    AND length(time) > 10 THEN make_timestamp(epoch_us(try_cast(upper(time) AS TIMESTAMPTZ)))
  ELSE try_cast(time AS TIMESTAMP) END"""
"""The moment of an open: ISO 8601, UTC where it says nothing else, or epoch seconds or
milliseconds."""


def _attribute(logs: Logs, audiences: Sequence[RunAudience]) -> None:
    """Make ``attributed``: each open with its campaign and whether that is known."""
    runs = [
        *logs.all("SELECT DISTINCT run, campaign FROM sound WHERE run IS NOT NULL"),
        *((each.run, each.campaign) for each in audiences),
    ]
    known = [(run, push_id_prefix(run), campaign) for run, campaign in dict(runs).items()]
    logs.engine.run("CREATE TABLE run_ids (run VARCHAR, prefix VARCHAR, campaign VARCHAR)")
    logs.engine.append("run_ids", known)
    logs.engine.run("CREATE TABLE sent (who VARCHAR, run VARCHAR, begun TIMESTAMP)")
    for each in audiences:
        files = ", ".join(literal(str(path)) for path in each.files)
        begun = literal(f"{each.begun:%Y-%m-%d %H:%M:%S}")
        for who in ("token", "profile"):
            # Only of those who opened something: an audience may have millions.
            logs.engine.run(
                f"INSERT INTO sent SELECT DISTINCT {who}, {literal(each.run)}, TIMESTAMP {begun}"
                f" FROM read_parquet([{files}], union_by_name = true)"
                f" WHERE {who} IN (SELECT {who} FROM opens WHERE campaign IS NULL)"
            )
    logs.engine.run(_ATTRIBUTED)


_ATTRIBUTED = f"""CREATE TABLE attributed AS
SELECT o.moment, coalesce(o.run, by_id.run, by_token.run, by_profile.run) AS run,
  coalesce(o.campaign, by_run.campaign, by_id.campaign, later.campaign) AS campaign,
  o.campaign IS NOT NULL OR by_run.run IS NOT NULL OR by_id.run IS NOT NULL
    OR later.run IS NOT NULL AS known
FROM opens AS o
LEFT JOIN run_ids AS by_run ON by_run.run = o.run
LEFT JOIN run_ids AS by_id ON by_id.prefix = lower(o.id[1:{_PREFIX_LENGTH}])
ASOF LEFT JOIN sent AS by_token ON by_token.who = o.token AND by_token.begun <= o.moment
ASOF LEFT JOIN sent AS by_profile ON by_profile.who = o.profile AND by_profile.begun <= o.moment
LEFT JOIN run_ids AS later ON later.run = coalesce(by_token.run, by_profile.run)
WHERE o.moment IS NOT NULL"""


def _chosen(chosen: Filter) -> str:
    conditions = ["moment >= '1970-01-01' AND moment < '9999-01-01'"]
    if chosen.since is not None:
        conditions.append(f"moment >= TIMESTAMP {literal(_text(chosen.since))}")
    if chosen.until is not None:
        conditions.append(f"moment < TIMESTAMP {literal(_text(chosen.until))}")
    for column, values in (("campaign", chosen.campaigns), ("run", chosen.runs)):
        if values:
            conditions.append(f"{column} IN ({', '.join(literal(each) for each in values)})")
    return (
        "SELECT known, campaign, CAST(moment AS DATE), count(*) FROM attributed"
        f" WHERE {' AND '.join(conditions)} GROUP BY ALL"
    )


def _unreadable(file: LogFile, number: int, first: str | None) -> tuple[Note, ...]:
    if not number:
        return ()
    example = f", such as {first!r}" if first else ""
    return (
        Note(
            kind=NoteKind.FOREIGN,
            message=f"{number:,} rows have no time that can be read{example}, passed over",
            place=Place(file.shown),
            count=number,
        ),
    )


def _text(moment: datetime.datetime) -> str:
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S.%f}"
