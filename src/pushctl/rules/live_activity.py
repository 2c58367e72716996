"""
APNs rules for the payload of a Live Activity, as far as they depend on its event.

Source: Apple, *Starting and updating Live Activities with ActivityKit push notifications*; for
what may go to a broadcast channel, *Sending broadcast push notification requests to APNs*.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pushctl.rules import channels
from pushctl.rules.finding import Finding, Path
from pushctl.rules.moment import LATEST_EPOCH_S

EVENTS = ("start", "update", "end")
LONGEST_AFTER_END_S = 4 * 3600
"""How long the system keeps an ended activity on the Lock Screen at the most."""
MOMENTS = ("timestamp", "stale-date", "dismissal-date")
"""The keys of ``aps`` that hold epoch seconds."""

_PAGE = "Apple, Starting and updating Live Activities with ActivityKit push notifications"
_ALWAYS = ("timestamp", "event")
_NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "start": ("content-state", "attributes-type", "attributes", "alert"),
        "update": ("content-state",),
        "end": (),
    }
)
_HOW: Mapping[str, str] = MappingProxyType(
    {
        "event": "`event` is start, update or end",
        "timestamp": "`timestamp` is when the content was made, in epoch seconds",
        "content-state": "give it with --content-state FILE, or `content_state` in a message file",
        "attributes-type": "give it with --attributes-type, or `attributes_type` in a message file",
        "attributes": "give it with --attributes FILE, or `attributes` in a message file",
        "alert": "give a title and a body: Apple shows them when the activity begins",
    }
)
_START_ONLY = ("attributes-type", "attributes", "input-push-token", "input-push-channel")
_ALERT_KEYS = frozenset({"title", "body", "sound"})


def check(aps: Mapping[str, Any], path: Path, *, to_channel: bool = False) -> Iterator[Finding]:
    """
    Yield what is wrong with *aps*, which stands at *path*, as the content of a Live Activity.

    The type of each key is judged by :func:`pushctl.rules.apns_payload.check_aps`.  With
    *to_channel* it is a broadcast.
    """
    event = aps.get("event")
    yield from _check_needed(aps, path, event)
    if to_channel and event in EVENTS and event not in channels.EVENTS:
        text = "a broadcast cannot start a Live Activity: only update and end go to a channel"
        hint = "start each activity by its push-to-start token, with `input_push_channel`"
        yield Finding((*path, "event"), text, hint)
    if event in ("update", "end"):
        for key in _START_ONLY:
            if key in aps:
                text = f"`{key}` belongs to the start of a Live Activity: with {event} it does"
                yield Finding((*path, key), f"{text} nothing", _PAGE, warning=True, key=True)
    if "input-push-token" in aps and "input-push-channel" in aps:
        text = "an activity is updated by a token of its own or through a channel, not by both"
        hint = "leave out `input-push-token` or `input-push-channel`"
        yield Finding((*path, "input-push-channel"), text, hint, key=True)
    yield from _check_moments(aps, path, event)
    yield from _check_alert(aps.get("alert"), path, event)


def _check_needed(aps: Mapping[str, Any], path: Path, event: object) -> Iterator[Finding]:
    needed = _NEEDED.get(event, ()) if isinstance(event, str) else ()
    for key in (*_ALWAYS, *needed):
        if key not in aps:
            which = f" with event {event}" if key in needed else ""
            yield Finding(path, f"a Live Activity push{which} needs `{key}`", _HOW[key])


def _check_moments(aps: Mapping[str, Any], path: Path, event: object) -> Iterator[Finding]:
    moments: dict[str, float] = {}
    for key in MOMENTS:
        value = aps.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if value >= LATEST_EPOCH_S:
                text = f"`{key}` counts seconds since 1970; this looks like milliseconds"
                yield Finding((*path, key), text, _PAGE)
            else:
                moments[key] = value
    if "dismissal-date" in aps and event in ("start", "update"):
        text = f"`dismissal-date` belongs to the end of a Live Activity, not to its {event}"
        hint = "end it with event end; `stale-date` says when its content is out of date"
        yield Finding((*path, "dismissal-date"), text, hint, key=True)
    made = moments.get("timestamp")
    if made is None:
        return
    if moments.get("dismissal-date", made) - made > LONGEST_AFTER_END_S:
        text = "an ended Live Activity is removed after four hours, whatever `dismissal-date` says"
        yield Finding((*path, "dismissal-date"), text, _PAGE, warning=True)
    if event != "end" and moments.get("stale-date", made + 1) <= made:
        text = "`stale-date` is not after `timestamp`: the activity is out of date when it arrives"
        yield Finding((*path, "stale-date"), text, _PAGE, warning=True)


def _check_alert(alert: object, path: Path, event: object) -> Iterator[Finding]:
    if not isinstance(alert, Mapping):
        return
    for key in alert:
        if key not in _ALERT_KEYS:
            text = f"the alert of a Live Activity has title, body and sound; `{key}` is ignored"
            yield Finding((*path, "alert", key), text, _PAGE, warning=True, key=True)
    if event == "start" and not ("title" in alert and "body" in alert):
        text = "the alert that starts a Live Activity has a title and a body"
        yield Finding((*path, "alert"), text, _PAGE, warning=True)
