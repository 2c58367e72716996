"""``pushctl send`` against a server that is not ours: what it must say, and what it did say."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cli.kit import android, ios, run_cli
from interop.servers import LAST, Running, Server
from simulator.kit import pem

GOOD, DEAD, MESSAGES = 180, 20, 20


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one send."""

    exit_code: int
    told: Counter[tuple[str, str, int | None, str | None]]
    """How often the sender said service, outcome, status, reason."""
    served: list[tuple[str, str]]
    """What the server says it was asked for: paths, and connections where it tells them."""
    complaints: list[str]
    stderr: str

    def faults(self, server: Server) -> list[str]:
        """Return what is wrong; nothing if all is well."""
        found = []
        if self.told != (wanted := _wanted(server)):
            found.append(f"told {dict(self.told - wanted)} for {dict(wanted - self.told)}")
        paths = Counter(path for path, _ in self.served)
        asked = {path: count for path, count in paths.items() if path.startswith("/3/")}
        once = {f"/3/device/{token}": 1 for token in _tokens()}
        if asked != once:
            wrong = sorted(path for path in asked | once if asked.get(path) != once.get(path))
            found.append(f"{len(wrong)} pushes were not served exactly once, as {wrong[0]}")
        messages = sum(count for path, count in paths.items() if path.startswith("/v1/"))
        if "fcm" in server.can and messages != MESSAGES:
            found.append(f"{messages} messages for {MESSAGES}")
        connections = len({connection for _, connection in self.served})
        if "end" in server.can and connections < len(once) // LAST:
            found.append(f"no more than {connections} connections")
        found += self.complaints
        return found


def _wanted(server: Server) -> Counter[tuple[str, str, int | None, str | None]]:
    dead = (410, "Unregistered") if "410" in server.can else (404, None)
    wanted = Counter(
        {("apns", "accepted", 200, None): GOOD, ("apns", "rejected", *dead): DEAD},
    )
    if "fcm" in server.can:
        wanted["fcm", "accepted", 200, None] = MESSAGES
    return wanted


def _tokens() -> list[str]:
    good = [ios(number) for number in range(1, GOOD + 1)]
    return [*good, *(ios(number, "de") for number in range(1, DEAD + 1))]


def send(server: Server, running: Running, folder: Path) -> Verdict:
    """Send to *server*, which is *running*, from *folder*; return what came of it."""
    key = folder / "AuthKey_INTEROP001.p8"
    key.touch(mode=0o600)
    key.write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    account = {
        "type": "service_account",
        "project_id": "interop-1234",
        "private_key_id": "0" * 40,
        "private_key": pem(rsa.generate_private_key(65537, 2048)).decode(),
        "client_email": "push@shop.iam.gserviceaccount.com",
        "token_uri": f"{running.url}/token",
    }
    (folder / "account.json").touch(mode=0o600)
    (folder / "account.json").write_text(json.dumps(account))
    at = {"endpoint": running.url, "ca_file": str(running.ca_file)}
    apns = {
        "service": "apns",
        "environment": "production",
        "topic": "com.example.shop",
        "key_file": "AuthKey_INTEROP001.p8",
        "team_id": "TEAM123456",
        **at,
    }
    fcm = {
        "service": "fcm",
        "service_account_file": "account.json",
        "token_endpoint": f"{running.url}/token",
        **at,
    }
    config = {"credentials": {"ios": apns, "android": fcm}}
    (folder / "pushctl.yaml").write_text(json.dumps(config))  # JSON is YAML
    tokens = _tokens()
    if "fcm" in server.can:
        tokens += [android(number) for number in range(1, MESSAGES + 1)]
    (folder / "tokens.txt").write_text("\n".join(tokens) + "\n")
    options = ("--tokens", "tokens.txt", "--title", "Hello", "--body", "x" * 2000, "-o", "jsonl")
    policy = ("--canary", "0", "--stop-if", "never", "--timeout", "20s", "--retry-for", "20s")
    done = run_cli("send", *options, *policy, cwd=folder)
    told = Counter(
        (one["service"], one["outcome"], one["status"], one["reason"]) for one in done.records
    )
    return Verdict(done.exit_code, told, running.requests(), running.complaints(), done.stderr)
