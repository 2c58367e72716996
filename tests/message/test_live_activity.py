"""A Live Activity in a message: from the block and its options to `aps`, and what is refused."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.values import JSON_VALUES
from message.kit import NOW, apns, apns_body, document, fcm_message, payload
from pushctl.documents import Document
from pushctl.errors import InvalidInput, Problem, UsageError
from pushctl.message.compile import compile_message
from pushctl.message.content import ApnsContent, MissingAttribute, PayloadTooLarge
from pushctl.message.fields import message_schema
from pushctl.message.lint import Verdict, lint
from pushctl.message.model import Message
from pushctl.message.neutral import dated, from_document, from_options
from pushctl.outcome import Service

MADE = int(NOW)
START = """
title: Your order is on its way
body: Anna has it in the van
sound: bell.caf
live_activity:
  event: start
  attributes_type: DeliveryAttributes
  attributes: {order: "{{ order }}"}
  content_state: {driver: "{{ driver | default('Anna') }}", stops: 4}
  stale_date: +30m
  input_push_token: true
"""


def of(text: str, **files: Any) -> Message:
    """Return the message of a message file, dated NOW; *files* stand beside it by their stems."""

    def beside(name: str) -> Document:
        if name.removesuffix(".json") not in files:
            raise InvalidInput(f"there is no file {name!r}")
        return payload(files[name.removesuffix(".json")], name)

    return dated(from_document(document(text), beside), NOW)


def judged(text: str, **options: Any) -> list[tuple[str, str]]:
    """Return place and message of each error that APNs' rules find in a message file."""
    return said(lint(of(text), [Service.APNS], **options).errors)


def said(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    """Return place and message of each problem."""
    return [(str(problem.place), problem.message) for problem in problems]


def test_a_start_is_one_readable_file() -> None:
    """The block, the alert and its sound become `aps`; push type and suffix follow."""
    message = of(START)
    content = apns(message, {"order": "A-17"})

    assert Verdict() == lint(message, [Service.APNS])
    assert {
        "aps": {
            "timestamp": MADE,
            "event": "start",
            "attributes-type": "DeliveryAttributes",
            "attributes": {"order": "A-17"},
            "content-state": {"driver": "Anna", "stops": 4},
            "stale-date": MADE + 1800,
            "input-push-token": 1,
            "alert": {
                "title": "Your order is on its way",
                "body": "Anna has it in the van",
                "sound": "bell.caf",
            },
        }
    } == json.loads(content.body)
    assert ("liveactivity", ".push-type.liveactivity") == (content.push_type, content.topic_suffix)
    assert (b"apns-priority", b"10") in content.fields


def test_an_update_needs_only_what_it_shows() -> None:
    """Without an alert the update is silent; its priority may be normal."""
    message = of("priority: normal\nlive_activity: {event: update, content_state: {stops: 3}}")

    assert Verdict() == lint(message, [Service.APNS])
    assert {"aps": {"timestamp": MADE, "event": "update", "content-state": {"stops": 3}}} == (
        apns_body(message)
    )
    assert (b"apns-priority", b"5") in apns(message).fields


def test_an_end_says_when_it_disappears() -> None:
    """The dismissal date is a point in time or counts from the beginning of the run."""
    message = of("live_activity: {event: end, dismissal_date: +15m}")

    assert Verdict() == lint(message, [Service.APNS])
    assert {"timestamp": MADE, "event": "end", "dismissal-date": MADE + 900} == (
        apns_body(message)["aps"]
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-20T18:00:00Z", 1795197600),
        ("2026-11-20T20:00:00+02:00", 1795197600),
        ("1795197600", 1795197600),
        ("+0s", MADE),
        ("+90s", MADE + 90),
        ("+4h", MADE + 14_400),
    ],
)
def test_points_in_time_are_written_as_people_write_them(written: str, meant: int) -> None:
    """RFC 3339, epoch seconds and a time from now are understood, as a text or a number."""
    text = f"live_activity: {{event: end, stale_date: {written}}}"

    assert meant == apns_body(of(text))["aps"]["stale-date"]


@pytest.mark.parametrize(
    "written",
    ["soon", "4h", "+4w", "'+90'", "2026-11-20", "2026-11-20T18:00:00", "1795197600000", "[1]"],
)
def test_a_point_in_time_that_is_unclear_is_refused(written: str) -> None:
    """A date without time or zone, a bare duration and milliseconds are refused with a hint."""
    with pytest.raises(InvalidInput) as error:
        of(f"live_activity:\n  event: end\n  stale_date: {written}")

    (problem,) = error.value.problems
    assert "m.yaml:3:15" == str(problem.place)
    assert "`live_activity` has a `stale_date` that must be a point in time" == problem.message
    assert problem.hint is not None
    assert "+4h" in problem.hint


