"""What an FCM message can carry beyond the neutral fields, from a file to a service that judges."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cli.kit import Project, android

WHOLE = """\
title: Your order is on its way
body: Four stops to go
image: https://example.com/van.png
data: {order: A-17}
ttl: 4h
priority: high
collapse_id: order-17
fcm:
  fcm_options: {analytics_label: orders}
  android:
    direct_boot_ok: true
    bandwidth_constrained_ok: true
    restricted_package_name: com.acme.shop
    fcm_options: {analytics_label: orders-android}
    notification:
      channel_id: orders
      color: "#00ff88"
      proxy: IF_PRIORITY_LOWERED
      visibility: PRIVATE
      notification_priority: PRIORITY_HIGH
      event_time: 2026-12-01T18:30:00Z
      vibrate_timings: [0s, 0.5s]
      light_settings:
        color: {red: 1, green: 0, blue: 0.5, alpha: 1}
        light_on_duration: 1s
        light_off_duration: 2.5s
  apns:
    headers: {apns-priority: "5"}
    payload: {deeplink: "shop://orders"}
    fcm_options: {analytics_label: orders-ios, image: "https://example.com/van-ios.png"}
  webpush:
    headers: {TTL: "15", Urgency: high}
    data: {order: A-17}
    notification: {title: Your order, requireInteraction: true}
    fcm_options: {link: "https://example.com/orders", analytics_label: orders-web}
