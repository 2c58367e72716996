"""Credentials to check, and servers on loopback that answer as a test says."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h2.events

from credentials import material
from pushctl.check.run import Checking, check_credentials
from pushctl.check.step import Report, Step
from pushctl.config import CredentialSettings, Origin
from wire.authority import Authority
from wire.server import Peer, serving


@dataclasses.dataclass(frozen=True, slots=True)
class Says:
    """What a server answers."""

    status: int
    body: bytes | Mapping[str, Any] = b""
    headers: Sequence[tuple[str, str]] = ()

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Answering(Peer):
    """Notes each request, and answers all of them alike."""

    def __init__(self, says: Says, seen: list[dict[str, str]]) -> None:
        super().__init__()
        self._says = says
        self._seen = seen

    def data_received(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                self._seen.append(
                    {bytes(n).decode(): bytes(v).decode() for n, v in event.headers or ()}
                )
            if isinstance(event, h2.events.StreamEnded) and event.stream_id is not None:
                self.asked(event.stream_id)
        self.send()

    def asked(self, stream: int) -> None:
        headers = [(":status", str(self._says.status)), *self._says.headers]
        self.h2.send_headers(stream, headers)
        self.h2.send_data(stream, self._says.content, end_stream=True)


@contextlib.contextmanager
def serve(make: Callable[[], asyncio.Protocol], context: ssl.SSLContext | None) -> Iterator[int]:
    """Serve on a thread of its own until the block ends; yield the port on 127.0.0.1."""
    started, port = threading.Event(), 0
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event

    async def main() -> None:
        nonlocal port, loop, stop
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        async with serving(make, context) as port:
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    started.wait()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


class Site:
    """A folder with an authority, and with credentials that lead to a port of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder)
        self.seen: list[dict[str, str]] = []
        """The header fields of each request to :meth:`answering`."""

    @contextlib.contextmanager
    def answering(self, says: Says, *, context: ssl.SSLContext | None = None) -> Iterator[int]:
        """Serve *says* with a certificate of the authority; yield the port."""
        context = context or self.authority.server("127.0.0.1")
        with serve(lambda: Answering(says, self.seen), context) as port:
            yield port

    def key(self, port: int, **changes: Any) -> CredentialSettings:
        """Return a .p8 credential whose gateway is *port*."""
        path = material.write(
            self.folder / "AuthKey_ABC123DEFG.p8", material.pem(material.ec_key())
        )
        return material.key_settings(path, **self._at(port), **changes)

    def account(self, port: int, token_port: int | None = None, **changes: Any) -> Any:
        """Return a service account whose gateway is *port*."""
        path = material.write(self.folder / "account.json", material.account())
        endpoint = f"https://127.0.0.1:{token_port or port}/token"
        return material.fcm_settings(path, **self._at(port), token_endpoint=endpoint, **changes)

    def certificate(self, port: int, **changes: Any) -> CredentialSettings:
        """Return a client certificate of the authority's whose gateway is *port*."""
        path = self.authority._issue("com.acme.shop", expired=False)
        path.chmod(0o600)
        return material.certificate_settings(
            path, **{"topic": "com.acme.shop", **self._at(port), **changes}
        )

    def _at(self, port: int) -> dict[str, Any]:
        return {"endpoint": Origin("127.0.0.1", port), "ca_file": self.authority.file}


def check(
    settings: CredentialSettings,
    *,
    environ: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.time,
    timeout_s: float = 5.0,
    offline: bool = False,
) -> Report:
    """Check one credential."""
    how = Checking(environ=environ or {}, clock=clock, timeout_s=timeout_s, offline=offline)
    (report,) = check_credentials([settings], how)
    return report


def step(report: Report, name: str) -> Step:
    """Return the one step of *report* called *name*."""
    (found,) = [it for it in report.steps if it.name == name]
    return found


def verdicts(report: Report) -> dict[str, str]:
    """Return the verdict of each step, by its name."""
    return {it.name: it.verdict.value for it in report.steps}


def closed_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
