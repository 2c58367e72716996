"""Scripted conversations with a server, each replayed with the bytes cut at every place."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import h2.events
import hpack
import pytest
from hyperframe.frame import (
    AltSvcFrame,
    ContinuationFrame,
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from pushctl.wire.connection import ABOVE_GOAWAY, NEVER_WRITTEN, REFUSED, TIMED_OUT
from pushctl.wire.events import GoAway
from pushctl.wire.headers import RequestHead
from wire.talk import (
    APNS_ID,
    Answer,
    Closed,
    Talk,
    Unanswered,
    Unprocessed,
    accepted,
    answer,
    block,
    opening,
    serial,
    unknown,
)

GONE = b'{"reason":"Unregistered","timestamp":1700000000000}'
TWO_STEP = GoAwayFrame(0, last_stream_id=2**31 - 1, error_code=0)


def goaway(last: int, code: int = 0, debug: bytes = b"") -> bytes:
    return serial(GoAwayFrame(0, last_stream_id=last, error_code=code, additional_data=debug))


def limit(streams: int) -> bytes:
    return serial(SettingsFrame(0, settings={SettingsFrame.MAX_CONCURRENT_STREAMS: streams}))


def initial_window(octets: int) -> bytes:
    return serial(SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: octets}))


# --------------------------------------------------------------------------- plain answers


def one_push_accepted() -> Talk:
    """A 200 without a body is an answer without decoded headers."""
    talk = Talk()
    [stream] = talk.push()
    talk.exchange()
    talk.respond(stream, 200, fields=[("apns-id", APNS_ID)])
    talk.exchange()

    assert [accepted(1)] == talk.events
    return talk


def headers_decoded_on_demand() -> Talk:
    """With decode_accepted, the headers of a 200 are delivered."""
    talk = Talk(decode_accepted=True)
    [stream] = talk.push()
    talk.exchange()
    talk.respond(stream, 200, fields=[("apns-id", APNS_ID), ("apns-unique-id", "x")])
    talk.exchange()

    headers = [(":status", "200"), ("apns-id", APNS_ID), ("apns-unique-id", "x")]
    assert [Answer("a1", 200, headers, b"")] == talk.events
    return talk


def two_hundred_with_body() -> Talk:
    """A 200 with a body in one or two DATA frames keeps its body."""
    talk = Talk(judge=False)
    talk.push(2)
    talk.write()
    talk.hear(answer(1, body=b'{"name":"x"}'))
    head = HeadersFrame(3, block(200), flags=["END_HEADERS"])
    halves = DataFrame(3, b'{"name":'), DataFrame(3, b'"y"}', flags=["END_STREAM"])
    talk.hear(serial(head, *halves))

    expected = [
        Answer("a1", 200, None, b'{"name":"x"}'),
        Answer("a3", 200, None, b'{"name":"y"}'),
    ]
    assert expected == talk.events
    return talk


def many_streams_out_of_order() -> Talk:
    """Answers come back to their own request in whatever order they arrive."""
    talk = Talk()
    streams = talk.push(12)
    talk.exchange()
    order = streams[::2] + streams[::-2]
    for stream in order:
        talk.respond(stream)
    talk.exchange()

    assert [accepted(stream) for stream in order] == talk.events
    assert 0 == talk.client.open_streams
    return talk


def rejections_with_reason() -> Talk:
    """A rejection carries status, decoded headers and body."""
    talk = Talk()
    for stream in talk.push(3):
        talk.exchange()
        talk.respond(stream, 410, GONE, [("apns-id", APNS_ID)])
    talk.exchange()

    headers = [(":status", "410"), ("apns-id", APNS_ID)]
    assert [Answer(f"a{n}", 410, headers, GONE) for n in (1, 3, 5)] == talk.events
    return talk


def http_errors() -> Talk:
    """Any status is an answer, with or without a body, of any content type."""
    talk = Talk()
    statuses = [400, 403, 404, 413, 429, 500, 502, 503, 204, 302]
    for stream, status in zip(talk.push(len(statuses)), statuses, strict=True):
        talk.exchange()
        html = b"<html><h1>no</h1></html>" if status % 2 else b""
        talk.respond(stream, status, html, [("content-type", "text/html")])
    talk.exchange()

    assert statuses == [event.status for event in talk.events if isinstance(event, Answer)]
    return talk


def indexed_before_the_acknowledgement() -> Talk:
    """A server may use its dynamic table until it has acknowledged our SETTINGS."""
    talk = Talk(judge=False, begin=False)
    talk.recorder.do("start")
    talk.hear(opening(ack=False))
    talk.push(3)
    talk.write()
    encoder = hpack.Encoder()
    for stream in (1, 3):
        pairs = [(":status", "410"), ("apns-id", APNS_ID)]
        flags = ["END_HEADERS", "END_STREAM"]
        talk.hear(serial(HeadersFrame(stream, encoder.encode(pairs), flags=flags)))
    talk.hear(serial(SettingsFrame(0, flags=["ACK"])))
    talk.hear(answer(5, 400, b"{}"))

    headers = [(":status", "410"), ("apns-id", APNS_ID)]
    expected = [
        Answer("a1", 410, headers, b""),
        Answer("a3", 410, headers, b""),
        Answer("a5", 400, [(":status", "400")], b"{}"),
    ]
    assert expected == talk.events
    return talk


def table_size_update_in_front() -> Talk:
    """A block that begins with a table size update is read rightly, 200 or not."""
    talk = Talk(judge=False)
    talk.push(2)
    talk.write()
    flags = ["END_HEADERS", "END_STREAM"]
    talk.hear(serial(HeadersFrame(1, b"\x20" + block(200), flags=flags)))
    talk.hear(serial(HeadersFrame(3, b"\x20" + block(410), flags=flags)))

    assert [accepted(1), Answer("a3", 410, [(":status", "410")], b"")] == talk.events
    return talk


def literal_status() -> Talk:
    """A 200 that is spelled out as a literal, Huffman-coded or not, is still a 200."""
    talk = Talk(judge=False)
    talk.push(2)
    talk.write()
    plain = b"\x08\x03200"
    coded = b"\x08" + bytes((0x80 | 2,)) + b"\x10\x01"
    flags = ["END_HEADERS", "END_STREAM"]
    talk.hear(serial(*(HeadersFrame(n, b, flags=flags) for n, b in ((1, plain), (3, coded)))))

    headers = [(":status", "200")]
    assert [Answer("a1", 200, headers, b""), Answer("a3", 200, headers, b"")] == talk.events
    return talk


def informational_answers() -> Talk:
    """1xx answers are passed over; the final one counts, fast path included."""
    talk = Talk()
    one, three = talk.push(2)
    talk.exchange()
    assert talk.server is not None
    for stream in (one, three):
        talk.server.send_headers(stream, [(":status", "103"), ("link", "</x>")])
        talk.server.send_headers(stream, [(":status", "100")])
    talk.respond(one, 200)
    talk.respond(three, 400, b"{}")
    talk.exchange()

    assert [accepted(1), Answer("a3", 400, [(":status", "400")], b"{}")] == talk.events
    return talk


def trailers() -> Talk:
    """Trailers end an answer and change nothing."""
    talk = Talk()
    one, three = talk.push(2)
    talk.exchange()
    assert talk.server is not None
    talk.server.send_headers(one, [(":status", "200")])
    talk.server.send_headers(three, [(":status", "500")])
    for stream in (one, three):
        talk.server.send_data(stream, b"body")
        talk.server.send_headers(stream, [("grpc-status", "0")], end_stream=True)
    talk.exchange()

    expected = [
        Answer("a1", 200, None, b"body"),
        Answer("a3", 500, [(":status", "500")], b"body"),
    ]
    assert expected == talk.events
    return talk


def padding_and_priority() -> Talk:
    """Padding and priority fields are taken off HEADERS and DATA."""
    talk = Talk(judge=False)
    talk.push(2)
    talk.write()
    flags = ["END_HEADERS", "PADDED", "PRIORITY"]
    head = HeadersFrame(1, block(200), pad_length=7, depends_on=0, flags=flags)
    data = DataFrame(1, b"abc", pad_length=200, flags=["PADDED", "END_STREAM"])
    bare = HeadersFrame(3, block(400), flags=["END_HEADERS", "PRIORITY", "END_STREAM"])
    talk.hear(serial(head, data, bare))

    expected = [Answer("a1", 200, None, b"abc"), Answer("a3", 400, [(":status", "400")], b"")]
    assert expected == talk.events
    return talk


def continued_headers() -> Talk:
    """A header block may arrive in up to nine pieces."""
    talk = Talk(judge=False)
    talk.push(2)
    talk.write()
    whole = block(400, [("x-long", "v" * 80)])
    pieces = [ContinuationFrame(1, whole[n : n + 9]) for n in range(9, len(whole), 9)]
    pieces[-1].flags.add("END_HEADERS")
    assert len(pieces) <= 8
    talk.hear(serial(HeadersFrame(1, whole[:9], flags=["END_STREAM"]), *pieces))
    empty = HeadersFrame(3, b"", flags=["END_STREAM"])
    talk.hear(serial(empty, ContinuationFrame(3, block(200), flags=["END_HEADERS"])))

    headers = [(":status", "400"), ("x-long", "v" * 80)]
    assert [Answer("a1", 400, headers, b""), accepted(3)] == talk.events
    return talk


def useless_frames() -> Talk:
    """Unknown frames, PRIORITY, ALTSVC and stray acknowledgements are ignored."""
    talk = Talk(judge=False)
    talk.push()
    talk.write()
    strange = (
        PriorityFrame(1, depends_on=0, stream_weight=3),
        PriorityFrame(9, depends_on=0, stream_weight=3),
        AltSvcFrame(0, origin=b"a.example", field=b'h3=":443"'),
        SettingsFrame(0, flags=["ACK"]),
        PingFrame(0, b"whatever", flags=["ACK"]),
        SettingsFrame(0, settings={0x99: 7}),
        WindowUpdateFrame(1, 5),
    )
    talk.hear(serial(*strange) + unknown(0xBE, 0, b"grease") + unknown(0x20, 1) + answer(1))

    assert [accepted(1)] == talk.events
    return talk


# --------------------------------------------------------------------------- limits


def stream_limit_up_and_down() -> Talk:
    """The server's stream limit holds at once: 1, 1000, 1, 0, then 5."""
    talk = Talk(limit=1, judge=False)
    seen = [talk.client.capacity()]
    talk.push()
    seen.append(talk.client.capacity())
    talk.hear(limit(1000))
    seen.append(talk.client.capacity())
    talk.push(4)
    for streams in (1, 0):
        talk.hear(limit(streams))
        seen.append(talk.client.capacity())
    talk.write()
    talk.hear(b"".join(answer(n) for n in (1, 3, 5)))
    seen.append(talk.client.capacity())
    talk.hear(limit(5))
    seen.append(talk.client.capacity())
    talk.hear(answer(7) + answer(9))
    seen.append(talk.client.capacity())

    assert [1, 0, 999, 0, 0, 0, 3, 5] == seen
    assert [accepted(n) for n in (1, 3, 5, 7, 9)] == talk.events
    return talk


