"""
The main screens as a whole: on a terminal of two widths, and into a pipe.

What differs from run to run is replaced; everything else is what a person sees.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from cli.kit import Project, Result, android, ios, run_cli, steady


@dataclasses.dataclass(frozen=True)
class Screen:
    """Where the output goes."""

    columns: int
    tty: bool

    def run(self, *arguments: str, cwd: Path) -> Result:
        """Run the command on this screen, without colour or movement."""
        env = {"NO_COLOR": "1", "TERM": "dumb"}
        return run_cli(*arguments, cwd=cwd, columns=self.columns, tty=self.tty, env=env)


SCREENS = pytest.mark.parametrize(
    "screen",
    [Screen(80, True), Screen(120, True), Screen(80, False)],
    ids=["80 columns", "120 columns", "a pipe"],
)


@pytest.mark.parametrize("command", ["send", "demo"])
def test_help(tmp_path: Path, snapshot: SnapshotAssertion, command: str) -> None:
    """Help names every option, goes to stdout, and no line is wider than 80 columns."""
    result = run_cli(command, "--help", cwd=tmp_path)

    assert (0, "") == (result.exit_code, result.stderr)
    assert snapshot == result.stdout
    assert 80 >= max(map(len, result.stdout.splitlines()))


@SCREENS
def test_a_send_with_every_kind_of_outcome(
    project: Project, snapshot: SnapshotAssertion, screen: Screen
) -> None:
    """The table, the reasons with their meaning, and the talk around them."""
    rows = (
        "token,profile,consent,first_name,environment",
        f"{ios(1)},anna,true,Anna,",
        f"{android(1)},anna,true,Anna,",
        f"{ios(1, 'de')},ben,true,Ben,",
        f"{android(1, 'BADTOKEN')},carla,true,Carla,",
        f"{ios(2)},dora,false,Dora,",
        f"{ios(3)},emil,true,,",
        f"{ios(1)},fiona,true,Fiona,",
        f"{ios(4)},gustav,true,Gustav,sandbox",
        ",hilde,true,Hilde,",
        "0x12ab,ida,true,Ida,",
        f"{ios(1, 'cc')},jan,true,Jan,",
    )
    project.write("list.csv", "\n".join(rows) + "\n")

    result = screen.run(
        "send", "--tokens", "list.csv", "--title", "Hi {{ first_name }}", "--concurrency", "1",
        cwd=project.folder,
    )  # fmt: skip

    assert 7 == result.exit_code
    assert snapshot(name="stdout") == steady(result.stdout, project.folder)
    assert snapshot(name="stderr") == steady(result.stderr, project.folder)
    if screen.tty:
        assert screen.columns >= max(map(len, result.stdout.splitlines()))


def test_a_send_that_is_all_well(project: Project, snapshot: SnapshotAssertion) -> None:
    """The commonest screen of all says little."""
    result = project.send("--token", ios(), "--title", "Hello")

    assert snapshot(name="stdout") == steady(result.stdout, project.folder)
    assert snapshot(name="stderr") == steady(result.stderr, project.folder)


def test_a_send_where_nobody_listens(project: Project, snapshot: SnapshotAssertion) -> None:
    """A service out of reach: what failed is said once, with a hint and what comes next."""
    text = project.config.read_text().replace(project.served.url, "https://127.0.0.1:1")
    project.write("pushctl.yaml", text)

    result = project.send("--token", ios(), "--title", "Hello", "--retry-for", "0")

    assert 5 == result.exit_code
    assert snapshot(name="stdout") == steady(result.stdout, project.folder)
    assert snapshot(name="stderr") == steady(result.stderr, project.folder)


def test_errors_of_a_config(project: Project, snapshot: SnapshotAssertion) -> None:
    """All faults at once: place, line with a caret, then the hints."""
    text = (
        project.config.read_text()
        .replace("environment: production", "environment: prodution")
        .replace("team_id: TEAM123456", "team_id: 123456")
        .replace("service: fcm", "service: firebase")
    )
    project.write("pushctl.yaml", text + "bounce_logs: b.jsonl\n")

    result = project.send("--token", ios(), "--title", "Hello")

    assert (3, "") == (result.exit_code, result.stdout)
    assert snapshot == steady(result.stderr, project.folder)


def test_errors_of_a_message(project: Project, snapshot: SnapshotAssertion) -> None:
    """A message file with faults of every sort."""
    project.write("m.yaml", "titel: Hello\nbadge: many\nttl: soon\npriority: urgent\ndata: [1]\n")

    result = project.send("--token", ios(), "--message", "m.yaml")

    assert (3, "") == (result.exit_code, result.stdout)
    assert snapshot == steady(result.stderr, project.folder)


@SCREENS
def test_the_demo(tmp_path: Path, snapshot: SnapshotAssertion, screen: Screen) -> None:
    """What a newcomer sees first."""
    result = screen.run("demo", cwd=tmp_path)

    assert 0 == result.exit_code
    assert snapshot(name="stdout") == steady(result.stdout, tmp_path)
    assert snapshot(name="stderr") == steady(result.stderr, tmp_path)
