"""``pushctl bounces report``: which logs it reads, what it passes over, how it prints."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cli.kit import Project, Result, android, ios, run_cli
from pushctl.records.record import FIELDS

CONFIG = "bounce_log: logs/shop.jsonl\n"


def bounce(row: int, **values: Any) -> str:
    """Return the line of bounce number *row* of run ``r1``."""
    record = dict.fromkeys(FIELDS) | {
        "schema": 1,
        "row": row,
        "event": "Bounced push",
        "outcome": "rejected",
        "time": "2026-11-20T10:00:00.000Z",
        "run": "r1",
        "service": "apns",
        "credential": "shop-ios",
        "environment": "production",
        "token": f"{row:064x}",
        "status": 410,
        "reason": "Unregistered",
        "token_action": "remove",
    }
    return json.dumps(record | values) + "\n"


def counts(accepted: int, rejected: int, campaign: str | None = None) -> str:
    """Return the line that counts the pushes of run ``r1``."""
    line = {
        "schema": 1,
        "event": "Push counts",
        "run": "r1",
        "campaign": campaign,
        "service": "apns",
        "credential": "shop-ios",
        "environment": "production",
        "hour": "2026-11-20T10",
        "seq": 1,
        "accepted": accepted,
        "rejected": rejected,
        "unknown": 0,
        "not_sent": 0,
        "skipped": 0,
    }
    return json.dumps(line) + "\n"


def write(path: Path, *lines: str) -> Path:
    """Write the log at *path*, packed as its ending says."""
    text = "".join(lines)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    elif path.suffix == ".zst":
        _pack_zst(path, text)
    else:
        path.write_text(text, encoding="utf-8")
    return path


def _pack_zst(path: Path, text: str) -> None:
    """Pack with DuckDB, as Python 3.11 cannot."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT ?::VARCHAR", [text.removesuffix("\n")])
        connection.execute(
            f"COPY t TO '{path}' (FORMAT csv, HEADER false, DELIMITER '\x1e', QUOTE '', ESCAPE '',"
            " COMPRESSION zstd)"
        )


def report(folder: Path, *arguments: str, **more: Any) -> Result:
    """Run ``pushctl bounces report`` in *folder*."""
    return run_cli("bounces", "report", *arguments, cwd=folder, **more)


def document(folder: Path, *arguments: str, **more: Any) -> Any:
    """Return what the report says as JSON; it must have gone well, without a warning."""
    result = report(folder, "-o", "json", *arguments, **more)
    assert (0, "") == (result.exit_code, result.stderr)
    return result.document


# -- which logs -----------------------------------------------------------------------------------


def test_what_was_sent_is_reported(project: Project) -> None:
    """Without a name the log is the one that send writes, and its counts make the rates."""
    given = [ios(1, "de"), ios(2), ios(3), ios(4), android(1, "GONE"), android(2)]
    project.send(*[word for token in given for word in ("--token", token)], "--title", "Hello")

    found = document(project.folder)
    assert 2 == found["bounces"]
    assert {("Unregistered", 0.25), ("UNREGISTERED", 0.5)} == {
        (group["reason"], group["rate"]) for group in found["groups"]
    }


def test_the_default_is_the_log_of_the_config_with_its_past(tmp_path: Path) -> None:
    """bounce_log of the config is read with its rotated files, packed ones too; others are not."""
    (tmp_path / "pushctl.yaml").write_text(CONFIG)
    logs = tmp_path / "logs"
    logs.mkdir()
    for number, name in enumerate(["shop.jsonl", "shop.jsonl.1", "shop.jsonl.2.gz", "x.jsonl"]):
        write(logs / name, bounce(number + 1))

    found = document(tmp_path)
    assert 3 == found["bounces"]
    assert ["shop.jsonl.2.gz", "shop.jsonl.1", "shop.jsonl"] == [
        Path(name).name for name in found["files"]
    ]
    assert 1 == document(tmp_path, "logs/shop.jsonl")["bounces"]  # a named log is read alone


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz", "log.jsonl.zst"])
def test_a_packed_log(tmp_path: Path, name: str) -> None:
    """A log says the same whether it is packed or not."""
    write(tmp_path / name, bounce(1), bounce(2), counts(98, 2))
    found = document(tmp_path, name)
    assert (2, 0.02) == (found["bounces"], found["groups"][0]["rate"])


