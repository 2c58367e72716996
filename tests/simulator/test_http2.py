"""What the simulator does to a connection: limits, resets, GOAWAY, cuts, hanging, half answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from h2.errors import ErrorCodes

from pushctl.simulator import Drop, GoAway, Hang, Reset, Rule, Script, Stats
from simulator.kit import ANDROID_TOKEN, OTHER_TOKEN, TOKEN, RawClient, serving


def test_one_stream_until_the_first_good_request(tmp_path: Path) -> None:
    """The limit is 1, streams above it are refused unprocessed, then it is a thousand."""
    with serving(tmp_path) as served, RawClient(served) as client:
        streams = [client.open(), client.open(), client.open()]
        client.flush()
        client.until(lambda: client.status(streams[0]) and client.reset_code(streams[2]))
        client.until(lambda: len(client.stream_limits()) == 2)
        refused = [client.reset_code(stream) for stream in streams]
        assert ([None, 7, 7], [1, 1000]) == (refused, client.stream_limits())
        more = [client.open(f"{number:064x}") for number in range(1, 51)]
        client.flush()
        client.until(lambda: all(client.status(stream) for stream in more))
        stats = served.fake.stats()
    assert {200} == {client.status(stream) for stream in more}
    assert (51, 51, 2) == (stats.requests, stats.accepted, stats.refused_streams)


def test_a_bad_provider_token_does_not_raise_the_limit(tmp_path: Path) -> None:
    """Only a request with a valid provider token opens the connection up."""
    with serving(tmp_path) as served:
        good, served.bearer = served.bearer, "bearer nonsense"
        with RawClient(served) as client:
            first = client.push()
            client._bearer = good
            second = client.push()
            client.until(lambda: len(client.stream_limits()) == 2)
    assert (403, 200) == (first, second)


def test_fcm_has_no_first_limit(tmp_path: Path) -> None:
    """Many messages to FCM at once, before any limit was seen, are served."""
    with serving(tmp_path) as served:
        access = served.access_token()
        with RawClient(served) as client:
            path = f"/v1/projects/{served.made.project_id}/messages:send"
            client._bearer = f"Bearer {access}"
            body = json.dumps({"message": {"token": ANDROID_TOKEN, "data": {"a": "b"}}}).encode()
            streams = [client.open(path=path, method="POST", body=body) for _ in range(30)]
            client.flush()
            client.until(lambda: all(client.ended(stream) for stream in streams))
        assert {200} == {client.status(stream) for stream in streams}
        assert (30, 0) == (served.fake.stats().accepted, served.fake.stats().refused_streams)


def test_streams_at_the_limit_are_fine(tmp_path: Path) -> None:
    """A client that fills the announced limit again and again is never refused."""
    script = Script(first_streams=5, max_streams=5)
    with serving(tmp_path, script=script) as served, RawClient(served) as client:
        for _ in range(10):
            streams = [client.open() for _ in range(5)]
            client.flush()
            client.until(lambda: all(client.ended(stream) for stream in streams))  # noqa: B023
        stats = served.fake.stats()
    assert (50, 0, 5) == (stats.accepted, stats.refused_streams, stats.streams_high_water)


def test_the_limit_follows_the_script(tmp_path: Path) -> None:
    """Up to 10, then down to 2 after the third push; an open stream above it lives on."""
    script = Script(
        max_streams=10,
        stream_limits=((3, 2),),
        rules=(Rule(token=OTHER_TOKEN, answer="accept", delay_s=0.05),),
    )
    with serving(tmp_path, script=script) as served, RawClient(served) as client:
        client.push()
        slow = [client.open(OTHER_TOKEN), client.open(OTHER_TOKEN)]
        client.flush()
        client.until(lambda: all(client.status(stream) for stream in slow))
        client.until(lambda: len(client.stream_limits()) == 3)
    assert [1, 10, 2] == client.stream_limits()


@pytest.mark.parametrize(
    "code", ["INTERNAL_ERROR", "REFUSED_STREAM", "CANCEL", "ENHANCE_YOUR_CALM"]
)
def test_streams_can_be_reset(tmp_path: Path, code: str) -> None:
    """A reset has the code of the rule; only REFUSED_STREAM means that nothing was processed."""
    with (
        serving(
            tmp_path, script=Script(rules=(Rule(token=TOKEN, answer=f"rst:{code}"),))
        ) as served,
        RawClient(served) as client,
    ):
        stream = client.open()
        client.flush()
        client.until(lambda: client.reset_code(stream) is not None)
        assert 200 == client.push(OTHER_TOKEN)
        stats = served.fake.stats()
    assert (ErrorCodes[code], code != "REFUSED_STREAM", {"rst": 1}) == (
        client.reset_code(stream),
        TOKEN in stats.accepted_per_token,
        stats.faults,
    )


@pytest.mark.parametrize(
    ("action", "processed"),
    [
        (Drop(), True),
        (Drop(processed=False), False),
        (Reset(processed=False), False),
        (Hang(processed=False), False),
    ],
)
def test_a_fault_is_before_or_after_processing(
    tmp_path: Path, action: Drop | Reset | Hang, processed: bool
) -> None:
    """What the sender cannot know, the counts do: whether the push was accepted."""
    with (
        serving(
            tmp_path, script=Script(first_streams=2, rules=(Rule(token=TOKEN, answer=action),))
        ) as served,
        RawClient(served) as client,
    ):
        client.open()
        client.flush()
        if isinstance(action, Drop):
            client.until_closed()
        elif isinstance(action, Reset):
            client.until(lambda: client.reset_code(1) is not None)
        else:
            client.push(OTHER_TOKEN)  # once it is answered, the one before was handled
        assert int(processed) == served.fake.stats().accepted_per_token.get(TOKEN, 0)


def test_a_hanging_stream_leaves_the_others_alone(tmp_path: Path) -> None:
    """One push is never answered, the next one on the connection is."""
    script = Script(first_streams=10, rules=(Rule(token=TOKEN, answer="hang"),))
    with serving(tmp_path, script=script) as served, RawClient(served) as client:
        silent = client.open()
        client.flush()
        assert 200 == client.push(OTHER_TOKEN)
    assert client.status(silent) is None


@pytest.mark.parametrize("word", ["half", "half:drop"])
def test_half_an_answer(tmp_path: Path, word: str) -> None:
    """The status comes and the stream does not end; then nothing, or the connection is gone."""
    with (
        serving(tmp_path, script=Script(rules=(Rule(token=TOKEN, answer=word),))) as served,
        RawClient(served) as client,
    ):
        stream = client.open()
        client.flush()
        client.until(lambda: client.status(stream) is not None)
        assert (200, False) == (client.status(stream), client.ended(stream))
        if word == "half:drop":
            client.until_closed()
            assert client.closed


def _goaway(tmp_path: Path, action: GoAway) -> tuple[RawClient, Stats, list[int]]:
    """Open streams 1 (alone), then 3, 5, 7, of which 5 meets the GOAWAY."""
    rules = (
        Rule(token=TOKEN, answer=action),
        Rule(token="aa", answer="accept", delay_s=0.05),
    )
    with (
        serving(tmp_path, script=Script(rules=rules)) as served,
        RawClient(served) as client,
    ):
        client.push(OTHER_TOKEN)
        streams = [client.open("aa"), client.open(TOKEN), client.open("bb")]
        client.flush()
        client.until(lambda: client.goaway() is not None)
        if action.last_stream == "all":
            client.until(lambda: all(client.ended(stream) for stream in (streams[0], streams[2])))
        else:
            client.until_closed()
        return client, served.fake.stats(), streams


def test_goaway_with_this_stream_last(tmp_path: Path) -> None:
    """The push that met it is processed, those above are not; then the connection ends."""
    client, stats, streams = _goaway(tmp_path, GoAway(debug=b'{"reason":"Shutdown"}'))
    found = client.goaway()
    assert found is not None
    assert (streams[1], 0, b'{"reason":"Shutdown"}') == (
        found.last_stream_id,
        found.error_code,
        found.additional_data,
    )
    assert {OTHER_TOKEN: 1, TOKEN: 1, "aa": 1} == stats.accepted_per_token
    assert (True, True, False) == tuple(client.ended(stream) for stream in streams)


def test_goaway_with_the_previous_stream_last(tmp_path: Path) -> None:
    """The push that met it was not processed."""
    client, stats, streams = _goaway(
        tmp_path, GoAway(last_stream="previous", code=ErrorCodes.ENHANCE_YOUR_CALM)
    )
    found = client.goaway()
    assert found is not None
    assert (streams[0], ErrorCodes.ENHANCE_YOUR_CALM) == (found.last_stream_id, found.error_code)
    assert {OTHER_TOKEN: 1, "aa": 1} == stats.accepted_per_token
    assert (True, False, False) == tuple(client.ended(stream) for stream in streams)


def test_goaway_as_a_first_warning(tmp_path: Path) -> None:
    """With the highest stream id the server serves on."""
    client, stats, _ = _goaway(tmp_path, GoAway(last_stream="all"))
    found = client.goaway()
    assert found is not None
    assert (2**31 - 1, 1) == (found.last_stream_id, stats.accepted_per_token["bb"])


def frames(data: bytes) -> list[tuple[int, int]]:
    """Return (type, stream) of each frame in *data*."""
    found = []
    while data:
        length = int.from_bytes(data[:3])
        found.append((data[3], int.from_bytes(data[5:9])))
        data = data[9 + length :]
    return found


def test_answers_below_a_goaway_still_come(tmp_path: Path) -> None:
    """The late answer of a lower stream follows the GOAWAY on the wire, before the end."""
    rules = (
        Rule(token=TOKEN, answer=GoAway()),
        Rule(token="aa", answer="accept", delay_s=0.05),
    )
    with (
        serving(tmp_path, script=Script(first_streams=5, rules=rules)) as served,
        RawClient(served) as client,
    ):
        slow, met = client.open("aa"), client.open(TOKEN)
        client.flush()
        raw = b""
        while data := client._socket.recv(65536):
            raw += data
    headers_frame, goaway_frame = 1, 7
    kinds = [item for item in frames(raw) if item[0] in (headers_frame, goaway_frame)]
    assert [(goaway_frame, 0), (headers_frame, met), (headers_frame, slow)] == kinds


def test_every_so_many_pushes_something_happens(tmp_path: Path) -> None:
    """refuse_every resets, cut_every accepts and cuts, goaway_every ends after the answer."""
    with (
        serving(tmp_path / "a", script=Script(refuse_every=2)) as served,
        RawClient(served) as client,
    ):
        client.push()
        stream = client.open()
        client.flush()
        client.until(lambda: client.reset_code(stream) is not None)
        assert (7, 2, 1) == (
            client.reset_code(stream),
            served.fake.stats().requests,
            served.fake.stats().accepted,
        )
    with (
        serving(tmp_path / "b", script=Script(cut_every=2)) as served,
        RawClient(served) as client,
    ):
        client.push()
        client.open(OTHER_TOKEN)
        client.flush()
        client.until_closed()
        assert (2, {"drop": 1}) == (served.fake.stats().accepted, served.fake.stats().faults)
    with (
        serving(tmp_path / "c", script=Script(goaway_every=2)) as served,
        RawClient(served) as client,
    ):
        assert [200, 200] == [client.push(), client.push(OTHER_TOKEN)]
        client.until_closed()
        assert client.goaway() is not None
        assert 2 == served.fake.stats().accepted


def test_a_delayed_answer_of_a_stream_that_was_reset(tmp_path: Path) -> None:
    """A client that gives up on a stream gets no answer on it, and the connection lives."""
    script = Script(rules=(Rule(token=TOKEN, answer="accept", delay_s=0.05),))
    with serving(tmp_path, script=script) as served, RawClient(served) as client:
        stream = client.open()
        client.h2.reset_stream(stream, ErrorCodes.CANCEL)
        client.flush()
        assert 200 == client.push(OTHER_TOKEN)
        assert client.status(stream) is None


def test_a_large_answer_respects_the_clients_window(tmp_path: Path) -> None:
    """A body larger than the client's window comes in parts as the window is given back."""
    with serving(tmp_path) as served:
        for number in range(1, 31):
            served.push(f"{number:064x}")
        with RawClient(served, window=100) as client:
            stream = client.open(path="/stats")
            client.flush()
            client.until(lambda: client.status(stream) is not None)
            while not client.ended(stream):
                client.flush()
                client.read()
        assert client.body(stream).startswith(b'{"requests":30')


def test_a_protocol_error_ends_the_connection(tmp_path: Path) -> None:
    """Garbage is answered with GOAWAY and the end; the simulator serves others."""
    with serving(tmp_path) as served:
        with RawClient(served) as client:
            client.read()
            client._socket.sendall(b"\x00\x00\x00\x00\x00\x00\x00\x00\x01")
            client.until_closed()
            found = client.goaway()
            assert found is not None
            assert found.error_code == ErrorCodes.PROTOCOL_ERROR
        assert 200 == served.push().status_code


def test_requests_in_front_of_a_clients_goaway_are_answered(tmp_path: Path) -> None:
    """A client may say goodbye behind its last request and still get the answer."""
    with serving(tmp_path) as served, RawClient(served) as client:
        client.open()
        data = client.h2.data_to_send()
        client.h2.close_connection()
        goodbye = client.h2.data_to_send()
        client._socket.sendall(data + goodbye)
        raw = b""
        while part := client._socket.recv(65536):
            raw += part
        headers_frame = 1
        assert (headers_frame, 1) in frames(raw)
        assert 1 == served.fake.stats().accepted
