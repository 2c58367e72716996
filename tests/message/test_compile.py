"""Tests of what each service is given, and of filling it for each recipient."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.values import JSON_VALUES
from message.kit import NOW, apns, apns_body, fcm, fcm_message, from_yaml, payload
from pushctl.errors import InvalidInput, PushctlError
from pushctl.message.compile import compile_message
from pushctl.message.content import (
    ApnsContent,
    FcmContent,
    MissingAttribute,
    PayloadTooLarge,
    UnusableAttribute,
)
from pushctl.message.model import Message
from pushctl.message.neutral import dated, from_options, from_payload
from pushctl.outcome import Service

# -- the mapping --------------------------------------------------------------------------------


def test_every_neutral_field_has_its_place_in_the_apns_payload() -> None:
    """Texts in the alert, own data beside aps, an image with mutable-content."""
    message = from_yaml(
        "{title: t, subtitle: s, body: b, badge: 3, sound: d, image: 'https://x/i.png',"
        " data: {n: 7, o: {k: [true, null]}}, thread_id: i, category: c}"
    )

    assert {
        "aps": {
            "alert": {"title": "t", "subtitle": "s", "body": "b"},
            "badge": 3,
            "sound": "d",
            "thread-id": "i",
            "category": "c",
            "mutable-content": 1,
        },
        "image": "https://x/i.png",
        "n": 7,
        "o": {"k": [True, None]},
    } == apns_body(message)


def test_every_neutral_field_has_its_place_in_the_fcm_message() -> None:
    """Android has its part, and an iOS app that uses Firebase has its own."""
    message = from_yaml(
        "{title: t, subtitle: s, body: b, badge: 3, sound: d, image: 'https://x/i.png',"
        " data: {n: 7, f: 1.5, y: true, s: x}, thread_id: i, category: c, ttl: 90,"
        " priority: low, collapse_id: k}"
    )

    assert {
        "notification": {"title": "t", "body": "b", "image": "https://x/i.png"},
        "data": {"n": "7", "f": "1.5", "y": "true", "s": "x"},
        "android": {
            "notification": {"sound": "d", "notificationCount": 3},
            "priority": "NORMAL",
            "ttl": "90s",
            "collapseKey": "k",
        },
        "apns": {
            "headers": {
                "apns-priority": "1",
                "apns-expiration": str(int(NOW) + 90),
                "apns-collapse-id": "k",
            },
            "payload": {
                "aps": {
                    "alert": {"title": "t", "subtitle": "s", "body": "b"},
                    "badge": 3,
                    "sound": "d",
                    "thread-id": "i",
                    "category": "c",
                    "mutable-content": 1,
                }
            },
        },
    } == fcm_message(message)


def test_a_plain_notification_stays_small() -> None:
    """Without a need there is no part for a platform."""
    message = from_options(title="t", body="b")

    assert {"notification": {"title": "t", "body": "b"}} == fcm_message(message)
    assert b'{"aps":{"alert":{"title":"t","body":"b"}}}' == apns(message).body


def test_data_alone_is_a_background_push() -> None:
    """Data with nothing to show wakes the app: priority 5 for Apple devices, by both ways."""
    message = from_options(data=["k=v"])

    assert {"aps": {"content-available": 1}, "k": "v"} == apns_body(message)
    assert ((b"apns-push-type", b"background"), (b"apns-priority", b"5")) == apns(message).fields
    assert {
        "data": {"k": "v"},
        "apns": {
            "headers": {"apns-push-type": "background", "apns-priority": "5"},
            "payload": {"aps": {"content-available": 1}},
        },
    } == fcm_message(message)


def test_an_urgent_data_message_is_urgent_for_android_alone() -> None:
    """Apple devices keep priority 5, which is the only one that a silent message may have."""
    message = fcm_message(from_options(data=["k=v"], priority="high"))

    assert "HIGH" == message["android"]["priority"]
    assert "5" == message["apns"]["headers"]["apns-priority"]


@pytest.mark.parametrize(
    "text",
    [
        "{data: {k: v}, apns: {aps: {alert: x}}}",
        "{data: {k: v}, apns: {payload: {aps: {badge: 1}}}}",
        "{data: {k: v}, badge: 0}",
    ],
)
def test_an_override_that_shows_something_makes_it_an_alert(text: str) -> None:
    """What an override adds counts for the push type."""
    assert "alert" == apns(from_yaml(text)).push_type


def test_an_fcm_override_with_a_notification_is_not_silent() -> None:
    """The part for iOS says nothing of background where the override shows something."""
    message = fcm_message(from_yaml("{data: {k: v}, fcm: {notification: {title: t}}}"))

    assert "apns" not in message


@pytest.mark.parametrize(
    ("push_type", "suffix", "body"),
    [
        ("voip", ".voip", {"k": "v"}),
        ("pushtotalk", ".voip-ptt", {"k": "v"}),
        ("widgets", ".push-type.widgets", {"aps": {"content-changed": True}, "k": "v"}),
        ("background", "", {"aps": {"content-available": 1}, "k": "v"}),
    ],
)
def test_a_push_type_brings_its_topic_and_its_aps(
    push_type: str, suffix: str, body: dict[str, Any]
) -> None:
    """Types without aps get none; widgets and background get what they always hold."""
    message = from_options(push_type=push_type, data=["k=v"])

    assert suffix == apns(message).topic_suffix
    assert body == apns_body(message)


# -- header fields ------------------------------------------------------------------------------


def fields(content: ApnsContent) -> dict[str, str]:
    """Return the header fields as texts."""
    return {name.decode(): value.decode() for name, value in content.fields}


def test_delivery_options_become_header_fields() -> None:
    """Priority, expiration and collapse id stand in the header, not in the payload."""
    message = from_options(body="b", ttl="4h", priority="normal", collapse_id="é")

    assert {
        "apns-push-type": "alert",
        "apns-priority": "5",
        "apns-expiration": str(int(NOW) + 14_400),
        "apns-collapse-id": "é",
    } == fields(apns(message))


def test_now_or_never_is_zero() -> None:
    """A time to live of 0 is sent as 0, to APNs and to both platforms of FCM."""
    message = from_options(body="b", ttl="0")

    assert "0" == fields(apns(message))["apns-expiration"]
    assert "0s" == fcm_message(message)["android"]["ttl"]
    assert "0" == fcm_message(message)["apns"]["headers"]["apns-expiration"]


def test_header_overrides_win() -> None:
    """The apns.headers of a message file take the place of the neutral words."""
    message = from_yaml(
        "{body: b, ttl: 5, priority: high, collapse_id: c, apns: {headers: {apns-push-type: voip,"
        " apns-priority: '5', apns-expiration: 1800000000, apns-collapse-id: d}}}"
    )

    assert {
        "apns-push-type": "voip",
        "apns-priority": "5",
        "apns-expiration": "1800000000",
        "apns-collapse-id": "d",
    } == fields(apns(message))


# -- overrides ----------------------------------------------------------------------------------


def test_overrides_are_merged_and_null_removes() -> None:
    """Objects are merged, values replaced, null takes a key away (RFC 7396)."""
    message = from_yaml(
        "{title: t, body: b, badge: 1, data: {k: v}, apns: {aps: {badge: 2, alert: {body: null,"
        " loc-key: L}}, payload: {k: null, own: {a: 1}, data: {b: null}}}}"
    )

    assert {
        "aps": {"alert": {"title": "t", "loc-key": "L"}, "badge": 2},
        "own": {"a": 1},
        "data": {},
    } == apns_body(message)


def test_an_override_may_replace_an_object_by_a_text_and_back() -> None:
    """An alert dictionary gives way to a text, a text to a dictionary."""
    message = from_yaml(
        "{title: t, apns: {payload: {aps: {alert: x, sound: s}}, aps: {sound: {name: n}}}}"
    )

    assert {"aps": {"alert": "x", "sound": {"name": "n"}}} == apns_body(message)


def test_a_replaced_aps_is_still_an_object_for_the_aps_override() -> None:
    """Even a senseless aps gives way to the aps override."""
    message = from_yaml("{title: t, apns: {payload: {aps: 3}, aps: {badge: 1}}}")

    assert {"aps": {"badge": 1}} == apns_body(message)


def test_both_spellings_of_an_fcm_override_hit_the_same_field() -> None:
    """snake_case is merged with what we build; keys of the sender's own data stay as they are."""
    message = from_yaml(
        "{title: t, collapse_id: c, fcm: {android: {collapse_key: d, direct_boot_ok: true},"
        " data: {story_id: x}, apns: {payload: {my_key: 1}}, fcm_options: {analytics_label: l}}}"
    )
    built = fcm_message(message)

    assert {"collapseKey": "d", "directBootOk": True} == built["android"]
    assert {"story_id": "x"} == built["data"]
    assert {"my_key": 1} == built["apns"]["payload"]
    assert {"analyticsLabel": "l"} == built["fcmOptions"]


