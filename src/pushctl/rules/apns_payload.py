"""
APNs rules for the payload: the keys of ``aps`` and what each push type needs there.

Sources: Apple, *Generating a remote notification* (the keys), *Pushing background updates to
your App*, *Starting and updating Live Activities with ActivityKit push notifications*, and
*Sending notification requests to APNs* (what each push type carries).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pushctl.rules import live_activity
from pushctl.rules.apns import PushType
from pushctl.rules.finding import Finding, Path, did_you_mean, type_name

Check = Callable[[Any], "str | None"]
"""Takes a value, returns what is wrong with it, as it follows the key's name; or nothing."""

_KEYS_PAGE = "Apple, Generating a remote notification"
VISIBLE_KEYS = ("alert", "badge", "sound")
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
    if aps is None and push_type.needs_aps:
        message = f"a push of type {push_type.name} needs an `aps` object"
        yield Finding((), message, f"Apple, {push_type.page}")
        return
    if aps is not None:
        yield from check_aps(aps, ("aps",))
    yield from _check_type(push_type, payload, aps or {})
    if push_type.name == "liveactivity":
        yield from live_activity.check(aps or {}, ("aps",), to_channel=to_channel)


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
    score = aps.get("relevance-score")
    if _number(score) is None and _fraction(score) is not None and "event" not in aps:
        message = "`relevance-score` must be a number from 0 to 1 (only Live Activities may differ)"
        yield Finding((*path, "relevance-score"), message, _KEYS_PAGE)


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


def _check_type(
    push_type: PushType, payload: Mapping[str, Any], aps: Mapping[str, Any]
) -> Iterator[Finding]:
    rules = _BY_TYPE.get(push_type.name)
    if rules is not None:
        for path, message in rules(payload, aps):
            yield Finding(path, message, f"Apple, {push_type.page}")


_Faults = Iterator[tuple[Path, str]]


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


_BY_TYPE: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], _Faults]] = {
    "alert": _alert,
    "background": _background,
    "controls": _content_changed,
    "fileprovider": _file_provider,
    "mdm": _mdm,
    "widgets": _content_changed,
}
