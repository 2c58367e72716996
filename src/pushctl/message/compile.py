"""
A message made ready for one service: rendered once if it can be, else filled for each recipient.

The hot path of a run: a uniform message costs one comparison a push, a personal one the filling
of its holes.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping

from pushctl.errors import InvalidInput, Problem
from pushctl.message.apns_draft import ApnsDraft, draft_apns
from pushctl.message.content import (
    ApnsContent,
    FcmContent,
    HeaderFields,
    PayloadTooLarge,
    UnusableAttribute,
)
from pushctl.message.fcm_draft import EXPIRATION, FcmDraft, draft_fcm
from pushctl.message.model import Message
from pushctl.message.skeleton import SkeletonBuilder, parse
from pushctl.message.values import has_placeholder
from pushctl.outcome import JsonValue, Service
from pushctl.rules import apns, apns_payload, fcm, fcm_schema
from pushctl.rules.finding import Finding, Path

Attributes = Mapping[str, JsonValue]
MAX_FCM_REQUEST_BYTES = 65_536
"""Ours: far above what FCM's 4096 bytes of payload can need, to stop a text that runs away."""
_FCM_FIELDS: HeaderFields = (
    (b"content-type", b"application/json"),
    # So that errors surely come with `error.status` and `error.details`, as Google's own SDKs ask.
    (b"x-goog-api-format-version", b"2"),
)


class CompiledMessage(ABC):
    """One message for one service."""

    def __init__(
        self,
        service: Service,
        *,
        names: frozenset[str],
        optional: frozenset[str],
        uniform: bool,
        follows_clock: bool,
    ) -> None:
        self.service = service
        self.placeholders = names
        """Attributes that a recipient must have, or is left out."""
        self.optional = optional
        """Attributes that the message can do without: it has ``default`` or ``is defined``."""
        self.uniform = uniform
        """Whether every recipient gets the same."""
        self._follows_clock = follows_clock
        self._kept: ApnsContent | FcmContent | None = None
        self._kept_for = -1

    def render(self, attributes: Attributes, *, now: float) -> ApnsContent | FcmContent:
        """
        Return the content for one recipient.

        *now* (epoch seconds) is when it is sent: a time to live counts from there, so a push
        that leaves late in a long run lives as long as the first.  A uniform message gives the
        same object each time; with a time to live, the same within each second.

        :raises MissingAttribute: if an attribute is missing, or of no use (``UnusableAttribute``).
        :raises PayloadTooLarge: if what comes out is over the service's limit.
        """
        moment = int(now) if self._follows_clock else 0
        if not self.uniform:
            return self._make(attributes, moment)
        if self._kept is None or self._kept_for != moment:
            self._kept, self._kept_for = self._make(attributes, moment), moment
        return self._kept

    @abstractmethod
    def _make(self, attributes: Attributes, moment: int) -> ApnsContent | FcmContent:
        """Return the content for *attributes* at *moment*."""


class CompiledApns(CompiledMessage):
    """One message for APNs."""

    def __init__(self, draft: ApnsDraft, *, to_channel: bool = False) -> None:
        """
        Take *draft*; what is wrong with its templates is added to its findings.

        With *to_channel* it is a broadcast, which may be larger.
        """
        builder = SkeletonBuilder(
            takes_text=apns_payload.takes_text, takes_number=apns_payload.takes_number
        )
        self._skeleton = builder.build(draft.payload.tree)
        draft.findings += [draft.payload.placed(finding) for finding in builder.findings]
        collapse_id, origin = draft.collapse_id or "", draft.collapse_id_origin
        self._collapse = (
            parse(collapse_id, origin, draft.findings) if has_placeholder(collapse_id) else None
        )
        self._draft = draft
        self.max_bytes = apns.payload_limit(draft.push_type, to_channel=to_channel)
        """How many bytes APNs takes at the most."""
        self._fields_kept: HeaderFields = ()
        self._fields_kept_for = -1
        names, optional = self._skeleton.names, self._skeleton.optional
        if self._collapse is not None:
            names |= self._collapse.names
            optional |= self._collapse.optional
        super().__init__(
            Service.APNS,
            names=names,
            optional=optional - names,
            uniform=not self._skeleton.is_personal and self._collapse is None,
            follows_clock=bool(draft.ttl),
        )

    @property
    def push_type(self) -> str:
        """Return the apns-push-type that every push has."""
        return self._draft.push_type.name

    @property
    def least_bytes(self) -> int:
        """Return how many bytes the payload has at the least."""
        return self._skeleton.least_bytes

    def _make(self, attributes: Attributes, moment: int) -> ApnsContent:
        push_type = self._draft.push_type
        body = self._skeleton.fill(attributes, moment)
        if len(body) > self.max_bytes:
            raise PayloadTooLarge(len(body), self.max_bytes)
        fields = self._fields(moment)
        if self._collapse is not None:
            fields += ((b"apns-collapse-id", self._filled_collapse_id(attributes)),)
        return ApnsContent(push_type.name, push_type.topic_suffix, fields, body)

    def _fields(self, moment: int) -> HeaderFields:
        """Return the header fields that do not depend on the recipient."""
        if self._fields_kept_for != moment:
            self._fields_kept, self._fields_kept_for = self._make_fields(moment), moment
        return self._fields_kept

    def _make_fields(self, moment: int) -> HeaderFields:
        draft = self._draft
        fields = [
            (b"apns-push-type", draft.push_type.name.encode("ascii")),
            (b"apns-priority", b"%d" % draft.priority),
        ]
        expiration = draft.expiration
        if draft.ttl is not None:
            expiration = moment + draft.ttl if draft.ttl else 0
        if expiration is not None:
            fields.append((b"apns-expiration", b"%d" % expiration))
        if draft.collapse_id is not None and self._collapse is None:
            fields.append((b"apns-collapse-id", draft.collapse_id.encode("utf-8")))
        return tuple(fields)

    def _filled_collapse_id(self, attributes: Attributes) -> bytes:
        assert self._collapse is not None
        text = self._collapse.text(attributes)
        names = ", ".join(sorted(self._collapse.names | self._collapse.optional))
        try:
            value = text.encode("utf-8")
        except UnicodeEncodeError:
            raise UnusableAttribute(names, "it is not valid Unicode") from None
        if len(value) > apns.MAX_COLLAPSE_ID_BYTES:
            raise PayloadTooLarge(len(value), apns.MAX_COLLAPSE_ID_BYTES, "collapse id")
        fault = apns.collapse_id_fault(text)
        if fault is not None:
            raise UnusableAttribute(names, fault)
        return value


