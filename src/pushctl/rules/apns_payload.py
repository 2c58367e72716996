"""
APNs rules for the payload: the keys of ``aps``, their types and ranges.

Sources: Apple, *Generating a remote notification* (the keys), *UNNotificationInterruptionLevel*
and the pages of the two entitlements.  What a push type needs there is in
:mod:`pushctl.rules.by_push_type`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pushctl.rules import by_push_type, live_activity
from pushctl.rules.apns import PushType
from pushctl.rules.by_push_type import VISIBLE_KEYS
from pushctl.rules.finding import Finding, Path, did_you_mean, type_name

Check = Callable[[Any], "str | None"]
"""Takes a value, returns what is wrong with it, as it follows the key's name; or nothing."""

_KEYS_PAGE = "Apple, Generating a remote notification"
CRITICAL_ENTITLEMENT = "com.apple.developer.usernotifications.critical-alerts"
TIME_SENSITIVE_ENTITLEMENT = "com.apple.developer.usernotifications.time-sensitive"
INTERRUPTION_LEVELS = ("passive", "active", "time-sensitive", "critical")
_ACTIVITY_KEYS = frozenset({"event", "content-state", "attributes-type"})


def is_whole(value: object) -> bool:
    """Return whether *value* is a whole number, which a boolean is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None
    return f"must be a number, not {type_name(value)}"


def _text(value: object) -> str | None:
    return None if isinstance(value, str) else f"must be a text, not {type_name(value)}"


def _object(value: object) -> str | None:
    return None if isinstance(value, Mapping) else f"must be an object, not {type_name(value)}"


def _texts(value: object) -> str | None:
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return None
    return "must be a list of texts"


def _one(value: object) -> str | None:
    return None if is_whole(value) and value == 1 else "must be the number 1 or left out"


def _true(value: object) -> str | None:
    return None if value is True else "must be true or left out"


def _badge(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return None
    return "must be a whole number from 0 (0 removes the badge)"


def _one_of(*words: str) -> Check:
    def check(value: object) -> str | None:
        return None if value in words else f"must be one of {', '.join(words)}"

    return check


def _fraction(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return None
    return "must be a number from 0 to 1"


def _text_or_object(value: object) -> str | None:
    if isinstance(value, str | Mapping):
        return None
    return f"must be a text or an object, not {type_name(value)}"


_APS: Mapping[str, Check] = {
    "alert": _text_or_object,
    "badge": _badge,
    "sound": _text_or_object,
    "thread-id": _text,
    "category": _text,
    "content-available": _one,
    "mutable-content": _one,
    "target-content-id": _text,
    "interruption-level": _one_of(*INTERRUPTION_LEVELS),
    "relevance-score": _number,
    "filter-criteria": _text,
    "stale-date": _number,
    "content-state": _object,
    "timestamp": _number,
    "event": _one_of(*live_activity.EVENTS),
    "dismissal-date": _number,
    "attributes-type": _text,
    "attributes": _object,
    "input-push-token": _one,
    "input-push-channel": _text,
    "content-changed": _true,
    "url-args": _texts,
}
_ALERT: Mapping[str, Check] = {
    # title and body may be {"loc-key", "loc-args"}, and sound may stand here, in the alert of a
    # Live Activity.
    "title": _text_or_object,
    "subtitle": _text,
    "body": _text_or_object,
    "launch-image": _text,
    "title-loc-key": _text,
    "title-loc-args": _texts,
    "subtitle-loc-key": _text,
    "subtitle-loc-args": _texts,
    "loc-key": _text,
    "loc-args": _texts,
    "action-loc-key": _text,
    "sound": _text_or_object,
}
_SOUND: Mapping[str, Check] = {
    "critical": lambda value: None if is_whole(value) and value in (0, 1) else "must be 0 or 1",
    "name": _text,
    "volume": _fraction,
}

_TEXT_KEYS = frozenset(
    {
        *((key,) for key, check in _APS.items() if check in (_text, _text_or_object)),
        *(("alert", key) for key, check in _ALERT.items() if check in (_text, _text_or_object)),
        *(("alert", key, "loc-key") for key in ("title", "body")),
        ("sound", "name"),
        ("alert", "sound", "name"),
    }
)
_TEXT_LISTS = frozenset(
    {
        *(("alert", key) for key, check in _ALERT.items() if check is _texts),
        *(("alert", key, "loc-args") for key in ("title", "body")),
    }
)
_WHOLE_NUMBERS = frozenset({("badge",), *((key,) for key in live_activity.MOMENTS)})


def takes_text(path: Path) -> bool:
    """Return whether a placeholder alone at *path* of a payload must become a text."""
    if len(path) < 2 or path[0] != "aps":
        return False
    return path[1:] in _TEXT_KEYS or path[1:-1] in _TEXT_LISTS


def takes_number(path: Path) -> bool:
    """Return whether a placeholder alone at *path* must become a whole number from 0."""
    return path[:1] == ("aps",) and path[1:] in _WHOLE_NUMBERS


def infer_push_type(payload: Mapping[str, Any]) -> str | None:
    """
    Return the push type that the content of a raw *payload* tells, or ``None``.

    Only what is beyond doubt is told: an alert, a background update, a Live Activity.
    """
    aps = payload.get("aps")
    if not isinstance(aps, Mapping):
        return None
    if _ACTIVITY_KEYS.intersection(aps):
        return "liveactivity"
    if any(key in aps for key in VISIBLE_KEYS):
        return "alert"
    return "background" if "content-available" in aps else None


def check_payload(
    push_type: PushType, payload: Mapping[str, Any], *, to_channel: bool = False
) -> Iterator[Finding]:
    """
    Yield what is wrong with a whole APNs *payload* sent as *push_type*.

    With *to_channel* it is a broadcast, else it goes to a device.
    """
    aps = payload.get("aps")
    if aps is not None and not isinstance(aps, Mapping):
        yield Finding(("aps",), f"`aps` must be an object, not {type_name(aps)}", _KEYS_PAGE)
        return
    if aps is not None:
        yield from check_aps(aps, ("aps",))
    yield from by_push_type.check(push_type, payload, to_channel=to_channel)


def check_aps(aps: Mapping[str, Any], path: Path, *, has_alert: bool = False) -> Iterator[Finding]:
    """
    Yield what is wrong with the keys of an *aps* object, whatever the push type.

    *has_alert* says that the alert's text is given elsewhere, as FCM's notification is.
    """
    yield from _check_keys(aps, _APS, path, "aps")
    alert, sound = aps.get("alert"), aps.get("sound")
    if isinstance(alert, Mapping):
        yield from _check_keys(alert, _ALERT, (*path, "alert"), "alert")
    if isinstance(sound, Mapping):
        yield from _check_keys(sound, _SOUND, (*path, "sound"), "sound")
    if "mutable-content" in aps and "alert" not in aps and not has_alert:
        message = "`mutable-content` without an alert: the service extension will not run"
        yield Finding((*path, "mutable-content"), message, _KEYS_PAGE, warning=True)
    yield from _check_loudness(aps, path)
    score = aps.get("relevance-score")
    if _number(score) is None and _fraction(score) is not None and "event" not in aps:
        message = "`relevance-score` must be a number from 0 to 1 (only Live Activities may differ)"
        yield Finding((*path, "relevance-score"), message, _KEYS_PAGE)


def _check_loudness(aps: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    """Yield what is odd about the sound and the interruption level, and what the app needs."""
    level = aps.get("interruption-level")
    sounds = [(path, aps.get("sound"))]
    if isinstance(aps.get("alert"), Mapping):
        sounds.append(((*path, "alert"), aps["alert"].get("sound")))
    needs_grant = [(*path, "interruption-level")] if level == "critical" else []
    for at, sound in sounds:
        if isinstance(sound, Mapping) and sound.get("critical") == 1:
            needs_grant = [(*at, "sound", "critical")]
        elif isinstance(sound, Mapping) and "volume" in sound:
            text = "`volume` is for the sound of a critical alert: it needs `critical`: 1"
            yield Finding((*at, "sound", "volume"), text, _KEYS_PAGE, warning=True)
        if sound is not None and level == "passive":
            text = "a notification whose interruption level is passive plays no sound"
            yield Finding(
                (*at, "sound"), text, "Apple, UNNotificationInterruptionLevel.passive", warning=True
            )
    for place in needs_grant:
        text = "the app needs an entitlement for critical alerts, which Apple grants on request"
        yield Finding(place, text, f"it is {CRITICAL_ENTITLEMENT}", warning=True)
    if level == "time-sensitive":
        text = (
            "the app needs the capability Time Sensitive Notifications for this interruption level"
        )
        hint = f"its entitlement is {TIME_SENSITIVE_ENTITLEMENT}"
        yield Finding((*path, "interruption-level"), text, hint, warning=True)


def _check_keys(
    values: Mapping[str, Any], table: Mapping[str, Check], path: Path, owner: str
) -> Iterator[Finding]:
    for key, value in values.items():
        check = table.get(key)
        if check is None:
            hint = did_you_mean(key, table) or "keys of your own belong beside `aps`, not inside"
            message = f"Apple defines no key `{key}` in `{owner}`: the device ignores it"
            yield Finding((*path, key), message, hint, warning=True, key=True)
        elif (fault := check(value)) is not None:
            yield Finding((*path, key), f"`{key}` {fault}", _KEYS_PAGE)
