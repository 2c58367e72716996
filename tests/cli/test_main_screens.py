"""
The screens a person reads most, at 80 and 120 columns on a terminal and into a pipe.

Whatever the screen is: no line is wider than the terminal, and no escape code goes into a pipe.
"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from cli.kit import Project, Result, ios, run_cli, steady
from pushctl.records.record import FIELDS


@dataclasses.dataclass(frozen=True)
class Screen:
    """Where the output goes."""

    columns: int
    tty: bool

    def run(self, *arguments: str, cwd: Path, **more: Any) -> Result:
        """Run the command on this screen, without movement; return what it showed."""
        env = {"NO_COLOR": "1", "TERM": "dumb"} if self.tty else {}
        result = run_cli(*arguments, cwd=cwd, columns=self.columns, tty=self.tty, env=env, **more)
        assert "\x1b" not in result.stdout + result.stderr
        return result

    def wide(self, text: str) -> list[str]:
        """
        Return the lines of *text* that this screen would have to break; a pipe breaks none.

        An address and a line of a JSON example stay whole, because they are there to be copied.
        """
        lines = (
            line for line in text.splitlines() if not line.lstrip().startswith(("https:", '"'))
        )
        return [line for line in lines if self.tty and len(line) > self.columns]


SCREENS = pytest.mark.parametrize(
    "screen",
    [Screen(80, True), Screen(120, True), Screen(80, False)],
    ids=["80 columns", "120 columns", "a pipe"],
)


def bounce(row: int, **values: Any) -> str:
    """Return the line of bounce number *row*, at hour *row* of a day."""
    record = dict.fromkeys(FIELDS) | {
        "schema": 1,
        "row": row,
        "source": f"list.csv:{row}",
        "event": "Bounced push",
        "outcome": "rejected",
        "time": f"2026-11-20T{row:02d}:00:00.000Z",
        "run": "spring-1",
        "campaign": "spring",
        "credential": "shop-ios",
        "environment": "production",
        "topic": "com.example.shop",
        "service": "apns",
        "platform": "ios",
        "target": "token",
        "token": f"{row:064x}",
        "status": 410,
        "reason": "Unregistered",
        "category": "token",
        "token_action": "remove",
        "retryable": "no",
        "attempts": 1,
    }
    return json.dumps(record | values) + "\n"


BOUNCES = "".join(
    (
        bounce(1),
        bounce(2, profile="ben"),
        bounce(3, reason="BadDeviceToken", status=400, token_action="check-environment"),
        bounce(4, reason="TooManyRequests", status=429, token_action="keep"),
        bounce(
            5,
            service="fcm",
            platform="android",
            credential="shop-android",
            environment=None,
            topic=None,
            token="dX1vExampleQm7_Zk2Lw9a:APA91bExample-1kYt5Rz0uHc8VnQ2sWb7LxJm4PdEo6",
            status=404,
            reason="UNREGISTERED",
        ),
    )
)


@SCREENS
def test_the_summary_of_a_send_with_rejections(
    project: Project, snapshot: SnapshotAssertion, screen: Screen
) -> None:
    """Two reasons, how many of each and what to do; the numbers come last."""
    tokens = [ios(1), ios(2), ios(3, "de"), ios(4, "de"), ios(5, "bd")]
    project.write("list.txt", "\n".join(tokens) + "\n")

    result = screen.run(
        "send", "--tokens", "list.txt", "--title", "Hello", "--concurrency", "1", cwd=project.folder
    )

    assert 1 == result.exit_code
    assert [] == screen.wide(result.stdout)
    assert snapshot(name="stdout") == steady(result.stdout, project.folder)
    assert snapshot(name="stderr") == steady(result.stderr, project.folder)


@SCREENS
@pytest.mark.parametrize("reason", ["Unregistered", "410", "INVALID_ARGUMENT"])
def test_explain(tmp_path: Path, snapshot: SnapshotAssertion, screen: Screen, reason: str) -> None:
    """What a reason means, why it happens, what to do."""
    result = screen.run("explain", reason, cwd=tmp_path)

    assert (0, "") == (result.exit_code, result.stderr)
    assert [] == screen.wide(result.stdout)
    assert snapshot == result.stdout


@SCREENS
@pytest.mark.parametrize("command", ["list", "show"])
def test_runs(project: Project, snapshot: SnapshotAssertion, screen: Screen, command: str) -> None:
    """The runs of a project, and one of them."""
    project.write("list.txt", "\n".join([ios(1), ios(2, "de"), ios(3)]) + "\n")
    project.send("--tokens", "list.txt", "--title", "Hello", "--run", "first", "--concurrency", "1")

    arguments = ["first"] if command == "show" else []
    result = screen.run("runs", command, *arguments, cwd=project.folder)

    assert 0 == result.exit_code
    assert [] == screen.wide(result.stdout)
    assert snapshot(name="stdout") == steady(result.stdout, project.folder)
    assert snapshot(name="stderr") == steady(result.stderr, project.folder)


@SCREENS
@pytest.mark.parametrize("command", ["check --offline", "config show"])
def test_a_config(
    project: Project, snapshot: SnapshotAssertion, screen: Screen, command: str
) -> None:
    """What stands in the config and whether it is good; its paths are beside it, thus short."""
    made = project.served.made
    text = project.config.read_text("utf-8").replace(f"    ca_file: {made.ca_file}\n", "")
    for file in (made.key_file, made.service_account_file):
        project.write(Path(file).name, Path(file).read_bytes()).chmod(0o600)
        text = text.replace(str(file), Path(file).name)
    project.write("pushctl.yaml", text)

    result = screen.run(*command.split(), "--config", "pushctl.yaml", cwd=project.folder)

    assert 0 == result.exit_code
    assert [] == screen.wide(result.stdout)
    shown = re.sub(r"SHA-256 [0-9a-f]{12}", "SHA-256 <digits>", result.stdout)
    shown = re.sub(r"(?ms)^config .*?(?=^bounce_log)", "config  <its path>\n", shown)
    if not screen.tty:  # the column is as wide as the path
        shown = re.sub(r"(?<=\S) {2,}", "  ", shown)
    assert snapshot(name="stdout") == steady(shown, project.folder)
    assert snapshot(name="stderr") == steady(result.stderr, project.folder)


@SCREENS
@pytest.mark.parametrize("command", ["report", "list"])
def test_bounces(tmp_path: Path, snapshot: SnapshotAssertion, screen: Screen, command: str) -> None:
    """The bounce log as numbers, and bounce by bounce."""
    if command == "report":
        pytest.importorskip("duckdb", reason="the report is made by duckdb")
    (tmp_path / "bounces.jsonl").write_text(BOUNCES, encoding="utf-8")

    result = screen.run("bounces", command, "bounces.jsonl", cwd=tmp_path)

    assert 0 == result.exit_code
    assert [] == screen.wide(result.stdout)
    assert snapshot(name="stdout") == steady(result.stdout, tmp_path)
    assert snapshot(name="stderr") == steady(result.stderr, tmp_path)


@SCREENS
def test_tokens_check(tmp_path: Path, snapshot: SnapshotAssertion, screen: Screen) -> None:
    """What a list is warned of, with the rows."""
    rows = ["token,consent", f"{ios(1)},true", f"{ios(1)},true", "0x12ab,true", f"{ios(2)},no"]
    (tmp_path / "list.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")

    result = screen.run("tokens", "check", "list.csv", cwd=tmp_path)

    assert 1 == result.exit_code
    assert [] == screen.wide(result.stdout)
    assert snapshot(name="stdout") == steady(result.stdout, tmp_path)
    assert snapshot(name="stderr") == steady(result.stderr, tmp_path)


@SCREENS
def test_an_error_with_its_line(
    project: Project, snapshot: SnapshotAssertion, screen: Screen
) -> None:
    """The place, the line, a caret below the fault, what was meant."""
    text = project.config.read_text("utf-8").replace("production", "prodution")
    project.write("pushctl.yaml", text)

    result = screen.run("send", "--token", ios(), "--title", "Hello", cwd=project.folder)

    assert (3, "") == (result.exit_code, result.stdout)
    assert snapshot == steady(result.stderr, project.folder)
