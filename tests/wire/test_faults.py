"""What a broken or hostile server gets: a named end, and every request accounted for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from pushctl.wire.connection import NEVER_WRITTEN, Connection
from pushctl.wire.events import Closed, Unanswered, Unprocessed
from pushctl.wire.frames import ErrorCode
from pushctl.wire.limits import Bucket, Limits
from wire.talk import BODY, HEAD, Talk, accepted, answer, block, opening, serial, unknown

DATA, HEADERS, PRIORITY, RST, SETTINGS, PROMISE, PING, GOAWAY, WINDOW, CONTINUATION = range(10)


def setting(identifier: int, value: int) -> bytes:
    return serial(SettingsFrame(0, settings={identifier: value}))


def long_block() -> bytes:
    fields = [(f"x-{number}", "v" * 200) for number in range(100)]
    whole = block(400, fields)
    return serial(
        HeadersFrame(1, whole[:16_000], flags=["END_STREAM"]),
        ContinuationFrame(1, whole[16_000:], flags=["END_HEADERS"]),
    )


BROKEN: dict[str, tuple[bytes, ErrorCode, str]] = {
    "oversized frame": (
        unknown(DATA, 1, b"x" * 16_385),
        ErrorCode.FRAME_SIZE_ERROR,
        "maximum size",
    ),
    "oversized frame, header only": (
        unknown(HEADERS, 1, b"\x88" * 16_385, flags=5)[:9],
        ErrorCode.FRAME_SIZE_ERROR,
        "maximum size",
    ),
    "oversized accepted answer": (
        unknown(HEADERS, 1, b"\x88" * 16_385, flags=5),
        ErrorCode.FRAME_SIZE_ERROR,
        "maximum size",
    ),
    "DATA on stream 0": (unknown(DATA, 0, b"x"), ErrorCode.PROTOCOL_ERROR, "DATA"),
    "DATA on an idle stream": (unknown(DATA, 9, b"x"), ErrorCode.PROTOCOL_ERROR, "DATA"),
    "DATA padding too long": (
        answer(1, 400, b"")[:4] + b"\x04" + answer(1, 400, b"")[5:] + unknown(DATA, 1, b"\x09a", 8),
        ErrorCode.PROTOCOL_ERROR,
        "padding",
    ),
    "DATA padding missing": (unknown(DATA, 1, b"", 8), ErrorCode.FRAME_SIZE_ERROR, "padding"),
    "HEADERS on stream 0": (unknown(HEADERS, 0, b"\x88", 5), ErrorCode.PROTOCOL_ERROR, "HEADERS"),
    "HEADERS on an even stream": (
        unknown(HEADERS, 2, b"\x88", 5),
        ErrorCode.PROTOCOL_ERROR,
        "HEADERS",
    ),
    "HEADERS on an idle stream": (
        unknown(HEADERS, 9, b"\x88", 5),
        ErrorCode.PROTOCOL_ERROR,
        "HEADERS",
    ),
    "HEADERS priority missing": (
        unknown(HEADERS, 1, b"\0\0\0", 0x25),
        ErrorCode.FRAME_SIZE_ERROR,
        "priority fields",
    ),
    "CONTINUATION from nowhere": (
        unknown(CONTINUATION, 1, b"\x88", 4),
        ErrorCode.PROTOCOL_ERROR,
        "CONTINUATION",
    ),
    "CONTINUATION of another stream": (
        unknown(HEADERS, 1, b"", 1) + unknown(CONTINUATION, 3, b"\x88", 4),
        ErrorCode.PROTOCOL_ERROR,
        "CONTINUATION",
    ),
    "block interrupted by DATA": (
        unknown(HEADERS, 1, b"\x88", 1) + unknown(DATA, 3, b"x"),
        ErrorCode.PROTOCOL_ERROR,
        "interrupted",
    ),
    "block interrupted by an answer": (
        unknown(HEADERS, 1, b"\x88", 1) + answer(3),
        ErrorCode.PROTOCOL_ERROR,
        "interrupted",
    ),
    "block interrupted by an unknown frame": (
        unknown(HEADERS, 1, b"\x88", 1) + unknown(0x77, 1),
        ErrorCode.PROTOCOL_ERROR,
        "interrupted",
    ),
    "PRIORITY on stream 0": (
        serial(PriorityFrame(1))[:5] + b"\0\0\0\0" + serial(PriorityFrame(1))[9:],
        ErrorCode.PROTOCOL_ERROR,
        "PRIORITY",
    ),
    "RST_STREAM size": (unknown(RST, 1, b"\0\0\0"), ErrorCode.FRAME_SIZE_ERROR, "RST_STREAM"),
    "RST_STREAM on stream 0": (
        unknown(RST, 0, b"\0\0\0\0"),
        ErrorCode.PROTOCOL_ERROR,
        "RST_STREAM",
    ),
    "RST_STREAM on an idle stream": (
        unknown(RST, 9, b"\0\0\0\0"),
        ErrorCode.PROTOCOL_ERROR,
        "RST_STREAM",
    ),
    "SETTINGS on a stream": (unknown(SETTINGS, 1), ErrorCode.PROTOCOL_ERROR, "SETTINGS"),
    "SETTINGS size": (unknown(SETTINGS, 0, b"12345"), ErrorCode.FRAME_SIZE_ERROR, "SETTINGS"),
    "SETTINGS acknowledgement with content": (
        unknown(SETTINGS, 0, b"123456", 1),
        ErrorCode.FRAME_SIZE_ERROR,
        "SETTINGS",
    ),
    "initial window too large": (
        setting(4, 2**31),
        ErrorCode.FLOW_CONTROL_ERROR,
        "initial window",
    ),
    "initial window overflows a stream": (
        serial(WindowUpdateFrame(1, 2**31 - 70_000)) + setting(4, 2**31 - 1),
        ErrorCode.FLOW_CONTROL_ERROR,
        "initial window",
    ),
    "frame size too small": (setting(5, 16_383), ErrorCode.PROTOCOL_ERROR, "frame size"),
    "frame size too large": (setting(5, 2**24), ErrorCode.PROTOCOL_ERROR, "frame size"),
    "server enables push": (setting(2, 1), ErrorCode.PROTOCOL_ERROR, "ENABLE_PUSH"),
    "PUSH_PROMISE": (
        serial(PushPromiseFrame(1, 2, block(200), flags=["END_HEADERS"])),
        ErrorCode.PROTOCOL_ERROR,
        "PUSH_PROMISE",
    ),
    "PING on a stream": (unknown(PING, 1, b"12345678"), ErrorCode.PROTOCOL_ERROR, "PING"),
    "PING size": (unknown(PING, 0, b"1234567"), ErrorCode.FRAME_SIZE_ERROR, "PING"),
    "GOAWAY on a stream": (unknown(GOAWAY, 1, b"\0" * 8), ErrorCode.PROTOCOL_ERROR, "GOAWAY"),
    "GOAWAY size": (unknown(GOAWAY, 0, b"\0" * 7), ErrorCode.FRAME_SIZE_ERROR, "GOAWAY"),
    "WINDOW_UPDATE size": (
        unknown(WINDOW, 0, b"\0\0\1"),
        ErrorCode.FRAME_SIZE_ERROR,
        "WINDOW_UPDATE",
    ),
    "WINDOW_UPDATE by nothing": (
        unknown(WINDOW, 0, b"\0\0\0\0"),
        ErrorCode.PROTOCOL_ERROR,
        "nothing",
    ),
    "WINDOW_UPDATE on an idle stream": (
        unknown(WINDOW, 9, b"\0\0\0\1"),
        ErrorCode.PROTOCOL_ERROR,
        "WINDOW_UPDATE",
    ),
    "connection window overflow": (
        unknown(WINDOW, 0, b"\x7f\xff\xff\xff"),
        ErrorCode.FLOW_CONTROL_ERROR,
        "2^31-1",
    ),
    "HPACK index without a table": (
        unknown(HEADERS, 1, b"\xc0", 5),
        ErrorCode.COMPRESSION_ERROR,
        "header block",
    ),
    "HPACK table too large": (
        unknown(HEADERS, 1, b"\x3f\xe1\x1f\x8c", 5),
        ErrorCode.COMPRESSION_ERROR,
        "header block",
    ),
    "HPACK on a finished stream": (
        answer(1) + unknown(HEADERS, 1, b"\xff\xff\xff", 5),
        ErrorCode.COMPRESSION_ERROR,
        "header block",
    ),
    "header list too long": (long_block(), ErrorCode.ENHANCE_YOUR_CALM, "header list"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_connection_error(name: str) -> None:
    """Each breach of RFC 9113 ends the connection with its code, a reason and a GOAWAY."""
    data, code, words = BROKEN[name]
    talk = Talk(judge=False)
    talk.push(3)
    talk.write()
    talk.push(1)
    talk.hear(data)
    closed = talk.events[-1]
    output = talk.write()
    frame, _ = Frame.parse_frame_header(memoryview(output)[:9])
    assert isinstance(frame, GoAwayFrame)
    frame.parse_body(memoryview(output)[9:])

    assert isinstance(closed, Closed)
    assert code == closed.code
    assert words in closed.why
    assert (code, closed.why.encode()) == (frame.error_code, frame.additional_data)
    assert Unprocessed("a7", NEVER_WRITTEN) in talk.events
    assert Unanswered("a5", closed.why) in talk.events
    assert talk.client.closed
    assert 0 == talk.client.capacity()
    assert [] == talk.client.receive(answer(1), 0.0)
    talk.finish()


FIRST_WORDS: dict[str, tuple[bytes, str]] = {
    "HTTP/1": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1"),
    "PING": (serial(PingFrame(0, b"12345678")), "did not begin with SETTINGS"),
    "TLS alert": (b"\x15\x03\x01\x00\x02\x02\x28\0\0", "did not begin with SETTINGS"),
}


@pytest.mark.parametrize("name", FIRST_WORDS)
def test_a_server_that_does_not_begin_with_settings(name: str) -> None:
    """Whatever is not HTTP/2 is recognised from its first nine bytes."""
    data, words = FIRST_WORDS[name]
    connection = Connection(now=0.0)
    connection.start()
    [closed] = connection.receive(data, 0.0)

    assert isinstance(closed, Closed)
    assert words in closed.why


def test_goaway_instead_of_settings() -> None:
    """A server may turn us away before SETTINGS, as APNs does; code and debug data are shown."""
    connection = Connection(now=0.0)
    connection.start()
    debug = b'{"reason":"BadCertificateEnvironment"}'
    events = connection.receive(serial(GoAwayFrame(0, 0, 0, debug)), 0.0)

    why = "the server ended the connection (GOAWAY NO_ERROR)"
    assert [Closed(why, 0, debug)] == events


STREAM_BREACHES: dict[str, tuple[bytes, int, str]] = {
    "window by nothing": (unknown(WINDOW, 1, b"\0\0\0\0"), 1, "by nothing"),
    "window overflow": (unknown(WINDOW, 1, b"\x7f\xff\xff\xff"), 3, "2^31-1"),
    "window overflow in two": (
        unknown(WINDOW, 1, b"\x40\0\0\0") + unknown(WINDOW, 1, b"\x40\0\0\0"),
        3,
        "2^31-1",
    ),
    "priority size": (unknown(PRIORITY, 1, b"\0\0\0\0"), 6, "PRIORITY"),
}


@pytest.mark.parametrize("name", STREAM_BREACHES)
def test_stream_error(name: str) -> None:
    """A breach on one stream resets that stream only; what was sent on it is in doubt."""
    data, code, words = STREAM_BREACHES[name]
    talk = Talk(judge=False)
    talk.push(2)
    talk.write()
    talk.hear(data + answer(3))
    doubt, good = talk.events

    assert isinstance(doubt, Unanswered)
    assert words in doubt.why
    assert accepted(3) == good
    assert serial(RstStreamFrame(1, code)) == talk.write()
    talk.finish()


HEAD_ONLY = serial(HeadersFrame(1, block(400), flags=["END_HEADERS"]))
EMPTY = serial(DataFrame(1, b""))
PADDED = serial(DataFrame(1, b"", pad_length=9, flags=["PADDED"]))
CONTINUED = unknown(HEADERS, 1, b"\x88", 1)

FLOODS: dict[str, tuple[bytes, bytes, int, str]] = {
    # name: what comes before, what is repeated, how often it is borne, the words of the end
    "PING": (b"", serial(PingFrame(0, b"12345678")), 1000, "acknowledgements"),
    "SETTINGS": (b"", setting(3, 100), 1000, "acknowledgements"),
    "empty DATA": (HEAD_ONLY, EMPTY, 100, "empty DATA"),
    "DATA of fifteen octets": (HEAD_ONLY, serial(DataFrame(1, b"x" * 15)), 100, "small"),
    "window updates": (b"", serial(WindowUpdateFrame(0, 1)), 10_000 + 2 * 4, "window updates"),
    "GOAWAY": (b"", serial(GoAwayFrame(0, 3, 0)), 10_001, "useless"),
    "padding": (HEAD_ONLY, PADDED, 100, "empty DATA"),
    "CONTINUATION": (CONTINUED, unknown(CONTINUATION, 1, b""), 8, "CONTINUATION"),
    "1xx": (b"", serial(HeadersFrame(1, block(103), flags=["END_HEADERS"])), 10, "informational"),
    "resets": (answer(1), serial(RstStreamFrame(1, 0)), 1000 + 2, "resets"),
    "unknown frames": (b"", unknown(0xFE, 0), 10_000, "useless"),
    "PRIORITY": (b"", serial(PriorityFrame(3)), 10_000, "useless"),
    "stray PING acknowledgements": (
        b"",
        serial(PingFrame(0, b"12345678", flags=["ACK"])),
        10_000,
        "useless",
    ),
    "stray SETTINGS acknowledgements": (
        b"",
        serial(SettingsFrame(0, flags=["ACK"])),
        10_000,
        "useless",
    ),
    "DATA on a finished stream": (answer(1), serial(DataFrame(1, b"")), 10_000, "useless"),
    "HEADERS on a finished stream": (answer(1), answer(1), 10_000, "useless"),
}


@pytest.mark.parametrize("name", FLOODS)
def test_flood(name: str) -> None:
    """A flood is borne exactly up to its limit; what that costs, test_floods.py looks at."""
    before, repeated, borne, words = FLOODS[name]
    talk = Talk(judge=False)
    talk.push(2)
    talk.write()
    talk.client.receive(before, 0.0)
    talk.client.receive(repeated * borne, 0.0)
    alive = not talk.client.closed
    events = talk.client.receive(repeated, 0.0)

    assert alive
    assert isinstance(events[-1], Closed)
    assert ErrorCode.ENHANCE_YOUR_CALM == events[-1].code
    assert words in events[-1].why
    assert len(talk.client.take_output()) < 200


def test_settings_with_many_entries() -> None:
    """SETTINGS may have 32 entries, not 33."""
    entry = b"\0\3\0\0\0\x09"
    good = Talk(judge=False)
    good.hear(unknown(SETTINGS, 0, entry * 32))
    bad = Talk(judge=False)
    bad.hear(unknown(SETTINGS, 0, entry * 33))

    assert 9 == good.client.server_limit
    assert isinstance(bad.events[-1], Closed)
    assert "too many entries" in bad.events[-1].why


def test_acknowledgements_that_are_written_do_not_count() -> None:
    """PINGs may come for ever as long as their answers are taken and they come slowly."""
    talk = Talk(judge=False)
    ping = serial(PingFrame(0, b"12345678"))
    for second in range(30):
        talk.now = float(second)
        talk.hear(ping * 300)
        talk.write()

    assert [] == talk.events


def test_every_answer_may_be_followed_by_a_reset() -> None:
    """A server that resets each finished stream (nginx does) is no flood, at any speed."""
    talk = Talk(limit=None, judge=False)
    for _ in range(5):
        streams = talk.push(4000)
        talk.recorder.do("take_output")
        talk.hear(serial(WindowUpdateFrame(0, 4000 * len(BODY))))
        reset = [answer(n) + serial(RstStreamFrame(n, 0)) for n in streams]
        talk.hear(b"".join(reset))

    assert 20_000 == len(talk.events)


def test_debug_data_is_bounded() -> None:
    """Of a GOAWAY's debug data 4 KiB are kept."""
    talk = Talk(judge=False)
    talk.hear(serial(GoAwayFrame(0, 0, 0, b"d" * 10_000)))

    assert talk.client.goaway is not None
    assert b"d" * 4096 == talk.client.goaway.debug