def test_a_date_from_an_attribute_is_a_number() -> None:
    """Each recipient may have dates of its own, as digits from a csv too."""
    message = of("live_activity: {event: end, dismissal_date: '{{ at }}'}")

    assert 1795197600 == apns_body(message, {"at": "1795197600"})["aps"]["dismissal-date"]
    with pytest.raises(MissingAttribute):
        apns_body(message, {"at": "soon"})


def test_a_run_and_its_resume_say_the_same() -> None:
    """A message is dated once: what is rendered an hour later is what was rendered first."""
    message = of(START)

    assert apns(message, {"order": 1}).body == apns(message, {"order": 1}, NOW + 3600).body


def test_parts_stand_in_files_of_their_own() -> None:
    """What `content_state_file` and `attributes_file` name is read as if it stood there."""
    text = START.replace('  attributes: {order: "{{ order }}"}', "  attributes_file: a.json")
    text = text.replace(
        "  content_state: {driver: \"{{ driver | default('Anna') }}\", stops: 4}",
        "  content_state_file: s.json",
    )
    message = of(text, a={"order": "{{ order }}"}, s={"stops": 4})
    aps = apns_body(message, {"order": "A-17"})["aps"]

    assert ({"order": "A-17"}, {"stops": 4}) == (aps["attributes"], aps["content-state"])


def test_what_is_wrong_with_a_file_is_said_where_it_is_named() -> None:
    """A missing file points at its name; one that holds no object, and a template, at itself."""
    named = "live_activity:\n  event: update\n  content_state_file: {}.json"
    with pytest.raises(InvalidInput) as missing:
        of(named.format("s"))
    with pytest.raises(InvalidInput) as wrong:
        of(named.format("s"), s=[1])
    broken = of(named.format("s"), s={"stops": "{{ stops"})

    assert [("m.yaml:3:23", "there is no file 's.json'")] == said(missing.value.problems)
    assert [("s.json:1:1", "`content_state` of a Live Activity is an object, not a list")] == said(
        wrong.value.problems
    )
    (problem,) = lint(broken, [Service.APNS]).errors
    assert "s.json:1:11" == str(problem.place)


@pytest.mark.parametrize(
    ("block", "place", "words"),
    [
        ("{event: begin}", "1:24", "`event` that must be one of start, update, end"),
        ("{content_state: {}}", "1:16", "needs an `event`"),
        ("[start]", "1:16", "must be an object"),
        ("{event: end, content-state: {}}", "1:44", "has no key `content-state`"),
        ("{event: end, content_state: 3}", "1:44", "`content_state` that must be an object"),
        ("{event: end, input_push_token: 1}", "1:47", "must be true or false"),
        ("{event: end, relevance_score: high}", "1:46", "must be a number"),
        ("{event: end, input_push_channel: '~'}", "1:49", "must be the id of a broadcast"),
        ("{event: end, content_state: {}, content_state_file: x}", "1:68", "give one of them"),
    ],
)
def test_each_key_of_the_block_is_read_strictly(block: str, place: str, words: str) -> None:
    """A wrong key or value is one error with its line and column."""
    with pytest.raises(InvalidInput) as error:
        of(f"live_activity: {block}")

    ((at, message),) = said(error.value.problems)
    assert f"m.yaml:{place}" == at
    assert words in message


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("live_activity: {event: update}", ["content-state"]),
        (
            "live_activity: {event: start}",
            ["content-state", "attributes-type", "attributes", "alert"],
        ),
        ("live_activity: {event: end}", []),
    ],
)
def test_every_required_field_that_is_missing_is_named(text: str, lacking: list[str]) -> None:
    """Each is one error at the block, and its hint says how to give it."""
    errors = lint(of(text), [Service.APNS]).errors

    assert lacking == [problem.message.split("`")[1] for problem in errors]
    assert all("m.yaml:1:16" == str(problem.place) and problem.hint for problem in errors)


