"""
Judges a message by the vendors' rules before anything is sent.

An error is what a service is sure to refuse, by a rule that the problem names; a warning is what
it takes but hardly as meant.  What a placeholder will become is judged when it is filled.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pushctl.errors import Place, Problem
from pushctl.message import live_activity
from pushctl.message.apns_draft import draft_apns
from pushctl.message.compile import (
    CompiledApns,
    CompiledFcm,
    check_payload_given,
    problem_of,
)
from pushctl.message.draft import Draft
from pushctl.message.fcm_draft import draft_fcm
from pushctl.message.fields import FIELDS
from pushctl.message.model import Message
from pushctl.message.skeleton import encode
from pushctl.message.values import has_placeholder
from pushctl.outcome import Service
from pushctl.rules import apns, apns_payload, channels, fcm
from pushctl.rules.finding import Finding

_TYPES_FOR_FCM = ("alert", "background", "liveactivity")
_EMPTY_HINT = "give it a --title or --body, or --data for the app, or --message FILE"
_BROADCAST_PAGE = "Apple, Sending broadcast push notification requests to APNs"
_FCM_SIZE_HINT = "Firebase, FCM error codes: keys and values of notification and data count"


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of a message."""

    errors: tuple[Problem, ...] = ()
    """What a service is sure to refuse: do not send."""
    warnings: tuple[Problem, ...] = ()


def lint(
    message: Message,
    services: Collection[Service],
    *,
    target_kinds: Collection[str] = ("token",),
    senders: Collection[apns.Sender] = (),
) -> Verdict:
    """
    Return what is wrong with *message* for *services*, in the order of the message.

    *target_kinds* says whom the message goes to: for FCM ``token``, ``fid``, ``topic`` and
    ``condition``, on which the size limit depends; ``channel`` for a broadcast of APNs, which then
    goes to channels alone.  *senders* are the APNs credentials of the run.

    :raises InvalidInput: where raw payloads were given but none for one of *services*.
    """
    for service in services:
        check_payload_given(message, service)
    if _is_empty(message):
        problem = message.problem((), "the message is empty", hint=_EMPTY_HINT)
        return Verdict(errors=(problem,))
    findings: list[Finding] = []
    findings += _check_neutral(message, services)
    if Service.APNS in services:
        findings += _check_apns(message, senders, to_channel="channel" in target_kinds)
    if Service.FCM in services:
        findings += _check_fcm(message, target_kinds)
    return _verdict(message, findings)


def _is_empty(message: Message) -> bool:
    if message.payloads:
        return False
    content = (getattr(message, field.name) for field in FIELDS if field.describes_content)
    push_type = apns.PUSH_TYPES.get(message.push_type or "")
    return not any(part not in (None, {}) for part in content) and not (push_type and push_type.aps)


def _verdict(message: Message, findings: Iterable[Finding]) -> Verdict:
    errors: dict[tuple[str, Place | None], Problem] = {}
    warnings: dict[tuple[str, Place | None], Problem] = {}
    for finding in findings:
        problem = problem_of(message, finding)
        kept = warnings if finding.warning else errors
        # Both services may object to the same part in the same words: say it once.
        kept.setdefault((problem.message, problem.place), problem)
    refused = {problem.place for problem in errors.values() if problem.place is not None}
    doubts = [problem for problem in warnings.values() if problem.place not in refused]
    return Verdict(
        tuple(sorted(errors.values(), key=_line_and_column)),
        tuple(sorted(doubts, key=_line_and_column)),
    )


def _line_and_column(problem: Problem) -> tuple[int, int]:
    place = problem.place
    return (0, 0) if place is None else (place.line or 0, place.column or 0)


def _check_neutral(message: Message, services: Collection[Service]) -> Iterator[Finding]:
    texts = (message.title, message.subtitle, message.body)
    yield from live_activity.check(message)
    if message.image is not None:
        if not any(texts):
            yield Finding(("image",), "an image needs a title or a body beside it")
        yield from _check_image(message.image)
    if Service.FCM not in services:
        return
    if message.push_type is not None and message.push_type not in _TYPES_FOR_FCM:
        text = f"FCM sends no pushes of type {message.push_type}: the type is for APNs alone"
        yield Finding(("push_type",), text, warning=True)
    if not message.payloads and message.title is None and message.body is None:
        for name in ("badge", "sound"):
            if getattr(message, name) is not None:
                text = f"without a title or body Android shows nothing, `{name}` included"
                yield Finding((name,), text, warning=True)


