"""The asyncio shell over real TLS on loopback, against an h2 server with its own CA."""

from __future__ import annotations

import asyncio
import socket

import h2.settings
import pytest

from pushctl.wire.connection import NEVER_WRITTEN, TIMED_OUT
from pushctl.wire.errors import ConnectFailed
from pushctl.wire.events import Answer, Closed, Unanswered, Unprocessed
from pushctl.wire.link import HALF_OPEN, LOST, Endpoint, Link, Liveness
from wire.authority import Authority
from wire.server import (
    Owner,
    Peer,
    Silent,
    endpoint,
    in_loop,
    linked,
    push,
    refusing_clients,
    serving,
)

CODES = h2.settings.SettingCodes


async def failure(
    port: int, authority: Authority, *, trusting: bool = True, **options: object
) -> ConnectFailed:
    """Open a link that must fail; return why."""
    owner = Owner()
    place = options.pop("endpoint", endpoint(port))
    assert isinstance(place, Endpoint)
    with pytest.raises(ConnectFailed) as caught:
        await Link.open(
            place,
            authority.client(trusting=trusting),
            on_events=owner.on_events,
            on_wake=owner.on_wake,
            request_timeout_s=5.0,
            **options,  # type: ignore[arg-type]
        )

    assert [] == owner.events
    return caught.value


# --------------------------------------------------------------------------- sending


@in_loop
async def test_pushes_are_accepted(authority: Authority) -> None:
    """A hundred pushes are answered over one connection."""
    owner = Owner()
    async with (
        serving(Peer, authority.server()) as port,
        linked(port, authority.client(), owner) as link,
    ):
        assert link.capacity() >= 100
        push(link, 100)
        await owner.reported(100)

    assert [Answer(tag, 200, None, b"") for tag in range(100)] == owner.events


@in_loop
async def test_rejections_carry_their_reason(authority: Authority) -> None:
    """Status, headers and body of a rejection arrive."""

    class Rejecting(Peer):
        def asked(self, stream: int) -> None:
            self.h2.send_headers(stream, [(":status", "410"), ("apns-id", "x")])
            self.h2.send_data(stream, b'{"reason":"Unregistered"}', end_stream=True)

    owner = Owner()
    async with (
        serving(Rejecting, authority.server()) as port,
        linked(port, authority.client(), owner) as link,
    ):
        push(link, 2)
        await owner.reported(2)

    headers = [(":status", "410"), ("apns-id", "x")]
    body = b'{"reason":"Unregistered"}'
    assert [Answer(0, 410, headers, body), Answer(1, 410, headers, body)] == owner.events


@in_loop
async def test_headers_of_accepted_pushes_on_demand(authority: Authority) -> None:
    """decode_accepted reaches the connection."""
    owner = Owner()
    async with (
        serving(Peer, authority.server()) as port,
        linked(port, authority.client(), owner, decode_accepted=True) as link,
    ):
        push(link)
        await owner.reported(1)

    assert [Answer(0, 200, [(":status", "200"), ("apns-id", "x")], b"")] == owner.events


@in_loop
async def test_on_wake_when_the_limit_rises(authority: Authority) -> None:
    """SETTINGS that raise the stream limit wake the owner; the new room is usable."""

    class Careful(Peer):
        def begin(self) -> None:
            self.h2.local_settings = h2.settings.Settings(
                client=False, initial_values={CODES.MAX_CONCURRENT_STREAMS: 1}
            )
            super().begin()

        def asked(self, stream: int) -> None:
            if stream == 1:
                self.h2.update_settings({CODES.MAX_CONCURRENT_STREAMS: 50})
            else:
                super().asked(stream)

    owner = Owner()
    async with (
        serving(Careful, authority.server()) as port,
        linked(port, authority.client(), owner) as link,
    ):
        before = link.capacity()
        push(link)
        await owner.until(lambda: owner.wakes > 0)
        room = link.capacity()
        push(link, room, first=1)
        await owner.reported(room)

    assert (1, 49) == (before, room)


@in_loop
async def test_on_wake_when_the_server_says_goodbye(authority: Authority) -> None:
    """A GOAWAY that settles nothing still tells the owner to open another connection."""

    class Leaving(Peer):
        def asked(self, stream: int) -> None:
            self.transport.write(b"\0\0\x08\x07\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\0")

    owner = Owner()
    async with (
        serving(Leaving, authority.server()) as port,
        linked(port, authority.client(), owner) as link,
    ):
        push(link)
        await owner.until(lambda: owner.wakes > 0)

        assert link.connection.draining
        assert 0 == link.capacity()
        assert [] == owner.events


