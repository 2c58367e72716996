"""``pushctl bounces tokens``: which tokens go, from a real run to a list for a DELETE."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from cli.kit import DEAD_SINCE, Project, Result, android, ios, run_cli
from cli.test_bounces_list import bounce
from pushctl.rules.masking import is_masked

HELLO = ("--title", "Hello")


def tokens(project: Project, *arguments: str, **more: Any) -> Result:
    """Run ``pushctl bounces tokens`` in the folder of *project*."""
    return run_cli("bounces", "tokens", *arguments, cwd=project.folder, **more)


def rows(result: Result) -> list[dict[str, str]]:
    """Return the rows that were printed as csv."""
    return [*csv.DictReader(io.StringIO(result.stdout))]


def bounce_all(project: Project) -> None:
    """Send to tokens that are dead, in doubt and alive."""
    given = [ios(1, "de"), ios(2, "bd"), ios(3), android(1, "GONE"), android(2, "BADTOKEN")]
    project.send(*[word for token in given for word in ("--token", token)], *HELLO)


def test_the_dead_are_printed_for_a_delete(project: Project) -> None:
    """Only what a service called dead, with since when; the rest of the talk is on stderr."""
    bounce_all(project)
    result = tokens(project)
    assert 0 == result.exit_code
    found = {row["token"]: row for row in rows(result)}
    assert {ios(1, "de"), android(1, "GONE")} == set(found)
    assert DEAD_SINCE[:19] == found[ios(1, "de")]["dead_since"][:19]
    assert ["Unregistered", "UNREGISTERED"] == sorted(
        (row["reason"] for row in found.values()), reverse=True
    )
    assert "2 dead tokens (APNs 1, FCM 1)" in result.stderr
    assert "whether one of these was accepted later it cannot tell" in result.stderr


def test_the_suspects_are_apart(project: Project) -> None:
    """--suspect prints those in doubt, with why and what speaks for it, and none that is dead."""
    bounce_all(project)
    result = tokens(project, "--suspect", "-o", "jsonl")
    found = {row["token"]: row for row in map(json.loads, result.stdout.splitlines())}
    assert {ios(2, "bd"), android(2, "BADTOKEN")} == set(found)
    assert 1 == found[ios(2, "bd")]["accepted_beside"]
    assert "nobody was accepted beside it" in found[android(2, "BADTOKEN")]["evidence"]
    assert "remove" not in {row["token_action"] for row in found.values()}


def test_a_registration_since_then_saves_a_token(project: Project) -> None:
    """--registered takes any audience file, stdin too, and says how many it saved."""
    bounce_all(project)
    text = f"token,registered_at\n{ios(1, 'de').upper()},2030-01-01T00:00:00Z\n"
    arguments = ("--registered", "-", "--format", "csv")
    result = tokens(project, *arguments, stdin=text.encode())
    assert [android(1, "GONE")] == [row["token"] for row in rows(result)]
    assert "1 token registered again since: not dead" in result.stderr


def test_masked_tokens_are_refused_with_a_way_out(project: Project) -> None:
    """A log that was masked can call nobody dead: exit 3, and nothing is printed but the header."""
    project.send("--token", ios(1, "de"), *HELLO, "--mask-tokens")
    result = tokens(project)
    assert 3 == result.exit_code
    assert "" == result.stdout
    assert "masked" in result.errors[0]
    assert ["read the log that it was masked from, where that is kept"] == result.hints


def test_what_is_printed_can_be_masked(project: Project) -> None:
    """A list to compare with a masked log: its masks are those of the same state folder."""
    bounce_all(project)
    found = rows(tokens(project, "--mask-tokens"))
    assert [True, True] == [is_masked(row["token"]) for row in found]


def test_rotated_files_are_read(project: Project) -> None:
    """The configured log is read with what rotation made of it."""
    for number in (1, 2, 3):
        arguments = ("--token", ios(number, "de"), *HELLO, "--bounce-log-max-size", "1KB")
        project.send(*arguments)
    assert (project.folder / "bounces.jsonl.1").exists()
    assert {ios(number, "de") for number in (1, 2, 3)} == {
        row["token"] for row in rows(tokens(project))
    }


def test_a_foreign_line_fails_only_where_asked(project: Project) -> None:
    """A warning names the line; --strict makes exit 1 of it; the tokens are printed either way."""
    bounce_all(project)
    with (project.folder / "bounces.jsonl").open("a") as log:
        log.write("hello\n")
    for extra, code in (((), 0), (("--strict",), 1)):
        result = tokens(project, *extra)
        assert (code, 2) == (result.exit_code, len(rows(result)))
        assert any("bounces.jsonl:" in warning for warning in result.warnings)


def test_stdin_cannot_be_two_things(project: Project) -> None:
    """The log and the list cannot both come through one pipe."""
    result = tokens(project, "-", "--registered", "-", "--format", "csv")
    assert 2 == result.exit_code
    assert ["stdin (-) can be read only once"] == result.errors


@pytest.mark.parametrize(
    ("registered_at", "dead", "suspects"),
    [
        ("2026-09-21T14:13:21Z", 0, 0),
        ("2026-09-21T16:13:21+02:00", 0, 0),
        ("2026-09-21T14:13:20Z", 1, 0),
        ("2026-09-20", 1, 0),
        ("", 1, 0),
        ("yesterday", 0, 1),
    ],
)
def test_only_a_registration_after_the_death_saves(
    project: Project, registered_at: str, dead: int, suspects: int
) -> None:
    """Later than dead_since it lives, at it or before it is dead; one unreadable is a doubt."""
    project.write("bounces.jsonl", bounce(1, token=ios(1), dead_since=DEAD_SINCE))
    project.write("list.csv", f"token,registered_at\n{ios(1)},{registered_at}\n")
    result = tokens(project, "--registered", "list.csv")
    assert (0, dead) == (result.exit_code, len(rows(result)))
    assert bool(suspects) == any("registered_at cannot be read" in w for w in result.warnings)
    doubted = tokens(project, "--suspect", "--registered", "list.csv")
    assert [ios(1)] * suspects == [row["token"] for row in rows(doubted)]


def test_a_registration_saves_no_registration_token(project: Project) -> None:
    """UNREGISTERED is FCM's last word: it tells no time that a registration could be later than."""
    fcm = {"service": "fcm", "status": 404, "reason": "UNREGISTERED"}
    project.write("bounces.jsonl", bounce(1, token=android(1), **fcm))
    project.write("list.csv", f"token,registered_at\n{android(1)},2030-01-01\n")
    assert [android(1)] == [row["token"] for row in rows(tokens(project, "--registered=list.csv"))]


