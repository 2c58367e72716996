"""Tests of reading the neutral message from options, files and raw payloads."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.values import JSON_VALUES
from message.kit import document, from_yaml, payload
from pushctl.errors import ExitCode, InvalidInput, Problem, UsageError
from pushctl.message.fields import BY_NAME
from pushctl.message.model import Message, Priority
from pushctl.message.neutral import from_document, from_options, from_payload, message_schema
from pushctl.outcome import Service


def problems(error: pytest.ExceptionInfo[Any]) -> list[tuple[str, str]]:
    """Return place and message of each problem."""
    found: tuple[Problem, ...] = error.value.problems
    return [(str(problem.place), problem.message) for problem in found]


def test_a_message_file_holds_every_field() -> None:
    """Each field of the file becomes the message's field, with its own type."""
    message = from_yaml(
        """
        title: Order {{ order }}
        subtitle: On its way
        body: It is in the van
        badge: 3
        sound: default
        image: https://example.com/van.png
        data: {order: 17, express: true, route: [a, b]}
        collapse_id: order-17
        ttl: 4h
        priority: high
        push_type: alert
        thread_id: orders
        category: ORDER
        interruption_level: passive
        relevance_score: 0.5
        target_content_id: orders
        filter_criteria: work
        apns: {aps: {interruption-level: time-sensitive}}
        fcm: {android: {notification: {channelId: orders}}}
        """
    )

    assert (
        Message(
            title="Order {{ order }}",
            subtitle="On its way",
            body="It is in the van",
            badge=3,
            sound="default",
            image="https://example.com/van.png",
            data={"order": 17, "express": True, "route": ["a", "b"]},
            collapse_id="order-17",
            ttl=14_400,
            priority=Priority.HIGH,
            push_type="alert",
            thread_id="orders",
            category="ORDER",
            interruption_level="passive",
            relevance_score=0.5,
            target_content_id="orders",
            filter_criteria="work",
            apns={"aps": {"interruption-level": "time-sensitive"}},
            fcm={"android": {"notification": {"channelId": "orders"}}},
        )
        == message
    )


def test_options_say_the_same_as_a_file() -> None:
    """Every option gives the field that the file gives."""
    from_file = from_yaml(
        "{title: t, subtitle: s, body: b, badge: 3, sound: d, image: 'https://x', data: {k: v=w},"
        " collapse_id: c, ttl: 90, priority: low, push_type: voip, thread_id: i, category: k,"
        " interruption_level: critical, relevance_score: 1}"
    )
    by_options = from_options(
        title="t",
        subtitle="s",
        body="b",
        badge="3",
        sound="d",
        image="https://x",
        data=["k=v=w"],
        collapse_id="c",
        ttl="90s",
        priority="low",
        push_type="voip",
        thread_id="i",
        category="k",
        interruption_level="critical",
        relevance_score="1",
    )

    assert from_file == by_options


@pytest.mark.parametrize(
    ("options", "base", "sound"),
    [
        ({"critical": True}, "body: b", {"name": "default", "critical": True}),
        (
            {"critical": True, "sound": "x.caf", "volume": "0.5"},
            "body: b",
            {"name": "x.caf", "critical": True, "volume": 0.5},
        ),
        ({"critical": True}, "sound: y.caf", {"name": "y.caf", "critical": True}),
        (
            {"volume": "1"},
            "sound: {name: y.caf, critical: true, volume: 0.2}",
            {"name": "y.caf", "critical": True, "volume": 1},
        ),
        ({"sound": "z.caf"}, "sound: {critical: true}", "z.caf"),
    ],
)
def test_the_sound_of_a_critical_alert_by_options(
    options: dict[str, Any], base: str, sound: object
) -> None:
    """--critical and --volume say how the sound sounds that the option or the file names."""
    assert sound == from_options(**options, base=from_yaml(base)).sound