def own_cap() -> Talk:
    """The owner's cap holds below the server's limit, and can be lifted."""
    talk = Talk(limit=3)
    talk.client.cap = 1
    before = talk.client.capacity()
    talk.push()
    full = talk.client.capacity()
    talk.exchange()
    talk.respond(1)
    talk.exchange()
    talk.client.cap = None

    assert (1, 0, 3) == (before, full, talk.client.capacity())
    return talk


# --------------------------------------------------------------------------- GOAWAY


def goaway_behind_answers_in_one_segment() -> Talk:
    """Answers in the same segment before a GOAWAY are kept."""
    talk = Talk(judge=False)
    talk.push(3)
    talk.write()
    talk.hear(answer(1) + answer(3, 410, GONE) + answer(5) + goaway(5))

    expected = [
        accepted(1),
        Answer("a3", 410, [(":status", "410")], GONE),
        accepted(5),
        Closed("the server ended the connection (GOAWAY NO_ERROR)", 0, b""),
    ]
    assert expected == talk.events
    return talk


def goaway_before_answers_in_one_segment() -> Talk:
    """Answers in the same segment after a GOAWAY are kept."""
    talk = Talk(judge=False)
    talk.push(3)
    talk.write()
    talk.hear(goaway(5) + answer(5) + answer(1) + answer(3))

    assert [accepted(5), accepted(1), accepted(3)] == talk.events[:3]
    assert isinstance(talk.events[3], Closed)
    return talk