@in_loop
async def test_no_capacity_while_the_socket_is_full(authority: Authority) -> None:
    """A server that stops reading stops us; when it reads again the owner is woken."""
    peers: list[Peer] = []

    class Sluggish(Peer):
        def __init__(self) -> None:
            super().__init__()
            peers.append(self)

        def begin(self) -> None:
            self.h2.local_settings = h2.settings.Settings(
                client=False,
                initial_values={
                    CODES.INITIAL_WINDOW_SIZE: 2**30,
                    CODES.MAX_CONCURRENT_STREAMS: 4000,
                },
            )
            self.h2.initiate_connection()
            self.h2.increment_flow_control_window(2**30)
            self.send()

    owner = Owner()
    async with (
        serving(Sluggish, authority.server()) as port,
        linked(port, authority.client(), owner) as link,
    ):
        peers[0].transport.pause_reading()
        sent = 0
        while link.capacity():
            push(link, 50, body=b"x" * 16_000, first=sent)
            sent += 50
        wakes = owner.wakes
        peers[0].transport.resume_reading()
        await owner.until(lambda: owner.wakes > wakes)
        room = link.capacity()
        await owner.reported(sent)

    assert room > 0
    assert set(range(sent)) == {event[0] for event in owner.events}


@in_loop
async def test_requests_that_were_not_flushed_are_free(authority: Authority) -> None:
    """When the connection dies, what was never flushed is provably unprocessed."""

    class Cutting(Peer):
        def asked(self, stream: int) -> None:
            self.transport.abort()

    owner = Owner()
    async with (
        serving(Cutting, authority.server()) as port,
        linked(port, authority.client(), owner) as link,
    ):
        push(link, 2)
        link.request(b"\x83\x87\x84", b"{}", 2)
        closed = await owner.closed()

    kinds = [type(event) for event in owner.events]
    assert [Unanswered, Unanswered, Unprocessed, Closed] == kinds
    assert Unprocessed(2, NEVER_WRITTEN) == owner.events[2]
    assert closed.why.startswith(LOST)


# --------------------------------------------------------------------------- time and health


@in_loop
async def test_deadline(authority: Authority) -> None:
    """A request without an answer is given up; the connection goes on."""

    class Forgetful(Peer):
        def asked(self, stream: int) -> None:
            if stream != 1:
                super().asked(stream)

    owner = Owner()
    async with (
        serving(Forgetful, authority.server()) as port,
        linked(port, authority.client(), owner, request_timeout_s=0.1) as link,
    ):
        push(link)
        await owner.reported(1)
        push(link, first=1)
        await owner.reported(2)

    assert [Unanswered(0, TIMED_OUT), Answer(1, 200, None, b"")] == owner.events


@in_loop
async def test_half_open(authority: Authority) -> None:
    """A server that falls silent is asked with a PING, then given up."""

    class Dying(Peer):
        def asked(self, stream: int) -> None:
            self.transport.pause_reading()

    owner = Owner()
    liveness = Liveness(busy_s=0.08, idle_s=60.0, answer_s=0.08)
    async with (
        serving(Dying, authority.server()) as port,
        linked(port, authority.client(), owner, liveness=liveness) as link,
    ):
        push(link, 2)
        closed = await owner.closed()

    assert HALF_OPEN == closed.why
    assert [Unanswered(0, HALF_OPEN), Unanswered(1, HALF_OPEN)] == owner.events[:2]


@pytest.mark.parametrize("phase", [0.0, 0.5, 0.999])
def test_half_open_is_found_within_20_seconds(authority: Authority, phase: float) -> None:
    """A connection in use that dies is given up 20 s later at most, wherever the tick falls."""

    @in_loop
    async def run() -> None:
        asked = asyncio.Event()

        class Dying(Peer):
            def asked(self, stream: int) -> None:
                self.transport.pause_reading()
                asked.set()

        owner = Owner()
        now = 0.0
        options = {"request_timeout_s": 30.0, "clock": lambda: now}
        async with (
            serving(Dying, authority.server()) as port,
            linked(port, authority.client(), owner, **options) as link,
        ):
            push(link)
            await asked.wait()
            now = phase
            while not owner.events:
                assert link._timer is not None
                link._timer.cancel()
                now += link._tick_s
                link._tick()

        assert Unanswered(0, HALF_OPEN) == owner.events[0]
        assert 10 < now <= 20

    run()