def test_a_volume_is_for_a_critical_alert() -> None:
    """Without one it would do nothing, and out of its range it is no volume."""
    with pytest.raises(UsageError) as alone:
        from_options(volume="1")
    with pytest.raises(UsageError) as loud:
        from_options(critical=True, volume="1.1")

    assert [("None", "`--volume` is for the sound of a critical alert")] == problems(alone)
    assert [("None", "`--volume` must be a number from 0 to 1")] == problems(loud)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("title: {loc_args: [a]}", "1:8", "`title` needs a `loc_key`"),
        ("title: {loc_key: ''}", "1:18", "`title` has a `loc_key` that must not be blank"),
        ("title: {loc_key: a, loc-args: []}", "1:31", "`title` has no key `loc-args`"),
        (
            "body: {loc_key: a, loc_args: x}",
            "1:30",
            "`body` must have a list of texts in `loc_args`",
        ),
        (
            "body: {loc_key: a, loc_args: [x, 3]}",
            "1:34",
            "`body` must have texts in `loc_args`, not a number",
        ),
        (
            "sound: {volume: 1}",
            "1:17",
            "`sound` has a `volume`, which only the sound of a critical",
        ),
        ("sound: {critical: 1}", "1:19", "`sound` has a `critical` that must be true or false"),
        ("sound: {name: 3}", "1:15", "`sound` has a `name` that must be a text, not a number"),
        (
            "sound: {critical: true, volume: loud}",
            "1:33",
            "`sound` has a `volume` that must be a number, not a text",
        ),
        ("relevance_score: 1e300", "1:18", "`relevance_score` must lie between -2^53 and 2^53"),
        ("relevance_score: true", "1:18", "`relevance_score` must be a number, not a boolean"),
        ("interruption_level: 1", "1:21", "`interruption_level` must be one of passive, active"),
        ("filter_criteria: [a]", "1:18", "`filter_criteria` must be a text, not a list"),
    ],
)
def test_what_an_alert_can_say_is_read_strictly(text: str, place: str, message: str) -> None:
    """A wrong part has its line and column, inside the object where it stands in one."""
    with pytest.raises(InvalidInput) as error:
        from_yaml(text)

    ((at, said),) = problems(error)
    assert f"m.yaml:{place}" == at
    assert said.startswith(message)


def test_all_that_is_wrong_with_a_file_is_said_at_once() -> None:
    """Unknown keys and wrong values are all reported, each with its line and column."""
    with pytest.raises(InvalidInput) as error:
        from_yaml(
            "titel: x\n"
            "body: 2026\n"
            "badge: -1\n"
            "ttl: soon\n"
            "priority: hihg\n"
            "push_type: voipp\n"
            "data: {a: null}\n"
            "apns: {header: {}}\n"
            "fcm: []\n"
            "sound: ' '\n"
            "thread_id: {a: b}\n"
            "collapse_id: null\n"
        )

    assert [
        ("m.yaml:1:1", "a message has no field `titel`"),
        ("m.yaml:2:7", "`body` must be a text, not a number"),
        ("m.yaml:3:8", "`badge` must be a whole number from 0"),
        ("m.yaml:4:6", "`ttl` must be a duration"),
        ("m.yaml:5:11", "`priority` must be one of high, normal, low"),
        ("m.yaml:6:12", "`push_type` must be a push type of APNs; `voipp` is none"),
        ("m.yaml:7:11", "`data` must not hold null"),
        ("m.yaml:8:16", "`apns` has no key `header`"),
        ("m.yaml:9:6", "`fcm` must be an object, not a list"),
        ("m.yaml:10:8", "`sound` must not be blank"),
        ("m.yaml:11:12", "`thread_id` must be a text, not an object"),
        ("m.yaml:12:14", "`collapse_id` must be a text, not null"),
    ] == problems(error)
    assert [
        "did you mean `title`?",
        "write it in quotes",
        "did you mean `high`?",
        "did you mean `voip`?",
        "did you mean `headers`?",
    ] == [error.value.problems[at].hint for at in (0, 1, 4, 5, 7)]
    assert error.value.problems[0].source_line == "titel: x"
    assert error.value.exit_code is ExitCode.INVALID_INPUT