def goaway_then_late_answers() -> Talk:
    """After a GOAWAY answers to older streams are awaited; newer ones are free at once."""
    talk = Talk(judge=False)
    talk.push(4)
    talk.write()
    talk.hear(goaway(3))
    freed = list(talk.events)
    state = (talk.client.draining, talk.client.closed, talk.client.capacity())
    talk.hear(answer(3))
    talk.hear(answer(1, 400, b"{}"))

    assert [Unprocessed("a5", ABOVE_GOAWAY), Unprocessed("a7", ABOVE_GOAWAY)] == freed
    assert (True, False, 0) == state
    assert ("Answer", 200) == talk.outcomes["a3"]
    assert ("Answer", 400) == talk.outcomes["a1"]
    assert talk.client.closed
    return talk


def goaway_zero() -> Talk:
    """Last stream id 0: nothing was processed."""
    talk = Talk(judge=False)
    talk.push(2)
    talk.write()
    talk.hear(goaway(0, 11, b'{"reason":"BadCertificate"}'))

    debug = b'{"reason":"BadCertificate"}'
    assert [
        Unprocessed("a1", ABOVE_GOAWAY),
        Unprocessed("a3", ABOVE_GOAWAY),
        Closed("the server ended the connection (GOAWAY ENHANCE_YOUR_CALM)", 11, debug),
    ] == talk.events
    assert GoAway(0, 11, debug) == talk.client.goaway
    return talk


