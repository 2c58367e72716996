"""``pushctl bounces list`` and ``bounces report -v``: which ones, which fields, what order."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from cli.kit import Result, run_cli
from pushctl.records.record import FIELDS


def bounce(row: int, **values: Any) -> str:
    """Return the line of bounce number *row* of run ``r1``, at hour *row* of a day."""
    record = dict.fromkeys(FIELDS) | {
        "schema": 1,
        "row": row,
        "source": f"list.csv:{row}",
        "event": "Bounced push",
        "outcome": "rejected",
        "time": f"2026-11-20T{row:02d}:00:00.000Z",
        "run": "r1",
        "service": "apns",
        "target": "token",
        "token": f"{row:064x}",
        "status": 410,
        "reason": "Unregistered",
        "token_action": "remove",
        "retryable": "no",
        "attempts": 1,
    }
    return json.dumps(record | values) + "\n"


LINES = (
    bounce(1, campaign="spring"),
    bounce(3, service="fcm", status=404, reason="UNREGISTERED", token="d:APA91b"),
    bounce(2, reason="BadDeviceToken", status=400, token_action="check-environment"),
    bounce(4, run="r2", profile="=HYPERLINK(1)", campaign="spring"),
)


def write(folder: Path, *lines: str) -> Path:
    """Write the log of *folder*."""
    path = folder / "bounces.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def listed(folder: Path, *arguments: str) -> Result:
    """Run ``pushctl bounces list`` over the log of *folder*."""
    return run_cli("bounces", "list", "bounces.jsonl", *arguments, cwd=folder)


def hours(result: Result) -> list[int]:
    """Return the rows of the bounces that -o jsonl told."""
    return [json.loads(line)["row"] for line in result.stdout.splitlines()]


def test_the_newest_come_first(tmp_path: Path) -> None:
    """The order is that of time, not of the file, and every field is there."""
    write(tmp_path, *LINES)
    result = listed(tmp_path, "-o", "jsonl")

    assert (0, [4, 3, 2, 1]) == (result.exit_code, hours(result))
    assert list(FIELDS) == list(json.loads(result.stdout.splitlines()[0]))


def test_each_bounce_is_told_once(tmp_path: Path) -> None:
    """A line that stands twice, in one log or in two, is one bounce."""
    write(tmp_path, *LINES, LINES[0])
    (tmp_path / "copy.jsonl").write_text("".join(LINES), encoding="utf-8")

    assert [4, 3, 2, 1] == hours(listed(tmp_path, "copy.jsonl", "-o", "jsonl"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--service", "fcm"), [3]),
        (("--reason", "BadDeviceToken"), [2]),
        (("--reason", "410"), [4, 1]),
        (("--reason", "BadDeviceToken", "--reason", "UNREGISTERED"), [3, 2]),
        (("--campaign", "spring"), [4, 1]),
        (("--campaign", "spring", "--run", "r1"), [1]),
        (("--since", "2026-11-20T03:00Z"), [4, 3]),
        (("--until", "2026-11-20T03:00Z"), [2, 1]),
        (("--limit", "2"), [4, 3]),
        (("--limit", "0"), [4, 3, 2, 1]),
        (("--campaign", "autumn"), []),
    ],
)
def test_filters(tmp_path: Path, arguments: tuple[str, ...], expected: list[int]) -> None:
    """Different filters must all hold, one of the values of the same filter is enough."""
    write(tmp_path, *LINES)
    result = listed(tmp_path, "-o", "jsonl", *arguments)

    assert (0, expected) == (result.exit_code, hours(result))
    assert ("no bounces of that kind" in result.stderr) == (not expected)


def test_a_table_shows_the_newest_fifty(tmp_path: Path) -> None:
    """It says that there are more, and how to see them; -n shows as many as it says."""
    write(tmp_path, *(bounce(n, time=f"2026-11-20T08:{n:02d}:00.000Z") for n in range(1, 56)))

    short, whole = listed(tmp_path), listed(tmp_path, "--limit", "0")

    assert 1 + 50 == len(short.stdout.splitlines())
    assert "only the newest 50 are shown; --limit 0 shows all" in short.stderr
    assert (1 + 55, "") == (len(whole.stdout.splitlines()), whole.stderr)


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv"])
def test_fields(tmp_path: Path, output: str) -> None:
    """Each output shows the fields that were asked for, in that order."""
    write(tmp_path, *LINES)
    out = listed(tmp_path, "-o", output, "--fields", "reason, row", "--run", "r2").stdout

    if output == "table":
        assert [["reason", "row"], ["Unregistered", "4"]] == [x.split() for x in out.splitlines()]
    elif output == "csv":
        assert "reason,row\nUnregistered,4\n" == out
    else:
        found = json.loads(out)
        assert [("reason", "Unregistered"), ("row", 4)] == list(
            (found[0] if output == "json" else found).items()
        )


def test_a_cell_of_the_csv_is_no_formula(tmp_path: Path) -> None:
    """A profile that begins like a formula gets a mark; a token that begins with - stays whole."""
    write(tmp_path, bounce(1, profile="=HYPERLINK(1)", token="-dTok:APA91b", detail="@SUM(1)"))
    (row,) = csv.DictReader(io.StringIO(listed(tmp_path, "-o", "csv").stdout))

    assert ("'=HYPERLINK(1)", "-dTok:APA91b", "'@SUM(1)") == tuple(
        row[name] for name in ("profile", "token", "detail")
    )


def test_foreign_lines_fail_only_when_strict(tmp_path: Path) -> None:
    """They are told with their line; what is a bounce is listed either way."""
    write(tmp_path, LINES[0], "hello\n", LINES[1])

    lax, strict = listed(tmp_path, "-o", "jsonl"), listed(tmp_path, "-o", "jsonl", "--strict")

    assert (0, 1) == (lax.exit_code, strict.exit_code)
    assert [3, 1] == hours(lax) == hours(strict)
    assert any("bounces.jsonl:2" in warning for warning in lax.warnings)


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("--fields", "time,tokn"), "did you mean 'token'?"),
        (("--service", "apn"), "did you mean 'apns'?"),
        (("-o", "jsnl"), "jsonl"),
    ],
)
def test_what_was_meant(tmp_path: Path, arguments: tuple[str, ...], meant: str) -> None:
    """A word that is not known is a usage error that names the nearest."""
    write(tmp_path, *LINES)
    result = listed(tmp_path, *arguments)

    assert (2, "", 1) == (result.exit_code, result.stdout, len(result.errors))
    assert meant in "".join(result.errors + result.hints)


def test_the_report_shows_all_with_v(tmp_path: Path) -> None:
    """``bounces report`` cuts a long table and says so; with -v it leaves out no row."""
    write(
        tmp_path,
        *(
            bounce(n, run=f"run-{n:03d}", time=f"2026-11-20T08:{n:02d}:00.000Z")
            for n in range(1, 54)
        ),
    )
    report = ("bounces", "report", "bounces.jsonl", "--by", "run")

    cut, whole = (run_cli(*report, *more, cwd=tmp_path).stdout for more in ((), ("-v",)))

    assert "3 rows more; -v shows all" in cut
    assert (50, 53) == (cut.count("run-0"), whole.count("run-0"))
    assert "more;" not in whole