UPDATE = "live_activity: {event: update, content_state: {a: 1}"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (UPDATE + ", dismissal_date: +1h}", "1:55", "belongs to the end of a Live Activity"),
        (UPDATE + "}\npriority: low", "2:11", "must have APNs priority 10 or 5, not 1"),
        (UPDATE + "}\npush_type: alert", "2:12", "is a push of type liveactivity, not alert"),
        (UPDATE + "}\nbadge: 3", "2:8", "`badge` does not belong to a Live Activity"),
        (UPDATE + "}\ndata: {a: b}", "2:7", "`data` does not belong to a Live Activity"),
        (UPDATE + "}\ninterruption_level: active", "2:21", "`interruption_level` does not belong"),
        (UPDATE + ", relevance_score: 3}\nrelevance_score: 5", "2:1", "is given twice"),
        (UPDATE + "}\napns: {aps: {timestamp: 1795168800000}}", "2:25", "like milliseconds"),
        (UPDATE + "}\napns: {aps: {event: go}}", "2:21", "`event` must be one of start, update"),
        (
            START + "  input_push_channel: dHN0LXNyY2gtY2hubA==\n",
            "12:3",
            "by a token of its own or through a channel, not by both",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(text: str, place: str, words: str) -> None:
    """Each contradiction is one error where it stands."""
    ((at, message),) = judged(text)

    assert f"m.yaml:{place}" == at
    assert words in message


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("live_activity: {event: end, dismissal_date: +5h}", "1:45", "after four hours"),
        (UPDATE + ", stale_date: +0s}", "1:67", "is not after `timestamp`"),
        (UPDATE + ", attributes: {a: 1}}", "1:55", "belongs to the start"),
        (UPDATE + ", input_push_token: true}", "1:55", "belongs to the start"),
        (UPDATE + "}\napns: {aps: {alert: {subtitle: x}}}", "2:22", "`subtitle` is ignored"),
        (START.replace("body: Anna has it in the van\n", ""), "2:8", "has a title and a body"),
    ],
)
def test_what_the_device_would_ignore_is_a_warning(text: str, place: str, words: str) -> None:
    """What Apple takes but does not do is remarked on, where it stands."""
    verdict = lint(of(text), [Service.APNS])

    assert () == verdict.errors
    ((at, message),) = said(verdict.warnings)
    assert f"m.yaml:{place}" == at
    assert words in message


def test_options_say_the_same_as_the_block() -> None:
    """Every option gives what the key of the file gives."""
    by_options = from_options(
        title="t",
        body="b",
        relevance_score="75",
        activity={
            "event": "start",
            "content_state": payload({"stops": 4}, "s.json"),
            "attributes": payload({"order": 1}, "a.json"),
            "attributes_type": "Delivery",
            "stale_date": "+30m",
            "input_push_channel": "dHN0LXNyY2gtY2hubA==",
            "live_activity_token": "{{ la }}",
        },
    )
    from_file = from_document(
        document(
            "{title: t, body: b, relevance_score: 75, live_activity: {event: start,"
            " content_state: {stops: 4}, attributes: {order: 1}, attributes_type: Delivery,"
            " stale_date: +30m, input_push_channel: dHN0LXNyY2gtY2hubA==,"
            " live_activity_token: '{{ la }}'}}"
        )
    )

    assert from_file == by_options


def test_an_option_takes_the_place_of_the_files_key() -> None:
    """One file serves an activity from start to end: the options say what differs."""
    base = from_document(document(UPDATE + ", stale_date: +1h}"))
    message = from_options(
        activity={"event": "end", "content_state": payload({"a": 2}, "s.json")}, base=base
    )

    assert {"event": "end", "content_state": {"a": 2}, "stale_date": "+1h"} == message.live_activity
    assert "m.yaml:1:67" == str(message.problem(("live_activity", "stale_date"), "m").place)
    assert "--live-activity" == str(message.problem(("live_activity", "event"), "m").place)
    assert "s.json:1:7" == str(message.problem(("live_activity", "content_state", "a"), "m").place)


@pytest.mark.parametrize(
    ("activity", "words"),
    [
        ({"event": "begin"}, "`--live-activity` must be one of start, update, end"),
        ({"event": "end", "stale_date": "4h"}, "`--stale-date` must be a point in time"),
        ({"stale_date": "+4h"}, "`--stale-date` is for a Live Activity"),
        ({"event": "end", "input_push_channel": "~"}, "`--input-push-channel` must be the id of"),
    ],
)
def test_a_wrong_option_is_a_usage_error(activity: dict[str, str], words: str) -> None:
    """It is named as it was typed."""
    with pytest.raises(UsageError) as error:
        from_options(activity=activity)

    assert words in error.value.problems[0].message


def test_a_content_state_that_is_no_object_is_a_fault_of_its_file() -> None:
    """The file given with --content-state has the place, not the option."""
    with pytest.raises(InvalidInput) as error:
        from_options(activity={"event": "update", "content_state": payload([1], "s.json")})

    assert [("s.json:1:1", "`content_state` of a Live Activity is an object, not a list")] == said(
        error.value.problems
    )