def test_an_override_leaves_the_message_itself_alone() -> None:
    """What is merged for one service is not seen by the other."""
    message = from_yaml("{title: t, data: {o: {a: 1}}, apns: {payload: {o: {b: 2}}}}")

    assert {"a": 1, "b": 2} == apns_body(message)["o"]
    assert {"o": {"a": 1}} == message.data


def test_an_override_of_the_expiration_is_left_alone() -> None:
    """A moment that the sender wrote down is not replaced by ours."""
    override = "fcm: {apns: {headers: {apns-expiration: '5'}}}"
    message = fcm_message(from_yaml(f"{{title: t, ttl: 60, {override}}}"))
    removed = fcm_message(from_yaml("{title: t, ttl: 60, fcm: {apns: null}}"))

    assert "5" == message["apns"]["headers"]["apns-expiration"]
    assert {"notification": {"title": "t"}, "android": {"ttl": "60s"}} == removed


# -- raw payloads -------------------------------------------------------------------------------


def test_a_raw_payload_is_sent_as_it_is() -> None:
    """Order, nulls and unknown keys of an APNs payload are the sender's."""
    raw = {"z": None, "aps": {"alert": "x", "own": 1}, "a": [1.5, {}, []]}
    message = from_payload({Service.APNS: payload(raw)})

    assert json.dumps(raw, separators=(",", ":")).encode() == apns(message).body
    assert "alert" == apns(message).push_type


