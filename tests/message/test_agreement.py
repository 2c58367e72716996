"""
Two judges who share no code agree: what the lint passes, the simulator's APNs and FCM accept.

The lint is ours to write and so is the simulator, but each from the vendors' pages: where they
differ, one of the two has misread a rule.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from message.kit import NOW, payload
from pushctl.errors import InvalidInput
from pushctl.gateway import apns_request, fcm_request
from pushctl.message.compile import compile_message
from pushctl.message.content import ApnsContent, FcmContent
from pushctl.message.lint import lint
from pushctl.message.model import Message
from pushctl.message.neutral import dated, from_document
from pushctl.outcome import Environment, Service
from pushctl.rules.apns import PUSH_TYPES, Sender, Signing
from pushctl.simulator import ApnsKey
from pushctl.simulator.apns import ApnsJudge
from pushctl.simulator.client_certificate import ClientCertificate
from pushctl.simulator.fcm import FcmJudge
from pushctl.simulator.google_access import GoogleAccess
from pushctl.simulator.http import Request
from pushctl.simulator.provider_token import ProviderTokens, Session
from pushctl.simulator.token_endpoint import AccessTokens
from simulator.kit import ANDROID_TOKEN, SCOPE, TOKEN, TOPIC, provider_token, push_key

KEY = push_key()
BEARER = "bearer " + provider_token(KEY, "ABC123DEFG", "DEF123GHIJ", int(NOW))
MDM = "com.apple.mgmt.External.a1b2"
ACCOUNT = "push@shop.iam.gserviceaccount.com"


def mostly(*good: Any, bad: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """Return one of *good* mostly, else one of *bad*: most messages should get to the judge."""
    return st.sampled_from([*good * (6 * max(len(bad), 1)), *bad])


_TEXTS = mostly("Hello", "ü", bad=("x" * 4000, "x" * 5100))
_SMALL = st.sampled_from(["a", "b c", "é" * 20])
_NEUTRAL: dict[str, st.SearchStrategy[Any]] = {
    "title": _SMALL,
    "body": _TEXTS,
    "badge": st.integers(0, 3),
    "sound": _SMALL | st.just({"critical": True, "volume": 0.5}),
    "data": st.dictionaries(
        mostly("a", "mdm", "domain", "container-identifier", bad=("from", "aps")),
        _TEXTS,
        max_size=3,
    ),
    "collapse_id": mostly("a", "x" * 64, "a b", bad=("x" * 65, "é" * 33)),
    "ttl": mostly(0, "4h", "28d", bad=("29d",)),
    "priority": mostly("high", "normal", bad=("low",)),
    "interruption_level": st.sampled_from(["passive", "critical"]),
    "relevance_score": mostly(0, 0.5, 1, bad=(7,)),
}
_ACTIVITY = st.fixed_dictionaries(
    {"event": st.sampled_from(["start", "update", "end"]), "content_state": st.just({"a": 1})},
    optional={
        "attributes_type": st.just("T"),
        "attributes": st.just({}),
        "dismissal_date": st.just("+1h"),
        "relevance_score": st.just(7),
        "live_activity_token": st.just("80b3"),
    },
)
_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "apns-priority": mostly(10, "5", 1, bad=(7, "high")),
        "apns-expiration": mostly(0, "1795168800", bad=(1795168800000, "soon")),
        "apns-collapse-id": mostly("x" * 64, bad=("x" * 65, " a")),
        "apns-push-type": mostly("alert", bad=(*PUSH_TYPES, "voipp")),
    },
)
_DELIVERY = {name: _NEUTRAL[name] for name in ("collapse_id", "ttl", "priority")}
_ALERT = {name: _NEUTRAL[name] for name in ("title", "body", "sound")}
_OVERRIDES = st.fixed_dictionaries({}, optional={"headers": _HEADERS})
_HELD = {"mdm": "magic", "domain": "d", "container-identifier": "c"}


def of_type(push_type: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return messages of *push_type* that hold what it needs, and more."""
    if push_type == "liveactivity":
        fixed, more = {"live_activity": _ACTIVITY}, {**_ALERT, **_DELIVERY}
    else:
        fixed = {"push_type": st.just(push_type)}
        more = {**_NEUTRAL} if push_type == "alert" else {**_DELIVERY, "data": _NEUTRAL["data"]}
        if push_type not in ("alert", "background", "controls", "widgets"):
            fixed["data"] = mostly(_HELD, bad=({},))
            more = {**_DELIVERY, "title": _SMALL}
    return st.fixed_dictionaries(fixed, optional={**more, "apns": _OVERRIDES})


_FOR_APNS = st.sampled_from(sorted(PUSH_TYPES)).flatmap(of_type)


def passed(value: dict[str, Any], service: Service, senders: list[Sender]) -> Message | None:
    """Return the message that *value* is, ``None`` where the reader or the lint refuses it."""
    with contextlib.suppress(InvalidInput):
        message = dated(from_document(payload(value)), NOW)
        if not lint(message, [service], senders=senders).errors:
            return message
    return None