def test_a_message_file_that_is_no_object_is_refused() -> None:
    """A list or a bare text is no message."""
    with pytest.raises(InvalidInput) as error:
        from_yaml("- title: x")

    assert [("m.yaml:1:1", "a message file holds an object of fields, not a list")] == problems(
        error
    )


def test_an_override_block_of_a_wrong_type_points_at_it() -> None:
    """apns.headers, aps and payload must be objects."""
    with pytest.raises(InvalidInput) as error:
        from_yaml("apns: {aps: x}")

    assert [("m.yaml:1:13", "`apns` must be an object, not a text")] == problems(error)


@pytest.mark.parametrize(
    ("ttl", "seconds"),
    [("0", 0), ("90", 90), ("90s", 90), ("15m", 900), ("4h", 14_400), ("28d", 2_419_200)],
)
def test_a_time_to_live_has_units(ttl: str, seconds: int) -> None:
    """Seconds, minutes, hours and days are understood; 0 is a value of its own."""
    assert seconds == from_options(ttl=ttl).ttl


@pytest.mark.parametrize("ttl", ["", "-1", "4 h", "1.5h", "4w", "1h30m", "9999d", "9" * 40])
def test_a_time_to_live_that_is_unclear_is_refused(ttl: str) -> None:
    """What is no number with at most one unit, or longer than a year, is refused."""
    with pytest.raises(UsageError):
        from_options(ttl=ttl)


@pytest.mark.parametrize(("badge", "read"), [("3", 3), ("0", 0), ("{{ unread }}", "{{ unread }}")])
def test_a_badge_is_a_number_or_a_placeholder(badge: str, read: int | str) -> None:
    """A badge option holds digits or a template."""
    assert read == from_options(badge=badge).badge


def test_all_wrong_options_are_named_at_once() -> None:
    """Each option with a wrong value is a usage error of its own."""
    with pytest.raises(UsageError) as error:
        from_options(
            title="",
            badge="many",
            collapse_id="\udcff",
            data=["x", "=y", "k=1", "k=2", "b=\udcff"],
        )

    assert [
        "`--title` must not be blank",
        "`--badge` must be a whole number from 0",
        "`--collapse-id` is not valid Unicode text",
        "`--data` takes KEY=VALUE, not `x`",
        "`--data` takes KEY=VALUE, not `=y`",
        "`--data k=…` is given twice",
        "`--data` is not valid Unicode text",
    ] == [problem.message for problem in error.value.problems]
    assert error.value.exit_code is ExitCode.USAGE


def test_an_option_takes_the_place_of_the_files_field() -> None:
    """Options win over the file, field by field, and --data key by key."""
    base = from_yaml("{title: file, body: file, data: {a: 1, b: 2}, ttl: 60}")
    message = from_options(title="option", data=["b=x", "c=y"], base=base)

    assert ("option", "file", 60) == (message.title, message.body, message.ttl)
    assert {"a": 1, "b": "x", "c": "y"} == message.data


def test_a_problem_is_placed_where_its_part_came_from() -> None:
    """A part of the file has line and column, a part from an option has the option's name."""
    base = from_yaml("body: file\ndata: {a: 1, b: 2}")
    message = from_options(title="option", data=["b=x"], base=base)

    assert "m.yaml:1:7" == str(message.problem(("body",), "m").place)
    assert "m.yaml:1:1" == str(message.problem(("body",), "m", key=True).place)
    assert "m.yaml:2:11" == str(message.problem(("data", "a"), "m").place)
    assert "--title" == str(message.problem(("title",), "m").place)
    assert "--data b" == str(message.problem(("data", "b"), "m").place)
    assert Message().problem(("title",), "m").place is None


