"""
A simulator, a folder with a long list of device tokens, and the books to check a run against.

The simulator counts what it accepted before an answer leaves: it is the oracle for duplicates.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli.kit import Project, Result, Served, android, clean_environment, ios, run_cli, start_cli
from pushctl.outcome import Kind
from pushctl.simulator import Script, Simulator, Stats, make_credentials, serve_in_thread

__all__ = ["Stage", "android", "clean_environment", "ios", "on_stage", "staged"]

KINDS = tuple(kind.value for kind in Kind)
HELLO = ("--title", "Hello", "--progress", "never")


@dataclasses.dataclass(frozen=True, slots=True)
class Sent:
    """How a command that sends went."""

    result: Result
    totals: dict[str, int]
    """The totals of the whole run."""
    reasons: dict[str, int]
    """How often each reason was given, in this process."""

    @property
    def exit_code(self) -> int:
        """The exit code."""
        return self.result.exit_code


class Stage(Project):
    """A project with a list of *tokens* recipients and a simulator that plays a script."""

    def __init__(self, folder: Path, served: Served, tokens: list[str]) -> None:
        super().__init__(folder, served)
        self.tokens = tokens
        self.write("list.txt", "\n".join(tokens) + "\n")

    # -- commands -----------------------------------------------------------------------------

    def send_list(self, *arguments: str) -> Sent:
        """Send to the list in this process."""
        return self._ran(
            self.send("--tokens", "list.txt", *HELLO, "--run", "r1", "-o", "json", *arguments)
        )

    def resume(self, *arguments: str) -> Sent:
        """Resume the run in this process."""
        return self._ran(self.runs_command("resume", "r1", "-o", "json", *arguments))

    def runs_command(self, *arguments: str) -> Result:
        """Run ``pushctl runs`` with *arguments*."""
        return run_cli("runs", *arguments, cwd=self.folder)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a process that sends to the list."""
        everything = ("--tokens", "list.txt", *HELLO, "--run", "r1", "-o", "json", *arguments)
        return start_cli("send", *everything, cwd=self.folder)

    def start_resume(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a process that resumes the run."""
        return start_cli("runs", "resume", "r1", "-o", "json", *arguments, cwd=self.folder)

    def _ran(self, result: Result) -> Sent:
        assert "Traceback" not in result.stderr
        assert not result.errors or result.exit_code in (4, 5, 74), result.stderr
        document = result.document
        reasons: Counter[str] = Counter()
        for reason in document["reasons"]:
            reasons[reason["reason"]] += reason["count"]
        return Sent(result, document["totals"], dict(reasons))

    # -- books --------------------------------------------------------------------------------

    @property
    def stats(self) -> Stats:
        """What the simulator received."""
        return self.served.simulator.stats()

    @property
    def journal(self) -> Path:
        """The journal of the run."""
        return self.folder / ".pushctl" / "runs" / "r1" / "journal.jsonl"

    @property
    def records(self) -> dict[int, dict[str, Any]]:
        """The outcome records of the run by row, as ``runs show`` tells them."""
        result = self.runs_command("show", "r1", "-o", "jsonl")
        assert 0 == result.exit_code, result.stderr
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        rows = {line["row"]: line for line in lines}
        assert len(lines) == len(rows)
        return rows

    def bounce_log(self, name: str = "bounces.jsonl") -> list[dict[str, Any]]:
        """Return the lines of the bounce log, without what a crash may have torn."""
        lines = []
        for line in (self.folder / name).read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                lines.append(json.loads(line))
        return lines

    def counted(self) -> dict[str, int]:
        """Return the sums of the run's "Push counts" lines."""
        sums: Counter[str] = Counter()
        for line in self.events("Push counts"):
            for kind in KINDS:
                sums[kind] += line[kind]
        return {kind: sums[kind] for kind in KINDS}

    def audit(self, sent: Sent) -> None:
        """
        Check every promise about the books of the run, whether it is finished or not.

        The totals add up to the inputs; the gateway accepted no token twice; what it accepted is
        accepted or unknown here, and what is accepted here it accepted; the log's counts add up
        to the totals; its bounces are unique and complete; ``runs check`` finds nothing.
        """
        assert len(self.tokens) == sum(sent.totals.values()), sent.totals
        assert 0 == self.stats.accepted_again
        accepted_there = self.stats.accepted_per_token
        accepted_here = set()
        records = self.records
        for row, record in records.items():
            token = self.tokens[row - 1]
            if record["outcome"] == "accepted":
                accepted_here.add(token)
                assert token in accepted_there
            elif record["outcome"] != "unknown":
                assert token not in accepted_there, record
        assert sent.totals["accepted"] == len(accepted_here)
        uncertain = len(accepted_there) - len(accepted_here)
        assert 0 <= uncertain <= sent.totals["unknown"]
        assert sent.totals == self.counted()
        self._audit_log(sent, records)
        check = self.runs_command("check", "r1")
        assert (0, "") == (check.exit_code, check.stdout), check

    def _audit_log(self, sent: Sent, records: dict[int, dict[str, Any]]) -> None:
        bounced = [line["row"] for line in self.events("Bounced push")]
        assert len(bounced) == len(set(bounced))
        rejected = {row for row, record in records.items() if record["outcome"] == "rejected"}
        assert rejected <= set(bounced)
        assert sent.totals["rejected"] == len(rejected)
        assert sent.totals == self.events("Run finished")[-1]["totals"]


def staged(folder: Path, simulator: Simulator, tokens: list[str]) -> Stage:
    """Return a stage in *folder* for a *simulator* that serves already."""
    made = make_credentials(folder / "credentials", simulator)
    (folder / "shop").mkdir()
    return Stage(folder / "shop", Served(simulator, made), tokens)


@contextlib.contextmanager
def on_stage(
    folder: Path, script: Script, *, tokens: int | list[str] = 2000, **options: Any
) -> Iterator[Stage]:
    """Serve *script* and enter the block with a list of *tokens*, a number of device tokens."""
    listed = list(map(ios, range(1, tokens + 1))) if isinstance(tokens, int) else tokens
    with serve_in_thread(script=script, **options) as simulator:
        yield staged(folder, simulator, listed)