def _check_image(image: str) -> Iterator[Finding]:
    if has_placeholder(image) or image.startswith("https://"):
        return
    if image.startswith("http://"):
        yield Finding(("image",), fcm.HTTP_IMAGE, warning=True)
    else:
        yield Finding(("image",), "`image` must be an https:// address")


def _check_apns(
    message: Message, senders: Collection[apns.Sender], *, to_channel: bool
) -> Iterator[Finding]:
    draft = draft_apns(message)
    compiled = CompiledApns(draft, to_channel=to_channel)
    yield from draft.findings
    if draft.is_type_known:
        if to_channel and draft.push_type.name != channels.PUSH_TYPE:
            text = f"only Live Activities go to a channel, no pushes of type {draft.push_type.name}"
            hint = "say what becomes of the activity with --live-activity update or end"
            yield Finding(("push_type",), text, hint)
            return
        if to_channel and draft.collapse_id is not None:
            text = "a broadcast has no collapse id: a device shows the latest update anyway"
            yield Finding(draft.collapse_id_origin, text, _BROADCAST_PAGE)
        tree = draft.payload.tree
        found = apns_payload.check_payload(draft.push_type, tree, to_channel=to_channel)
        yield from _placed(draft.payload, found)
        for sender in senders:
            yield from apns.check_sender(draft.push_type, sender)
    if compiled.least_bytes > compiled.max_bytes:
        which = "to a channel" if to_channel else f"of type {draft.push_type.name}"
        text = (
            f"the APNs payload has {_at_least(compiled)}{compiled.least_bytes} bytes; "
            f"a push {which} has {compiled.max_bytes} at most"
        )
        yield Finding(draft.payload.origin(()), text, "Apple, Generating a remote notification")


def _check_fcm(message: Message, target_kinds: Collection[str]) -> Iterator[Finding]:
    draft = draft_fcm(message)
    compiled = CompiledFcm(draft)
    tree = draft.message.tree
    yield from compiled.findings
    yield from _placed(draft.message, fcm.check_message(tree))
    for kind in target_kinds:
        limit = fcm.payload_limit(kind)
        size = fcm.counted_bytes(_without_templates(tree))
        if size > limit:
            text = (
                f"the FCM payload has {_at_least(compiled)}{size} bytes; "
                f"{limit} is the most to a {kind}"
            )
            yield Finding(draft.message.origin(()), text, _FCM_SIZE_HINT)
    crowds = [kind for kind in target_kinds if kind in ("topic", "condition")]
    if crowds and draft.message.get(("apns", "liveActivityToken")) is not None:
        text = f"a Live Activity goes to one registration token, not to a {crowds[0]}"
        hint = "for many devices at once there are the broadcast channels of APNs"
        finding = Finding(("apns", "liveActivityToken"), text, hint)
        yield draft.message.placed(finding)
    yield from _check_apns_part(draft.message)


def _check_apns_part(message: Draft) -> Iterator[Finding]:
    """Yield what Apple would object to in the part for iOS devices."""
    payload = message.get(("apns", "payload"))
    if isinstance(payload, Mapping) and _size(payload) > apns.MAX_PAYLOAD_BYTES:
        text = f"the part for iOS devices has over {apns.MAX_PAYLOAD_BYTES} bytes"
        finding = Finding(("apns", "payload"), text, warning=True)
        yield message.placed(finding)


def _placed(draft: Draft, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield *findings* about *draft* as findings about the message, but none about templates."""
    for finding in findings:
        value = draft.get(finding.path)
        is_template = isinstance(value, str) and has_placeholder(value)
        if finding.key or finding.warning or not is_template:
            yield draft.placed(finding)


def _without_templates(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_templates(member) for key, member in value.items()}
    return "" if isinstance(value, str) and has_placeholder(value) else value


def _size(payload: Mapping[str, Any]) -> int:
    try:
        return len(encode(_without_templates(payload)))
    except (ValueError, TypeError):
        return 0  # reported where it stands


def _at_least(compiled: CompiledApns | CompiledFcm) -> str:
    return "" if compiled.uniform else "at least "
