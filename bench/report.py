"""
`bounces report` over a large log, against DuckDB itself answering one query on the same file.

The log is made for the run, line by line as a send writes it, and deleted afterwards.  Each
program is a fresh process, all of them in turns; what they count must agree.  Start-up is part of
the time of both.

    python bench/report.py [--lines 10000000] [--rounds 5] [--folder DIR] [--write]

Ten million lines take some 7 GB in DIR (default: the temporary folder).  Targets: at most three
times as long as DuckDB, under 1 GB of resident memory.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from rig.figures import Row, Spread, table
from rig.machine import facts, load

from pushctl import catalog
from pushctl.outcome import Kind, Outcome
from pushctl.records.bounce_log import CountKey, Counts, finished_line
from pushctl.records.record import Address, outcome_record, to_line

HERE = Path(__file__).parent
RUNS = 20
PUSHES_A_BOUNCE = 40
_FIRST_S = 1_790_000_000
_RUN_S = 30 * 3600
"""Between the begins of two runs."""
_MIX = (
    ("apns", "Unregistered", 45),
    ("fcm", "UNREGISTERED", 35),
    ("apns", "BadDeviceToken", 10),
    ("apns", "TooManyRequests", 4),
    ("fcm", "QUOTA_EXCEEDED", 3),
    ("fcm", "SENDER_ID_MISMATCH", 2),
    ("apns", "DeviceTokenNotForTopic", 1),
)

SINGLE = """
SELECT service, status, reason, "case", count(*) AS bounces,
  CAST(min(time) AS VARCHAR) AS first_seen, CAST(max(time) AS VARCHAR) AS last_seen,
  min(token), max(token)