def goaway_in_two_steps() -> Talk:
    """A warning (2^31-1) drains, the real GOAWAY then decides."""
    talk = Talk(judge=False)
    talk.push(3)
    talk.write()
    talk.hear(serial(TWO_STEP))
    draining = (talk.client.draining, talk.client.open_streams)
    talk.hear(answer(1))
    talk.hear(goaway(3, 0, b"bye"))
    talk.hear(answer(3))

    assert (True, 3) == draining
    expected = [
        accepted(1),
        Unprocessed("a5", ABOVE_GOAWAY),
        accepted(3),
        Closed("the server ended the connection (GOAWAY NO_ERROR)", 0, b"bye"),
    ]
    assert expected == talk.events
    return talk


def goaway_that_rises() -> Talk:
    """A last stream id that rises is not believed: what was freed stays freed."""
    talk = Talk(judge=False)
    talk.push(3)
    talk.write()
    talk.hear(goaway(1, 2, b"first") + goaway(5) + answer(5) + answer(1))

    assert ("Unprocessed", ABOVE_GOAWAY) == talk.outcomes["a5"]
    assert ("Answer", 200) == talk.outcomes["a1"]
    assert (
        Closed("the server ended the connection (GOAWAY NO_ERROR)", 0, b"first")
        == (talk.events[-1])
    )
    return talk


def goaway_then_end() -> Talk:
    """A stream below the last id that is never answered is in doubt when the socket closes."""
    talk = Talk(judge=False)
    talk.push(3)
    talk.write()
    talk.hear(goaway(3) + answer(3))
    talk.recorder.do("lost", "closed by the server")

    assert [
        Unprocessed("a5", ABOVE_GOAWAY),
        accepted(3),
        Unanswered("a1", "closed by the server"),
        Closed("closed by the server", 0, b""),
    ] == talk.events
    return talk


