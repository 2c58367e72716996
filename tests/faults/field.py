"""A folder to send from, a gateway in a process of its own, and the books of both compared."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cli.kit import Result, ios, run_cli, start_cli
from faults.nursery import Child, Nursery
from pushctl.records.journal import boot_id
from pushctl.records.replay import SENT, replay_journal
from wire.authority import Authority

LOOPBACK = "127.0.0.1"
HELLO = ("--title", "Hello", "--progress", "never")
RUN = "r1"
TO_LIST = ("--tokens", "list.txt", *HELLO, "--run", RUN, "-o", "json")


class Gateway:
    """A running ``gateway.py``."""

    def __init__(self, pem: Path, streams: int, delay_s: float) -> None:
        program = str(Path(__file__).with_name("gateway.py"))
        self.process = subprocess.Popen(
            [sys.executable, program, str(pem), str(streams), str(delay_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port: int = self._reply()["port"]

    def tell(self, **order: Any) -> None:
        """Give an order that is not replied to at once."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def books(self) -> dict[str, Any]:
        """Return what was received."""
        self.tell(do="books")
        return self._reply()

    def signals(
        self,
        process: subprocess.Popen[str] | Child,
        number: signal.Signals,
        after: int,
        delay_s: float = 0.0,
    ) -> int | None:
        """
        Have *process* sent a signal after so many pushes more and that time.

        Return how many were in flight then; ``None``: it ended before.
        """
        self.tell(do="signal", pid=process.pid, number=number, after=after, delay=delay_s)
        ended = False
        while not select.select([self.process.stdout], [], [], 0.05)[0]:
            if ended:
                self.tell(do="forget")
                return None
            ended = process.poll() is not None  # then it was told already, if it was signalled
        reply = self._reply()
        assert process.pid == reply["signalled"]
        return int(reply["in_flight"])

    def wait_until_quiet(self) -> None:
        """Return once everything that came was answered."""
        self.tell(do="quiet")
        self._reply()

    def go_on(self) -> None:
        """Let it go on after SIGSTOP."""
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it."""
        self.go_on()
        with self.process:
            assert self.process.stdin is not None
            self.process.stdin.close()

    def _reply(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line: dict[str, Any] = json.loads(self.process.stdout.readline())
        return line


def ended(process: subprocess.Popen[str] | Child) -> tuple[str, str]:
    """Wait for *process*; return its stdout and stderr, without a traceback or a bug's report."""
    with process:
        try:
            output, talk = process.communicate(timeout=90)
        except BaseException:
            process.kill()  # also if it is stopped
            raise
    assert "Traceback" not in talk
    assert "internal error" not in talk
    return output, talk


@dataclasses.dataclass(frozen=True, slots=True)
class Audit:
    """What a comparison of the books found."""

    pushes: int
    duplicates: list[str]
    """Tokens that were accepted more than once."""
    lost: list[str]
    """Tokens that are neither accepted there nor rejected, unknown or left here."""
    unknown: list[int]
    """The rows that the run lists as unknown."""


