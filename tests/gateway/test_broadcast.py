"""Broadcasts to channels and the management of channels: requests, and what answers mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushctl import catalog
from pushctl.gateway import broadcast, channels
from pushctl.message.content import HeaderFields
from pushctl.outcome import Kind, Outcome, TokenAction
from pushctl.rules.channels import Storage, channel_fault

CHANNEL = "dHN0LXNyY2gtY2hubA=="
REQUEST_ID = "2288cf3f-70d8-46a6-97d7-dd5d00867127"
ROWS = [row for row in catalog.all_reasons() if row.service == "apns-broadcast"]


def test_an_accepted_broadcast() -> None:
    """The request's id and Apple's unique id are kept, under either name of the former."""
    headers = [("apns-request-id", REQUEST_ID), ("apns-unique-id", "u-1")]

    outcome = broadcast.read_answer(200, headers, b"")
    older = broadcast.read_answer(200, [("apns-id", REQUEST_ID)], b"")

    assert (Kind.ACCEPTED, REQUEST_ID, "u-1") == (outcome.kind, outcome.id, outcome.unique_id)
    assert REQUEST_ID == older.id


@pytest.mark.parametrize(
    ("status", "kind"),
    [(199, Kind.REJECTED), (200, Kind.ACCEPTED), (299, Kind.ACCEPTED), (300, Kind.REJECTED)],
)
def test_only_a_2xx_is_an_acceptance(status: int, kind: Kind) -> None:
    """Whatever stands between, nothing but success counts as accepted."""
    outcome = broadcast.read_answer(status, (), b"")

    assert (kind, status) == (outcome.kind, outcome.status)


def test_a_refusal_is_told_whole() -> None:
    """With both ids, what the body says where it names no reason, and the wait asked for."""
    headers = [
        ("apns-id", "other"),
        ("apns-request-id", REQUEST_ID),
        ("apns-unique-id", "u-1"),
        ("retry-after", "7"),
    ]
    row = catalog.by_status("apns-broadcast", 429)

    expected = Outcome(
        kind=Kind.REJECTED,
        status=429,
        case=catalog.BROADCAST,
        description=row.description,
        category=row.category,
        retryable=row.retryable,
        id=REQUEST_ID,
        unique_id="u-1",
        detail="oops",
        retry_after_s=7,
    )
    assert expected == broadcast.read_answer(429, headers, b"oops")
    unread = expected._replace(detail='{"reason":7}')
    assert unread == broadcast.read_answer(429, headers, b'{"reason":7}')


@pytest.mark.parametrize(
    ("own", "added"),
    [
        ((), ((b"apns-expiration", b"0"),)),
        (((b"apns-priority", b"5"),), ((b"apns-expiration", b"0"),)),
        (((b"apns-priority", b"5"), (b"apns-expiration", b"1")), ()),
    ],
)
def test_the_header_of_a_broadcast(own: HeaderFields, added: HeaderFields) -> None:
    """The content's fields, an expiration in any case, the channel and the request's id."""
    fields = broadcast.fields(own, channel=CHANNEL, request_id=b"1")

    addressed = ((b"apns-channel-id", CHANNEL.encode()), (b"apns-request-id", b"1"))
    assert (*own, *added, *addressed) == fields


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_reason_means_what_the_broadcast_table_says(row: catalog.Reason) -> None:
    """Its words are those of that table, also where the device table has the same reason."""
    body = json.dumps({"reason": row.name}).encode()

    outcome = broadcast.read_answer(row.status or 0, (), body)

    assert (Kind.REJECTED, row.name, catalog.BROADCAST) == (
        outcome.kind,
        outcome.reason,
        outcome.case,
    )
    assert (row.description, row.category, row.retryable) == (
        outcome.description,
        outcome.category,
        outcome.retryable,
    )
    assert row is catalog.of_record("apns", outcome.reason, status=row.status, case=outcome.case)
    assert outcome.detail is None


def test_the_other_spelling_of_a_503() -> None:
    """Apple's page writes `Service Unavailable`; both are counted as one, the answer's is kept."""
    outcome = broadcast.read_answer(503, (), b'{"reason": "Service Unavailable"}')

    assert ("ServiceUnavailable", "the answer spells it Service Unavailable") == (
        outcome.reason,
        outcome.detail,
    )


def test_a_reason_of_devices_alone() -> None:
    """What only the device table knows is still explained, and what nobody knows by its status."""
    known = catalog.lookup("apns", "BadCollapseId", case=catalog.BROADCAST)
    unknown = broadcast.read_answer(400, (), b'{"reason": "BrandNew"}')
    elsewhere = broadcast.read_answer(503, (), b'{"reason": "ChannelNotRegistered"}')

    assert known is catalog.lookup("apns", "BadCollapseId")
    assert ("BrandNew", catalog.by_status("apns", 400).category) == (
        unknown.reason,
        unknown.category,
    )
    assert ("ChannelNotRegistered", catalog.by_status("apns", 503).category, None) == (
        elsewhere.reason,
        elsewhere.category,
        elsewhere.detail,
    )


@given(
    status=st.integers(100, 999),
    headers=st.lists(
        st.tuples(
            st.sampled_from(["apns-id", "apns-request-id", "retry-after", "x"]), st.text(max_size=9)
        ),
        max_size=4,
    ),
    body=st.binary(max_size=60) | st.sampled_from([b'{"reason": 7}', b'{"reason": "\\u001b"}']),
)
def test_no_answer_fails_or_kills_a_token(
    status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    """Whatever comes, it is an outcome, and a 410 too leaves every token alone."""
    outcome = broadcast.read_answer(status, headers, body)

    assert TokenAction.KEEP is outcome.token_action
    assert (outcome.kind is Kind.ACCEPTED) == (200 <= status < 300)


def test_the_documented_requests() -> None:
    """Method, path, header fields and body are those of Apple's page."""
    app = "com.example.MyApp"

    create = channels.create(app, Storage.LAST)

    assert ("POST", "/1/apps/com.example.MyApp/channels") == (create.method, create.path)
    assert b'{"message-storage-policy":1,"push-type":"LiveActivity"}' == create.body
    assert b'"message-storage-policy":0' in (channels.create(app, Storage.NONE).body or b"")
    assert (("content-type", "application/json"),) == create.fields
    for call, method in ((channels.read, "GET"), (channels.delete, "DELETE")):
        made = call(app, CHANNEL)
        assert (method, "/1/apps/com.example.MyApp/channels") == (made.method, made.path)
        assert (("apns-channel-id", CHANNEL),) == made.fields
        assert made.body is None
    listed = channels.list_all(app)
    assert ("GET", "/1/apps/com.example.MyApp/all-channels") == (listed.method, listed.path)
    assert ((), None) == (listed.fields, listed.body)
    assert b"/4/broadcasts/apps/com.example.MyApp" == broadcast.path(app)