def test_a_pattern_names_several_logs(tmp_path: Path) -> None:
    """What the shell did not expand is a pattern; a log that it and a name give is read once."""
    for number, name in enumerate(["a.jsonl", "b.jsonl", "c.jsonl.gz", "notes.txt"]):
        write(tmp_path / name, bounce(number + 1))
    assert 2 == document(tmp_path, "*.jsonl")["bounces"]
    assert ["a.jsonl", "b.jsonl", "c.jsonl.gz"] == document(tmp_path, "a.jsonl", "*.jsonl*")[
        "files"
    ]


def test_stdin_is_a_log(tmp_path: Path) -> None:
    """- reads what another program writes."""
    assert 1 == document(tmp_path, "-", stdin=bounce(1).encode())["bounces"]


@pytest.mark.parametrize("name", ["none.jsonl", "none-*.jsonl", None])
def test_a_log_that_is_missing(tmp_path: Path, name: str | None) -> None:
    """A name, a pattern and a default that lead nowhere are one error with the place, exit 3."""
    (tmp_path / "pushctl.yaml").write_text(CONFIG)
    result = report(tmp_path, *([name] if name else []))
    assert (3, "", 1) == (result.exit_code, result.stdout, len(result.errors))
    assert (name or "shop.jsonl") in result.errors[0]


# -- what is counted ------------------------------------------------------------------------------


def ago(**span: float) -> str:
    """Return the moment that lies *span* back, as a log has it."""
    moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(**span)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_since_so_long_ago(tmp_path: Path) -> None:
    """--since 7d takes what happened in the last seven times 24 hours."""
    times = (ago(days=6, hours=23), ago(days=7, hours=1), ago(days=30))
    write(tmp_path / "a.jsonl", *(bounce(row, time=time) for row, time in enumerate(times)))
    assert [1, 2, 3] == [
        document(tmp_path, "a.jsonl", "--since", since)["bounces"] for since in ("7d", "8d", "31d")
    ]


@pytest.mark.parametrize(
    ("since", "bounces"),
    [
        ("2026-11-20", 2),
        ("2026-11-20T10:00Z", 2),
        ("2026-11-20T12:00+01:00", 1),
        ("2026-11-21", 0),
    ],
)
def test_since_a_moment(tmp_path: Path, since: str, bounces: int) -> None:
    """The moment itself counts, a day begins at midnight UTC, an offset is heeded."""
    write(tmp_path / "a.jsonl", bounce(1), bounce(2, time="2026-11-20T11:00:00.000Z"))
    assert bounces == document(tmp_path, "a.jsonl", "--since", since)["bounces"]


