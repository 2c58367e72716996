"""
What the HTTP/2 driver costs per push, alone: no socket, no TLS, no event loop.

Run: ``python bench/wire_cpu.py``.  Requests are opened in batches, the server's answers are
pre-recorded bytes, handed over in chunks of 64 KiB as asyncio does.  The figures are the best of
several rounds, in microseconds of one core.
"""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import TypeAlias
from uuid import UUID

import hpack

from pushctl.wire import frames
from pushctl.wire.connection import Connection
from pushctl.wire.events import Answer
from pushctl.wire.headers import RequestHead

BATCH = 500
BATCHES = 60
ROUNDS = 5
CHUNK = 65_536

APNS_BODY = b'{"aps":{"alert":{"title":"Order shipped","body":"It arrives tomorrow."},"badge":1}}'
FCM_ANSWER = b'{\n  "name": "projects/shop-1234/messages/0:1700000000000000%31bd1c9631bd1c96"\n}\n'
GONE = b'{"reason":"Unregistered","timestamp":1700000000000}'
UNREGISTERED = (
    b'{"error":{"code":404,"message":"Requested entity was not found.","status":"NOT_FOUND",'
    b'"details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError",'
    b'"errorCode":"UNREGISTERED"}]}}'
)
APNS_ID = b"6d1f6d3e-7c52-4a56-9c3a-0b8a3f3f0f10"
DATE = b"Fri, 14 Nov 2025 09:26:40 GMT"

Answerer: TypeAlias = Callable[[int], bytes]
"""Gives the frames of one answer on a stream."""


def blocks(status: bytes, fields: Sequence[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """Yield header blocks as servers send them, for ever; ``apns-id`` differs in each."""
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    random = Random(1)
    pool = []
    for _ in range(4 * BATCH):
        unique = str(UUID(int=random.getrandbits(128))).encode()
        pairs = [(name, unique if value == APNS_ID else value) for name, value in fields]
        pool.append(encoder.encode([(b":status", status), *pairs]).lstrip(b"\x20"))
    return itertools.cycle(pool)


def response(
    status: bytes,
    fields: Sequence[tuple[bytes, bytes]],
    body: bytes = b"",
    *,
    reset: bool = False,
) -> Answerer:
    """Return what answers so; *reset* adds a RST_STREAM(NO_ERROR) after it, as nginx does."""
    varying = blocks(status, fields)

    def on(stream: int) -> bytes:
        block = next(varying)
        answer = frames.frame(frames.HEADERS, 4 if body else 5, stream, block)
        if body:
            answer += frames.frame(frames.DATA, 1, stream, body)
        return answer + frames.rst_stream(stream, 0) if reset else answer

    return on


def connect(*, decode_accepted: bool = False) -> Connection:
    """Return a connection whose server has said SETTINGS and acknowledged ours."""
    connection = Connection(now=0.0, decode_accepted=decode_accepted)
    connection.start()
    connection.take_output()
    announced = frames.settings([(frames.MAX_CONCURRENT_STREAMS, 1000)])
    wide = frames.window_update(0, 1 << 30)
    connection.receive(announced + frames.SETTINGS_ACK + wide, 0.0)
    return connection


def measure(answer: Answerer, *, decode_accepted: bool = False) -> list[float]:
    """Return µs per push of: header block, request, take_output, receive."""
    head = RequestHead(
        authority=b"api.push.apple.com",
        fields=[
            (b"authorization", b"bearer " + b"x" * 180),
            (b"apns-topic", b"com.example.shop"),
            (b"apns-push-type", b"alert"),
            (b"apns-priority", b"10"),
        ],
    )
    paths = [b"/3/device/" + f"{number:064x}".encode() for number in range(BATCH)]
    connection = connect(decode_accepted=decode_accepted)
    spent = [0.0] * 4
    clock = time.perf_counter
    stream = 1
    for _ in range(BATCHES):
        recorded = b"".join(answer(stream + 2 * number) for number in range(BATCH))
        stream += 2 * BATCH
        chunks = [recorded[at : at + CHUNK] for at in range(0, len(recorded), CHUNK)]
        begun = clock()
        block = head.block
        blocks = [block(path, ((b"apns-id", APNS_ID),)) for path in paths]
        encoded = clock()
        request = connection.request
        for number, one in enumerate(blocks):
            request(one, APNS_BODY, number, 1.0)
        opened = clock()
        connection.take_output()
        written = clock()
        events = [event for chunk in chunks for event in connection.receive(chunk, 1.0)]
        received = clock()
        assert len(events) == BATCH
        assert all(type(event) is Answer for event in events)
        times = (encoded - begun, opened - encoded, written - opened, received - written)
        spent = [total + one for total, one in zip(spent, times, strict=True)]
    return [total / (BATCH * BATCHES) * 1e6 for total in spent]


def main() -> None:
    """Print the table."""
    apns = [(b"apns-id", APNS_ID)]
    gone = [*apns, (b"content-type", b"application/json")]
    nginx = [
        (b"server", b"nginx/1.22.1"),
        (b"date", DATE),
        (b"content-type", b"application/json"),
        (b"content-length", b"51"),
    ]
    google = [(b"content-type", b"application/json; charset=UTF-8")]
    edge = [
        (b"vary", b"Origin"),
        (b"vary", b"X-Origin"),
        (b"vary", b"Referer"),
        *google,
        (b"date", DATE),
        (b"server", b"ESF"),
        (b"x-xss-protection", b"0"),
        (b"x-frame-options", b"SAMEORIGIN"),
        (b"x-content-type-options", b"nosniff"),
    ]
    cases = (
        ("APNs 200", response(b"200", apns), False),
        ("APNs 200, decoded (sandbox)", response(b"200", apns), True),
        ("APNs 410 with reason", response(b"410", gone, GONE), False),
        ("nginx 200", response(b"200", nginx[:2]), False),
        ("nginx 200 and RST_STREAM", response(b"200", nginx[:2], reset=True), False),
        ("nginx 410 with reason", response(b"410", nginx, GONE), False),
        ("FCM 200 with name", response(b"200", google, FCM_ANSWER), False),
        ("FCM 404 with FcmError", response(b"404", edge, UNREGISTERED), False),
    )
    print(f"{'µs per push':30}{'block':>8}{'request':>9}{'output':>8}{'receive':>9}{'driver':>8}")
    gc.disable()
    for name, answer, decode in cases:
        rounds = [measure(answer, decode_accepted=decode) for _ in range(ROUNDS)]
        block, request, output, receive = min(rounds, key=sum)
        driver = request + output + receive
        print(f"{name:30}{block:8.2f}{request:9.2f}{output:8.2f}{receive:9.2f}{driver:8.2f}")


if __name__ == "__main__":
    main()
