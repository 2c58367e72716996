"""Rotation and masking of the bounce log, from the command line."""

from __future__ import annotations

import json

import pytest

from cli.kit import Project, android, ios, run_cli
from pushctl.records.masking import KEY_FILE
from pushctl.rules.masking import is_masked

HELLO = ("--title", "Hello")


def rotated_lines(project: Project) -> list[dict[str, object]]:
    """Return the lines of the log and of its rotated files."""
    texts = [path.read_text() for path in sorted(project.folder.glob("bounces.jsonl*"))]
    return [json.loads(line) for line in "".join(texts).splitlines()]


def test_a_log_is_rotated_by_size(project: Project) -> None:
    """Run after run the log stays small, nothing is lost, and a run is found in all files."""
    tokens = [word for number in range(3) for word in ("--token", ios(number, "de"))]
    for number in range(4):
        arguments = (*tokens, *HELLO, "--bounce-log-max-size", "2KB", "--run", f"r{number}")
        assert 1 == project.send(*arguments).exit_code

    assert (project.folder / "bounces.jsonl.2").exists()
    bounced = [line for line in rotated_lines(project) if line["event"] == "Bounced push"]
    assert {(f"r{n}", row) for n in range(4) for row in (1, 2, 3)} == {
        (line["run"], line["row"]) for line in bounced
    }
    assert 12 == len(bounced)


def test_the_config_says_when_to_rotate(project: Project) -> None:
    """bounce_log_max_size holds for every send; a size that is none is refused with its place."""
    text = project.config.read_text()
    project.write("pushctl.yaml", text + "bounce_log_max_size: 1KB\n")
    for _ in range(3):
        project.send("--token", ios(1, "de"), *HELLO)
    assert (project.folder / "bounces.jsonl.1").exists()

    project.write("pushctl.yaml", text + "bounce_log_max_size: lots\n")
    result = project.send("--token", ios(1), *HELLO)
    assert 3 == result.exit_code
    (error,) = result.errors
    assert "bounce_log_max_size is no size" in error.replace(":", "")


def test_a_size_that_is_none_is_a_usage_error(project: Project) -> None:
    """The hint says how to write one."""
    result = project.send("--token", ios(1), *HELLO, "--bounce-log-max-size", "0")
    assert 2 == result.exit_code
    assert ["--bounce-log-max-size '0' is no size"] == result.errors
    assert result.hints[0].startswith("write bytes, or a number with KB")


@pytest.mark.parametrize("output", ["jsonl", "csv", "table"])
def test_a_masked_run_tells_no_token(project: Project, output: str) -> None:
    """Neither its bounce log nor what it prints holds a token; the gateways got the real ones."""
    tokens = [ios(1, "de"), android(2, "GONE"), ios(3)]
    given = [word for token in tokens for word in ("--token", token)]
    result = project.send(*given, *HELLO, "--mask-tokens", "-o", output, "-v")

    assert 1 == result.exit_code
    log = (project.folder / "bounces.jsonl").read_text()
    assert not [t for t in tokens if t in log + result.stdout + result.stderr]
    assert {is_masked(line["token"]) for line in project.events("Bounced push")} == {True}
    assert set(tokens) == {token for token, _, _ in project.served.received()}
    assert 0o600 == (project.folder / ".pushctl" / KEY_FILE).stat().st_mode & 0o777


def test_masks_of_two_runs_can_be_joined(project: Project) -> None:
    """One token has one mask in all logs of a state folder, and two have two."""
    arguments = ("--token", ios(1, "de"), *HELLO, "--mask-tokens")
    for run in ("one", "two"):
        project.send(*arguments, "--run", run)
    project.send("--token", ios(2, "de"), *HELLO, "--mask-tokens", "--run", "three")
    one, two, three = (line["token"] for line in project.events("Bounced push"))
    assert one == two != three


def test_the_run_itself_keeps_the_tokens(project: Project) -> None:
    """What a resume needs stays in the run's folder, which nobody else can read."""
    project.send("--token", ios(1, "de"), *HELLO, "--mask-tokens", "--run", "r1")
    (run,) = project.runs()
    assert ios(1, "de") in (run / "journal.jsonl").read_text()
    assert json.loads((run / "manifest.json").read_text())["mask_tokens"]


def test_a_resume_masks_what_its_run_masked(project: Project) -> None:
    """Lines that a crash kept from a masked log are masked when they are added."""
    tokens = [word for number in range(4) for word in ("--token", ios(number, "de"))]
    project.send(*tokens, *HELLO, "--mask-tokens", "--run", "r1")
    log = project.folder / "bounces.jsonl"
    before = {line["row"]: line["token"] for line in project.events("Bounced push")}
    log.write_text("")
    run_cli("runs", "resume", "r1", cwd=project.folder)
    assert before == {line["row"]: line["token"] for line in project.events("Bounced push")}


def test_a_dry_run_makes_no_key(project: Project) -> None:
    """What sends nothing leaves nothing behind."""
    result = project.send("--token", ios(1), *HELLO, "--mask-tokens", "--dry-run")
    assert 0 == result.exit_code
    assert not (project.folder / ".pushctl").exists()


@pytest.mark.parametrize("output", ["table", "json", "csv", "markdown", "html"])
def test_a_report_tells_no_token_where_it_is_to_be_masked(project: Project, output: str) -> None:
    """The two sample tokens of each reason are masks, the same that a masked log would hold."""
    project.send("--token", ios(1, "de"), "--token", android(2, "GONE"), *HELLO)
    plain = run_cli("bounces", "report", "-o", output, cwd=project.folder)
    hidden = run_cli("bounces", "report", "-o", output, "--mask-tokens", cwd=project.folder)
    assert 0 == hidden.exit_code
    assert ios(1, "de")[:8] in plain.stdout
    assert ios(1, "de")[:8] not in hidden.stdout
    assert "masked~" in hidden.stdout
