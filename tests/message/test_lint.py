"""Tests of the lint: what is refused before sending, and what is only remarked on."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.values import JSON_VALUES
from message.kit import from_yaml, payload
from pushctl.errors import InvalidInput, Problem
from pushctl.message.lint import Verdict, lint
from pushctl.message.model import Message
from pushctl.message.neutral import from_document, from_options, from_payload
from pushctl.outcome import Service
from pushctl.rules.apns import Sender, Signing

BOTH = (Service.APNS, Service.FCM)


def said(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    """Return place and message of each problem."""
    return [(str(problem.place), problem.message) for problem in problems]


def test_a_good_message_has_nothing_said_about_it() -> None:
    """A message with every field in order passes for both services without a remark."""
    message = from_yaml(
        "{title: 'Hi {{ name }}', subtitle: s, body: b, badge: '{{ n }}', sound: default,"
        " image: 'https://x/i.png', data: {order: 17}, collapse_id: c, ttl: 28d, priority: high,"
        " push_type: alert, thread_id: t, category: c,"
        " apns: {aps: {interruption-level: active}, payload: {own: 1}, headers: {}},"
        " fcm: {android: {notification: {channel_id: orders}}}}"
    )

    assert Verdict() == lint(message, BOTH)


@pytest.mark.parametrize(
    "message",
    [
        Message(),
        from_options(ttl="5", priority="high", collapse_id="c", push_type="alert"),
    ],
)
def test_an_empty_message_is_refused_with_what_to_give(message: Message) -> None:
    """Delivery options alone make no message; nothing else is said of it."""
    (problem,) = lint(message, BOTH).errors

    assert "the message is empty" == problem.message
    assert problem.hint is not None
    assert "--title" in problem.hint


def test_a_push_type_that_needs_no_content_is_not_empty() -> None:
    """A widget reload carries nothing of the sender's."""
    assert Verdict() == lint(from_options(push_type="widgets"), [Service.APNS])


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("body: b\npush_type: background", "m.yaml:1:7", "must not have `alert`"),
        ("data: {a: b}\npriority: high", "m.yaml:2:11", "must have APNs priority 5, not 10"),
        ("title: t\ndata: {aps: x}", "m.yaml:2:8", "the data key `aps` is Apple's own"),
        ("{title: t, image: 'https://x', data: {image: x}}", "m.yaml:1:39", "taken by `image`"),
        (f"title: t\ncollapse_id: {'é' * 33}", "m.yaml:2:14", "this one has 66"),
        ("title: t\napns: {aps: {badge: x}}", "m.yaml:2:21", "`badge` must be a whole number"),
        (
            "title: t\napns: {aps: {interruption-level: loud}}",
            "m.yaml:2:34",
            "`interruption-level` must be one of passive, active, time-sensitive, critical",
        ),
        ("title: t\napns: {headers: {apns-priority: 7}}", "m.yaml:2:33", "must be 10, 5 or 1"),
        ("title: t\napns: {headers: {apns-expiration: x}}", "m.yaml:2:35", "a whole number"),
        (
            "title: t\napns: {headers: {apns-expiration: 1800000000000}}",
            "m.yaml:2:35",
            "looks like milliseconds",
        ),
        ("title: t\napns: {headers: {apns-collapse-id: 3}}", "m.yaml:2:36", "must be a text"),
        ("title: t\napns: {headers: {apns-topic: x}}", "m.yaml:2:18", "`apns-topic` may not"),
        ("title: t\napns: {headers: {apns-prio: 5}}", "m.yaml:2:18", "`apns-prio` may not"),
        ("title: t\napns: {headers: {apns-push-type: x}}", "m.yaml:2:34", "`x` is no APNs push"),
        ("image: 'https://x'\nbadge: 1", "m.yaml:1:8", "an image needs a title or a body"),
        ("title: t\nimage: logo.png", "m.yaml:2:8", "`image` must be an https:// address"),
        ("title: '{{ a'", "m.yaml:1:8", "the placeholder cannot be read"),
        ("title: t\npush_type: mdm", "m.yaml:1:1", "must have a text `mdm`"),
        ("title: t\ndata: {'{{ a }}': x}", "m.yaml:2:8", "not filled in keys"),
        ("title: t\ndata: {t: '" + "x" * 4100 + "'}", "m.yaml:1:1", "has 4138 bytes"),
    ],
)
def test_what_apns_is_sure_to_refuse_is_an_error(text: str, place: str, words: str) -> None:
    """Each rule of APNs is named, at the line and column of what breaks it."""
    errors = said(lint(from_yaml(text), [Service.APNS]).errors)

    assert [place] == [at for at, _ in errors]
    assert words in errors[0][1]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("title: t\nttl: 29d", "m.yaml:2:6", "(four weeks)"),
        ("title: t\ndata: {from: x}", "m.yaml:2:8", "`from` is reserved"),
        ("title: t\ndata: {google.x: x}", "m.yaml:2:8", "`google.x` is reserved"),
        ("title: t\ndata: {o: {a: 1}}", "m.yaml:2:11", "takes only texts in `data`"),
        ("title: t\nfcm: {data: {n: 1}}", "m.yaml:2:17", "takes only texts in `data`"),
        ("title: t\nfcm: {android: {ttl: 90}}", "m.yaml:2:22", 'such as "90s"'),
        ("title: t\nfcm: {android: {priority: x}}", "m.yaml:2:27", "must be one of NORMAL"),
        ("title: t\nfcm: {token: x}", "m.yaml:2:14", "`token` does not belong"),
        ("title: t\nttl: 5\nfcm: {androidV2: {}}", "m.yaml:3:7", "exclude each other"),
        ("badge: 3\nfcm: {apns: null}", "m.yaml:1:1", "the message is empty for FCM"),
        ("title: t\nbody: '" + "x" * 4100 + "'", "m.yaml:1:1", "has 4110 bytes"),
    ],
)
def test_what_fcm_is_sure_to_refuse_is_an_error(text: str, place: str, words: str) -> None:
    """Each rule of FCM is named, at the line and column of what breaks it."""
    errors = said(lint(from_yaml(text), [Service.FCM]).errors)

    assert [place] == [at for at, _ in errors]
    assert words in errors[0][1]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("title: t\napns: {aps: {bagde: 1}}", "m.yaml:2:14", "no key `bagde`"),
        ("title: t\nfcm: {andriod: {}}", "m.yaml:2:7", "no field `andriod`"),
        ("data: {t: v}\npush_type: voip", "m.yaml:2:12", "FCM sends no pushes of type voip"),
        ("badge: 3", "m.yaml:1:8", "Android shows nothing, `badge` included"),
        ("sound: x", "m.yaml:1:8", "Android shows nothing, `sound` included"),
        ("title: t\nimage: 'http://x'", "m.yaml:2:8", "not served over https"),
        ("title: t\ndata: {gcm_x: y}", "m.yaml:2:8", "choose another"),
        (
            "title: t\nfcm: {apns: {payload: {x: '" + "x" * 4100 + "'}}}",
            "m.yaml:2:23",
            "over 4096 bytes",
        ),
        (
            "title: t\nfcm: {apns: {headers: {apns-collapse-id: ' x'}}}",
            "m.yaml:2:42",
            "white space",
        ),
    ],
)
def test_what_is_hardly_meant_is_a_warning(text: str, place: str, words: str) -> None:
    """A warning has its place, and does not stop the run."""
    verdict = lint(from_yaml(text), BOTH)

    assert () == verdict.errors
    assert [place] == [at for at, _ in said(verdict.warnings)]
    assert words in verdict.warnings[0].message


