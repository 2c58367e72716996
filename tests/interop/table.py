"""
Prints the interoperability table of docs/reliability.md, of all peers that are installed here.

    cd tests && python -m interop.table
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

from interop.clients import CLIENTS, Client
from interop.driver import send
from interop.proxy import nghttpx, send_through
from interop.rounds import STEPS, judge
from interop.servers import LAST, SERVERS, STREAMS, Server, serving


def main() -> int:
    """Run every peer; missing ones have a row that says so."""
    print("| server | HTTP/2 | version | ", end="")
    print("each push served once and told right | limit | connections end | FCM |")
    print("|---|---|---|---|---|---|---|")
    for server in SERVERS:
        print(_row(server.name, server.engine, *_server(server)), flush=True)
    proxy = nghttpx()
    print(_row(f"{proxy.name}, to the simulator", proxy.engine, *_proxy(proxy)))
    print("\n| client | HTTP | version |", " | ".join(STEPS), "|")
    print("|---" * (3 + len(STEPS)) + "|")
    for client in CLIENTS:
        print(_row(client.name, client.engine, *_client(client)), flush=True)
    return 0


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _server(server: Server) -> tuple[str, ...]:
    if server.missing():
        return ("–", "not installed here", "–", "–", "–")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "shop"
        folder.mkdir()
        try:
            with serving(server, folder) as running:
                faults = send(server, running, folder).faults(server)
        except AssertionError as error:
            faults = [str(error)]
    said = "; ".join(faults) or "yes"
    limit = str(STREAMS) if "limit" in server.can else "its own"
    ends = f"after {LAST}" if "end" in server.can else "no"
    return (server.version(server), said, limit, ends, "yes" if "fcm" in server.can else "no")


def _proxy(proxy: Server) -> tuple[str, ...]:
    if proxy.missing():
        return ("–", "not installed here", "–", "–", "–")
    with tempfile.TemporaryDirectory() as name:
        told, stats = send_through(Path(name) / "shop")
    well = stats.accepted == told["accepted", 200, None] == 200 and not stats.accepted_again
    said = "yes" if well else f"told {dict(told)}, {stats.accepted} accepted"
    return (proxy.version(proxy), said, "its own", f"{stats.faults['goaway']} GOAWAY", "yes")


def _client(client: Client) -> tuple[str, ...]:
    version = client.version()
    if version is None:
        return ("–", "not installed here", *("–" for _ in STEPS[1:]))
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (version, *judge(client, Path(name)).values())


if __name__ == "__main__":
    sys.exit(main())
