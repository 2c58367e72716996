"""Deliveries and the token exchange through a CONNECT proxy on loopback."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import threading
from collections.abc import Iterator

import pytest

from cli.kit import Project, android, config_text, ios
from pushctl import proxy as proxy_rules

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
PASSWORD = "s3cret/pass"
WRITTEN = "s3cret%2Fpass"


class ConnectProxy:
    """
    An HTTP proxy in a thread of its own.

    It answers CONNECT with ``answer`` (nothing: hangs up), asks for ``ann`` and her password if
    it *wants* them, and cuts each tunnel after ``cut_after`` bytes from the server.
    """

    def __init__(self, *, wants: bool = False) -> None:
        self.wants = wants
        self.answer = ESTABLISHED
        self.cut_after: int | None = None
        self.targets: list[str] = []
        self.port = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url_with_password(self) -> str:
        return f"http://ann:{WRITTEN}@127.0.0.1:{self.port}"

    def __enter__(self) -> ConnectProxy:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._tunnel(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
        self.targets.append(head.split()[1])
        pair = base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
        if self.wants and f"proxy-authorization: basic {pair}".lower() not in head.lower():
            writer.write(b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n')
            await writer.drain()
            return
        writer.write(self.answer)
        await writer.drain()
        if self.answer != ESTABLISHED:
            return
        host, port = self.targets[-1].rsplit(":", 1)
        inner, outer = await asyncio.open_connection(host, int(port))
        try:
            there = asyncio.ensure_future(_copy(reader, outer, None))
            await _copy(inner, writer, self.cut_after)
            there.cancel()
        finally:
            outer.transport.abort()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None
) -> None:
    """Copy until the end, or until *most* bytes have passed."""
    passed = 0
    while most is None or passed < most:
        data = await reader.read(65_536 if most is None else most - passed)
        if not data:
            return
        writer.write(data)
        await writer.drain()
        passed += len(data)


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    """Run a proxy."""
    with ConnectProxy() as running:
        yield running


@pytest.fixture
def guarded() -> Iterator[ConnectProxy]:
    """Run a proxy that wants a password."""
    with ConnectProxy(wants=True) as running:
        yield running


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the simulator count as a host of the internet: this machine has no proxy of its own."""
    monkeypatch.setattr(proxy_rules, "_is_loopback", lambda _: False)


def configure(project: Project, url: str) -> None:
    """Give both credentials the proxy *url*."""
    text = config_text(project.served)
    lines = [
        f"{line}\n    proxy: '{url}'" if line.startswith("    service:") else line
        for line in text.splitlines()
    ]
    project.write("pushctl.yaml", "\n".join(lines) + "\n")


def both(project: Project, **more: object) -> list[str]:
    """Send to a device of each service; return the outcomes."""
    records = project.records("--token", ios(), "--token", android(), "--title", "x", **more)
    return [record["outcome"] for record in records]


def test_everything_goes_through_the_proxy_of_the_config(
    project: Project, proxy: ConnectProxy
) -> None:
    """Both deliveries and the token exchange: three tunnels, and no way around."""
    configure(project, proxy.url)
    place = project.served.url.removeprefix("https://")

    assert ["accepted", "accepted"] == both(project)
    assert [place] * 3 == proxy.targets


def test_with_a_password(project: Project, guarded: ConnectProxy) -> None:
    """User name and password of the URL are sent, decoded, by deliveries and token exchange."""
    configure(project, guarded.url_with_password)

    assert ["accepted", "accepted"] == both(project)
    assert 3 == len(guarded.targets)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.usefixtures("elsewhere")
def test_the_environments_proxy(project: Project, guarded: ConnectProxy, variable: str) -> None:
    """Where the config says nothing, the environment's proxy is used, with its password."""
    assert ["accepted", "accepted"] == both(project, env={variable: guarded.url_with_password})
    assert 3 == len(guarded.targets)


@pytest.mark.usefixtures("elsewhere")
def test_hosts_without_a_proxy(project: Project, proxy: ConnectProxy) -> None:
    """NO_PROXY and ``proxy: none`` go directly, in both."""
    env = {"HTTPS_PROXY": proxy.url}
    excepted = both(project, env={**env, "NO_PROXY": "127.0.0.0/8"})
    configure(project, "none")
    switched_off = both(project, env=env)

    assert [["accepted", "accepted"]] * 2 == [excepted, switched_off]
    assert [] == proxy.targets


