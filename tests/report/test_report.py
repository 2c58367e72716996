"""The report over bounce logs: what it counts, what it passes over, what it says in words."""

import datetime
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pushctl.errors import InvalidInput, UsageError
from pushctl.report.build import build_report
from pushctl.report.files import find_logs
from pushctl.report.logs import open_logs
from pushctl.report.moments import parse_moment
from pushctl.report.notes import judge
from pushctl.report.opens import count_opens, find_opens
from pushctl.report.script import script
from pushctl.report.values import Dimension, Filter, NoteKind, Report

NOW = datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.UTC)
UNREGISTERED = {"service": "apns", "status": 410, "reason": "Unregistered", "action": "remove"}
BAD_TOKEN = {
    "service": "apns",
    "status": 400,
    "reason": "BadDeviceToken",
    "action": "check-environment",
}


def bounce(
    row: int, *, run: str = "r1", time: str = "2026-11-20T10:00:00.000Z", **more: Any
) -> str:
    """Return a line of a bounce."""
    what = {**UNREGISTERED, **more}
    return json.dumps(
        {
            "schema": 1, "row": row, "event": "Bounced push", "outcome": "rejected", "time": time,
            "run": run, "campaign": what.get("campaign", "spring"), "service": what["service"],
            "platform": "ios", "credential": "shop", "environment": "production",
            "topic": "com.acme", "token": f"{row:064x}", "status": what["status"],
            "reason": what["reason"], "case": None, "token_action": what["action"],
        }
    )  # fmt: skip


def counts(accepted: int, rejected: int, *, seq: int = 1, run: str = "r1", **more: Any) -> str:
    """Return a line of counts."""
    return json.dumps(
        {
            "schema": 1, "event": "Push counts", "run": run, "campaign": "spring",
            "service": "apns", "credential": "shop", "environment": "production",
            "topic": "com.acme", "hour": "2026-11-20T10", "seq": seq, "accepted": accepted,
            "rejected": rejected, "unknown": 0, "not_sent": 0, "skipped": 0, **more,
        }
    )  # fmt: skip


def write(path: Path, lines: Sequence[str], tail: str = "") -> Path:
    """Write a log of *lines*, and what stands behind the last line break."""
    path.write_text("".join(line + "\n" for line in lines) + tail)
    return path


def report(
    *paths: Path, by: Sequence[Dimension] = (Dimension.REASON,), chosen: Filter | None = None
) -> Report:
    """Return the report on the logs at *paths*."""
    files = find_logs([str(path) for path in paths], Path("none"))
    with open_logs(files, unique=False) as logs:
        return build_report(logs, chosen=chosen or Filter(), by=by, now=NOW)


def test_counts_share_and_rate(tmp_path: Path) -> None:
    """Rates come from the counts, negative ones included; shares from the bounces."""
    lines = [*map(bounce, range(1, 4)), bounce(4, **BAD_TOKEN)]
    log = write(tmp_path / "a.jsonl", [*lines, counts(98, 5), counts(-2, -1, seq=2)])
    made = report(log)
    assert (4, 96, 4) == (made.bounces, made.tally.accepted, made.tally.rejected)
    assert [(3, 0.75, 0.03), (1, 0.25, 0.01)] == [
        (group.count, group.share, group.rate) for group in made.groups
    ]
    assert made.groups[0].meaning is not None
    assert "410 Unregistered" == made.groups[0].meaning.key.title
    assert (f"{1:064x}", f"{3:064x}") == made.groups[0].samples


def test_each_row_of_a_run_counts_once(tmp_path: Path) -> None:
    """A line that two logs hold, packed or not, is one bounce; another run's is another."""
    first = write(tmp_path / "a.jsonl", [bounce(1), bounce(2), counts(8, 2)])
    second = tmp_path / "b.jsonl.gz"
    lines = [bounce(2), bounce(2, run="r2"), counts(8, 2)]
    second.write_bytes(gzip.compress("".join(line + "\n" for line in lines).encode()))
    made = report(first, second, first)
    assert (3, 8, 2) == (made.bounces, made.tally.accepted, made.tally.rejected)
    assert ("r1", 2) == (report(first, second, by=[Dimension.RUN]).groups[0].keys[0], made.runs)


def test_bounces_alone_tell_no_rate(tmp_path: Path) -> None:
    """Where no counts are, nothing is known of what was accepted, and no rate is made up."""
    made = report(write(tmp_path / "a.jsonl", [bounce(1)]))
    assert made.groups[0].rate is None
    assert made.metrics.bounce_rate is None
    assert made.days[0].metrics.bounce_rate is None


def test_odd_lines_are_told_with_their_place(tmp_path: Path) -> None:
    """Torn, foreign and newer lines end nothing; where they stand is told."""
    newer = bounce(3).replace('"schema": 1', '"schema": 9')
    log = write(tmp_path / "a.jsonl", [bounce(1), "hello", newer, counts(1, 1)], '{"schema":1,"ro')
    made = report(log)
    assert 2 == made.bounces
    assert [(NoteKind.TORN, 5), (NoteKind.FOREIGN, 2), (NoteKind.NEWER, 3)] == [
        (note.kind, note.place and note.place.line) for note in made.notes
    ]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"schema":1,"event":"Bou', NoteKind.TORN),
        (b"{}\n", NoteKind.FOREIGN),
        (b"[1]\n", NoteKind.FOREIGN),
        (b'{"schema":2}\n', NoteKind.NEWER),
        (b'{"schema":1,"event":"Run finished","run":"r"}\n', None),
        (b"\n", None),
    ],
)
def test_judging_a_line(line: bytes, kind: NoteKind | None) -> None:
    """What is odd about a line is told without a guess."""
    assert kind is judge(line)


