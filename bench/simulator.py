"""
The simulator's own speed: pushes a second that it judges and answers, with h2load as the client.

    python bench/simulator.py [PUSHES] [ROUNDS]

``pushctl simulate`` runs as a process of its own.  Two connections, 100 streams each; every push
must be accepted, or the figure does not count.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt

TOKEN = "9f" * 32
PAYLOAD = {"aps": {"alert": {"title": "Hi", "body": "There"}}}
MESSAGE = {"token": "dX1:APA91bInvented", "notification": {"title": "Hi", "body": "There"}}
ROWS = (
    ("APNs", "apns", ("--no-page",)),
    ("APNs, recorded and shown on the page", "apns", ("--record", "received.jsonl")),
    ("FCM", "fcm", ("--no-page",)),
)
_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def main() -> int:
    """Measure each row, print rounds and medians; return 1 where a push was not accepted."""
    if shutil.which("h2load") is None:
        print("needs h2load (package nghttp2-client)", file=sys.stderr)
        return 1
    pushes = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print("|", "row", "|", " | ".join(f"round {n}" for n in range(1, rounds + 1)), "| median |")
    print("|---" * (rounds + 2) + "|")
    for name, service, options in ROWS:
        rates = measure(service, options, pushes, rounds)
        if rates is None:
            return 1
        shown = " | ".join(f"{rate:,.0f}" for rate in (*rates, statistics.median(rates)))
        print(f"| {name} | {shown} |", flush=True)
    return 0


def measure(service: str, options: tuple[str, ...], pushes: int, rounds: int) -> list[float] | None:
    """Return the pushes a second of each round; ``None`` where one was not accepted."""
    rates: list[float] = []
    with tempfile.TemporaryDirectory() as name, simulator(Path(name), options) as client:
        folder = Path(name)
        command = ["h2load", "-n", str(pushes), "-c", "2", "-m", "100"]
        command += push(service, folder, client)
        for number in range(1, rounds + 1):
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found = re.search(r"([0-9.]+) req/s", said)
            accepted = client.get("/stats").json()["accepted"]
            if found is None or accepted != number * pushes:
                print(f"{accepted} of {number * pushes} accepted\n{said}", file=sys.stderr)
                return None
            rates.append(float(found[1]))
    return rates


@contextlib.contextmanager
def simulator(folder: Path, options: tuple[str, ...]) -> Iterator[httpx.Client]:
    """Run ``pushctl simulate`` in *folder*; yields a client for it."""
    # h2load does not wait for a limit, so the connection has to have its streams at once.
    (folder / "scenario.yaml").write_text("streams: {first: 1000}\n")
    command = [sys.executable, "-m", "pushctl", "simulate", "--port", "0", "--folder", "made"]
    process = subprocess.Popen(
        [*command, "--scenario", "scenario.yaml", *options],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "Ctrl-C" in line:
                break
        info = json.loads((folder / "made" / "service-account.json").read_text())
        context = ssl.create_default_context(cafile=str(folder / "made" / "ca.pem"))
        url = info["token_uri"].removesuffix("/token")
        with httpx.Client(base_url=url, verify=context, trust_env=False) as client:
            yield client
    finally:
        process.terminate()
        process.communicate()


def push(service: str, folder: Path, client: httpx.Client) -> list[str]:
    """Return what h2load has to be told to send a good push of *service*."""
    made, now = folder / "made", int(time.time())
    body, path = PAYLOAD, f"/3/device/{TOKEN}"
    if service == "apns":
        key = (made / "AuthKey_SIMULATED1.p8").read_bytes()
        claims = {"iss": "TEAM123456", "iat": now}
        bearer = jwt.encode(claims, key, algorithm="ES256", headers={"kid": "SIMULATED1"})
        head = [f"authorization: bearer {bearer}", "apns-topic: com.example.shop"]
    else:
        info = json.loads((made / "service-account.json").read_text())
        claims = {"iss": info["client_email"], "scope": _SCOPE, "aud": info["token_uri"]}
        claims |= {"iat": now, "exp": now + 3600}
        assertion = jwt.encode(claims, info["private_key"], algorithm="RS256")
        grant = client.post("/token", data={"grant_type": _GRANT, "assertion": assertion})
        head = [f"authorization: Bearer {grant.json()['access_token']}"]
        body, path = {"message": MESSAGE}, f"/v1/projects/{info['project_id']}/messages:send"
    (folder / "body.json").write_text(json.dumps(body))
    fields = [part for field in head for part in ("-H", field)]
    return ["-d", str(folder / "body.json"), *fields, str(client.base_url.join(path))]


if __name__ == "__main__":
    sys.exit(main())