@in_loop
async def test_a_living_server_survives_silence(authority: Authority) -> None:
    """An idle connection is asked with PINGs and kept as long as they are answered."""
    pings = []

    class Counting(Peer):
        def data_received(self, data: bytes) -> None:
            pings.append(data.count(b"\0\0\x08\x06\0"))
            super().data_received(data)
            if sum(pings) == 3:
                self.h2.ping(b"enough!!")
                self.h2.update_settings({CODES.MAX_CONCURRENT_STREAMS: 500})
                self.send()

    owner = Owner()
    liveness = Liveness(busy_s=60.0, idle_s=0.02, answer_s=10.0)
    async with (
        serving(Counting, authority.server()) as port,
        linked(port, authority.client(), owner, liveness=liveness) as link,
    ):
        await owner.until(lambda: link.capacity() == 500)

        assert not link.connection.closed
        assert [] == owner.events
    assert sum(pings) >= 3


@in_loop
async def test_goaway_ends_the_link(authority: Authority) -> None:
    """After a GOAWAY the last answer ends the connection, and the socket is closed."""
    peers: list[Peer] = []

    class Leaving(Peer):
        def __init__(self) -> None:
            super().__init__()
            peers.append(self)

        def asked(self, stream: int) -> None:
            if stream == 3:
                self.h2.close_connection(additional_data=b'{"reason":"Shutdown"}', last_stream_id=1)
                self.send()
                self.transport.write(b"\0\0\1\1\5\0\0\0\1\x88")

    owner = Owner()
    async with (
        serving(Leaving, authority.server()) as port,
        linked(port, authority.client(), owner) as link,
    ):
        push(link, 2)
        closed = await owner.closed()
        await peers[0].lost

    assert Answer(0, 200, None, b"") in owner.events
    assert b'{"reason":"Shutdown"}' == closed.debug
    assert any(isinstance(event, Unprocessed) and event.tag == 1 for event in owner.events)


@in_loop
async def test_close_reports_open_requests(authority: Authority) -> None:
    """Closing with requests in flight reports them, once; closing twice is harmless."""

    class Forgetful(Peer):
        def asked(self, stream: int) -> None:
            pass

    owner = Owner()
    async with (
        serving(Forgetful, authority.server()) as port,
        linked(port, authority.client(), owner) as link,
    ):
        push(link, 2)
        await link.close()

    assert [0, 1] == [event.tag for event in owner.events if isinstance(event, Unanswered)]
    assert isinstance(owner.events[-1], Closed)


@in_loop
async def test_close_of_a_frozen_server_is_bounded(authority: Authority) -> None:
    """A server that reads nothing cannot keep us from closing."""
    peers: list[Peer] = []

    class Frozen(Peer):
        def __init__(self) -> None:
            super().__init__()
            peers.append(self)

    owner = Owner()
    async with (
        serving(Frozen, authority.server()) as port,
        linked(port, authority.client(), owner) as link,
    ):
        peers[0].transport.pause_reading()
        async with asyncio.timeout(5):
            await link.close()


# --------------------------------------------------------------------------- failing to open


@in_loop
async def test_unknown_host(authority: Authority) -> None:
    """A name that does not exist fails at the stage dns."""
    place = Endpoint("nonexistent.invalid", 443, "x")
    error = await failure(0, authority, endpoint=place)

    assert "dns" == error.stage
    assert error.message.startswith("nonexistent.invalid: the name cannot be resolved")


@in_loop
async def test_connection_refused(authority: Authority) -> None:
    """A closed port fails at the stage connect."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = await failure(port, authority)

    assert "connect" == error.stage
    assert f"127.0.0.1:{port}: the connection was refused" == error.message


@in_loop
async def test_wrong_host_name(authority: Authority) -> None:
    """A certificate for another name is refused, with words that say so."""
    async with serving(Peer, authority.server("other.example")) as port:
        error = await failure(port, authority)

    assert "tls" == error.stage
    assert error.message.endswith("its certificate is for another host name")


@in_loop
async def test_unknown_authority(authority: Authority) -> None:
    """A certificate of an unknown CA is refused; the hint names ca_file."""
    async with serving(Peer, authority.server()) as port:
        error = await failure(port, authority, trusting=False)

    assert "tls" == error.stage
    assert error.message.endswith("its certificate comes from an unknown CA")
    assert "ca_file" in str(error.hint)


@in_loop
async def test_expired_certificate(authority: Authority) -> None:
    """An expired certificate is refused as such."""
    async with serving(Peer, authority.server(expired=True)) as port:
        error = await failure(port, authority)

    assert "tls" == error.stage
    assert error.message.endswith("its certificate has expired")


@in_loop
async def test_http_1_only(authority: Authority) -> None:
    """A server that speaks only HTTP/1.1 fails at the stage alpn."""
    async with serving(Silent, authority.server(protocols=("http/1.1",))) as port:
        error = await failure(port, authority)

    assert "alpn" == error.stage
    assert error.message.endswith("the server speaks only http/1.1")


@in_loop
async def test_no_alpn(authority: Authority) -> None:
    """A server without ALPN fails at the stage alpn."""
    async with serving(Silent, authority.server(protocols=())) as port:
        error = await failure(port, authority)

    assert "alpn" == error.stage
    assert error.message.endswith("the server does not offer HTTP/2")


@in_loop
async def test_client_certificate_required(authority: Authority) -> None:
    """A server that wants a client certificate says so only after TLS 1.3's handshake."""
    context = authority.server(clients=True)

    with refusing_clients(context) as port:
        error = await failure(port, authority)

    assert "tls" == error.stage
    assert error.message.endswith("it asks for a client certificate")