def test_what_changes_something() -> None:
    """Creating and deleting do, reading and listing do not."""
    assert [True, True, False, False] == [
        call.changes
        for call in (
            channels.create("a", Storage.NONE),
            channels.delete("a", CHANNEL),
            channels.read("a", CHANNEL),
            channels.list_all("a"),
        )
    ]


@pytest.mark.parametrize("app", ["", "a/b", "a?b", "a b", "ä", "a\r\nb"])
def test_an_app_that_cannot_stand_in_a_path(app: str) -> None:
    """A bundle id that would change the request is refused."""
    with pytest.raises(ValueError, match="bundle id"):
        broadcast.path(app)
    with pytest.raises(ValueError, match="bundle id"):
        channels.list_all(app)


@pytest.mark.parametrize("channel", ["", "a b", "a\r\nx: y", "ä", "a" * 2000, "====", "a=b"])
def test_what_is_no_channel_id(channel: str) -> None:
    """It is said why, and neither a request nor a broadcast is made with it."""
    assert channel_fault(channel)
    with pytest.raises(ValueError, match="base64"):
        channels.read("a", channel)
    with pytest.raises(ValueError, match="base64"):
        broadcast.fields((), channel=channel, request_id=b"1")


@given(st.binary(min_size=1, max_size=100))
def test_every_base64_is_a_channel_id(data: bytes) -> None:
    """No id that APNs can have given is refused, in either alphabet, padded or not."""
    import base64

    for text in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
        assert channel_fault(text.decode()) is None
        assert channel_fault(text.decode().rstrip("=")) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("apns-channel-id", CHANNEL)], CHANNEL),
        ([("apns-channel-id", "\x1b[31mYQ==")], "[31mYQ=="),
        ([("apns-channel-id", "\x1b")], None),
        ([("apns-request-id", "1")], None),
    ],
)
def test_the_id_of_a_new_channel(headers: list[tuple[str, str]], expected: str | None) -> None:
    """It comes out whole and safe to show, or not at all."""
    assert expected == channels.created_id(headers)


# Survives `gateway/channels.py`: `Properties`: both are always given.
# Survives `gateway/channels.py`: `None if policy is None else`: none is called None (mypy).
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"message-storage-policy":0,"push-type":"LiveActivity"}', ("none", "LiveActivity")),
        (b'{"message-storage-policy":1}', ("last", None)),
        (b'{"message-storage-policy":true}', (None, None)),
        (b'{"message-storage-policy":[]}', (None, None)),
        (b'{"message-storage-policy":2,"push-type":7}', (None, None)),
        (b"[]", (None, None)),
        (b"\xff", (None, None)),
        (b"[" * 100_000, (None, None)),
    ],
)
def test_what_a_channel_is_told_to_be(body: bytes, expected: Any) -> None:
    """What the answer does not say plainly is not guessed."""
    found = channels.properties(body)

    assert expected == (found.storage, found.push_type)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"channels":[]}', []),
        (b'{"channels":["YQ==","Yg=="]}', ["YQ==", "Yg=="]),
        (b'{"channels":["YQ==",7,null,""]}', ["YQ=="]),
        (b'{"channels":["\\u001b[31mYQ=="]}', ["[31mYQ=="]),
        (b'{"channels":{}}', None),
        (b"{}", None),
        (b"no", None),
    ],
)
def test_a_list_of_channels(body: bytes, expected: list[str] | None) -> None:
    """Ids come out safe to show; something else than a list is none."""
    assert expected == channels.channel_ids(body)