def test_a_raw_fcm_message_takes_the_delivery_options() -> None:
    """--ttl, --priority and --collapse-id are laid over FCM's message object."""
    base = from_payload({Service.FCM: payload({"data": {"k": "v"}, "android": {"ttl": "5s"}})})
    message = from_options(ttl="60", priority="high", collapse_id="c", base=base)

    assert {
        "data": {"k": "v"},
        "android": {"ttl": "60s", "priority": "HIGH", "collapseKey": "c"},
        "apns": {
            "headers": {
                "apns-priority": "10",
                "apns-expiration": str(int(NOW) + 60),
                "apns-collapse-id": "c",
            }
        },
    } == fcm_message(message)


def test_a_raw_payload_is_personalised_too() -> None:
    """Placeholders are filled anywhere in a raw payload, with their own type where alone."""
    raw = {"aps": {"alert": "{{ name }}", "badge": "{{ n }}"}, "o": [{"x": "{{ n }}"}]}
    message = from_payload({Service.APNS: payload(raw)})

    assert {"aps": {"alert": "7", "badge": 3}, "o": [{"x": "3"}]} == apns_body(
        message, {"name": 7, "n": "3"}
    )


def test_a_service_without_its_raw_payload_is_refused() -> None:
    """A mixed audience needs a payload for each service."""
    message = from_payload({Service.APNS: payload({"aps": {"alert": "x"}})})
    with pytest.raises(InvalidInput) as error:
        compile_message(message, Service.FCM)

    assert "give one with --payload fcm=FILE" == error.value.problems[0].hint


# -- filling ------------------------------------------------------------------------------------


def test_a_uniform_message_is_rendered_once() -> None:
    """Without placeholders every recipient gets the same object."""
    for service in Service:
        compiled = compile_message(from_options(title="t", ttl="0"), service)

        assert compiled.uniform
        assert compiled.render({}, now=1.0) is compiled.render({"a": 1}, now=5000.0)


def test_a_uniform_message_with_a_lifespan_is_rendered_once_a_second() -> None:
    """The expiration counts from when each push leaves, in whole seconds."""
    for service in Service:
        compiled = compile_message(from_options(title="t", ttl="60"), service)
        first = compiled.render({}, now=1.0)

        assert compiled.uniform
        assert first is compiled.render({}, now=1.9)
        assert first != compiled.render({}, now=2.0)


