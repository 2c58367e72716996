"""What ``send`` writes where: data on stdout in four forms, talk on stderr."""

from __future__ import annotations

import csv
import io
import json
import shlex
import subprocess
import sys
from typing import Any

import pytest

from cli.kit import Project, android, ios, run_cli, start_cli

TOKENS = ("--token", ios(), "--token", android(1, "GONE"), "--token", "nil")
HELLO = ("--title", "Hello", "--campaign", "spring")

FIELDS = [
    "schema", "row", "source", "event", "outcome", "time", "run", "campaign", "profile", "service",
    "platform", "credential", "environment", "topic", "token", "target", "status", "reason", "case",
    "description", "category", "token_action", "retryable", "attempts", "latency_ms", "id",
    "unique_id", "dead_since", "detail",
]  # fmt: skip
"""The contract: names may be added at the end of a schema, never changed or moved."""


def test_jsonl_has_one_record_a_token_with_the_fields_of_the_contract(project: Project) -> None:
    """Each line of -o jsonl is one record; names and order of its fields are the contract."""
    result = project.send(*TOKENS, *HELLO, "-o", "jsonl")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert 3 == len(lines)
    assert [FIELDS] * 3 == [list(line) for line in lines]
    assert [1, 2, 3] == sorted(line["row"] for line in lines)
    assert {1} == {line["schema"] for line in lines}
    assert {"spring"} == {line["campaign"] for line in lines}
    (run,) = project.runs()
    assert {run.name} == {line["run"] for line in lines}


def test_json_is_one_document_with_the_keys_of_the_contract(project: Project) -> None:
    """-o json is one summary document; its keys are the contract."""
    result = project.send(*TOKENS, *HELLO, "-o", "json")

    document = result.document
    assert [
        "run", "campaign", "totals", "reasons", "duration_s", "rate_per_s", "bounce_log",
    ] == list(document)  # fmt: skip
    assert {
        "accepted": 1, "rejected": 2, "unknown": 0, "not_sent": 0, "skipped": 0,
    } == document["totals"]  # fmt: skip
    assert {
        ("fcm", 404, "UNREGISTERED", 1, "remove"),
        (None, None, "InvalidToken", 1, "suspect"),
    } == {tuple(reason.values()) for reason in document["reasons"]}
    assert ["service", "status", "reason", "count", "token_action"] == list(document["reasons"][0])
    assert str(project.folder / "bounces.jsonl") == document["bounce_log"]
    assert "spring" == document["campaign"]


def test_csv_has_the_fields_as_its_header(project: Project) -> None:
    """-o csv begins with the fields of the record, and every row is as wide."""
    result = project.send(*TOKENS, *HELLO, "-o", "csv")

    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert FIELDS == rows[0]
    assert {len(FIELDS)} == {len(row) for row in rows}
    assert 4 == len(rows)


def test_csv_runs_no_formula(project: Project) -> None:
    """A text that a spreadsheet would run as a formula gets a quote mark in front."""
    project.write("list.csv", f'token,profile\n{ios()},"=HYPERLINK(""https://evil"")"\n@SUM,+1\n')

    result = project.send("--tokens", "list.csv", "--title", "x", "-o", "csv", "--campaign", "-2+3")

    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {'\'=HYPERLINK("https://evil")', "'+1"} == {row["profile"] for row in rows}
    assert {ios(), "'@SUM"} == {row["token"] for row in rows}
    assert {"'-2+3"} == {row["campaign"] for row in rows}


def test_table_is_the_default_and_shows_each_token(project: Project) -> None:
    """Without -o there is a row for each token, then each reason with its meaning."""
    result = project.send(*TOKENS, *HELLO)

    rows = result.stdout.partition("\n\n")[0].splitlines()
    assert ["outcome", "profile", "service", "token", "answer"] == rows[0].split()
    assert ["✓ accepted", "✗ rejected", "✗ rejected"] == [row[:10] for row in rows[1:]]
    assert "404 UNREGISTERED" in rows[2]
    assert (
        "1 x 404 UNREGISTERED, rejected by FCM\n    App instance was unregistered" in result.stdout
    )