def test_this_machine_needs_none(project: Project, proxy: ConnectProxy) -> None:
    """A simulator on loopback is reached although the environment has a proxy."""
    assert ["accepted", "accepted"] == both(project, env={"HTTPS_PROXY": proxy.url})
    assert [] == proxy.targets


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "refused to connect"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "could not connect"),
        (b"HTTP/1.1 407 No\r\n\r\n", "user name and password"),
        (b"", "closed the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\nVia: x", "cut short"),
    ],
)
def test_a_proxy_that_refuses_a_delivery(
    project: Project, proxy: ConnectProxy, answer: bytes, words: str
) -> None:
    """Nothing was sent, the reason is the proxy's, and the run can be resumed: exit code 5."""
    proxy.answer = answer
    configure(project, proxy.url)
    result = project.send("--token", ios(), "--title", "x", "--retry-for", "0", "-o", "jsonl")

    assert 5 == result.exit_code
    assert "not_sent" == result.record["outcome"]
    assert f"proxy 127.0.0.1:{proxy.port}" in result.stderr
    assert words in result.stderr
    assert [] == project.served.received()


@pytest.mark.parametrize("token", [ios(), android()])
def test_a_wrong_password_is_not_shown(project: Project, guarded: ConnectProxy, token: str) -> None:
    """A refused password is told, never printed, whichever connection met it."""
    configure(project, f"http://ann:wr0ng@127.0.0.1:{guarded.port}")
    result = project.send("--token", token, "--title", "x", "--retry-for", "0")

    assert 5 == result.exit_code
    assert f"proxy 127.0.0.1:{guarded.port}" in result.stderr
    assert "wr0ng" not in result.stdout + result.stderr


@pytest.mark.parametrize("answer", [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"", b"HTTP/1.1 20"])
def test_a_proxy_that_refuses_the_token_exchange(
    project: Project, proxy: ConnectProxy, answer: bytes
) -> None:
    """Without an access token nothing is sent, and the run can be resumed."""
    proxy.answer = answer
    configure(project, proxy.url)
    result = project.send("--token", android(), "--title", "x", "--retry-for", "0", "-o", "jsonl")

    assert 5 == result.exit_code
    assert "not_sent" == result.record["outcome"]
    assert [] == project.served.received()


@pytest.mark.parametrize("cut_after", [1, 700, 1_500])
def test_a_tunnel_that_is_cut(project: Project, proxy: ConnectProxy, cut_after: int) -> None:
    """A tunnel that closes halfway, in the handshake or later, loses and doubles nothing."""
    proxy.cut_after = cut_after
    configure(project, proxy.url)
    result = project.send("--token", ios(), "--title", "x", "--retry-for", "0", "-o", "jsonl")

    assert result.exit_code in (5, 7)
    assert result.record["outcome"] in ("not_sent", "unknown")
    assert ("unknown" == result.record["outcome"]) or [] == project.served.received()
    assert len(project.served.received()) <= 1
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1080", "http://ann:s3cret@"])
def test_a_variable_that_holds_no_proxy(project: Project, url: str) -> None:
    """It is an error before anything is sent, names the variable, and shows no password."""
    text = config_text(project.served).replace(project.served.url, "https://push.example")
    project.write("pushctl.yaml", text)
    result = project.send(
        "--token", ios(), "--title", "x", "--allow-endpoint", "push.example",
        env={"HTTPS_PROXY": url},
    )  # fmt: skip

    assert 3 == result.exit_code
    assert "HTTPS_PROXY" in result.errors[0]
    assert "s3cret" not in result.stderr


def test_a_foreign_proxy_beside_a_ca_file(project: Project) -> None:
    """A config cannot route a credential through a machine that could read it."""
    configure(project, "http://proxy.example:3128")
    refused = project.send("--token", ios(), "--title", "x")

    assert 3 == refused.exit_code
    assert "--allow-endpoint proxy.example" in refused.hints[0]
