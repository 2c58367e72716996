"""
APNs rules for the payload that depend on the push type: what it must hold, what does nothing there.

Sources: Apple, *Sending notification requests to APNs* (what each push type carries; that the type
must match the payload), and the page that :class:`~pushctl.rules.apns.PushType` names for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pushctl.rules import live_activity
from pushctl.rules.apns import PushType
from pushctl.rules.finding import Finding, Path

VISIBLE_KEYS = ("alert", "badge", "sound")

_ALERT, _ACTIVITY = ("alert",), ("liveactivity",)
_AT_HOME: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "alert": ("alert", "liveactivity"),
        "badge": _ALERT,
        "sound": _ALERT,
        "thread-id": _ALERT,
        "category": _ALERT,
        "mutable-content": _ALERT,
        "target-content-id": _ALERT,
        "interruption-level": _ALERT,
        "filter-criteria": _ALERT,
        "relevance-score": ("alert", "liveactivity"),
        "content-available": ("background", "alert"),
        "content-changed": ("controls", "widgets"),
        **dict.fromkeys(("event", "timestamp", "stale-date", "dismissal-date"), _ACTIVITY),
        **dict.fromkeys(("content-state", "attributes-type", "attributes"), _ACTIVITY),
        **dict.fromkeys(("input-push-token", "input-push-channel"), _ACTIVITY),
    }
)
"""The push types in which a key of ``aps`` means something."""
_WITHOUT_APS = ("fileprovider", "mdm")

_Faults = Iterator[tuple[Path, str]]
_Rules = Callable[[Mapping[str, Any], Mapping[str, Any]], _Faults]


def check(
    push_type: PushType, payload: Mapping[str, Any], *, to_channel: bool = False
) -> Iterator[Finding]:
    """
    Yield what is wrong with a whole *payload* because it is sent as *push_type*.

    With *to_channel* it is a broadcast, else it goes to a device.
    """
    page = f"Apple, {push_type.page}"
    aps = payload.get("aps")
    if aps is None and push_type.needs_aps:
        yield Finding((), f"a push of type {push_type.name} needs an `aps` object", page)
        return
    if not payload:
        text = "the payload is empty: APNs may refuse it (PayloadEmpty)"
        yield Finding((), text, "give it a key of your own", warning=True)
    if aps is not None and push_type.name in _WITHOUT_APS:
        text = f"a push of type {push_type.name} has no `aps`: what stands there does nothing"
        yield Finding(("aps",), text, page, warning=True, key=True)
        aps = None
    aps = aps or {}
    rules = _RULES.get(push_type.name)
    for path, message in rules(payload, aps) if rules is not None else ():
        yield Finding(path, message, page)
    if push_type.name == "liveactivity":
        yield from live_activity.check(aps, ("aps",), to_channel=to_channel)
    yield from _check_at_home(push_type, aps)
    if push_type.name != "liveactivity":
        yield from _check_plain_alert(aps.get("alert"))


def _check_at_home(push_type: PushType, aps: Mapping[str, Any]) -> Iterator[Finding]:
    for key in aps:
        types = _AT_HOME.get(key)
        if types is None or push_type.name in types:
            continue
        if push_type.name == "background" and key in VISIBLE_KEYS:
            continue  # an error, said elsewhere
        text = f"`{key}` does nothing in a push of type {push_type.name}"
        hint = f"it belongs to pushes of type {' or '.join(types)}"
        if key == "sound" and push_type.name == "liveactivity":
            hint = "the sound of a Live Activity stands inside its `alert`"
        yield Finding(("aps", key), text, hint, warning=True, key=True)


def _check_plain_alert(alert: object) -> Iterator[Finding]:
    """Yield what only the alert of a Live Activity may have."""
    if not isinstance(alert, Mapping):
        return
    for key in ("title", "body"):
        if isinstance(alert.get(key), Mapping):
            text = f"`{key}` must be a text: only a Live Activity has an object there"
            name = "loc-key" if key == "body" else f"{key}-loc-key"
            yield Finding(("aps", "alert", key), text, f"the key of a text goes into `{name}`")
    if "sound" in alert:
        text = "`sound` stands beside the alert, not inside: only a Live Activity has it there"
        yield Finding(("aps", "alert", "sound"), text, "move it to `aps.sound`", key=True)


def _alert(_: Mapping[str, Any], aps: Mapping[str, Any]) -> _Faults:
    if not any(key in aps for key in VISIBLE_KEYS):
        message = "a push of type alert must show or sound something: alert, badge or sound"
        yield ("aps",), message


def _background(_: Mapping[str, Any], aps: Mapping[str, Any]) -> _Faults:
    if "content-available" not in aps:
        yield ("aps",), "a push of type background must have `content-available`: 1"
    for key in VISIBLE_KEYS:
        if key in aps:
            yield ("aps", key), f"a push of type background must not have `{key}`"


def _content_changed(_: Mapping[str, Any], aps: Mapping[str, Any]) -> _Faults:
    if "content-changed" not in aps:
        yield ("aps",), "a push of type widgets or controls must have `content-changed`: true"


def _file_provider(payload: Mapping[str, Any], _: Mapping[str, Any]) -> _Faults:
    for key in ("container-identifier", "domain"):
        if not isinstance(payload.get(key), str):
            yield (key,), f"a push of type fileprovider must have a text `{key}`"


def _mdm(payload: Mapping[str, Any], _: Mapping[str, Any]) -> _Faults:
    if not isinstance(payload.get("mdm"), str):
        yield ("mdm",), "a push of type mdm must have a text `mdm`: the PushMagic string"


_RULES: Mapping[str, _Rules] = MappingProxyType(
    {
        "alert": _alert,
        "background": _background,
        "controls": _content_changed,
        "fileprovider": _file_provider,
        "mdm": _mdm,
        "widgets": _content_changed,
    }
)