def test_table_groups_the_reasons_of_a_long_list(project: Project) -> None:
    """Above 50 recipients only the reasons are shown, with their numbers."""
    dead = [ios(number, "de") for number in range(40)]
    project.write("list.txt", "\n".join([*map(ios, range(20)), *dead]) + "\n")

    result = project.send("--tokens", "list.txt", *HELLO)

    assert result.stdout.startswith("40 x 410 Unregistered, rejected by APNs\n")
    assert "…" not in result.stdout


def test_verbose_shows_each_push_of_a_long_list(project: Project) -> None:
    """-v prints a line for each push, whatever their number."""
    project.write("list.txt", "\n".join(map(ios, range(60))) + "\n")

    result = project.send("--tokens", "list.txt", *HELLO, "-v")

    shown = [line for line in result.stderr.splitlines() if line.startswith("✓ accepted list.txt:")]
    assert 60 == len(shown)


@pytest.mark.parametrize("output", ["json", "jsonl", "csv"])
def test_talk_never_reaches_stdout(project: Project, output: str) -> None:
    """With -o json, jsonl and csv stdout is pure data even when a person asks for all the talk."""
    result = project.send(*TOKENS, *HELLO, "-o", output, "-vv", "--debug", "--progress", "plain")

    if output == "json":
        assert isinstance(result.document, dict)
    elif output == "jsonl":
        assert 3 == len(result.records)
    else:
        assert 4 == len(list(csv.reader(io.StringIO(result.stdout), strict=True)))
    assert "1 accepted · 2 rejected" in result.stderr


def test_the_banner_says_who_sends_to_whom(project: Project) -> None:
    """Before the first push stderr names credential, service, environment, topic, key, number."""
    result = project.send(*TOKENS, *HELLO)

    assert [
        "▸ shop-ios · APNs · production · com.example.shop · key SIMULATED1 · 1 recipient",
        "▸ shop-android · FCM · simulated-shop · service account push@simulated-shop · 1 recipient",
    ] == result.stderr.splitlines()[:2]
    assert "consent: stated by the sender" in result.stderr


def test_accepted_is_said_to_mean_accepted_by_the_service(project: Project) -> None:
    """A run with an acceptance says that nobody tells whether a device showed it."""
    result = project.send("--token", ios(), *HELLO)

    assert "accepted means accepted by the service" in result.stderr


def test_quiet_keeps_the_results(project: Project) -> None:
    """-q leaves the data on stdout and silences the talk."""
    result = project.send(*TOKENS, *HELLO, "-q")

    assert "" == result.stderr
    assert "404 UNREGISTERED" in result.stdout
    assert 1 == result.exit_code


def test_quiet_twice_leaves_the_exit_code(project: Project) -> None:
    """-qq writes nothing; the exit code and the bounce log stay."""
    result = project.send(*TOKENS, *HELLO, "-qq")

    assert ("", "", 1) == (result.stdout, result.stderr, result.exit_code)
    assert 2 == len(project.events("Bounced push"))


def test_a_doubt_about_the_message_is_a_warning(project: Project) -> None:
    """What a service takes but hardly as meant is said on stderr, and sent."""
    result = project.send("--token", ios(), *HELLO, "--image", "http://pictures.example/a.png")

    assert 0 == result.exit_code
    assert result.warnings[0].startswith("--image: ")
    assert "https" in result.warnings[0]


def test_foreign_text_cannot_drive_the_terminal(project: Project) -> None:
    """Escape sequences in a server's answer or in a file reach neither stdout nor stderr."""
    project.write("list.csv", f'token,profile\n{android(1, "CONTROL")},"a\u202eb"\n"\x1b[2J",c\n')

    for output in ("table", "jsonl", "csv"):
        result = project.send("--tokens", "list.csv", "--title", "x", "-o", output, "-v")
        assert not {"\x1b", "\x07", "\x9b"} & set(result.stdout + result.stderr)
    assert "odd [31mtext" in {line["detail"] for line in project.events("Bounced push")}