def test_a_raw_payload_is_kept_as_it_is() -> None:
    """Each service's payload is held, and its parts keep their places."""
    message = from_payload(
        {
            Service.APNS: payload({"aps": {"alert": "x"}}, "a.json"),
            Service.FCM: payload({"data": {"k": "v"}}, "f.json"),
        }
    )

    assert {"aps": {"alert": "x"}} == message.payloads[Service.APNS]
    assert {"data": {"k": "v"}} == message.payloads[Service.FCM]
    place = message.problem(("payload", "apns", "aps", "alert"), "m").place
    assert "a.json:1:19" == str(place)


def test_a_raw_payload_must_be_an_object() -> None:
    """A list or text is refused for each service."""
    with pytest.raises(InvalidInput) as error:
        from_payload({Service.APNS: payload([1]), Service.FCM: payload("x")})

    assert ["a payload is a JSON object, not a list", "a payload is a JSON object, not a text"] == [
        problem.message for problem in error.value.problems
    ]


def test_beside_a_raw_payload_only_delivery_options_are_taken() -> None:
    """What is shown is the payload's to say; how it is delivered may be said by options."""
    base = from_payload({Service.APNS: payload({"aps": {"alert": "x"}})})
    message = from_options(ttl="60", priority="normal", collapse_id="c", base=base)
    with pytest.raises(UsageError) as error:
        from_options(
            title="t",
            data=["a=b"],
            push_type="alert",
            critical=True,
            activity={"event": "end", "stale_date": "+1h"},
            base=base,
        )

    assert (60, Priority.NORMAL, "c") == (message.ttl, message.priority, message.collapse_id)
    assert [
        "`--title` cannot be used with `--payload`: the payload says what is shown",
        "`--data` cannot be used with `--payload`: the payload says what is shown",
        "`--critical` cannot be used with `--payload`: the payload says what is shown",
        "`--live-activity` cannot be used with `--payload`: the payload says what is shown",
        "`--stale-date` cannot be used with `--payload`: the payload says what is shown",
    ] == [problem.message for problem in error.value.problems]


def test_the_schema_names_every_field_and_closes_the_object() -> None:
    """Editors are told of all fields, and of no others."""
    schema = message_schema()
    fields = set(Message.__dataclass_fields__) - {"payloads", "sources"}

    assert fields == set(schema["properties"])
    assert schema["additionalProperties"] is False
    assert all(part["description"] for part in schema["properties"].values())


def test_the_schemas_duration_pattern_agrees_with_the_reader() -> None:
    """What the schema's pattern takes, the reader takes."""
    pattern = message_schema()["properties"]["ttl"]["anyOf"][1]["pattern"]

    assert re.fullmatch(pattern, "28d")
    assert not re.fullmatch(pattern, "soon")


@given(
    st.dictionaries(
        st.sampled_from([*message_schema()["properties"], "titel"]), JSON_VALUES, max_size=6
    )
)
def test_a_message_file_is_read_or_refused(value: dict[str, Any]) -> None:
    """No file makes reading fail in any other way than InvalidInput."""
    message: Message | None = None
    with contextlib.suppress(InvalidInput):
        message = from_document(payload(value))

    assert message is None or set(value) <= set(BY_NAME)


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_options_are_read_or_refused(badge: str, ttl: str, priority: str, pair: str) -> None:
    """No option value makes reading fail in any other way than an error for people."""
    message: Message | None = None
    with contextlib.suppress(UsageError):
        message = from_options(badge=badge, ttl=ttl, priority=priority, data=[pair])

    assert message is None or message.ttl is not None


def test_a_document_made_by_hand_has_no_lines_and_still_its_name() -> None:
    """Problems of a value without positions name the file alone."""
    read = document("title: x")

    assert "m.yaml:1:8" == str(from_document(read).problem(("title",), "m").place)