def test_no_limit_means_our_own() -> None:
    """A server that names no stream limit gets as many as we allow ourselves."""
    talk = Talk(limit=None, judge=False, limits=Limits(open_streams=7))

    assert 7 == talk.client.capacity()


def test_stream_ids_run_out() -> None:
    """The last stream id is used, then the connection drains and ends by itself."""
    talk = Talk(judge=False, limits=Limits(last_stream_id=5))
    room = talk.client.capacity()
    talk.push(3)
    talk.write()
    state = (talk.client.capacity(), talk.client.draining, talk.client.closed)
    talk.hear(answer(1) + answer(5) + answer(3))

    assert 3 == room
    assert (0, True, False) == state
    assert Closed("the connection's stream ids are used up", None, b"") == talk.events[-1]
    assert serial(GoAwayFrame(0, 0, 0)) == talk.write()


def test_the_last_id_of_all_works() -> None:
    """Stream 2^31-1 can be used and answered."""
    talk = Talk(judge=False)
    talk.client._next_id = talk.client._untaken_from = 2**31 - 3
    room = talk.client.capacity()
    talk.push(2)
    talk.write()
    talk.hear(answer(2**31 - 3) + answer(2**31 - 1, 400, b"{}"))

    assert 2 == room
    assert ["a2147483645", "a2147483647"] == [event[0] for event in talk.events[:2]]