def goaway_withdraws_unwritten() -> Talk:
    """Requests above the last id that were not written yet are not written any more."""
    talk = Talk()
    talk.push(1)
    talk.exchange()
    window = talk.client._outbox.window
    talk.push(2)
    talk.recorder.do("ping", 0.0)
    talk.hear(goaway(1))
    output = talk.write()

    assert ("Unprocessed", NEVER_WRITTEN) == talk.outcomes["a3"]
    assert serial(PingFrame(0, (1).to_bytes(8, "big"))) == output
    assert window == talk.client._outbox.window
    talk.respond(1)
    talk.exchange()
    assert ("Answer", 200) == talk.outcomes["a1"]
    return talk


# --------------------------------------------------------------------------- resets


def refused_stream() -> Talk:
    """REFUSED_STREAM proves that nothing was processed."""
    talk = Talk(judge=False)
    talk.push(2)
    talk.write()
    talk.hear(serial(RstStreamFrame(1, 7)) + answer(3))

    assert [Unprocessed("a1", REFUSED), accepted(3)] == talk.events
    return talk


def other_resets() -> Talk:
    """Any other reset without an answer leaves the push in doubt."""
    talk = Talk(judge=False)
    codes = {1: 0, 3: 2, 5: 8, 7: 11, 9: 0x99}
    talk.push(len(codes))
    talk.write()
    talk.hear(serial(*(RstStreamFrame(stream, code) for stream, code in codes.items())))

    names = ["NO_ERROR", "INTERNAL_ERROR", "CANCEL", "ENHANCE_YOUR_CALM", "0x99"]
    whys = [f"the server reset the stream ({name})" for name in names]
    assert whys == [event.why for event in talk.events if isinstance(event, Unanswered)]
    return talk


def answer_then_reset() -> Talk:
    """A server that answers and then resets with NO_ERROR did not want the rest of the body."""
    talk = Talk(judge=False)
    talk.push(2)
    talk.write()
    reset = RstStreamFrame(1, 0), RstStreamFrame(3, 0)
    talk.hear(answer(1, 413, b"{}") + serial(reset[0]) + answer(3) + serial(reset[1]))

    assert [Answer("a1", 413, [(":status", "413")], b"{}"), accepted(3)] == talk.events
    return talk


def half_an_answer() -> Talk:
    """A final status stands even if a reset or the end cuts the body short."""
    talk = Talk(judge=False)
    talk.push(5)
    talk.write()
    for stream, status in ((1, 400), (3, 200), (5, 500), (7, 503)):
        talk.hear(serial(HeadersFrame(stream, block(status), flags=["END_HEADERS"])))
        talk.hear(serial(DataFrame(stream, b'{"rea')))
    talk.hear(serial(RstStreamFrame(1, 2), RstStreamFrame(3, 7)))
    talk.hear(goaway(5))
    talk.recorder.do("lost", "gone")

    answers = {tag: outcome for tag, outcome in talk.outcomes.items() if outcome[0] == "Answer"}
    expected = {f"a{n}": ("Answer", status) for n, status in ((1, 400), (3, 200), (5, 500))}
    assert {**expected, "a7": ("Answer", 503)} == answers
    assert ("Unprocessed", ABOVE_GOAWAY) == talk.outcomes["a9"]
    return talk


def malformed_answers() -> Talk:
    """An answer without a proper status is no answer: the push is in doubt, the stream reset."""
    talk = Talk(judge=False)
    talk.push(7)
    talk.write()
    end = ["END_HEADERS", "END_STREAM"]
    bad = (
        HeadersFrame(1, block("2x0"), flags=end),
        HeadersFrame(3, b"", flags=end),
        HeadersFrame(5, b"\x00\x01a\x01b\x88", flags=end),
        HeadersFrame(7, block(103), flags=end),
        DataFrame(9, b"before any headers"),
        HeadersFrame(11, block("099"), flags=end),
        HeadersFrame(13, block(400), flags=["END_HEADERS"]),
        HeadersFrame(13, b"\x00\x01a\x01b", flags=["END_HEADERS"]),
    )
    talk.hear(serial(*bad))
    output = talk.write()

    expected = {f"a{n}": ("Unanswered", "the answer was malformed") for n in range(1, 13, 2)}
    assert {**expected, "a13": ("Answer", 400)} == talk.outcomes
    assert serial(*(RstStreamFrame(n, 1) for n in range(1, 14, 2))) == output
    return talk