class CompiledFcm(CompiledMessage):
    """One message for FCM."""

    def __init__(self, draft: FcmDraft) -> None:
        """Take *draft*; what is wrong with its templates is found in :attr:`findings`."""
        timed = bool(draft.ttl) and draft.message.get(EXPIRATION) is not None
        builder = SkeletonBuilder(
            takes_text=_fcm_takes_text,
            takes_number=_fcm_takes_number,
            moments={EXPIRATION: draft.ttl} if timed and draft.ttl else {},
        )
        self._skeleton = builder.build(draft.message.tree)
        self.findings = [draft.message.placed(finding) for finding in builder.findings]
        super().__init__(
            Service.FCM,
            names=self._skeleton.names,
            optional=self._skeleton.optional,
            uniform=not self._skeleton.is_personal,
            follows_clock=timed,
        )

    def _make(self, attributes: Attributes, moment: int) -> FcmContent:
        message = self._skeleton.fill(attributes, moment)
        if len(message) > fcm.MAX_PAYLOAD_BYTES:  # what counts is never more than the whole
            _check_fcm_size(message)
        return FcmContent(message, _FCM_FIELDS)


def _check_fcm_size(message: bytes) -> None:
    if len(message) > MAX_FCM_REQUEST_BYTES:
        raise PayloadTooLarge(len(message), MAX_FCM_REQUEST_BYTES, "message")
    counted = fcm.counted_bytes(json.loads(message))
    if counted > fcm.MAX_PAYLOAD_BYTES:
        raise PayloadTooLarge(counted, fcm.MAX_PAYLOAD_BYTES)


def _fcm_takes_text(path: Path) -> bool:
    if path[:2] == ("apns", "payload"):
        return apns_payload.takes_text(path[2:])
    return fcm_schema.takes_text(path)


def _fcm_takes_number(path: Path) -> bool:
    if path[:2] == ("apns", "payload"):
        return apns_payload.takes_number(path[2:])
    return fcm_schema.takes_count(path)


def compile_message(
    message: Message, service: Service, *, to_channel: bool = False
) -> CompiledMessage:
    """
    Return *message* ready to be rendered for *service*.

    With *to_channel* APNs sends it to a broadcast channel, else to a device: what comes out is
    the same but for the size that it may have.

    :raises InvalidInput: for a broken template, for header fields that may not be set, and
        where raw payloads were given but none for *service*.
    """
    check_payload_given(message, service)
    compiled: CompiledMessage
    if service is Service.APNS:
        draft = draft_apns(message)
        compiled = CompiledApns(draft, to_channel=to_channel)
        findings = draft.findings
    else:
        compiled = CompiledFcm(draft_fcm(message))
        findings = compiled.findings
    problems = [problem_of(message, finding) for finding in findings if not finding.warning]
    if problems:
        raise InvalidInput(problems=problems)
    return compiled


def check_payload_given(message: Message, service: Service) -> None:
    """Raise :class:`InvalidInput` where raw payloads were given but none for *service*."""
    if message.payloads and service not in message.payloads:
        raise InvalidInput(
            f"there is no payload for {service.value}",
            hint=f"give one with --payload {service.value}=FILE",
        )


def problem_of(message: Message, finding: Finding) -> Problem:
    """Return *finding*, whose path is one of *message*, as a problem with its place."""
    return message.problem(finding.path, finding.message, hint=finding.hint, key=finding.key)