def test_a_personal_message_is_filled_for_each_recipient() -> None:
    """Each recipient gets the own attributes, typed where the field asks for a type."""
    message = from_yaml(
        "{title: 'Hi {{ name }}', badge: '{{ n }}', data: {n: '{{ n }}', t: 'x{{ n }}'},"
        " collapse_id: 'c-{{ n }}', ttl: 60}"
    )
    compiled = compile_message(message, Service.APNS)
    first = compiled.render({"name": 'A"\u2028\n', "n": 3}, now=10.0)
    second = compiled.render({"name": "B", "n": 4.0}, now=11.0)
    assert isinstance(first, ApnsContent)
    assert isinstance(second, ApnsContent)

    assert frozenset({"name", "n"}) == compiled.placeholders
    assert not compiled.uniform
    assert {
        "aps": {"alert": {"title": 'Hi A"\u2028\n'}, "badge": 3},
        "n": 3,
        "t": "x3",
    } == json.loads(first.body)
    assert ("c-3", "70") == (
        fields(first)["apns-collapse-id"],
        fields(first)["apns-expiration"],
    )
    assert ("c-4.0", "71") == (
        fields(second)["apns-collapse-id"],
        fields(second)["apns-expiration"],
    )


def test_fcm_gets_texts_where_it_takes_only_texts() -> None:
    """A placeholder alone becomes a text in data and a number in notificationCount."""
    message = from_yaml(
        "{title: '{{ n }}', badge: '{{ n }}', data: {n: '{{ n }}', y: '{{ y }}'},"
        " fcm: {android: {notification: {color: '{{ c }}', titleLocArgs: ['{{ n }}'],"
        " vibrateTimings: ['{{ n }}']}}}}"
    )
    built = fcm_message(message, {"n": 3, "y": True, "c": "#ffffff"})

    assert {"title": "3"} == built["notification"]
    assert {"n": "3", "y": "true"} == built["data"]
    assert {
        "notificationCount": 3,
        "color": "#ffffff",
        "titleLocArgs": ["3"],
        "vibrateTimings": ["3"],
    } == built["android"]["notification"]
    assert 3 == built["apns"]["payload"]["aps"]["badge"]


def test_what_a_message_can_do_without_is_told_apart() -> None:
    """Names with a default are no reason to refuse a list that lacks them."""
    compiled = compile_message(
        from_options(title="{{ a | default('x') }} {{ b }}", body="{{ a }}", collapse_id="{{ c }}"),
        Service.APNS,
    )

    assert {"a", "b", "c"} == compiled.placeholders
    assert not compiled.optional
    assert {"x"} == compile_message(from_options(body="{{ x | d(1) }}"), Service.FCM).optional


@pytest.mark.parametrize("service", Service)
def test_a_missing_attribute_leaves_the_recipient_out(service: Service) -> None:
    """The exception names the attribute."""
    compiled = compile_message(from_options(body="Hi {{ first_name }}"), service)
    with pytest.raises(MissingAttribute) as error:
        compiled.render({"first_name": ""}, now=NOW)

    assert "the attribute `first_name` is missing" == str(error.value)


@pytest.mark.parametrize(
    ("text", "attributes", "why"),
    [
        ("badge: '{{ n }}'", {"n": "many"}, "it is not a whole number from 0"),
        ("badge: '{{ n }}'", {"n": -1}, "it is not a whole number from 0"),
        ("badge: '{{ n }}'", {"n": True}, "it is not a whole number from 0"),
        ("badge: '{{ n }}{{ n }}'", {"n": "x"}, "it is not a whole number from 0"),
        ("badge: '{{ n }}'", {"n": 1.5}, "it is not a whole number from 0"),
        ("title: '{{ n }}'", {"n": "\udcff"}, "it is not valid Unicode"),
        ("{title: t, data: {k: '{{ n }}'}}", {"n": "\udcff"}, "it cannot be written as JSON"),
        (
            "{title: t, data: {k: '{{ n }}'}}",
            {"n": float("inf")},
            "it cannot be written as JSON",
        ),
        ("{title: t, collapse_id: '{{ n }}'}", {"n": "\udcff"}, "it is not valid Unicode"),
        (
            "{title: t, collapse_id: 'a{{ n }}'}",
            {"n": "x\r\ny"},
            "a collapse id must not hold line breaks or other control characters",
        ),
    ],
)
def test_an_unfit_attribute_leaves_the_recipient_out(
    text: str, attributes: dict[str, Any], why: str
) -> None:
    """The reason says what is wrong with the value, not what the value is."""
    compiled = compile_message(from_yaml(text), Service.APNS)
    with pytest.raises(UnusableAttribute) as error:
        compiled.render(attributes, now=NOW)

    assert f"the attribute `n` cannot be used: {why}" == str(error.value)