class Field:
    """A folder with a list of *tokens* and a config for *gateway*."""

    def __init__(self, folder: Path, gateway: Gateway, authority: Path, tokens: list[str]) -> None:
        self.folder = folder
        self.gateway = gateway
        self.tokens = tokens
        folder.mkdir()
        key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (folder / "AuthKey_ABC123DEFG.p8").touch(mode=0o600)
        (folder / "AuthKey_ABC123DEFG.p8").write_bytes(key)
        (folder / "list.txt").write_text("\n".join(tokens) + "\n")
        (folder / "pushctl.yaml").write_text(
            "credentials:\n"
            "  shop-ios:\n"
            "    service: apns\n"
            "    environment: production\n"
            "    topic: com.example.shop\n"
            "    key_file: AuthKey_ABC123DEFG.p8\n"
            "    team_id: DEF123GHIJ\n"
            f"    endpoint: https://{LOOPBACK}:{gateway.port}\n"
            f"    ca_file: {authority}\n"
        )

    @property
    def journal(self) -> Path:
        """The journal of the run."""
        return self.folder / ".pushctl" / "runs" / RUN / "journal.jsonl"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a process that sends to the list."""
        return start_cli("send", *TO_LIST, *arguments, cwd=self.folder)

    def start_under(self, prefix: tuple[str, ...], *arguments: str) -> subprocess.Popen[str]:
        """Start ``pushctl`` with *arguments* by way of the command *prefix*."""
        return start_cli(*arguments, cwd=self.folder, prefix=prefix)

    def start_resume(self, nursery: Nursery, *arguments: str) -> Child:
        """Start a process that resumes the run."""
        words = ("runs", "resume", RUN, "-o", "json", *arguments)
        return nursery.start(*words, cwd=self.folder)

    def send(self, *arguments: str) -> Result:
        """Send to the list in this process."""
        return run_cli("send", *TO_LIST, *arguments, cwd=self.folder)

    def runs(self, *arguments: str) -> Result:
        """Run ``pushctl runs`` with *arguments* in this process."""
        return run_cli("runs", *arguments, cwd=self.folder)

    def in_doubt(self) -> set[int]:
        """Return the rows that were on their way when the process was killed."""
        if not self.journal.exists():
            return set()
        replay = replay_journal(self.journal)
        doubtful = replay.uncertain(boot_id())
        assert all(replay.state(row) == SENT for row in doubtful)
        return set(doubtful)

    def audit(self) -> Audit:
        """
        Compare the books of the gateway with those of the run.

        What is accepted here was accepted there, what is rejected here was refused there; the
        totals add up to the list, and ``runs check`` finds nothing.
        """
        books = self.gateway.books()
        accepted, refused = books["accepted"], books["refused"]
        shown = self.runs("show", RUN, "-o", "jsonl")
        assert 0 == shown.exit_code, shown.stderr
        outcomes = {}
        for line in shown.stdout.splitlines():
            record = json.loads(line)
            assert record["row"] not in outcomes
            outcomes[record["row"]] = record["outcome"]
        lost = []
        for row, token in enumerate(self.tokens, start=1):
            outcome = outcomes.get(row)
            if outcome == "accepted":
                assert token in accepted, f"{token} is accepted here and not there"
            elif outcome == "rejected":
                assert token in refused, f"{token} is rejected here and not there"
            elif outcome != "unknown":
                lost.append(token)
        unknown = [row for row, outcome in outcomes.items() if outcome == "unknown"]
        check = self.runs("check", RUN)
        assert (0, "") == (check.exit_code, check.stdout), check
        return Audit(
            pushes=books["received"],
            duplicates=[token for token, ids in accepted.items() if len(ids) > 1]
            + [token for token, times in refused.items() if times > 1],
            lost=lost,
            unknown=unknown,
        )

    def totals(self) -> Counter[str]:
        """Return how many rows ended how, as the log's counts tell it."""
        sums: Counter[str] = Counter()
        for raw in (self.folder / "bounces.jsonl").read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                line = json.loads(raw)
                if line["event"] == "Push counts":
                    for kind in ("accepted", "rejected", "unknown", "not_sent", "skipped"):
                        sums[kind] += line[kind]
        return sums


@contextlib.contextmanager
def on_field(
    folder: Path, tokens: int, *, streams: int = 250, delay_s: float = 0.06, dead_every: int = 10
) -> Iterator[Field]:
    """Start a gateway and enter the block with a list of *tokens*, some of which are dead."""
    folder.mkdir(exist_ok=True)
    authority = Authority(folder)
    listed = [ios(row, "aa" if row % dead_every else "de") for row in range(1, tokens + 1)]
    gateway = Gateway(authority._issue(LOOPBACK), streams, delay_s)
    try:
        yield Field(folder / "shop", gateway, authority.file, listed)
    finally:
        gateway.close()