@pytest.mark.parametrize(
    "arguments", [("--since", "yesterdayish"), ("--by", "reson"), ("-o", "jsonl")]
)
def test_a_word_that_is_not_known(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """It is one usage error, and nothing is printed."""
    write(tmp_path / "a.jsonl", bounce(1))
    result = report(tmp_path, "a.jsonl", *arguments)
    assert (2, "", 1) == (result.exit_code, result.stdout, len(result.errors))


@pytest.mark.parametrize(
    "by", [("--by", "credential", "--by", "reason"), ("--by", "credential,reason")]
)
def test_several_by_are_crossed(tmp_path: Path, by: tuple[str, ...]) -> None:
    """There is one group for each pair that occurs, its keys in the order of --by."""
    write(
        tmp_path / "a.jsonl",
        *map(bounce, range(3)),
        *(bounce(row, credential="club") for row in range(3, 5)),
        bounce(5, credential="club", status=400, reason="BadDeviceToken"),
    )
    assert [
        ({"credential": "shop-ios", "reason": "410 Unregistered"}, 3),
        ({"credential": "club", "reason": "410 Unregistered"}, 2),
        ({"credential": "club", "reason": "400 BadDeviceToken"}, 1),
    ] == [(group["keys"], group["count"]) for group in document(tmp_path, "a.jsonl", *by)["groups"]]


# -- odd lines ------------------------------------------------------------------------------------


def test_odd_lines_are_warned_of(tmp_path: Path) -> None:
    """A foreign and a torn line are told with file and line; only --strict makes it a failure."""
    write(tmp_path / "a.jsonl", bounce(1), "hello\n", bounce(2), '{"schema": 1, "row": 3, "ev')
    lax, strict = (report(tmp_path, "a.jsonl", "-o", "json", *more) for more in ((), ("--strict",)))

    assert (0, 1) == (lax.exit_code, strict.exit_code)
    assert 2 == lax.document["bounces"] == strict.document["bounces"]
    assert 2 == len(lax.warnings)
    for place, word in (("a.jsonl:2", "not a line"), ("a.jsonl:4", "torn")):
        assert [True] == [word in line for line in lax.warnings if place in line]


def test_a_torn_line_is_no_failure(tmp_path: Path) -> None:
    """A crash leaves one, so --strict passes it over like any other reader."""
    write(tmp_path / "a.jsonl", bounce(1), '{"schema": 1, "row": 3, "ev')
    result = report(tmp_path, "a.jsonl", "--strict")
    assert (0, 1) == (result.exit_code, len(result.warnings))
    assert "a.jsonl:2" in result.warnings[0]


# -- how it is printed ----------------------------------------------------------------------------


def test_the_sql_runs(tmp_path: Path) -> None:
    """What --sql prints runs in DuckDB from any folder, and counts what the report counts."""
    write(tmp_path / "a.jsonl.gz", bounce(1), bounce(2), bounce(2), counts(98, 2))
    write(tmp_path / "it's b.jsonl", bounce(3, credential="club"))
    names = ("a.jsonl.gz", "it's b.jsonl")
    result = report(tmp_path, *names, "--sql", "--by", "credential")
    assert (0, "") == (result.exit_code, result.stderr)

    before, _, after = result.stdout.partition("-- Bounces by credential.")
    with duckdb.connect() as connection:
        connection.execute(before)
        rows = connection.execute(after.partition(";")[0]).fetchall()
        connection.execute(after)
    groups = document(tmp_path, *names, "--by", "credential")["groups"]
    assert [(group["keys"]["credential"], group["count"]) for group in groups] == [
        (row[0], row[1]) for row in rows
    ]


@pytest.mark.parametrize("output", ["table", "json", "csv", "markdown", "html"])
def test_each_output(tmp_path: Path, output: str) -> None:
    """Each prints the reason with its count; markup and escapes of a hostile log stay text."""
    hostile = "<script>\x1b[31m|spring"
    write(
        tmp_path / "a.jsonl",
        *(bounce(row, campaign=hostile) for row in range(7)),
        counts(93, 7, hostile),
    )
    result = report(tmp_path, "a.jsonl", "-o", output)

    assert (0, "") == (result.exit_code, result.stderr)
    assert "Unregistered" in result.stdout
    assert "\x1b" not in result.stdout
    if output == "json":
        assert (7, hostile) == (
            result.document["groups"][0]["count"],
            result.document["campaigns"][0]["campaign"],
        )
    elif output == "csv":
        (row,) = csv.DictReader(io.StringIO(result.stdout))
        assert ("410 Unregistered", "7") == (row["reason"], row["count"])
    elif output == "html":
        assert result.stdout.lower().startswith("<!doctype html>")
        assert not re.search("<script>[^<]{0,12}spring", result.stdout)
        assert "&lt;script&gt;" in result.stdout
    elif output == "markdown":
        assert any(
            line.startswith("| ") and "Unregistered" in line and "7" in line
            for line in result.stdout.splitlines()
        )
        assert "<script>" not in result.stdout


@pytest.mark.parametrize(
    ("lines", "arguments", "headline"),
    [
        ((), (), "No push was accepted, none bounced"),
        ((counts(98, 0),), (), "None of 98 pushes bounced"),
        ((counts(98, 1), bounce(1)), ("--reason", "BadTopic"), "No push bounced for BadTopic"),
    ],
)
def test_no_bounces(
    tmp_path: Path, lines: tuple[str, ...], arguments: tuple[str, ...], headline: str
) -> None:
    """The first line says no more than the log tells within the filter."""
    write(tmp_path / "a.jsonl", *lines)
    result = report(tmp_path, "a.jsonl", *arguments)
    assert (0, headline) == (result.exit_code, result.stdout.splitlines()[0])