FROM {source}
WHERE event = 'Bounced push'
GROUP BY ALL ORDER BY bounces DESC
"""
STATED = (
    "read_json('{path}', format = 'newline_delimited', columns = {{event: 'VARCHAR', time:"
    " 'VARCHAR', service: 'VARCHAR', status: 'BIGINT', reason: 'VARCHAR', \"case\": 'VARCHAR',"
    " token: 'VARCHAR'}})"
)
RUN_DUCKDB = """
import json, sys, duckdb
duckdb.sql("SET enable_progress_bar = false")
rows = duckdb.sql(sys.argv[1]).fetchall()
print(json.dumps([[str(row[2]), row[4]] for row in rows]))
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended."""

    wall_s: float
    peak_mb: float
    counts: dict[str, int]
    """Bounces by reason, as it counted them."""


def write_log(path: Path, lines: int) -> None:
    """Write a log of *lines* bounces, and the counts beside them, as sends write it."""
    chance = random.Random(7)
    outcomes = [(service, _rejected(service, name)) for service, name, _ in _MIX]
    weights = [weight for *_, weight in _MIX]
    of_run = lines // RUNS
    with path.open("w", encoding="utf-8") as file:
        for number in range(RUNS):
            begun = _FIRST_S + number * _RUN_S
            run = f"{datetime.datetime.fromtimestamp(begun, datetime.UTC):%Y%m%d-%H%M%S}-bench"
            campaign, counts = f"campaign-{number % 6}", Counts()
            for row, (service, outcome) in enumerate(
                chance.choices(outcomes, weights, k=of_run), start=1
            ):
                at = begun + row * 7200 / of_run
                file.write(
                    _line(run, campaign, row * PUSHES_A_BOUNCE, service, outcome, at, chance)
                )
                hour = f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%dT%H}"
                key = CountKey(service, *_WHERE[service], hour)
                counts.add(key, Kind.REJECTED)
                counts.add(key, Kind.ACCEPTED, PUSHES_A_BOUNCE)
                if row % (of_run // 120 + 1) == 0 or row == of_run:
                    file.writelines(
                        json.dumps(line) + "\n" for line in counts.take_lines(run, campaign)
                    )
            totals = {"accepted": of_run * PUSHES_A_BOUNCE, "rejected": of_run}
            line = finished_line(run, campaign, "2026-11-20T10:00:00.000Z", totals)
            file.write(json.dumps(line) + "\n")


_WHERE = {"apns": ("shop-ios", "production", "com.acme.shop"), "fcm": ("shop-android", None, None)}


def _rejected(service: str, name: str) -> Outcome:
    row = catalog.lookup(service, name)
    assert row is not None
    return Outcome(
        kind=Kind.REJECTED,
        status=row.status,
        reason=name,
        description=row.description,
        category=row.category,
        token_action=row.token_action,
        retryable=row.retryable,
    )


def _line(
    run: str,
    campaign: str,
    row: int,
    service: str,
    outcome: Outcome,
    at: float,
    chance: random.Random,
) -> str:
    token = chance.randbytes(32).hex()
    if service == "fcm":
        token = f"d{token[:21]}:APA91b{token}{token[:40]}"
    credential, environment, topic = _WHERE[service]
    address = Address(
        row=row,
        source=f"list.csv:{row + 1}",
        profile=f"u{chance.randrange(10**8)}",
        service=service,
        platform="ios" if service == "apns" else "android",
        credential=credential,
        environment=environment,
        topic=topic,
        token=token,
    )
    record = outcome_record(
        address, outcome, run=run, campaign=campaign, time=at, attempts=1, latency_ms=row % 300
    )
    return to_line(record)


def run(command: Sequence[str]) -> Ended:
    """Run *command* and return what it took; raise where it failed."""
    with tempfile.TemporaryFile() as out:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command[:3]} ended with {process.returncode}")
        out.seek(0)
        answer = json.loads(out.read())
    if isinstance(answer, dict):
        answer = [[group["reason"], group["count"]] for group in answer["reasons"]]
    return Ended(wall_s, usage.ru_maxrss / 1024, dict(answer))


def commands(log: Path) -> dict[str, list[str]]:
    """Return what is measured: a name and the command of each."""
    stated = SINGLE.format(source=STATED.format(path=log))
    typed = SINGLE.format(source=f"'{log}'")
    pushctl = [sys.executable, "-m", "pushctl", "bounces", "report", str(log), "-o", "json"]
    return {
        "pushctl bounces report": pushctl,
        "pushctl, crossed": [*pushctl, "--by", "campaign", "--by", "reason", "--by", "day"],
        "duckdb, one query, columns stated": [sys.executable, "-c", RUN_DUCKDB, stated],
        "duckdb, one query as one types it": [sys.executable, "-c", RUN_DUCKDB, typed],
    }


def measure(log: Path, rounds: int) -> dict[str, list[Ended]]:
    """Run every command *rounds* times, in turns, and return what each run took."""
    found: dict[str, list[Ended]] = {}
    for number in range(rounds + 1):
        for name, command in commands(log).items():
            ended = run(command)
            if number:  # the first round only warms the disk's cache
                found.setdefault(name, []).append(ended)
        if not number:
            continue
        counts = [sorted(each[-1].counts.items()) for each in found.values()]
        if any(one != counts[0] for one in counts):
            raise SystemExit("they do not count the same")
    return found


def result(log: Path, lines: int, rounds: int) -> str:
    """Measure, and return the result as Markdown."""
    size = log.stat().st_size
    before = load()
    found = measure(log, rounds)
    ours, crossed, stated, typed = found.values()
    rows = [
        Row(what="report / duckdb, columns stated", found=_ratio(ours, stated), at_most=3),
        Row(what="report / duckdb, as one types it", found=_ratio(ours, typed)),
        Row(what="report crossed three ways / duckdb", found=_ratio(crossed, stated), at_most=3),
        Row(
            what="resident memory of the report, MB",
            found=Spread.of([each.peak_mb for each in (*ours, *crossed)]),
            at_most=1000,
            digits=0,
        ),
    ]
    absolute = [
        (
            name,
            Spread.of([each.wall_s for each in runs]).text(2),
            f"{lines / Spread.of([each.wall_s for each in runs]).middle:,.0f}",
            f"{max(each.peak_mb for each in runs):,.0f}",
        )
        for name, runs in found.items()
    ]
    machine = [fact for fact in facts(log.parent) if fact[0] in _FACTS] + [
        ("duckdb", version("duckdb")),
        ("load before", before),
    ]
    today = datetime.datetime.now(datetime.UTC).date()
    return "\n".join(
        [
            "# The bounce report, measured",
            "",
            f"`python bench/report.py --lines {lines} --rounds {rounds} --write`, {today}: a log of"
            f" {lines:,} bounces, {size / 1e9:.1f} GB, in the disk's cache.",
            "Time is that of the whole process, start-up included.  The ratio is that of the",
            "medians; brackets hold the quartiles of the ratios round by round.",
            "",
            table(("what", "target", "found (quartiles)", ""), [row.cells() for row in rows]),
            "",
            table(("program", "seconds", "lines/s", "peak MB"), absolute),
            "",
            table(("machine", ""), machine, left=2),
            "",
            "The one query of DuckDB, with all its memory and every core:",
            "",
            "```sql" + SINGLE.format(source="…") + "```",
            "",
        ]
    )


_FACTS = ("processor", "kernel", "file system", "Python", "pushctl")


def _ratio(ours: Sequence[Ended], theirs: Sequence[Ended]) -> Spread:
    mine, its = [each.wall_s for each in ours], [each.wall_s for each in theirs]
    rounds = [one / other for one, other in zip(mine, its, strict=True)]
    return Spread.of(rounds, Spread.of(mine).middle / Spread.of(its).middle)


def main() -> None:
    """Make the log, measure, print, and delete the log."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    options.add_argument("--lines", type=int, default=10_000_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--folder", type=Path, default=None)
    options.add_argument("--log", type=Path, help="measure with this log, and keep it")
    options.add_argument("--write", action="store_true", help="keep the result in bench/")
    chosen = options.parse_args()
    if chosen.log is not None:
        finish(chosen, chosen.log)
        return
    with tempfile.TemporaryDirectory(dir=chosen.folder) as place:
        needed = chosen.lines * 800
        if shutil.disk_usage(place).free < needed * 1.2:
            raise SystemExit(f"{place} has less than {needed / 1e9:.0f} GB free")
        log = Path(place, "bounces.jsonl")
        write_log(log, chosen.lines)
        finish(chosen, log)


def finish(chosen: argparse.Namespace, log: Path) -> None:
    """Measure *log* and print the result, or keep it."""
    if not log.exists():
        write_log(log, chosen.lines)
    text = result(log, chosen.lines, chosen.rounds)
    print(text)
    if chosen.write:
        (HERE / "RESULTS-report.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