def test_suspects_as_csv(project: Project) -> None:
    """The same columns for every row, also where a token was rejected for two reasons."""
    both = {"token": ios(1), "token_action": "check-environment", "status": 400}
    project.write(
        "bounces.jsonl",
        bounce(1, **both, reason="BadDeviceToken")
        + bounce(2, **both, reason="DeviceTokenNotForTopic"),
    )
    result = tokens(project, "--suspect")
    (row,) = rows(result)
    assert ("BadDeviceToken DeviceTokenNotForTopic", "2") == (row["reasons"], row["bounces"])
    assert {None}.isdisjoint({*row, *row.values()})
    assert "1 suspect: keep them; none is proven dead" in result.stderr


@pytest.mark.parametrize("suspect", [False, True])
def test_a_spreadsheet_finds_no_formula(project: Project, suspect: bool) -> None:
    """Text that begins like a formula gets a quote mark in csv; jsonl tells it as it is."""
    action = "suspect" if suspect else "remove"
    odd = {"profile": "=HYPERLINK(1)", "campaign": "@SUM(1)", "topic": "+1", "token_action": action}
    project.write(
        "bounces.jsonl",
        bounce(1, **odd, token="-dTok:APA91b", service="fcm")
        + bounce(2, **odd, token="=cmd|'/c calc'!A1", service="fcm"),
    )
    extra = ("--suspect",) if suspect else ()
    found = rows(tokens(project, *extra))
    assert ["-dTok:APA91b", "'=cmd|'/c calc'!A1"] == [row["token"] for row in found]
    for row in found:
        assert ("'=HYPERLINK(1)", "'@SUM(1)", "'+1") == (
            row["profile"],
            row["campaign"],
            row["topic"],
        )
    lines = tokens(project, *extra, "-o", "jsonl").stdout.splitlines()
    assert {"=HYPERLINK(1)"} == {json.loads(line)["profile"] for line in lines}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("bounces.jsonl", "-o", "jsonl"), 0),
        (("bounces.jsonl", "--reason", "BadDeviceToken"), 0),
        (("bounces.jsonl", "-o", "table"), 2),
        (("bounces.jsonl", "--since", "soon"), 2),
        (("bounces.jsonl", "--no-such-option"), 2),
        (("missing.jsonl",), 3),
        (("bounces.jsonl", "--registered", "missing.csv"), 3),
    ],
)
def test_how_it_ends(project: Project, arguments: tuple[str, ...], code: int) -> None:
    """0 with or without a dead token; usage is 2 and a file 3, with one error and no output."""
    project.write("bounces.jsonl", bounce(1, token=ios(1)))
    result = tokens(project, *arguments)
    assert (code, int(code > 0)) == (result.exit_code, len(result.errors)), result.stderr
    if code:
        assert "" == result.stdout
