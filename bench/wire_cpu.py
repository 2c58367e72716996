"""
What the HTTP/2 driver costs per push, alone: no socket, no TLS, no event loop.

Run: ``python bench/wire_cpu.py``.  Requests are opened in batches, the server's answers are
pre-recorded bytes, handed over in chunks of 64 KiB as asyncio does.  The figures are the best of
several rounds, in microseconds of one core.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

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
APNS_ID = b"6d1f6d3e-7c52-4a56-9c3a-0b8a3f3f0f10"


def response(fields: list[tuple[bytes, bytes]], body: bytes) -> Callable[[int], bytes]:
    """Return a function that gives the frames of one answer on a stream."""
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    block = encoder.encode(fields).lstrip(b"\x20")

    def on(stream: int) -> bytes:
        if not body:
            return frames.frame(frames.HEADERS, 5, stream, block)
        head = frames.frame(frames.HEADERS, 4, stream, block)
        return head + frames.frame(frames.DATA, 1, stream, body)

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


def measure(answer: Callable[[int], bytes], *, decode_accepted: bool = False) -> list[float]:
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
    plain = [(b":status", b"200"), (b"apns-id", APNS_ID)]
    gone = [(b":status", b"410"), (b"apns-id", APNS_ID), (b"content-type", b"application/json")]
    google = [(b":status", b"200"), (b"content-type", b"application/json; charset=UTF-8")]
    cases = (
        ("APNs 200", response(plain, b""), False),
        ("APNs 200, decoded (sandbox)", response(plain, b""), True),
        ("APNs 410 with reason", response(gone, GONE), False),
        ("FCM 200 with name", response(google, FCM_ANSWER), False),
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
