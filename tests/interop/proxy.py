"""nghttpx between the driver and the simulator: a server for the one, a client for the other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cli.kit import android, ios, run_cli
from interop.servers import HOST, Place, Server, said_by, serving
from pushctl.simulator import Rule, Script, Stats
from simulator.kit import Served
from simulator.kit import serving as simulating


def nghttpx(served: Served | None = None) -> Server:
    """Return nghttpx in front of the simulator."""

    def command(place: Place) -> Sequence[str]:
        assert served is not None
        pem = str(place.certificate)
        options = [f"--frontend={HOST},{place.port}", f"--cacert={served.made.ca_file}"]
        options += [f"--backend={HOST},{served.fake.port};;proto=h2;tls;sni=localhost"]
        options += ["--workers=1", "--no-ocsp", "--conf=/dev/null"]
        options += [f"--accesslog-file={place.log}", "--accesslog-format=$path"]
        return ["nghttpx", *options, pem, pem]

    package = "Debian: nghttp2-proxy"
    return Server(
        "nghttpx", "nghttp2", "nghttpx", package, said_by("--version"), command, frozenset()
    )


def send_through(folder: Path) -> tuple[Counter[tuple[str, int | None, str | None]], Stats]:
    """Send 220 pushes through nghttpx; return what was told, and what the simulator has counted."""
    rules = (
        Rule(pattern="de*", answer="Unregistered"),
        Rule(token=ios(50), answer="goaway", times=1),
    )
    folder.mkdir()
    with (
        simulating(folder / "made", script=Script(rules=rules)) as served,
        serving(nghttpx(served), folder) as running,
    ):
        made = served.made
        trusted = folder / "both.pem"
        trusted.write_bytes(running.ca_file.read_bytes() + made.ca_file.read_bytes())
        at = {"endpoint": running.url, "ca_file": str(trusted)}
        apns = {"service": "apns", "environment": "production", "topic": made.topic, **at}
        apns |= {"key_file": str(made.key_file), "key_id": made.key_id, "team_id": made.team_id}
        fcm = {"service": "fcm", "service_account_file": str(made.service_account_file), **at}
        fcm |= {"token_endpoint": served.fake.token_uri}
        config = {"credentials": {"ios": apns, "android": fcm}}
        (folder / "pushctl.yaml").write_text(json.dumps(config))  # JSON is YAML
        tokens = [*map(ios, range(1, 181)), *(ios(number, "de") for number in range(1, 21))]
        tokens += map(android, range(1, 21))
        (folder / "tokens.txt").write_text("\n".join(tokens) + "\n")
        options = ("--tokens", "tokens.txt", "--title", "Hello", "-o", "jsonl", "--canary", "0")
        policy = ("--stop-if", "never", "--timeout", "20s", "--retry-for", "20s")
        records = run_cli("send", *options, *policy, cwd=folder).records
        told = Counter((one["outcome"], one["status"], one["reason"]) for one in records)
        return told, served.fake.stats()