@given(_FOR_APNS, st.booleans())
def test_what_the_lint_passes_apns_accepts(value: dict[str, Any], certificate: bool) -> None:
    """Whatever push type, priority, lifespan, collapse id and size: no reason to refuse it."""
    shown = ClientCertificate((), frozenset(Environment), "0123456789ab") if certificate else None
    topic = MDM if value.get("push_type") == "mdm" else TOPIC
    sender = Sender(topic, Signing.CERTIFICATE if certificate else Signing.KEY)
    message = passed(value, Service.APNS, [sender])
    if message is None:
        return
    content = compile_message(message, Service.APNS).render({}, now=NOW)
    assert isinstance(content, ApnsContent)
    event(content.push_type)
    if content.body == b"{}" or (content.push_type == "mdm") != (topic == MDM):
        return  # whether APNs takes these is not documented: they are warned of
    built = apns_request.build(content, device_token=TOKEN, topic=topic, apns_id=None)

    keys = {"ABC123DEFG": ApnsKey(KEY.public_key(), "DEF123GHIJ")}
    tokens = ProviderTokens(keys, Environment.PRODUCTION)
    fields = [(name.decode(), field.decode("latin-1")) for name, field in built.fields]
    request = Request(
        "POST",
        built.path.decode(),
        (*fields, *([] if certificate else [("authorization", BEARER)])),
        built.body,
        len(built.body),
    )
    verdict = ApnsJudge(tokens, {}, Environment.PRODUCTION, None).judge(
        request, Session(certificate=shown), NOW
    )

    assert verdict.reason is None, (verdict.reason, fields)


_LABELS = mostly("orders", "x" * 50, bad=("a b", "x" * 51, ""))
_ANDROID = st.fixed_dictionaries(
    {},
    optional={
        "direct_boot_ok": mostly(True, False, bad=(1,)),
        "ttl": mostly("0s", "3.5s", "2419200s", bad=("2419200.5s", "2419201s", "-1s", "4h")),
        "priority": mostly("high", "NORMAL", bad=("LOW",)),
        "data": st.dictionaries(mostly("a", bad=("google.x", "from")), _SMALL),
        "fcm_options": st.fixed_dictionaries({"analytics_label": _LABELS}),
        "notification": st.fixed_dictionaries(
            {},
            optional={
                "color": mostly("#00ff88", bad=("red", "#00ff8")),
                "event_time": mostly(
                    "2026-12-01T18:30:00Z", "2026-12-01T18:30:00+01:00", bad=("2026-12-01", "now")
                ),
                "notification_count": mostly(0, 3, bad=(-1, 2**31)),
                "vibrate_timings": st.lists(mostly("1s", "0.5s", bad=("1", 1)), max_size=2),
                "title_loc_args": st.lists(mostly("a", bad=(1,)), max_size=2),
                "visibility": mostly("PRIVATE", bad=("private", 1)),
                "proxy": mostly("ALLOW", bad=("MAYBE",)),
                "sticky": mostly(True, bad=("true",)),
                "light_settings": st.fixed_dictionaries(
                    {
                        "color": st.dictionaries(
                            st.sampled_from(["red", "blue"]), mostly(0, 0.5, 1, bad=(2,))
                        ),
                        "light_on_duration": st.just("1s"),
                    },
                    optional={"light_off_duration": mostly("1s", bad=("x",))},
                ),
            },
        ),
    },
)
_FOR_FCM = st.fixed_dictionaries(
    {},
    optional={
        **_NEUTRAL,
        # Google does not say how the parts for one platform are counted: nothing near the limit.
        "body": _SMALL,
        "data": st.dictionaries(mostly("a", "b", bad=("from", "google.x")), _SMALL, max_size=2),
        "live_activity": _ACTIVITY,
        "fcm": st.fixed_dictionaries(
            {},
            optional={
                "android": _ANDROID,
                "fcm_options": st.fixed_dictionaries({"analytics_label": _LABELS}),
                "webpush": st.fixed_dictionaries(
                    {},
                    optional={
                        "headers": st.dictionaries(
                            st.sampled_from(["TTL", "Urgency"]),
                            mostly("15", bad=("4h", "high", 15)),
                        ),
                        "fcm_options": st.fixed_dictionaries(
                            {"link": mostly("https://x.example", bad=("http://x.example",))}
                        ),
                    },
                ),
                "apns": st.fixed_dictionaries(
                    {},
                    optional={
                        "headers": st.dictionaries(
                            st.just("apns-priority"), mostly("5", "10", bad=(5,))
                        ),
                        "payload": st.just({"aps": {"mutable-content": 1}}),
                    },
                ),
            },
        ),
    },
)


@given(_FOR_FCM)
def test_what_the_lint_passes_fcm_accepts(value: dict[str, Any]) -> None:
    """Whatever blocks, types, labels and lifespans: the schema and the rules of FCM hold."""
    message = passed(value, Service.FCM, [])
    event(f"passed: {message is not None}")
    if message is None:
        return
    content = compile_message(message, Service.FCM).render({}, now=NOW)
    assert isinstance(content, FcmContent)
    built = fcm_request.build(content, project_id="shop", target=("token", ANDROID_TOKEN))

    tokens = AccessTokens(3599)
    token = tokens.issue(ACCOUNT, frozenset({SCOPE}), NOW)
    request = Request(
        "POST",
        built.path.decode(),
        (("authorization", f"Bearer {token}"),),
        built.body,
        len(built.body),
    )
    verdict = FcmJudge(GoogleAccess(tokens, {ACCOUNT: "shop"}), {}).judge(request, NOW)

    assert verdict.reason is None, (verdict.reason, json.loads(built.body))
