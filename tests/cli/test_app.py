"""The command line as a whole: versions, help, start-up, encodings, the entry point."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.kit import Project, android, clean_environment, ios, run_cli
from pushctl import __version__
from pushctl.cli.app import COMMANDS, hoist
from pushctl.errors import ExitCode

HEAVY = ("httpx", "cryptography", "google", "jwt", "jinja2", "duckdb", "asyncio", "rich")
"""What sending needs.  (pydantic is not among them: the command line framework imports it.)"""


def python(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """Run this Python with *arguments*; return its exit code, stdout and stderr."""
    environ = clean_environment(cwd, 80, None)
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_version(tmp_path: Path) -> None:
    """--version and -V print the name and the version."""
    for option in ("--version", "-V"):
        result = run_cli(option, cwd=tmp_path)
        assert (0, f"pushctl {__version__}\n") == (result.exit_code, result.stdout)


def test_the_module_answers_for_the_version_alone(tmp_path: Path) -> None:
    """`python -m pushctl --version` imports nothing but the package: scripts ask it in a loop."""
    code = (
        "import sys; sys.argv[1:] = ['--version']; from pushctl.__main__ import main; main();"
        " print(*sorted(m for m in sys.modules if m.startswith(('pushctl.', 'typer'))))"
    )
    exit_code, out, _ = python("-c", code, cwd=tmp_path)

    assert (0, [f"pushctl {__version__}", "pushctl.__main__"]) == (exit_code, out.splitlines())


@pytest.mark.parametrize("arguments", [["--help"], ["send", "--help"], ["explain", "Unregistered"]])
def test_start_up_imports_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    """What only talks imports none of the libraries that sending needs."""
    code = (
        f"import sys; from pushctl.cli.app import run; code = run({arguments!r});"
        f" print(*sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    exit_code, _, err = python("-c", code, cwd=tmp_path)

    assert (0, "\n") == (exit_code, err)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"]])
def test_help_names_every_command(tmp_path: Path, arguments: list[str]) -> None:
    """The help on stdout names each command with a line about it."""
    result = run_cli(*arguments, cwd=tmp_path)

    assert (0, "") == (result.exit_code, result.stderr)
    listed = result.stdout.partition("Commands:\n")[2].partition("\n\n")[0]
    names = [line.split()[0] for line in listed.splitlines() if line[2:3] != " "]
    assert list(COMMANDS) == names


def test_without_a_command_the_help_comes_on_stderr(tmp_path: Path) -> None:
    """`pushctl` alone is a usage error that shows the help."""
    result = run_cli(cwd=tmp_path)

    assert (2, "") == (result.exit_code, result.stdout)
    assert "Commands:" in result.stderr


def test_help_as_a_word(tmp_path: Path) -> None:
    """`pushctl help send` is `pushctl send --help`."""
    assert run_cli("send", "--help", cwd=tmp_path) == run_cli("help", "send", cwd=tmp_path)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["send", "-q"], ["send", "-q"]),
        (["-q", "send", "--token", "t"], ["send", "-q", "--token", "t"]),
        (["-vv", "--color", "never", "send"], ["send", "-vv", "--color", "never"]),
        (["--config=c.yaml", "-o", "json", "send"], ["send", "--config=c.yaml", "-o", "json"]),
        (["--version"], ["--version"]),
        (["-q"], ["-q"]),
        (["--config"], ["--config"]),
        ([], []),
    ],
)
def test_hoist(given: list[str], expected: list[str]) -> None:
    """Common options in front of the command go behind it; everything else stays."""
    assert expected == hoist(given)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_stdout_that_is_not_utf8(project: Project, encoding: str) -> None:
    """Where stdout cannot hold a character it is escaped as JSON does it; the run is not harmed."""
    arguments = ("--token", ios(1, "de"), "--title", "x", "--campaign", "Frühling 🌷")

    result = project.send(*arguments, "-o", "jsonl", encoding=encoding)
    table = project.send(*arguments, encoding=encoding).stdout.splitlines()

    assert (1, "Frühling 🌷") == (result.exit_code, result.record["campaign"])
    assert result.stderr.startswith("> shop-ios, APNs")
    assert "x rejected" == table[1][:10]
    assert "de000000..0001" in table[1]


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 0)])
def test_what_ends_a_command_from_outside(
    project: Project, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    """Ctrl-C before anything was sent is 130, a reader that left is no failure; both are silent."""

    def ended(*_: object) -> None:
        raise error

    monkeypatch.setattr("pushctl.cli.deliver.settings_for", ended)

    result = project.send("--token", ios(), "--title", "x")

    assert (code, "", "") == (result.exit_code, result.stdout, result.stderr)


def test_send_is_refused_on_windows(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows `send` says that it is not supported there (exit 2)."""
    monkeypatch.setattr("pushctl.cli.send.sys.platform", "win32")

    result = project.send("--token", ios(), "--title", "x")

    assert (2, ["send is not supported on Windows"]) == (result.exit_code, result.errors)


def test_the_nearest_config_up_to_the_repository_is_used(project: Project) -> None:
    """From a sub-folder of a repository the config above it is found; its paths are its own."""
    (project.folder / ".git").mkdir()
    below = project.folder / "a" / "b"
    below.mkdir(parents=True)

    result = run_cli("send", "--token", android(1, "GONE"), "--title", "x", cwd=below)

    assert 1 == result.exit_code
    assert 1 == len(project.events("Bounced push"))
    assert 1 == len(project.runs())


def test_config_from_the_environment(project: Project, tmp_path: Path) -> None:
    """PUSHCTL_CONFIG names the config; --config goes before it."""
    config = str(project.config)
    arguments = ("send", "--token", ios(), "--title", "x")

    by_variable = run_cli(*arguments, cwd=tmp_path, env={"PUSHCTL_CONFIG": config})
    by_option = run_cli(
        *arguments, "--config", config, cwd=tmp_path, env={"PUSHCTL_CONFIG": "other.yaml"}
    )

    assert (0, 0) == (by_variable.exit_code, by_option.exit_code)
    assert 2 == len(project.runs())


@pytest.mark.parametrize("topic", ["exit-codes", "environment", "output", "security"])
def test_help_topics(tmp_path: Path, topic: str) -> None:
    """Each topic that the help names prints its text to stdout."""
    result = run_cli("help", topic, cwd=tmp_path)

    assert (0, "") == (result.exit_code, result.stderr)
    assert len(result.stdout.splitlines()) > 4


def test_the_exit_codes_topic_names_every_code(tmp_path: Path) -> None:
    """The table is made from the codes themselves."""
    text = run_cli("help", "exit-codes", cwd=tmp_path).stdout

    assert all(f"{int(code)}  {code.meaning}" in text for code in ExitCode)


def test_an_unknown_topic_gets_the_nearest(tmp_path: Path) -> None:
    """A slip is a usage error with a did-you-mean."""
    result = run_cli("help", "exit-code", cwd=tmp_path)

    assert (2, ["did you mean exit-codes?"]) == (result.exit_code, result.hints)