@in_loop
async def test_no_tls_at_all(authority: Authority) -> None:
    """A server that answers in plain text is not TLS."""

    class Plain(Silent):
        def data_received(self, data: bytes) -> None:
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(Plain, None) as port:
        error = await failure(port, authority)

    assert "tls" == error.stage
    assert error.message.endswith("it does not speak TLS")


@in_loop
async def test_closed_during_the_handshake(authority: Authority) -> None:
    """A connection that is cut during the TLS handshake says so."""

    class Cutting(Silent):
        def data_received(self, data: bytes) -> None:
            self.transport.abort()

    async with serving(Cutting, None) as port:
        error = await failure(port, authority)

    assert "tls" == error.stage
    assert "during the TLS handshake" in error.message


@in_loop
async def test_closed_before_settings(authority: Authority) -> None:
    """A connection that is cut between TLS and SETTINGS says so."""

    class Cutting(Silent):
        def data_received(self, data: bytes) -> None:
            self.transport.close()

    async with serving(Cutting, authority.server()) as port:
        error = await failure(port, authority)

    assert "settings" == error.stage
    assert "before HTTP/2 began" in error.message


@in_loop
async def test_goaway_before_any_request(authority: Authority) -> None:
    """A server that turns us away at once shows its code and its debug data."""

    class Refusing(Silent):
        def data_received(self, data: bytes) -> None:
            self.h2.initiate_connection()
            self.h2.close_connection(11, additional_data=b'{"reason":"BadCertificate"}')
            self.send()

    async with serving(Refusing, authority.server()) as port:
        error = await failure(port, authority)

    assert "settings" == error.stage
    assert (11, b'{"reason":"BadCertificate"}') == (error.code, error.debug)
    assert "GOAWAY ENHANCE_YOUR_CALM" in error.message


@pytest.mark.parametrize("stage", ["tls", "settings"])
def test_timeout_of_a_stage(authority: Authority, stage: str) -> None:
    """A server that falls silent while opening is given up, and the stage is named."""
    context = authority.server() if stage == "settings" else None

    @in_loop
    async def run() -> None:
        async with serving(Silent, context) as port:
            error = await failure(port, authority, connect_timeout_s=0.5)

        assert stage == error.stage
        assert "within 0.5 s" in error.message

    run()


@in_loop
async def test_timeout_of_the_name(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that hangs is given up at the stage dns."""

    async def never(host: str, port: int) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr("pushctl.wire.link.resolve", never)
    error = await failure(1, authority, connect_timeout_s=0.05)

    assert "dns" == error.stage


@in_loop
async def test_cancelling_leaves_nothing_open(authority: Authority) -> None:
    """Whoever stops waiting for a connection leaves no socket behind."""
    peers: list[Silent] = []
    connected = asyncio.Event()

    class Waiting(Silent):
        def __init__(self) -> None:
            super().__init__()
            peers.append(self)

        def data_received(self, data: bytes) -> None:
            connected.set()

    owner = Owner()
    async with serving(Waiting, authority.server()) as port:
        opening = asyncio.create_task(
            Link.open(
                endpoint(port),
                authority.client(),
                on_events=owner.on_events,
                on_wake=owner.on_wake,
                request_timeout_s=1.0,
            )
        )
        await connected.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await peers[0].lost

    assert [] == owner.events


def test_endpoint_in_words() -> None:
    """An endpoint is shown as host:port, an IPv6 address in brackets."""
    assert "api.push.apple.com:443" == str(Endpoint("api.push.apple.com", 443, "x"))
    assert "[::1]:2197" == str(Endpoint("::1", 2197, "x"))
