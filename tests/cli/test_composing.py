"""What one command prints another takes: through real pipes, against the simulator."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest

from cli.kit import Project, android, clean_environment, ios, run_cli

HELLO = ("--title", "Hello")
DEAD, DOUBTFUL, ALIVE = ios(1, "de"), ios(2, "bd"), ios(3)
GONE, GOOD = android(1, "GONE"), android(2)


def shell(project: Project, line: str) -> subprocess.CompletedProcess[str]:
    """Run *line* in bash, in the folder of *project*, with ``pushctl`` in it; every part counts."""
    script = (
        f'set -o pipefail; pushctl() {{ {shlex.quote(sys.executable)} -m pushctl "$@"; }}; {line}'
    )
    return subprocess.run(
        ["bash", "-c", script],
        cwd=project.folder,
        env=clean_environment(project.folder, 80, None),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def bounce_all(project: Project) -> None:
    """Send to tokens of every kind, and forget that they arrived."""
    given = [word for token in (DEAD, DOUBTFUL, ALIVE, GONE, GOOD) for word in ("--token", token)]
    project.send(*given, *HELLO)
    project.served.forget()


def sent_to(project: Project) -> list[str]:
    """Return the tokens that the gateways got, sorted."""
    return sorted(str(token) for token, _, _ in project.served.received())


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_bounces_are_sent_to_again_by_hand(project: Project, form: str) -> None:
    """``bounces list | send --tokens -``: one reason of one log, with nothing in between."""
    bounce_all(project)
    done = shell(
        project,
        f"pushctl bounces list -o {form} --reason BadDeviceToken"
        f" | pushctl send --tokens - --format {form} --title Again -o json",
    )
    assert [DOUBTFUL] == sent_to(project), done.stderr
    assert 1 == done.returncode


def test_dead_tokens_are_left_out_through_a_pipe(project: Project) -> None:
    """``bounces tokens | send --suppress -``: the dead stay out, in either form."""
    bounce_all(project)
    project.write("list.txt", "\n".join([DEAD, ALIVE, GONE, GOOD]))
    for form in ("jsonl", "csv"):
        project.served.forget()
        done = shell(
            project,
            f"pushctl bounces tokens -o {form} | pushctl send --suppress - --tokens list.txt"
            " --title Hello",
        )
        assert sorted([ALIVE, GOOD]) == sent_to(project), done.stderr
        assert 0 == done.returncode


def test_the_outcomes_of_a_run_are_a_list(project: Project) -> None:
    """``send -o jsonl`` into a file: a segment of its records is sent to, by what came of them."""
    given = [word for token in (DEAD, ALIVE, GOOD) for word in ("--token", token)]
    for form in ("jsonl", "csv"):
        result = project.send(*given, *HELLO, "-o", form)
        project.write(f"done.{form}", result.stdout)
        project.served.forget()
        again = ("--tokens", f"done.{form}", "--where", "outcome = 'accepted'", *HELLO)
        assert 0 == project.send(*again).exit_code
        assert sorted([ALIVE, GOOD]) == sent_to(project)


def test_who_did_not_consent_is_not_sent_to_by_a_detour(project: Project) -> None:
    """The records of a run say who was left out for want of consent, and it stays so."""
    project.write("list.csv", f"token,consent\n{ALIVE},false\n{GOOD},true\n")
    done = shell(
        project,
        "pushctl send --tokens list.csv --title Hello -o jsonl"
        " | pushctl send --tokens - --format jsonl --title Again -o jsonl > second.jsonl",
    )
    assert 0 == done.returncode, done.stderr
    assert [GOOD, GOOD] == sent_to(project)
    assert "NoConsent" in (project.folder / "second.jsonl").read_text()


@pytest.mark.parametrize(
    "made_by",
    [
        "bounces list -o jsonl",
        "bounces list -o csv",
        "bounces tokens -o jsonl",
        "bounces tokens -o csv",
        "bounces tokens --suspect -o jsonl",
        "bounces tokens --suspect -o csv",
        "runs show last -o jsonl",
        "runs show last -o csv",
    ],
)
def test_every_list_that_is_printed_can_be_looked_at(project: Project, made_by: str) -> None:
    """``tokens check`` and ``send --suppress`` take each; no token is damaged."""
    bounce_all(project)
    form = made_by.rpartition(" ")[2]
    printed = run_cli(*made_by.split(), cwd=project.folder)
    assert 0 == printed.exit_code
    project.write(f"made.{form}", printed.stdout)

    looked = run_cli("tokens", "check", f"made.{form}", "-o", "json", cwd=project.folder)
    assert looked.document["sound"], looked.stdout
    assert looked.document["rows"] == sum(looked.document["sendable"].values()) > 0

    project.write("list.txt", "\n".join([DEAD, ALIVE]))
    left = project.records("--tokens", "list.txt", "--suppress", f"made.{form}", *HELLO)
    dead = "suspect" not in made_by
    assert [("skipped" if dead else "rejected"), "accepted"] == [one["outcome"] for one in left]


def test_masks_are_named_wherever_a_token_is_asked_for(project: Project) -> None:
    """A masked list can be looked at and compared; it is sent to by nobody."""
    bounce_all(project)
    masked = run_cli("bounces", "list", "-o", "jsonl", "--mask-tokens", cwd=project.folder)
    project.write("masked.jsonl", masked.stdout)
    looked = run_cli("tokens", "check", "masked.jsonl", "-o", "json", cwd=project.folder)
    assert "masked" in {one["finding"] for one in looked.document["findings"]}

    result = project.send("--tokens", "masked.jsonl", *HELLO)
    assert [] == sent_to(project)
    assert 1 == result.exit_code
    refused = project.send("--token", ALIVE, "--suppress", "masked.jsonl", *HELLO)
    assert (3, []) == (refused.exit_code, sent_to(project))
    assert "masked" in refused.errors[0]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_run_feeds_the_next_one(project: Project, form: str) -> None:
    """``send | send --tokens -``, and its records as ``--suppress``: each row where it goes."""
    given = " ".join(f"--token {token}" for token in (DEAD, DOUBTFUL, ALIVE, GONE, GOOD))
    done = shell(
        project,
        f"pushctl send {given} --title One -o {form} | tee run.{form}"
        f" | pushctl send --tokens - --format {form} --where \"outcome = 'accepted'\" --title Two",
    )
    assert 1 == done.returncode, done.stderr  # that of the first: three of its five were rejected
    assert sorted([DEAD, DOUBTFUL, ALIVE, ALIVE, GONE, GOOD, GOOD]) == sent_to(project)

    project.served.forget()
    project.write("list.txt", "\n".join([DEAD, DOUBTFUL, ALIVE, GONE, GOOD]))
    records = (project.folder / f"run.{form}").read_bytes()
    project.send("--tokens", "list.txt", "--suppress", "-", *HELLO, stdin=records)
    assert sorted([DOUBTFUL, ALIVE, GOOD]) == sent_to(project)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_the_dead_are_looked_at_through_a_pipe(project: Project, form: str) -> None:
    """``bounces tokens | tokens check -``: every token arrives whole."""
    bounce_all(project)
    done = shell(
        project,
        f"pushctl bounces tokens -o {form} | pushctl tokens check - --format {form} -o json",
    )
    assert 0 == done.returncode, done.stderr
    looked = json.loads(done.stdout)
    assert (2, {"apns": 1, "fcm": 1}) == (looked["rows"], looked["sendable"])


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("made_by", ["send", "bounces list", "bounces tokens"])
def test_masks_are_neither_sent_to_nor_suppressed(
    project: Project, made_by: str, form: str
) -> None:
    """Whoever printed them: nobody is sent to, each row says why, and no list can be made of it."""
    given = ("--token", DEAD, "--token", GONE, *HELLO) if made_by == "send" else ()
    bounce_all(project)
    printed = run_cli(*made_by.split(), *given, "-o", form, "--mask-tokens", cwd=project.folder)
    project.served.forget()
    masked = printed.stdout.encode()
    assert DEAD not in printed.stdout

    records = project.records("--tokens", "-", "--format", form, *HELLO, stdin=masked)
    assert 2 <= len(records)
    for record in records:
        assert ("rejected", "InvalidToken") == (record["outcome"], record["reason"])
        assert "masked token" in record["detail"]
    refused = project.send("--token", ALIVE, "--suppress", "-", *HELLO, stdin=masked)
    assert (3, 1, 1) == (refused.exit_code, len(refused.errors), len(refused.hints))
    assert "the tokens of this file are masked" in refused.errors[0]
    assert [] == sent_to(project)


def test_masks_that_were_sent_to_spoil_no_log(project: Project) -> None:
    """The log holds them as never sent to, and the dead can still be told from it."""
    bounce_all(project)
    masked = run_cli("bounces", "tokens", "-o", "jsonl", "--mask-tokens", cwd=project.folder)
    project.send("--tokens", "-", "--format", "jsonl", *HELLO, stdin=masked.stdout.encode())
    assert [0, 0] == [one["attempts"] for one in project.events("Bounced push")[-2:]]
    dead = run_cli("bounces", "tokens", "-o", "jsonl", cwd=project.folder)
    assert 0 == dead.exit_code
    assert {DEAD, GONE} == {json.loads(line)["token"] for line in dead.stdout.splitlines()}


def test_a_log_as_it_lies_there_says_which_pipe_to_use(project: Project) -> None:
    """A bounce log counts as well as tells; the hint is the line that leaves the counts out."""
    bounce_all(project)
    result = project.send("--tokens", "bounces.jsonl", *HELLO)
    assert 3 == result.exit_code
    assert "counts are no recipients" in result.errors[0]
    assert "pushctl bounces list LOG -o jsonl" in result.hints[0]