"""


def test_every_block_reaches_fcm(project: Project) -> None:
    """Android, APNs and web push options, labels, image, direct boot and proxy pass its schema."""
    project.write("m.yaml", WHOLE)

    result = project.send("-o", "jsonl", "--token", android(), "--message", "m.yaml")

    assert (0, [], "accepted") == (result.exit_code, result.warnings, result.record["outcome"])
    message = project.served.only().message
    own = message["android"]
    assert {
        "title": "Your order is on its way",
        "body": "Four stops to go",
        "image": "https://example.com/van.png",
    } == message["notification"]
    assert (True, True, "HIGH", "14400s", "order-17", "com.acme.shop") == (
        own["directBootOk"],
        own["bandwidthConstrainedOk"],
        own["priority"],
        own["ttl"],
        own["collapseKey"],
        own["restrictedPackageName"],
    )
    shown = own["notification"]
    assert ("IF_PRIORITY_LOWERED", "orders", "PRIVATE", ["0s", "0.5s"]) == (
        shown["proxy"],
        shown["channelId"],
        shown["visibility"],
        shown["vibrateTimings"],
    )
    assert ["orders", "orders-android", "orders-ios", "orders-web"] == [
        part["fcmOptions"]["analyticsLabel"]
        for part in (message, own, message["apns"], message["webpush"])
    ]
    assert "https://example.com/van-ios.png" == message["apns"]["fcmOptions"]["image"]
    assert "5" == message["apns"]["headers"]["apns-priority"]
    assert ({"TTL": "15", "Urgency": "high"}, "https://example.com/orders") == (
        message["webpush"]["headers"],
        message["webpush"]["fcmOptions"]["link"],
    )


def test_the_same_blocks_go_to_a_topic_and_a_condition(project: Project) -> None:
    """Whom a message goes to changes nothing of what it carries."""
    project.write("m.yaml", WHOLE)
    condition = "'news' in topics && !('sport' in topics)"

    result = project.send(
        "--fcm-topic", "news", "--fcm-condition", condition, "--message", "m.yaml"
    )

    assert 0 == result.exit_code
    first, second = sorted((push.message for push in project.served.pushes), key=sorted)
    assert [("condition", condition), ("topic", "news")] == [
        (key, message.pop(key)) for message, key in ((first, "condition"), (second, "topic"))
    ]
    for message in (first, second):
        del message["apns"]["headers"]["apns-expiration"]  # counts from when each one left
    assert first == second


def test_the_second_android_block_and_its_two_ways(project: Project) -> None:
    """androidV2 takes the place of android, for a notification and for a silent one."""
    project.write(
        "shown.yaml",
        "fcm: {androidV2: {remote_notification: {mutable_content: true,"
        " notification: {id: 7, title: t}}}}\n",
    )
    project.write("silent.yaml", "data: {a: b}\nfcm: {androidV2: {background_sync: {}}}\n")

    for name in ("shown.yaml", "silent.yaml"):
        assert 0 == project.send("--token", android(), "--message", name).exit_code
    shown, silent = (push.message["androidV2"] for push in project.served.pushes)
    assert 7 == shown["remoteNotification"]["notification"]["id"]
    assert {"backgroundSync": {}} == silent


def test_localised_texts_reach_both_platforms(project: Project) -> None:
    """A key and its arguments stand where Android looks for them, and where iOS does."""
    project.write(
        "m.yaml", "title: {loc_key: T, loc_args: ['{{ n }}']}\nbody: Four stops to go\nsound: x\n"
    )
    project.write("list.csv", f"token,n\n{android()},4\n")

    result = project.send("--tokens", "list.csv", "--message", "m.yaml")

    assert 0 == result.exit_code
    message = project.served.only().message
    assert {"body": "Four stops to go"} == message["notification"]
    assert {"titleLocKey": "T", "titleLocArgs": ["4"], "sound": "x"} == (
        message["android"]["notification"]
    )
    assert {
        "alert": {"title-loc-key": "T", "title-loc-args": ["4"], "body": "Four stops to go"},
        "sound": "x",
    } == message["apns"]["payload"]["aps"]


def test_a_critical_alert_sounds_on_both_platforms(project: Project) -> None:
    """iOS gets the critical sound and the level, Android the name of the sound."""
    arguments = ("--body", "Fire", "--sound", "siren.caf", "--critical", "--volume", "1")

    result = project.send("--token", android(), *arguments, "--interruption-level", "critical")

    assert 0 == result.exit_code
    message = project.served.only().message
    assert {"sound": "siren.caf"} == message["android"]["notification"]
    assert {
        "sound": {"name": "siren.caf", "critical": 1, "volume": 1},
        "interruption-level": "critical",
    } == message["apns"]["payload"]["aps"]


def test_validate_only_sends_the_whole_message_to_be_checked(project: Project) -> None:
    """What FCM checks is what it would be sent, target and blocks included."""
    project.write("m.yaml", WHOLE)
    arguments = ("--token", android(), "--message", "m.yaml")

    checked = project.send(*arguments, "--dry-run", "--validate-only", "-o", "json")
    sent = project.send(*arguments)

    assert (0, 0, 1) == (
        checked.exit_code,
        sent.exit_code,
        checked.document["validated"]["totals"]["accepted"],
    )
    first, second = (push.payload for push in project.served.pushes)
    assert (True, None) == (first.pop("validate_only"), second.get("validate_only"))
    for request in (first, second):
        del request["message"]["apns"]["headers"]["apns-expiration"]
    assert first == second


WRONG: Mapping[str, tuple[str, str]] = {
    "direct boot": ("android: {direct_boot_ok: 1}", "m.yaml:2:33: `directBootOk` must be true"),
    "label": ("fcm_options: {analytics_label: a b}", "m.yaml:2:38: `analyticsLabel` must be 1 to"),
    "label of a platform": (
        "webpush: {fcm_options: {analytics_label: ''}}",
        "m.yaml:2:48: `analyticsLabel` must be 1 to 50",
    ),
    "link": ("webpush: {fcm_options: {link: 'http://x'}}", "`link` must be an https:// address"),
    "image": ("apns: {fcm_options: {image: logo.png}}", "`image` must be an https:// address"),
    "proxy": (
        "android: {notification: {proxy: MAYBE}}",
        "m.yaml:2:39: `proxy` must be one of PROXY_UNSPECIFIED, ALLOW, DENY, IF_PRIORITY_LOWERED",
    ),
    "visibility": ("android: {notification: {visibility: 1}}", "`visibility` must be one of"),
    "colour": ("android: {notification: {color: red}}", "`color` must be a colour of the form"),
    "time": (
        "android: {notification: {event_time: '18:30'}}",
        "m.yaml:2:44: `eventTime` must be an RFC 3339 time",
    ),
    "timings": ("android: {notification: {vibrate_timings: [1]}}", "`vibrateTimings` holds an"),
    "light": (
        "android: {notification: {light_settings: {color: {red: 2}, light_on_duration: 1s,"
        " light_off_duration: 1s}}}",
        "`red` must be a number from 0 to 1",
    ),
    "lifespan": ("android: {ttl: 2419201s}", "m.yaml:2:22: `ttl` must be seconds from"),
    "web lifespan": ("webpush: {headers: {TTL: 4h}}", "m.yaml:2:32: `TTL` for web push must be"),
    "web header": ("webpush: {headers: {TTL: 15}}", "FCM takes only texts in `webpush.headers`"),
    "data": ("android: {data: {google.x: y}}", "the data key `google.x` is reserved by FCM"),
    "both": ("{androidV2: {}, android: {ttl: 5s}}", "`android` and `androidV2` exclude each"),
    "target": ("topic: news", "m.yaml:2:14: the target `topic` does not belong in the message"),
    "block": ("android: [1]", "m.yaml:2:16: `android` must be an object, not a list"),
}


@pytest.mark.parametrize(("block", "error"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_in_a_block_is_refused_before_it_is_sent(
    project: Project, block: str, error: str
) -> None:
    """One error at its line and column, exit 3, and FCM hears nothing."""
    inner = block if block.startswith("{") else f"{{{block}}}"
    project.write("m.yaml", f"title: t\nfcm: {inner}\n")

    result = project.send("--token", android(), "--message", "m.yaml")

    assert (3, []) == (result.exit_code, project.served.pushes)
    assert 1 == len(result.errors)
    assert error in result.errors[0]


@pytest.mark.parametrize(
    ("headers", "warning"),
    [
        ("apns: {headers: {apns-priority: '7'}}", "apns-priority must be 10, 5 or 1"),
        ("apns: {headers: {apns-push-type: voipp}}", "`voipp` is no APNs push type"),
        ("apns: {headers: {apns-expiration: soon}}", "apns-expiration must be a whole number"),
        ("apns: {headers: {apns-expiration: '1795168800000'}}", "looks like milliseconds"),
        ("webpush: {headers: {Urgency: loud}}", "`Urgency` for web push is one of very-low, low"),
    ],
)
def test_what_fcm_takes_but_another_service_would_refuse_is_a_warning(
    project: Project, headers: str, warning: str
) -> None:
    """Header fields that FCM hands on are judged by the rules of those who get them."""
    project.write("m.yaml", f"title: t\nfcm: {{{headers}}}\n")

    result = project.send("--token", android(), "--message", "m.yaml")

    assert 0 == result.exit_code
    assert 1 == len(result.warnings)
    assert warning in result.warnings[0]