def test_a_badge_from_a_csv_file_becomes_a_number() -> None:
    """A CSV file holds only texts; digits are enough for a badge."""
    assert 12 == apns_body(from_options(badge="{{ n }}"), {"n": " 12 "})["aps"]["badge"]
    assert 12 == apns_body(from_options(badge="1{{ n }}"), {"n": 2})["aps"]["badge"]


# -- size ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("push_type", "limit"), [("alert", 4096), ("voip", 5120)])
def test_the_apns_limit_is_exact(push_type: str, limit: int) -> None:
    """The last byte that is allowed goes out, one more leaves the recipient out."""
    compiled = compile_message(from_options(body="{{ x }}", push_type=push_type), Service.APNS)
    around = len('{"aps":{"alert":{"body":""}}}')
    content = compiled.render({"x": "x" * (limit - around)}, now=NOW)
    assert isinstance(content, ApnsContent)
    with pytest.raises(PayloadTooLarge) as error:
        compiled.render({"x": "x" * (limit - around + 1)}, now=NOW)

    assert limit == len(content.body)
    assert (limit + 1, limit) == (error.value.size, error.value.limit)


def test_fcm_counts_keys_and_values_only() -> None:
    """What JSON adds around the values does not count; the platforms' parts do not either."""
    compiled = compile_message(from_options(body="{{ x }}", subtitle="s", badge="1"), Service.FCM)
    key = len("body")
    compiled.render({"x": "x" * (4096 - key)}, now=NOW)
    with pytest.raises(PayloadTooLarge) as error:
        compiled.render({"x": "x" * (4096 - key + 1)}, now=NOW)

    assert (4097, 4096) == (error.value.size, error.value.limit)


def test_a_text_that_runs_away_is_stopped() -> None:
    """Even where FCM's rule counts nothing, a message does not grow without bound."""
    message = from_yaml("{title: t, fcm: {webpush: {notification: {body: '{{ x }}'}}}}")
    with pytest.raises(PayloadTooLarge) as error:
        fcm(message, {"x": "x" * 70_000})

    assert 65_536 == error.value.limit


def test_a_filled_collapse_id_keeps_to_its_bytes() -> None:
    """64 bytes after filling are the most."""
    compiled = compile_message(from_options(body="b", collapse_id="{{ x }}"), Service.APNS)
    compiled.render({"x": "x" * 64}, now=NOW)
    with pytest.raises(PayloadTooLarge) as error:
        compiled.render({"x": "é" * 33}, now=NOW)

    assert "the collapse id has 66 bytes; 64 is the most" == str(error.value)


# -- what cannot be compiled --------------------------------------------------------------------


def test_broken_templates_are_all_named() -> None:
    """Every broken text is a problem of its own, at its place."""
    message = from_yaml("title: '{{ a'\nbody: '{{ b() }}'\ncollapse_id: '{{'\ndata: {'{{x}}': y}")
    with pytest.raises(InvalidInput) as error:
        compile_message(message, Service.APNS)

    assert {"m.yaml:1:8", "m.yaml:2:7", "m.yaml:3:14", "m.yaml:4:8"} == {
        str(problem.place) for problem in error.value.problems
    }


def test_a_value_that_json_cannot_say_is_a_problem() -> None:
    """A message made in code may hold what no file can hold."""
    with pytest.raises(InvalidInput) as error:
        compile_message(Message(title="t", data={"k": float("nan")}), Service.APNS)

    assert "this value cannot be written as JSON" == error.value.problems[0].message


