"""
The simulator's own speed: pushes a second that it judges and answers, with h2load as the client.

    python bench/simulator.py [PUSHES] [ROUNDS]

Two connections, 100 streams each; every push must be accepted, or the figure does not count.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jwt

from pushctl.simulator import Script, make_credentials, serve_in_thread

TOKEN = "9f" * 32
BODY = b'{"aps":{"alert":{"title":"Hi","body":"There"}}}'


def main() -> int:
    """Measure, print each round and the median; return 1 where a push was not accepted."""
    if shutil.which("h2load") is None:
        print("needs h2load (package nghttp2-client)", file=sys.stderr)
        return 1
    pushes = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    rates: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_in_thread(script=Script(first_streams=1000)) as fake,
    ):
        made = make_credentials(Path(folder), fake)
        bearer = jwt.encode(
            {"iss": made.team_id, "iat": int(time.time())},
            made.key_file.read_bytes(),
            algorithm="ES256",
            headers={"kid": made.key_id},
        )
        body = Path(folder) / "body.json"
        body.write_bytes(BODY)
        head = (f"authorization: bearer {bearer}", "apns-topic: com.example.shop")
        command = ["h2load", "-n", str(pushes), "-c", "2", "-m", "100", "-d", str(body)]
        command += [part for field in head for part in ("-H", field)]
        command.append(f"{fake.url}/3/device/{TOKEN}")
        for number in range(1, rounds + 1):
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found = re.search(r"([0-9.]+) req/s", said)
            accepted = fake.stats().accepted
            if found is None or accepted != number * pushes:
                print(f"{accepted} of {number * pushes} accepted\n{said}", file=sys.stderr)
                return 1
            rates.append(float(found[1]))
            print(f"round {number}: {rates[-1]:,.0f} pushes/s")
    print(f"median: {statistics.median(rates):,.0f} pushes/s, all accepted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