CLOSERS: dict[str, Callable[[Connection], object]] = {
    "not started": lambda connection: None,
    "closed": lambda connection: (connection.receive(opening(), 0.0), connection.close()),
    "lost": lambda connection: (connection.receive(opening(), 0.0), connection.lost("x")),
    "told to go": lambda connection: connection.receive(
        opening() + serial(GoAwayFrame(0, 0, 0)), 0.0
    ),
}


@pytest.mark.parametrize("name", CLOSERS)
def test_request_where_none_is_taken(name: str) -> None:
    """A connection that takes no requests says so instead of losing the push."""
    connection = Connection(now=0.0)
    connection.start()
    CLOSERS[name](connection)

    assert 0 == connection.capacity()
    with pytest.raises(RuntimeError, match="takes no requests"):
        connection.request(HEAD.block(b"/3/device/00"), BODY, "tag", 0.0)
    assert 0 == connection.open_streams


def test_close_without_requests_is_silent() -> None:
    """Closing an idle connection says GOAWAY and reports nothing."""
    talk = Talk(judge=False)
    talk.recorder.do("close")

    assert talk.client.closed
    assert serial(GoAwayFrame(0, 0, 0)) == talk.write()
    assert [] == talk.client.lost("later")


def test_bucket() -> None:
    """A bucket gives its burst, then refills with time that does not run backwards."""
    bucket = Bucket(2, 10.0, now=0.0)
    burst = [bucket.take(0.0) for _ in range(3)]
    later = [bucket.take(0.1), bucket.take(0.1)]
    back = bucket.take(0.05)

    assert [True, True, False] == burst
    assert [True, False] == later
    assert not back