def test_only_what_is_chosen(tmp_path: Path) -> None:
    """Time, campaign and reason narrow the bounces; a reason leaves the rates those of all."""
    lines = [
        bounce(1),
        bounce(2, time="2026-11-21T09:00:00.000Z"),
        bounce(3, campaign="autumn"),
        bounce(4, **BAD_TOKEN),
    ]
    log = write(tmp_path / "a.jsonl", [*lines, counts(96, 4)])
    until = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
    assert 3 == report(log, chosen=Filter(until=until)).bounces
    assert 1 == report(log, chosen=Filter(since=until)).bounces
    assert 3 == report(log, chosen=Filter(campaigns=("spring",))).bounces
    assert 1 == report(log, chosen=Filter(reasons=("400",))).bounces
    only = report(log, chosen=Filter(reasons=("BadDeviceToken",)))
    assert (1, 0.01) == (only.bounces, only.groups[0].rate)


def test_crossed_dimensions_and_quiet_days(tmp_path: Path) -> None:
    """Groups have a key for each dimension; a day on which nothing happened is still a day."""
    lines = [bounce(1), bounce(2, time="2026-11-22T23:59:59.999Z")]
    made = report(write(tmp_path / "a.jsonl", lines), by=[Dimension.DAY, Dimension.CREDENTIAL])
    assert [("2026-11-20", "shop"), ("2026-11-22", "shop")] == [each.keys for each in made.groups]
    assert [1, 0, 1] == [day.metrics.bounced for day in made.days]


def test_a_mixed_up_environment_is_put_into_words(tmp_path: Path) -> None:
    """Nearly all BadDeviceToken in production means sandbox tokens, not dead ones."""
    lines = [bounce(row, **BAD_TOKEN) for row in range(1, 51)]
    made = report(write(tmp_path / "a.jsonl", [*lines, counts(1, 50)]))
    assert ["wrong-environment"] == [finding.kind for finding in made.findings]
    assert "50 of 51 pushes" in made.findings[0].sentence
    few = [bounce(row, **BAD_TOKEN) for row in range(1, 10)]
    assert () == report(write(tmp_path / "b.jsonl", [*few, counts(0, 9)])).findings


def test_opens_are_counted_with_their_campaign(tmp_path: Path) -> None:
    """An open belongs to the campaign it names; without one it counts for its day alone."""
    log = write(tmp_path / "a.jsonl", [bounce(1), counts(99, 1)])
    opens = tmp_path / "opens.csv"
    opens.write_text(
        "time,token,run\n2026-11-20T12:00:00+02:00,aa,r1\n2026-11-20T12:00:00+02:00,aa,r1\n"
        "1795161600,bb,\nnever,cc,\n"
    )
    file = find_opens(str(opens))
    with open_logs(find_logs([str(log)], log), unique=False, others=[file]) as logs:
        made = build_report(
            logs,
            chosen=Filter(),
            by=[Dimension.REASON],
            now=NOW,
            opens=lambda: count_opens(logs, file, logs.others[0], Filter(), []),
        )
    assert made.opens is not None
    assert (2, 1) == (made.metrics.opened, made.opens.without_campaign)
    assert 1 == made.campaigns[0].metrics.opened
    assert [NoteKind.FOREIGN] == [note.kind for note in made.notes]


def test_the_printed_sql_gives_the_same_answer(tmp_path: Path) -> None:
    """What --sql prints runs in DuckDB as it is, on any file name, and counts the same."""
    import duckdb

    log = write(tmp_path / "it's [a] log*.jsonl", [bounce(1), bounce(1), bounce(2), counts(8, 2)])
    made = report(log)
    text = script(find_logs([str(log)], log), Filter(), (Dimension.REASON,))
    before, _, rest = text.partition("-- Bounces by reason.")
    with duckdb.connect() as connection:
        connection.execute(before)
        rows = connection.execute(rest.partition(";")[0]).fetchall()
        with pytest.raises(duckdb.Error):
            connection.execute("FROM read_text('/etc/hostname')")
    assert [(group.count,) for group in made.groups] == [(row[4],) for row in rows]


def test_rotated_files_belong_to_the_default_log(tmp_path: Path) -> None:
    """The configured log is read with its past, oldest first; a named one alone."""
    for name in ("bounces.jsonl", "bounces.jsonl.1", "bounces.jsonl.2.gz", "other.jsonl"):
        (tmp_path / name).touch()
    default = tmp_path / "bounces.jsonl"
    assert ["bounces.jsonl.2.gz", "bounces.jsonl.1", "bounces.jsonl"] == [
        Path(file.shown).name for file in find_logs([], default)
    ]
    assert 1 == len(find_logs([str(default)], default))
    assert 2 == len(find_logs([str(tmp_path / "*.jsonl")], default))
    with pytest.raises(InvalidInput, match="no such file"):
        find_logs([str(tmp_path / "none*")], default)


def test_moments() -> None:
    """ISO 8601 is UTC unless it says otherwise; a duration is so long ago; the rest is refused."""
    assert NOW - datetime.timedelta(days=7) == parse_moment("7d", NOW, option="--since")
    two = parse_moment("2026-11-20T10:00+02:00", NOW, option="--since")
    assert datetime.datetime(2026, 11, 20, 8, tzinfo=datetime.UTC) == two
    with pytest.raises(UsageError, match="--since 'soon' is no moment"):
        parse_moment("soon", NOW, option="--since")


def test_what_only_calls_itself_packed_is_refused(tmp_path: Path) -> None:
    """A file with the wrong ending is named in the error."""
    log = write(tmp_path / "a.jsonl.gz", [bounce(1)])
    with pytest.raises(InvalidInput, match=r"this is not a \.gz file"):
        find_logs([str(log)], log)