def test_fcm_carries_the_activity_and_its_token() -> None:
    """FCM is given `aps` and, beside the registration token, the activity's own; nothing else."""
    text = UPDATE + ", live_activity_token: '{{ la }}'}\nttl: 60\npriority: high"
    message = of(text)

    assert Verdict() == lint(message, [Service.FCM])
    assert {
        "apns": {
            "headers": {"apns-priority": "10", "apns-expiration": str(MADE + 60)},
            "liveActivityToken": "80b3",
            "payload": {"aps": {"timestamp": MADE, "event": "update", "content-state": {"a": 1}}},
        }
    } == fcm_message(message, {"la": "80b3"})


def test_fcm_without_the_activitys_token_is_refused() -> None:
    """The registration token says which app; without the other FCM would not know the activity."""
    ((place, message),) = said(lint(of(UPDATE + "}"), [Service.FCM]).errors)

    assert "m.yaml:1:16" == place
    assert "`live_activity_token`" in message


def test_a_topic_of_fcm_has_no_activity() -> None:
    """The activity's token is one device's: to a topic or condition it makes no sense."""
    text = UPDATE + ", live_activity_token: abcd}"
    kinds = ["token", "condition"]

    ((place, message),) = said(lint(of(text), [Service.FCM], target_kinds=kinds).errors)

    assert "m.yaml:1:76" == place
    assert "a Live Activity goes to one registration token, not to a condition" == message


def test_the_activitys_token_of_fcm_is_no_part_of_an_apns_payload() -> None:
    """A mixed audience has one file: over APNs the device token is the activity's."""
    assert "live" not in apns(of(UPDATE + ", live_activity_token: abcd}")).body.decode()


def test_a_broadcast_is_an_update_or_an_end_of_at_most_5120_bytes() -> None:
    """To a channel nothing starts, no other push type goes, and more bytes do."""
    large = of("live_activity: {event: update, content_state: {a: " + "x" * 4500 + "}}")
    too_large = of("live_activity: {event: update, content_state: {a: '{{ a }}'}}")
    compiled = compile_message(large, Service.APNS, to_channel=True)

    assert isinstance(compiled.render({}, now=NOW), ApnsContent)
    assert () == lint(large, [Service.APNS], target_kinds=["channel"]).errors
    with pytest.raises(PayloadTooLarge):
        compile_message(too_large, Service.APNS, to_channel=True).render({"a": "x" * 5120}, now=NOW)
    assert ["a broadcast cannot start a Live Activity: only update and end go to a channel"] == [
        message for _, message in judged(START, target_kinds=["channel"])
    ]
    assert ["only Live Activities go to a channel, no pushes of type alert"] == [
        message for _, message in judged("title: t", target_kinds=["channel"])
    ]
    assert ["the APNs payload has 4574 bytes; a push of type liveactivity has 4096 at most"] == [
        problem.message for problem in lint(large, [Service.APNS]).errors
    ]


_MOMENTS = st.one_of(
    st.integers(),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    st.datetimes(timezones=st.just(UTC)).map(lambda moment: f"{moment:%Y%m%dT%H%M%SZ}"),
    st.from_regex(r"\+?[0-9]{1,14}[smhdw]?", fullmatch=True),
    st.text(max_size=12),
)
_BLOCKS = st.fixed_dictionaries(
    {"event": st.sampled_from(["start", "update", "end", "stop"])},
    optional={
        "content_state": st.dictionaries(st.text(max_size=3), JSON_VALUES, max_size=2),
        "timestamp": _MOMENTS,
        "stale_date": _MOMENTS,
        "dismissal_date": _MOMENTS | st.just("{{ at }}"),
        "relevance_score": st.floats() | st.integers() | st.text(max_size=3),
        "attributes_type": st.text(max_size=5),
        "attributes": JSON_VALUES,
        "input_push_token": st.booleans() | st.just(1),
        "input_push_channel": st.sampled_from(["dHN0", "", "~", "a b"]),
        "live_activity_token": st.text(max_size=3),
    },
)
_SCHEMA = jsonschema.Draft202012Validator(message_schema())


@given(_BLOCKS)
def test_what_is_read_is_good_by_the_schema_and_can_be_judged(block: dict[str, Any]) -> None:
    """No block makes reading or judging fail; what the reader takes, the schema takes."""
    value = {"title": "t", "body": "b", "live_activity": block}
    message = None
    with contextlib.suppress(InvalidInput):
        message = dated(from_document(payload(value)), NOW)

    if message is not None:
        assert _SCHEMA.is_valid(value), list(_SCHEMA.iter_errors(value))
        for service in Service:
            lint(message, [service])
        with contextlib.suppress(InvalidInput, MissingAttribute, PayloadTooLarge):
            aps = apns_body(message, {"at": MADE})["aps"]
            assert all(isinstance(aps.get(key, 0), int) for key in ("timestamp", "stale-date"))
