"""
Serves the page that shows the traffic, over plain HTTP on a loopback port of its own.

Of its own, because a browser would refuse the simulator's throw-away certificate.  The page is one
file without any outside resource; its Content-Security-Policy names its script and style by hash.
What it shows comes as server-sent events.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import re
import time
from pathlib import Path

import h11

from pushctl.simulator.feed import Feed

UPDATE_S = 0.25
_MAX_READ = 16_384
_IDLE_S = 30.0
_PAGE = Path(__file__).with_name("page.html")
_LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_COMMON = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
    ("connection", "close"),
)


class PageServer:
    """The page's own server."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._page = _PAGE.read_bytes()
        self._policy = content_security_policy(self._page.decode())
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> None:
        """
        Listen.

        :raises OSError: the port is taken.
        """
        self._server = await asyncio.start_server(self._connected, host, port, limit=_MAX_READ)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    async def stop(self) -> None:
        """Stop listening and hang up on every reader."""
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, TimeoutError, h11.ProtocolError):
                await self._serve(h11.Connection(h11.SERVER), reader, writer)
        except asyncio.CancelledError:
            pass  # stop() hangs up; the task ends here
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(
        self, http: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one request; the connection ends with it."""
        event: object = h11.NEED_DATA
        while event is h11.NEED_DATA:
            http.receive_data(await asyncio.wait_for(reader.read(_MAX_READ), _IDLE_S))
            event = http.next_event()
        if not isinstance(event, h11.Request):
            return
        if not _is_local(event):
            # A name that somebody else made point to this machine (DNS rebinding).
            await _answer(http, writer, 403, "text/plain", b"Ask for this page by 127.0.0.1\n")
            return
        target = event.target.decode("latin-1").partition("?")[0]
        match event.method, target:
            case b"GET", "/":
                policy = (("content-security-policy", self._policy),)
                kind = "text/html; charset=utf-8"
                await _answer(http, writer, 200, kind, self._page, policy)
            case b"GET", "/events":
                await self._stream(http, writer)
            case _:
                await _answer(http, writer, 404, "text/plain", b"Not Found\n")

    async def _stream(self, http: h11.Connection, writer: asyncio.StreamWriter) -> None:
        """Send what is new, four times a second, until the reader is gone."""
        head = (("content-type", "text/event-stream"), *_COMMON)
        writer.write(http.send(h11.Response(status_code=200, headers=list(head))) or b"")
        _send_event(http, writer, "greeting", self._feed.greeting())
        cursor, shown = 0, -1
        while not writer.is_closing():
            second = int(time.time())
            if self._feed.taken != cursor or second != shown:
                update = self._feed.since(cursor, time.time())
                cursor, shown = self._feed.taken, second
                _send_event(http, writer, "update", update)
            await writer.drain()
            await asyncio.sleep(UPDATE_S)


def content_security_policy(page: str) -> str:
    """Return the policy that lets *page* run its own inline script and style and nothing else."""
    script, style = (_hash(page, element) for element in ("script", "style"))
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(page: str, element: str) -> str:
    found = re.search(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
    assert found is not None, f"the page has one <{element}>"
    digest = hashlib.sha256(found[1].encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _is_local(request: h11.Request) -> bool:
    hosts = [value.decode("latin-1") for name, value in request.headers if name == b"host"]
    return len(hosts) == 1 and _LOCAL.fullmatch(hosts[0]) is not None


def _send_event(
    http: h11.Connection, writer: asyncio.StreamWriter, name: str, value: object
) -> None:
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    writer.write(http.send(h11.Data(data=f"event: {name}\ndata: {text}\n\n".encode())) or b"")


async def _answer(
    http: h11.Connection,
    writer: asyncio.StreamWriter,
    status: int,
    kind: str,
    body: bytes,
    fields: tuple[tuple[str, str], ...] = (),
) -> None:
    head = [("content-type", kind), ("content-length", str(len(body))), *_COMMON, *fields]
    parts = (
        h11.Response(status_code=status, headers=head),
        h11.Data(data=body),
        h11.EndOfMessage(),
    )
    writer.write(b"".join(http.send(part) or b"" for part in parts))
    await writer.drain()