# --------------------------------------------------------------------------- flow control


def big_request_body() -> Talk:
    """A body larger than frame and windows goes out as the server gives room."""
    talk = Talk()
    body = bytes(range(256)) * 400
    talk.push(1, body=body)
    first = talk.write()
    assert talk.server is not None
    full = talk.client.capacity()
    talk.server.acknowledge_received_data(65_535, 1)
    talk.exchange()
    received = [event.data for event in talk.seen if isinstance(event, DATA_RECEIVED)]
    talk.respond(1)
    talk.exchange()

    assert 0 == full
    assert len(first) < 65_535 + 1000
    assert body == b"".join(received)
    assert [accepted(1)] == talk.events
    return talk


def initial_window_zero_and_negative() -> Talk:
    """The initial window may be 0, grow, and shrink until open streams' windows are negative."""
    talk = Talk(window=0)
    talk.push(1, body=b"x" * 300)
    assert talk.server is not None
    sizes = []
    for setting, octets in ((100, 0), (50, 0), (None, 40), (None, 30), (20, 0), (300, 0)):
        if setting is not None:
            talk.hear(initial_window(setting))
        else:
            talk.hear(serial(WindowUpdateFrame(1, octets)))
        talk.recorder.do("take_output")
        sizes.append(300 - talk.client._outbox.unsent)

    assert [100, 100, 100, 120, 120, 300] == sizes
    return talk


def connection_window_is_shared() -> Talk:
    """When the connection window is used up there is no capacity until it grows."""
    talk = Talk()
    talk.push(5, body=b"y" * 15_000)
    stuck = talk.client.capacity()
    talk.write()
    assert talk.server is not None
    talk.server.increment_flow_control_window(70_000)
    talk.exchange()
    ended = [event for event in talk.seen if isinstance(event, STREAM_ENDED)]
    again = talk.client.capacity()
    for stream in (1, 3, 5, 7, 9):
        talk.respond(stream)
    talk.exchange()

    assert 0 == stuck
    assert 5 == len(ended)
    assert 95 == again
    return talk


def answer_before_the_whole_request() -> Talk:
    """An answer that does not wait for the body ends the request: the rest is never sent."""
    talk = Talk(window=10)
    talk.push(1, body=b"z" * 1000)
    talk.exchange()
    talk.respond(1, 413, b"{}")
    talk.exchange()
    resets = [event.error_code for event in talk.seen if isinstance(event, STREAM_RESET)]

    assert [Answer("a1", 413, [(":status", "413")], b"{}")] == talk.events
    assert [8] == resets
    assert 0 == talk.client._outbox.unsent
    return talk


def large_header_block() -> Talk:
    """A header block above the frame size goes out with CONTINUATION."""
    talk = Talk()
    assert talk.server is not None
    talk.server.decoder.max_header_list_size = 100_000
    value = b"v" * 40_000
    head = RequestHead(authority=b"fcm.example", fields=[(b"authorization", value)])
    talk.push(1, head=head)
    talk.push(1, head=head, body=b"")
    talk.exchange()
    received = [event.headers for event in talk.seen if isinstance(event, REQUEST_RECEIVED)]
    talk.respond(1)
    talk.respond(3)
    talk.exchange()

    assert [value.decode()] * 2 == [dict(headers)["authorization"] for headers in received]
    assert [accepted(1), accepted(3)] == talk.events
    return talk


# --------------------------------------------------------------------------- time and health


def deadlines() -> Talk:
    """Requests older than the timeout are cancelled, oldest first; late answers are ignored."""
    talk = Talk(request_timeout_s=10.0)
    talk.push(2)
    talk.now = 5.0
    talk.push(1)
    talk.exchange()
    talk.expire(9.9)
    early = list(talk.events)
    talk.expire(10.0)
    talk.write()
    talk.hear(answer(1) + answer(3, 400, b"{}") + answer(5))
    resets = [event.stream_id for event in talk.seen if isinstance(event, STREAM_RESET)]

    assert [] == early
    assert [Unanswered("a1", TIMED_OUT), Unanswered("a3", TIMED_OUT), accepted(5)] == talk.events
    assert [1, 3] == resets
    return talk