def test_jinja_is_imported_only_for_placeholders() -> None:
    """A plain message costs no import of the template engine."""
    program = (
        "import sys\n"
        "from pushctl.message.neutral import from_options\n"
        "from pushctl.message.compile import compile_message\n"
        "from pushctl.message.lint import lint\n"
        "from pushctl.outcome import Service\n"
        "message = from_options(title='t', data=['a=b'])\n"
        "lint(message, list(Service))\n"
        "compile_message(message, Service.APNS).render({}, now=0.0)\n"
        "print({'jinja2', 'httpx', 'pydantic'} & set(sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert "set()\n" == run.stdout


# -- properties ---------------------------------------------------------------------------------

_TEXT = st.text(max_size=30) | st.sampled_from(["{{ a }}", "x {{ a }}", "{{ b | default('y') }}"])


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "title": _TEXT,
            "body": _TEXT,
            "badge": st.just("{{ a }}"),
            "collapse_id": _TEXT,
            "ttl": st.sampled_from(["0", "60"]),
            "data": st.lists(st.builds("k{}={}".format, st.integers(0, 99), _TEXT), unique=True),
        },
    ),
    st.dictionaries(st.sampled_from(["a", "b"]), JSON_VALUES | st.text(max_size=5000)),
)
def test_whatever_is_rendered_is_valid(given_options: dict[str, Any], attributes: Any) -> None:
    """Any text and any attributes: valid JSON within the limit, fit header fields, or left out."""
    contents: list[ApnsContent | FcmContent] = []
    with contextlib.suppress(PushctlError, MissingAttribute, PayloadTooLarge):
        message = from_options(**given_options)
        contents = [
            compile_message(message, service).render(attributes, now=NOW) for service in Service
        ]
    for content in contents:
        body = content.body if isinstance(content, ApnsContent) else content.message

        assert isinstance(json.loads(body), dict)
        for name, value in content.fields:
            assert name == name.lower()
            assert value
            assert not any(byte < 0x20 or byte == 0x7F for byte in value)
        if isinstance(content, ApnsContent):
            assert len(body) <= 4096


def test_a_localised_text_is_looked_up_by_the_device() -> None:
    """Keys and arguments stand where Apple and Google look for them; arguments are texts."""
    message = from_yaml(
        "{title: {loc_key: T, loc_args: ['{{ n }}', x]}, subtitle: {loc_key: S},"
        " body: {loc_key: B, loc_args: ['{{ n }}']}}"
    )
    alert = {
        "title-loc-key": "T",
        "title-loc-args": ["3", "x"],
        "subtitle-loc-key": "S",
        "loc-key": "B",
        "loc-args": ["3"],
    }

    assert {"aps": {"alert": alert}} == apns_body(message, {"n": 3})
    assert {
        "android": {
            "notification": {
                "titleLocKey": "T",
                "titleLocArgs": ["3", "x"],
                "bodyLocKey": "B",
                "bodyLocArgs": ["3"],
            }
        },
        "apns": {"payload": {"aps": {"alert": alert}}},
    } == fcm_message(message, {"n": 3})


def test_a_localised_text_of_a_live_activity_is_an_object() -> None:
    """In the alert of an activity the key and its arguments stand inside title and body."""
    activity = {"event": "end"}
    message = dated(
        from_options(
            base=Message(title={"loc_key": "T", "loc_args": ["{{ n }}"]}, live_activity=activity)
        ),
        NOW,
    )

    assert {"title": {"loc-key": "T", "loc-args": ["3"]}} == (
        apns_body(message, {"n": 3})["aps"]["alert"]
    )


def test_a_critical_sound_has_a_name_for_android() -> None:
    """Apple gets the whole sound, its flag as a number; Android the name alone."""
    message = from_yaml("{body: b, sound: {name: '{{ s }}', critical: true, volume: 0.5}}")

    assert {"name": "x.caf", "critical": 1, "volume": 0.5} == (
        apns_body(message, {"s": "x.caf"})["aps"]["sound"]
    )
    built = fcm_message(message, {"s": "x.caf"})
    assert "x.caf" == built["android"]["notification"]["sound"]
    assert 1 == built["apns"]["payload"]["aps"]["sound"]["critical"]


def test_push_to_talk_is_not_kept_unless_asked() -> None:
    """Its time to live is 0, as Apple recommends; the message may say otherwise."""
    by_default = from_yaml("{push_type: pushtotalk, data: {a: b}}")
    asked = from_yaml("{push_type: pushtotalk, data: {a: b}, ttl: 60}")

    assert (b"apns-expiration", b"0") in apns(by_default).fields
    assert (b"apns-expiration", b"%d" % (int(NOW) + 60)) in apns(asked).fields