def test_colour_only_where_it_is_wanted(project: Project) -> None:
    """Colour comes with --color always, FORCE_COLOR or a terminal; NO_COLOR and never go before."""
    wrong = ("--token", ios(), "--ttl", "soon")
    forced = {"FORCE_COLOR": "1"}

    def coloured(*arguments: str, **more: Any) -> bool:
        return "\x1b[" in project.send(*wrong, *arguments, **more).stderr

    assert not coloured()
    assert coloured(env=forced)
    assert coloured(tty=True)
    assert not coloured(tty=True, env={"TERM": "dumb"})
    assert not coloured(tty=True, env={"NO_COLOR": "1"})
    assert not coloured(env={**forced, "NO_COLOR": "1"})
    assert not coloured("--color=never", env=forced)
    assert not coloured("--color", "never", tty=True)


def test_the_table_is_coloured_by_outcome(project: Project) -> None:
    """--color always paints the reasons on stdout even in a pipe."""
    result = project.send("--token", ios(1, "de"), *HELLO, "--color", "always")

    assert "\x1b[1;31m1 x 410 Unregistered, rejected by APNs\x1b[0m" in result.stdout


def test_options_may_come_from_the_environment(project: Project) -> None:
    """PUSHCTL_<OPTION> sets an option; the command line goes before it; targets are exempt."""
    env = {
        "PUSHCTL_OUTPUT": "jsonl",
        "PUSHCTL_CAMPAIGN": "summer",
        "PUSHCTL_TITLE": "Hi",
        "PUSHCTL_TOKEN": ios(2),
    }

    result = project.send("--token", ios(1), "--title", "Hello", env=env)

    assert ("summer", ios(1)) == (result.record["campaign"], result.record["token"])
    assert {"title": "Hello"} == project.served.only().aps["alert"]


def test_common_options_may_stand_before_the_command(project: Project) -> None:
    """`pushctl -q -o jsonl send …` is `pushctl send -q -o jsonl …`."""
    result = run_cli(
        "-q", "-o", "jsonl", "send", "--token", ios(), "--title", "x", cwd=project.folder
    )

    assert ("", "accepted") == (result.stderr, result.record["outcome"])


def test_a_reader_that_goes_away_does_not_stop_the_run(project: Project) -> None:
    """`pushctl send … | head -1`: the run goes on to its end, and its exit code is its own."""
    number = 1500
    project.write("list.txt", "\n".join(map(ios, range(number))) + "\n")

    arguments = ("--tokens", "list.txt", "--title", "x", "-o", "jsonl")
    with start_cli("send", *arguments, cwd=project.folder) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert 1 == json.loads(process.stdout.readline())["schema"]
        process.stdout.close()
        talk = process.stderr.read()
        assert 0 == process.wait(60)

    assert number == len(project.served.pushes)
    assert "1,500 accepted" in talk
    assert "BrokenPipe" not in talk


@pytest.mark.parametrize("redirection", ["> /dev/full", ">&-"])
def test_a_stdout_that_cannot_be_written_never_stops_a_run(
    project: Project, redirection: str
) -> None:
    """A full disk behind stdout, or none at all: every push is sent, the exit code holds."""
    command = [sys.executable, "-m", "pushctl", "send", "--token", ios(), "--title", "Hello"]
    words = " ".join(shlex.quote(word) for word in (*command, "-o", "jsonl"))
    ended = subprocess.run(
        f"{words} {redirection}", shell=True, cwd=project.folder, capture_output=True, check=False
    )

    assert 0 == ended.returncode, ended.stderr
    assert b"1 accepted" in ended.stderr