def deadline_before_writing() -> Talk:
    """A request that expires before it was written is provably unprocessed, and never written."""
    talk = Talk(request_timeout_s=10.0)
    talk.push(1)
    talk.exchange()
    talk.now = 1.0
    talk.push(1)
    talk.push(1, body=b"x" * 30_000)
    talk.expire(60.0)
    talk.exchange()
    requests = [event.stream_id for event in talk.seen if isinstance(event, REQUEST_RECEIVED)]

    assert [1] == requests
    expected = {
        "a1": ("Unanswered", TIMED_OUT),
        "a3": ("Unprocessed", NEVER_WRITTEN),
        "a5": ("Unprocessed", NEVER_WRITTEN),
    }
    assert expected == talk.outcomes
    return talk


def dripping_body() -> Talk:
    """A body that drips past the deadline is cut; the status stands."""
    talk = Talk(judge=False, request_timeout_s=10.0)
    talk.push(1)
    talk.write()
    talk.hear(serial(HeadersFrame(1, block(429), flags=["END_HEADERS"])))
    for second in range(9):
        talk.now = float(second)
        talk.hear(serial(DataFrame(1, b".")))
    talk.expire(10.0)

    assert [Answer("a1", 429, [(":status", "429")], b"." * 9)] == talk.events
    assert serial(RstStreamFrame(1, 8)) == talk.write()
    return talk


def pings() -> Talk:
    """Pings are answered, ours are matched with their answer."""
    talk = Talk()
    talk.recorder.do("ping", 3.0)
    asked = talk.client.ping_outstanding_since
    talk.hear(serial(PingFrame(0, b"notours!", flags=["ACK"])))
    still = talk.client.ping_outstanding_since
    assert talk.server is not None
    talk.server.ping(b"12345678")
    talk.exchange()
    acknowledged = [event.ping_data for event in talk.seen if isinstance(event, PING_ACK)]

    assert (3.0, 3.0, None) == (asked, still, talk.client.ping_outstanding_since)
    assert [b"12345678"] == acknowledged
    return talk


def closing_gracefully() -> Talk:
    """After close() no request is taken, open ones are answered, then the end is reported."""
    talk = Talk()
    talk.push(2)
    talk.exchange()
    talk.recorder.do("close")
    talk.recorder.do("close")
    state = (talk.client.capacity(), talk.client.draining, talk.client.closed)
    talk.hear(answer(1) + answer(3))

    assert (0, True, False) == state
    assert [accepted(1), accepted(3), Closed("closed by us", None, b"")] == talk.events
    return talk


def lost_with_open_requests() -> Talk:
    """A lost socket leaves written requests in doubt and frees those never written."""
    talk = Talk()
    talk.push(2)
    talk.write()
    talk.push(1)
    talk.recorder.do("lost", "reset by peer")

    assert [
        Unanswered("a1", "reset by peer"),
        Unanswered("a3", "reset by peer"),
        Unprocessed("a5", NEVER_WRITTEN),
        Closed("reset by peer", None, b""),
    ] == talk.events
    assert b"" == talk.write()
    return talk


DATA_RECEIVED = h2.events.DataReceived
STREAM_ENDED = h2.events.StreamEnded
STREAM_RESET = h2.events.StreamReset
REQUEST_RECEIVED = h2.events.RequestReceived
PING_ACK = h2.events.PingAckReceived

CONVERSATIONS: list[Callable[[], Talk]] = [
    one_push_accepted,
    headers_decoded_on_demand,
    two_hundred_with_body,
    many_streams_out_of_order,
    rejections_with_reason,
    http_errors,
    indexed_before_the_acknowledgement,
    table_size_update_in_front,
    literal_status,
    informational_answers,
    trailers,
    padding_and_priority,
    continued_headers,
    useless_frames,
    stream_limit_up_and_down,
    own_cap,
    goaway_behind_answers_in_one_segment,
    goaway_before_answers_in_one_segment,
    goaway_then_late_answers,
    goaway_zero,
    goaway_in_two_steps,
    goaway_that_rises,
    goaway_then_end,
    goaway_withdraws_unwritten,
    refused_stream,
    other_resets,
    answer_then_reset,
    half_an_answer,
    malformed_answers,
    big_request_body,
    initial_window_zero_and_negative,
    connection_window_is_shared,
    answer_before_the_whole_request,
    large_header_block,
    deadlines,
    deadline_before_writing,
    dripping_body,
    pings,
    closing_gracefully,
    lost_with_open_requests,
]