def test_both_services_say_the_same_thing_once() -> None:
    """A template that is broken for both services is one problem."""
    errors = lint(from_yaml("title: '{{ a'\nimage: logo.png"), BOTH).errors

    assert ["m.yaml:1:8", "m.yaml:2:8"] == [place for place, _ in said(errors)]


def test_what_is_refused_is_not_doubted_as_well() -> None:
    """A collapse id that APNs refuses brings no second remark about iOS devices."""
    verdict = lint(from_yaml(f"title: t\ncollapse_id: {'x' * 65}"), BOTH)

    assert 1 == len(verdict.errors)
    assert () == verdict.warnings


def test_the_problems_are_in_the_order_of_the_file() -> None:
    """Whatever rule found them, they are told from top to bottom; options come first."""
    base = from_yaml("data: {from: x}\nttl: 29d\napns: {aps: {badge: x}}\nfcm: {name: x}")
    message = from_options(image="logo.png", base=base)

    assert ["--image", "--image", "m.yaml:1:8", "m.yaml:2:6", "m.yaml:3:21", "m.yaml:4:7"] == [
        place for place, _ in said(lint(message, BOTH).errors)
    ]


def test_a_placeholder_is_not_judged_before_it_is_filled() -> None:
    """A badge, a colour or an address from an attribute is left to the rendering."""
    message = from_yaml(
        "{title: t, image: '{{ u }}', badge: '{{ n }}', collapse_id: '{{ c }}', "
        "apns: {aps: {interruption-level: '{{ l }}'}},"
        "fcm: {android: {ttl: '{{ t }}', notification: {color: '{{ c }}'}}}}"
    )

    assert Verdict() == lint(message, BOTH)


