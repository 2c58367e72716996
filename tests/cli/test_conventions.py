"""The conventions that hold for every command: colour, quiet, stdin, what was meant, --debug."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.kit import Project, Result, ios, run_cli
from pushctl.records.record import FIELDS

HELLO = ("--title", "Hello")
LOG = (
    json.dumps(
        dict.fromkeys(FIELDS)
        | {
            "schema": 1,
            "row": 1,
            "source": "list.csv:1",
            "event": "Bounced push",
            "outcome": "rejected",
            "time": "2026-11-20T01:00:00.000Z",
            "run": "r1",
            "service": "apns",
            "target": "token",
            "token": ios(2),
            "status": 410,
            "reason": "Unregistered",
            "token_action": "remove",
            "retryable": "no",
            "attempts": 1,
        }
    )
    + "\n"
)

# Each prints a screen that has colour: a heading, a mark or an error.
COMMANDS = {
    "send": ("send", "--token", ios(1, "de"), *HELLO),
    "explain": ("explain", "Unregistered"),
    "check": ("check", "--offline"),
    "config show": ("config", "show"),
    "bounces report": ("bounces", "report", "log.jsonl"),
    "bounces list": ("bounces", "list", "log.jsonl"),
    "tokens check": ("tokens", "check", "list.txt"),
    "runs list": ("runs", "list"),
    "an error": ("send", "--token", ios(), "--ttl", "soon"),
}
EVERY_COMMAND = pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)


@pytest.fixture
def stocked(project: Project) -> Project:
    """Return a project with a run, a bounce log and a list that has a fault."""
    project.write("log.jsonl", LOG)
    project.write("list.txt", f"{ios(1)}\n0x12ab\n")
    assert 0 == project.send("--token", ios(), *HELLO).exit_code
    return project


def painted(result: Result) -> bool:
    """Return whether an escape code is in what *result* shows."""
    return "\x1b" in result.stdout + result.stderr


# -- colour ---------------------------------------------------------------------------------------


@EVERY_COMMAND
def test_colour(stocked: Project, arguments: tuple[str, ...]) -> None:
    """
    A pipe gets colour when it is asked for and only then.

    NO_COLOR goes before FORCE_COLOR, --color before both.
    """

    def pipe(*more: str, **env: str) -> bool:
        return painted(run_cli(*arguments, *more, cwd=stocked.folder, env=env))

    assert not pipe()
    assert pipe("--color=always")
    assert pipe("--color=always", NO_COLOR="1")
    assert pipe(FORCE_COLOR="1")
    assert not pipe(FORCE_COLOR="1", NO_COLOR="1")
    assert not pipe("--color=never", FORCE_COLOR="1")


@EVERY_COMMAND
@pytest.mark.parametrize("env", [{"NO_COLOR": "1", "CI": "1"}, {"TERM": "dumb"}], ids=str)
def test_a_terminal_without_colour(
    stocked: Project, arguments: tuple[str, ...], env: dict[str, str]
) -> None:
    """A terminal that is dumb, or one with NO_COLOR and no animation, gets no escape code."""
    assert not painted(run_cli(*arguments, cwd=stocked.folder, tty=True, env=env))


# -- quiet ----------------------------------------------------------------------------------------


@EVERY_COMMAND
def test_quiet(stocked: Project, arguments: tuple[str, ...]) -> None:
    """-q keeps the exit code and says no more than without; -qq keeps the exit code alone."""
    loud = run_cli(*arguments, cwd=stocked.folder)
    quiet = run_cli(*arguments, "-q", cwd=stocked.folder)

    assert loud.exit_code == quiet.exit_code
    assert {*quiet.stderr.splitlines()} <= {*loud.stderr.splitlines()}
    assert Result(loud.exit_code, "", "") == run_cli(*arguments, "-qq", cwd=stocked.folder)


@pytest.mark.parametrize("flags", [["-qq"], ["-q", "-q"], ["-vqq"], ["--quiet", "-qv"]], ids=str)
def test_quiet_however_it_is_written(tmp_path: Path, flags: list[str]) -> None:
    """A usage error, found before any option is known, is as silent as -q and -v together say."""
    assert Result(2, "", "") == run_cli("send", "--titel", "x", *flags, cwd=tmp_path)


def test_quiet_keeps_the_failures(project: Project) -> None:
    """With -q a send tells what came of each push, and not a word around it."""
    result = project.send("--token", ios(1), "--token", ios(2, "de"), *HELLO, "-q")

    assert "" == result.stderr
    assert "✗ rejected" in result.stdout
    assert "1 x 410 Unregistered, rejected by APNs" in result.stdout


# -- stdin ----------------------------------------------------------------------------------------


def test_tokens_from_stdin(project: Project) -> None:
    """--tokens - sends to what stdin holds."""
    arguments = ("--tokens", "-", "--format", "txt", *HELLO)

    records = project.records(*arguments, stdin=f"{ios(1)}\n{ios(2)}\n".encode())

    assert [ios(1), ios(2)] == [record["token"] for record in records]


def test_a_suppression_from_stdin(project: Project) -> None:
    """--suppress - leaves out the tokens of the log in stdin."""
    tokens = ("--token", ios(1), "--token", ios(2))

    records = project.records(*tokens, "--suppress", "-", *HELLO, stdin=LOG.encode())

    assert ["accepted", "skipped"] == [record["outcome"] for record in records]


def test_explain_from_stdin(tmp_path: Path) -> None:
    """`explain -` explains the answer in stdin."""
    result = run_cli("explain", "-", cwd=tmp_path, stdin=b'{"reason": "Unregistered"}')

    assert 0 == result.exit_code
    assert "Unregistered" in result.stdout.splitlines()[0]


def test_a_list_to_check_from_stdin(tmp_path: Path) -> None:
    """`tokens check -` looks at the list in stdin, and names stdin where a fault is."""
    text = f"{ios(1)}\n0x12ab\n".encode()

    result = run_cli("tokens", "check", "-", "--format", "txt", cwd=tmp_path, stdin=text)

    assert 1 == result.exit_code
    assert "at: -:2" in result.stdout


@pytest.mark.parametrize("command", ["report", "list"])
def test_a_bounce_log_from_stdin(tmp_path: Path, command: str) -> None:
    """`bounces report -` and `bounces list -` read the log in stdin."""
    result = run_cli("bounces", command, "-", cwd=tmp_path, stdin=LOG.encode())

    assert 0 == result.exit_code
    assert "Unregistered" in result.stdout


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("bounces report -", LOG),
        ("bounces list -", LOG),
        ("bounces tokens -", LOG),
        ("tokens check - --format txt", ios()),
        ("explain -", "Unregistered"),
    ],
)
def test_nobody_waits_unknowingly(tmp_path: Path, command: str, text: str) -> None:
    """Whoever has to type stdin is told so, and how to end; a pipe is not talked to."""
    arguments = command.split()
    typed = run_cli(*arguments, cwd=tmp_path, stdin=text.encode(), tty=True, env={"TERM": "dumb"})
    piped = run_cli(*arguments, cwd=tmp_path, stdin=text.encode())

    assert "end with Ctrl-D" in typed.stderr
    assert "Ctrl-D" not in piped.stderr


# -- what was meant -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "meant"),
    [
        (("sned",), 2, "pushctl send"),
        (("bounces", "reprot"), 2, "pushctl bounces report"),
        (("runs", "lits"), 2, "pushctl runs list"),
        (("send", "--titel", "x"), 2, "--title"),
        (("check", "--offlin"), 2, "--offline"),
        (("bounces", "report", "--by", "reson"), 2, "reason"),
        (("check", "-o", "jnuit"), 2, "junit"),
        (("check", "shop-oss"), 3, "shop-ios"),
        (("send", "--token", ios(), *HELLO, "--credential", "shop-oss"), 3, "shop-ios"),
        (("explain", "BadDevceToken"), 1, "BadDeviceToken"),
        (("runs", "show", "sprnig"), 3, "spring"),
        (("help", "exit-code"), 2, "exit-codes"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_was_meant(
    project: Project, arguments: tuple[str, ...], code: int, meant: str
) -> None:
    """A slip in a name is answered with the name that was meant."""
    assert 0 == project.send("--token", ios(), *HELLO, "--run", "spring").exit_code

    result = run_cli(*arguments, cwd=project.folder)

    (hint, *_) = result.hints
    assert "did you mean" in hint
    assert meant in hint
    assert (code, "") == (result.exit_code, result.stdout)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("prodution", "production"), ("prod", "production"), ("Sandbx", "sandbox")],
)
def test_which_environment_was_meant(project: Project, written: str, meant: str) -> None:
    """So is an environment of the config, abbreviations too."""
    text = project.config.read_text("utf-8")
    assert "environment: production" in text
    project.write("pushctl.yaml", text.replace("production", written))

    result = project.send("--token", ios(), *HELLO)

    assert (3, [f"did you mean '{meant}'?"]) == (result.exit_code, result.hints)


# -- what nobody expected -------------------------------------------------------------------------


def test_a_bug_of_ours(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 70 and no traceback; with --debug, and with PUSHCTL_DEBUG, the traceback, too."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the bug")

    monkeypatch.setattr("pushctl.cli.deliver.settings_for", broken)

    result = project.send("--token", ios(), *HELLO)

    assert (70, "") == (result.exit_code, result.stdout)
    assert "Traceback" not in result.stderr
    assert "--debug" in result.stderr
    for debugged in (
        project.send("--token", ios(), *HELLO, "--debug"),
        project.send("--token", ios(), *HELLO, env={"PUSHCTL_DEBUG": "1"}),
    ):
        assert (70, "") == (debugged.exit_code, debugged.stdout)
        assert "Traceback (most recent call last):\n" in debugged.stderr
        assert "\nRuntimeError: the bug\n" in debugged.stderr


def test_debug_changes_no_error_of_a_user(project: Project) -> None:
    """What the user can mend is the same one error with --debug."""
    plain = project.send("--token", ios(), "--ttl", "soon")

    assert plain == project.send("--token", ios(), "--ttl", "soon", "--debug")
    assert 1 == len(plain.errors)
