"""``PUSHCTL_<OPTION>`` for every option, and errors that name the variable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from cli.kit import Project, android, ios, run_cli
from pushctl.cli.app import build_app
from pushctl.cli.environment import NEVER, TARGETS, name_variables, split_list, variable_of
from pushctl.errors import InvalidInput, Place, Problem, Unreachable, UsageError
from pushctl.manual.model import Command, Option
from pushctl.manual.read import read_command


def options() -> Iterator[tuple[Command, Option]]:
    """Yield every option of every command."""
    root = read_command(typer.main.get_command(build_app()))
    for command in root.walk():
        if command.path and not command.commands:
            yield from ((command, option) for option in command.options)


REACHING = {("send",), ("topics", "subscribe"), ("topics", "unsubscribe")}


def test_every_option_has_its_variable() -> None:
    """The name follows from the option alone, in every command; the exceptions are the listed."""
    for command, option in options():
        expected = "PUSHCTL_" + option.name[2:].replace("-", "_").upper()
        exempt = option.name in NEVER or (command.path in REACHING and option.name in TARGETS)

        assert (None if exempt else expected) == option.env, (command.path, option.name)


def test_what_is_never_set_by_a_variable(project: Project) -> None:
    """Targets, --yes, --confirm and --on-unknown are the command line's alone."""
    env = {
        "PUSHCTL_TOKEN": ios(),
        "PUSHCTL_TOKENS": "list.txt",
        "PUSHCTL_FID": "dX1nVeNtEdToKeN0000001",
        "PUSHCTL_APNS_CHANNEL": "dHN0LXNyY2gtY2hubA==",
        "PUSHCTL_YES": "true",
        "PUSHCTL_CONFIRM": "7",
        "PUSHCTL_ON_UNKNOWN": "nonsense",
    }

    without = project.send("--title", "x", env=env)
    with_token = project.send("--token", ios(), "--title", "x", env=env)

    assert 2 == without.exit_code
    assert 0 == with_token.exit_code
    assert [(ios(), 200, None)] == project.served.received()


def test_a_variable_sets_an_option_and_the_command_line_wins(project: Project) -> None:
    """The value is read as the option's own would be, and given up for one on the command line."""
    env = {"PUSHCTL_TITLE": "from the environment", "PUSHCTL_OUTPUT": "jsonl", "PUSHCTL_BADGE": "3"}

    result = project.send("--token", ios(), "--badge", "4", env=env)

    assert "accepted" == result.record["outcome"]
    assert "from the environment" == project.served.only().aps["alert"]["title"]
    assert 4 == project.served.only().aps["badge"]


def test_repeatable_options_and_flags(project: Project) -> None:
    """A list has commas, quotes as in CSV; a flag says true or false; -q says how often."""
    env = {"PUSHCTL_DATA": 'a=1,"b=2,3", c=4', "PUSHCTL_DRY_RUN": "false", "PUSHCTL_QUIET": "2"}

    result = project.send("--token", android(), "--title", "x", env=env)

    assert (0, "", "") == (result.exit_code, result.stdout, result.stderr)
    assert {"a": "1", "b": "2,3", "c": "4"} == project.served.only().message["data"]


def test_an_empty_variable_is_not_set(project: Project) -> None:
    """A variable that a CI service left empty changes nothing."""
    env = {"PUSHCTL_RETRY_FOR": "", "PUSHCTL_DRY_RUN": "", "PUSHCTL_CREDENTIAL": ""}

    assert 0 == project.send("--token", ios(), "--title", "x", env=env).exit_code


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PUSHCTL_CANARY", "many"),
        ("PUSHCTL_COLOR", "pink"),
        ("PUSHCTL_DRY_RUN", "maybe"),
        ("PUSHCTL_QUIET", "very"),
        ("PUSHCTL_RETRY_FOR", "soon"),
        ("PUSHCTL_OUTPUT", "xml"),
        ("PUSHCTL_TTL", "forever"),
        ("PUSHCTL_DATA", "novalue"),
        ("PUSHCTL_STOP_IF", "bored"),
        ("PUSHCTL_FAIL_ON", "mondays"),
        ("PUSHCTL_CREDENTIAL", "shop-oss"),
        ("PUSHCTL_WHERE", "a ="),
        ("PUSHCTL_RATE", "fast"),
    ],
)
def test_a_bad_value_names_its_variable(project: Project, variable: str, value: str) -> None:
    """Whoever judges the value, framework or command: the person learns where it comes from."""
    result = project.send("--token", ios(), "--title", "x", env={variable: value})

    assert result.exit_code in (2, 3)
    (error,) = result.errors
    assert variable in error
    assert "Traceback" not in result.stderr
    assert [] == project.served.received()


def test_a_bad_option_is_not_blamed_on_a_variable(project: Project) -> None:
    """A variable that the command line overrides has no part in the error."""
    result = project.send(
        "--token", ios(), "--title", "x", "--retry-for=soon", env={"PUSHCTL_RETRY_FOR": "5m"}
    )

    assert 2 == result.exit_code
    assert "PUSHCTL_RETRY_FOR" not in result.stderr


def test_whom_an_error_is_blamed_on() -> None:
    """A problem in a file is the file's; an error of the network is nobody's option."""
    environ = {"PUSHCTL_TTL": "x", "PUSHCTL_EMPTY": "", "OTHER": "--ttl"}
    placed = InvalidInput("`--ttl` is wrong", place=Place("a.yaml", 1))
    plain = UsageError("`--ttl` is wrong", hint="h")
    network = Unreachable("--ttl")

    assert placed.problems == name_variables(placed, [], environ).problems
    assert network is name_variables(network, [], environ)
    assert plain is name_variables(plain, ["--ttl", "x"], environ)
    assert (
        Problem("`--ttl` is wrong (from the environment variable PUSHCTL_TTL)", hint="h"),
    ) == name_variables(plain, [], environ).problems


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        (" a , b ", ["a", "b"]),
        ('a,"b,c"', ["a", "b,c"]),
        ("a\nb", ["a", "b"]),
        (",", []),
        ('"', []),
        ('a="1"', ['a="1"']),
    ],
)
def test_lists(text: str, values: list[str]) -> None:
    """Commas or lines stand between, double quotes keep a comma."""
    assert values == split_list(text)


def test_names_of_variables() -> None:
    """Only what reaches devices has targets: a filter of another command may be set."""
    assert "PUSHCTL_RETRY_FOR" == variable_of("send", "--retry-for")
    assert variable_of("send", "--platform") is None
    assert "PUSHCTL_PLATFORM" == variable_of("check", "--platform")
    assert variable_of("send", "--apns-channel") is None
    assert variable_of("subscribe", "--fid") is None
    assert variable_of("resume", "--on-unknown") is None


def test_the_topic_lists_every_variable(tmp_path: Path) -> None:
    """``help environment`` is made from the commands; each help page names an example."""
    topic = run_cli("help", "environment", cwd=tmp_path).stdout
    page = run_cli("runs", "prune", "--help", cwd=tmp_path).stdout

    assert {option.env for _, option in options() if option.env} <= set(topic.split())
    assert all(name in topic for name in ("HTTPS_PROXY", "NO_PROXY", "XDG_CONFIG_HOME"))
    assert "PUSHCTL_OLDER_THAN" in page