def whole(data: bytes) -> Iterator[bytes]:
    yield data


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    for position in range(len(data)):
        yield data[position : position + 1]


class CutAt:
    """Cuts the whole of what is received at one offset, counted over all segments."""

    def __init__(self, offset: int) -> None:
        self.offset = offset

    def __call__(self, data: bytes) -> Iterator[bytes]:
        position, self.offset = self.offset, self.offset - len(data)
        if 0 < position < len(data):
            yield data[:position]
            yield data[position:]
        else:
            yield data


@pytest.mark.parametrize("play", CONVERSATIONS, ids=lambda play: play.__name__)
def test_conversation_at_every_byte_split(play: Callable[[], Talk]) -> None:
    """However the received bytes are cut, events and output are the same, each tag once."""
    talk = play()
    talk.write()
    talk.finish()
    recorder = talk.recorder
    total = sum(len(call.arguments[0]) for call in recorder.calls if call.name == "receive")
    cuts = [whole, byte_by_byte, *(CutAt(offset) for offset in range(1, total))]

    for cut in cuts:
        again = recorder.replay(cut)

        assert recorder.events == again.events
        assert recorder.written == again.written


def test_one_client_write_carries_many_requests() -> None:
    """Requests are joined into one write, in order, and counted as sent from then on."""
    talk = Talk()
    talk.push(3)
    output = talk.write()
    requests = [event for event in talk.seen if isinstance(event, REQUEST_RECEIVED)]

    assert ["1", "3", "5"] == [str(event.stream_id) for event in requests]
    assert output.count(b"hello") == 3
    assert b"" == talk.write()


def test_the_judge_sees_a_proper_request() -> None:
    """The server receives method, scheme, authority, path and fields as given."""
    talk = Talk()
    talk.push()
    talk.write()
    [request] = [event for event in talk.seen if isinstance(event, REQUEST_RECEIVED)]

    expected = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "api.push.example"),
        (":path", "/3/device/" + "1".rjust(64, "0")),
        ("authorization", "bearer abc.def.ghi"),
        ("apns-push-type", "alert"),
    ]
    assert expected == [tuple(pair) for pair in request.headers]


def test_big_answers_return_the_window() -> None:
    """Forty rejections of 100 KB each arrive through one connection; 64 KiB of each is kept."""
    talk = Talk(judge=False, limits=None)
    window = 131_072
    received = 0
    given_back = 0
    talk.push(40)
    talk.write()
    for stream in range(1, 80, 2):
        talk.hear(serial(HeadersFrame(stream, block(400), flags=["END_HEADERS"])))
        room = window
        for part in range(10):
            data = bytes((part,)) * 10_000
            flags = ["END_STREAM"] if part == 9 else []
            talk.hear(serial(DataFrame(stream, data, flags=flags)))
            room -= len(data)
            received += len(data)
            for one in frames_in(talk.write()):
                if one.stream_id == stream:
                    room += one.window_increment
                else:
                    given_back += one.window_increment
            assert room > 16_384
    bodies = [event.body for event in talk.events if isinstance(event, Answer)]

    assert [65_536] * 40 == [len(body) for body in bodies]
    assert received - given_back < 2**20 + 16_384


def frames_in(data: bytes) -> Iterator[WindowUpdateFrame]:
    """Return the WINDOW_UPDATE frames in *data*; there must be nothing else."""
    for position in range(0, len(data), 13):
        frame, length = WindowUpdateFrame.parse_frame_header(memoryview(data[position:][:9]))
        assert isinstance(frame, WindowUpdateFrame)
        assert length == 4
        frame.parse_body(memoryview(data[position + 9 : position + 13]))
        yield frame