def test_a_template_that_is_always_too_large_is_refused() -> None:
    """Where even the fixed part is over the limit no recipient could be sent to."""
    message = from_yaml("title: '{{ a }}'\nbody: '" + "x" * 5000 + "'")
    messages = [problem.message for problem in lint(message, BOTH).errors]

    assert [
        "the APNs payload has at least 5039 bytes; a push of type alert has 4096 at most",
        "the FCM payload has at least 5009 bytes; 4096 is the most to a token",
    ] == messages


def test_a_topic_takes_half_of_what_a_token_takes() -> None:
    """The FCM limit follows the kind of target."""
    message = from_options(body="x" * 3000)

    assert () == lint(message, [Service.FCM]).errors
    assert ["the FCM payload has 3004 bytes; 2048 is the most to a topic"] == [
        problem.message
        for problem in lint(message, [Service.FCM], target_kinds=["token", "topic"]).errors
    ]


def test_a_topic_of_another_push_type_is_a_warning() -> None:
    """A VoIP topic for an alert is remarked on."""
    message = from_options(body="b")
    senders = [Sender(topic, Signing.KEY) for topic in ("com.acme.voip", "com.acme")]
    verdict = lint(message, [Service.APNS], senders=senders)

    assert 1 == len(verdict.warnings)
    assert "belongs to pushes of type voip" in verdict.warnings[0].message


def test_a_raw_payload_is_judged_in_its_own_file() -> None:
    """Places are those of the payload file, and each service reads only its own."""
    message = from_payload(
        {
            Service.APNS: payload({"aps": {"alert": 3}, "token": "x"}, "a.json"),
            Service.FCM: payload({"message": {"data": {}}}, "f.json"),
        }
    )

    assert [("a.json:1:19", "`alert` must be a text or an object, not a number")] == said(
        lint(message, [Service.APNS]).errors
    )
    assert [
        ("f.json:1:1", "the message is empty for FCM: no notification and no data"),
        ("f.json:1:2", "this is a whole request: the message is what stands inside `message`"),
    ] == said(lint(message, [Service.FCM]).errors)


def test_a_raw_payload_must_tell_its_push_type() -> None:
    """Where the content leaves it open, the sender has to say."""
    raw = {Service.APNS: payload({"caller": "Bob"})}
    (problem,) = lint(from_payload(raw), [Service.APNS]).errors
    stated = from_options(push_type="voip", base=from_payload(raw))

    assert "the payload does not tell its push type" == problem.message
    assert Verdict() == lint(stated, [Service.APNS])


def test_a_service_without_its_raw_payload_is_refused() -> None:
    """A mixed audience needs a payload for each service."""
    message = from_payload({Service.FCM: payload({"data": {"k": "v"}})})
    with pytest.raises(InvalidInput, match="there is no payload for apns"):
        lint(message, BOTH)


def test_a_value_that_json_cannot_say_is_one_problem() -> None:
    """A message made in code may hold NaN: that is said, and the size is left alone."""
    message = Message(title="t", fcm={"apns": {"payload": {"x": float("nan")}}, "data": {"a": "b"}})

    assert ["this value cannot be written as JSON"] == [
        problem.message for problem in lint(message, [Service.FCM]).errors
    ]


@given(
    st.fixed_dictionaries(
        {"title": st.just("t")},
        optional={
            "data": st.dictionaries(st.text(max_size=5), JSON_VALUES),
            "apns": st.fixed_dictionaries(
                {},
                optional={
                    "headers": st.dictionaries(
                        st.sampled_from(
                            ["apns-priority", "apns-push-type", "apns-collapse-id", "x"]
                        ),
                        JSON_VALUES,
                    ),
                    "aps": st.dictionaries(st.sampled_from(["alert", "sound"]), JSON_VALUES),
                    "payload": st.dictionaries(st.sampled_from(["aps", "x"]), JSON_VALUES),
                },
            ),
            "fcm": st.dictionaries(
                st.sampled_from(["android", "apns", "data", "notification", "webpush"]),
                JSON_VALUES,
            ),
        },
    )
)
def test_any_overrides_are_judged(value: dict[str, Any]) -> None:
    """No override makes the lint fail; what it finds has a place in the file."""
    verdict = Verdict()
    with contextlib.suppress(InvalidInput):
        verdict = lint(from_document(payload(value)), BOTH)

    assert all(problem.place is not None for problem in (*verdict.errors, *verdict.warnings))
