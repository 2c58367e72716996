"""
From the rows of an audience to pushes, and to the outcomes of rows that never go out.

This is the hot path of a run on our side of the wire: what is the same for all pushes of a
credential (topic, header fields, a uniform body) is made once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from pushctl import catalog
from pushctl.dispatch.lane import Lane
from pushctl.dispatch.push import Push
from pushctl.gateway import apns, apns_request, broadcast, fcm_request
from pushctl.job.binding import Binding, Chooser, Wish, sent_topic
from pushctl.job.targets import CHANNEL_SOURCE, Row, target_of
from pushctl.message.content import ApnsContent, FcmContent, MissingAttribute, PayloadTooLarge
from pushctl.outcome import JsonValue, Kind, Outcome, Service
from pushctl.records.record import Address


class Decisions(Protocol):
    """Who hears of rows that never go out."""

    def decided(self, address: Address, outcome: Outcome) -> None:
        """A row was decided on our side: a missing token, a skip."""


_NO_ATTRIBUTES: Mapping[str, JsonValue] = {}


class Outgoing:
    """Makes pushes for one run.  Each push's subject is its row."""

    def __init__(
        self,
        bindings: Mapping[str, Binding],
        lanes: Mapping[str, Lane],
        chooser: Chooser,
        decisions: Decisions,
        *,
        id_prefix: str,
        validate_only: bool,
    ) -> None:
        """*id_prefix* is what the apns-ids of the run share."""
        self._bindings = bindings
        self._lanes = lanes
        self._chooser = chooser
        self._decisions = decisions
        self._id_prefix = id_prefix.encode("ascii")
        self._validate_only = validate_only
        self._makers: dict[tuple[Any, Any, Any, Any], _Maker | None] = {}
        self._channel_makers: dict[tuple[Any, Any, Any, Any], _Maker | None] = {}
        self._by_lane: dict[Lane, _Maker] = {}

    def pushes(self, rows: Sequence[Row], now: float) -> list[tuple[Lane, Push]]:
        """
        Return the pushes of *rows* with their lanes; *now* is epoch seconds.

        Rows that are not sent are handed to the recorder here.
        """
        ready = []
        # A window holds an audience or targets beside it, never both.
        makers = self._makers_of(rows[0]) if rows else self._makers
        for row in rows:
            if row[11] is not None:
                self._decided(row, None, Kind(row[11]), row[12], row[13])
                continue
            key = (row[3], row[6], row[7], row[8])
            maker = makers.get(key) if key in makers else self._maker(row)
            if maker is None:
                detail = "no credential of the config fits this row"
                self._decided(row, None, Kind.SKIPPED, "NoCredential", detail)
                continue
            try:
                ready.append((maker.lane, maker.push(row, now)))
            except MissingAttribute as error:
                self._decided(row, maker, Kind.SKIPPED, "MissingAttribute", str(error))
            except PayloadTooLarge as error:
                self._decided(row, maker, Kind.SKIPPED, "PayloadTooLarge", str(error))
        return ready

    def address(self, lane: Lane, push: Push) -> Address:
        """Return whom *push* went to, as a record tells it."""
        row: Any = push.subject
        return _address(row, self._by_lane[lane])

    def address_of(self, row: Row) -> Address:
        """Return the same for a row that no push was made of."""
        return _address(row, self._maker(row))

    def refine(self, push: Push, outcome: Outcome) -> Outcome:
        """
        Return *outcome* with what the row and the catalog know.

        A token that was registered again is not dead; an outcome without an answer has our own
        description.
        """
        row: Any = push.subject
        if outcome.status is None and outcome.reason is not None:
            described = catalog.own(outcome.reason).description
            return outcome._replace(description=described)
        return apns.keep_if_registered_since(outcome, row[9]) if row[9] else outcome

    @property
    def lane_fields(self) -> Mapping[Lane, Mapping[str, Any]]:
        """Return what the records of a lane's pushes have in common."""
        return _LaneFields(self._by_lane)

    def _makers_of(self, row: Row) -> dict[tuple[Any, Any, Any, Any], _Maker | None]:
        """Return the makers among which that of *row* is, by what the row says."""
        return self._channel_makers if row[1] == CHANNEL_SOURCE else self._makers

    def _maker(self, row: Row) -> _Maker | None:
        if row[3] is None:
            return None
        makers = self._makers_of(row)
        to_channel = makers is self._channel_makers
        wish = Wish(Service(row[3]), row[6], row[7], row[8], to_channel)
        settings = self._chooser.choose(wish)
        maker: _Maker | None = None
        if settings is not None:
            name = wish.lane(settings.name)
            binding, lane = self._bindings[name], self._lanes[name]
            if to_channel:
                maker = _BroadcastMaker(binding, lane, self._id_prefix)
            elif binding.service is Service.APNS:
                maker = _ApnsMaker(binding, lane, self._id_prefix)
            else:
                maker = _FcmMaker(binding, lane, validate_only=self._validate_only)
            maker = self._by_lane.setdefault(lane, maker)
        makers[row[3], row[6], row[7], row[8]] = maker
        return maker

    def _decided(
        self, row: Row, maker: _Maker | None, kind: Kind, reason: str, detail: str | None
    ) -> None:
        own = catalog.own(reason)
        outcome = Outcome(
            kind=kind,
            reason=reason,
            description=own.description,
            category=own.category,
            token_action=own.token_action,
            retryable=own.retryable,
            detail=detail,
        )
        self._decisions.decided(_address(row, maker), outcome)


class _LaneFields(Mapping[Lane, Mapping[str, Any]]):
    """A view: the lanes and their topics are known only once a push was made."""

    def __init__(self, makers: Mapping[Lane, _Maker]) -> None:
        self._makers = makers

    def __getitem__(self, lane: Lane) -> Mapping[str, Any]:
        maker = self._makers[lane]
        return {
            "service": maker.credential.service.value,
            "credential": maker.name,
            "environment": maker.environment,
            "topic": maker.topic,
        }

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


class _Maker:
    """Makes the pushes of one credential."""

    def __init__(self, binding: Binding, lane: Lane) -> None:
        credential = binding.credential
        self.lane = lane
        self.credential = credential
        self.name = credential.name
        self.topic = sent_topic(binding)
        environment = credential.environment
        self.environment = None if environment is None else environment.value
        self._render = binding.message.render

    def push(self, row: Row, now: float) -> Push:
        raise NotImplementedError


class _ApnsMaker(_Maker):
    def __init__(self, binding: Binding, lane: Lane, id_prefix: bytes) -> None:
        super().__init__(binding, lane)
        self._id_prefix = id_prefix
        self._fields: tuple[tuple[bytes, bytes], ...] = ()
        self._source_fields: object = None

    def push(self, row: Row, now: float) -> Push:
        number, token = row[0], row[2]
        content = self._render(_attributes(row), now=now)
        assert isinstance(content, ApnsContent)
        if content.fields is not self._source_fields:
            self._source_fields = content.fields
            self._fields = apns_request.fields(content, self.credential.topic)
        path = apns_request.path(token)
        own_id = b"%b%012x" % (self._id_prefix, number)
        return Push(number, row, path, self._fields, own_id, content.body)


class _BroadcastMaker(_Maker):
    """Makes pushes to channels: there are few, so nothing is made beforehand."""

    def __init__(self, binding: Binding, lane: Lane, id_prefix: bytes) -> None:
        super().__init__(binding, lane)
        assert self.credential.topic is not None  # the config or the certificate says it
        self._id_prefix = id_prefix
        self._path = broadcast.path(self.credential.topic)

    def push(self, row: Row, now: float) -> Push:
        content = self._render(_NO_ATTRIBUTES, now=now)
        assert isinstance(content, ApnsContent)
        request_id = b"%b%012x" % (self._id_prefix, row[0])
        fields = broadcast.fields(content.fields, channel=row[2], request_id=request_id)
        return Push(row[0], row, self._path, fields, None, content.body)


class _FcmMaker(_Maker):
    def __init__(self, binding: Binding, lane: Lane, *, validate_only: bool) -> None:
        super().__init__(binding, lane)
        assert binding.credential.project_id is not None
        self._path = fcm_request.path(binding.credential.project_id)
        self._validate_only = validate_only

    def push(self, row: Row, now: float) -> Push:
        content = self._render(_attributes(row), now=now)
        assert isinstance(content, FcmContent)
        target = (target_of(row), row[2])
        body = fcm_request.body(content, target=target, validate_only=self._validate_only)
        return Push(row[0], row, self._path, content.fields, None, body)


def _address(row: Row, maker: _Maker | None) -> Address:
    number, source, token, service, platform, profile, credential, environment, topic = row[:9]
    if maker is not None:
        credential = maker.name
        environment = maker.environment
        topic = maker.topic
    return Address(
        number,
        source,
        profile,
        service,
        platform,
        credential,
        environment,
        topic,
        token,
        target_of(row),
    )


def _attributes(row: Row) -> Mapping[str, JsonValue]:
    text = row[10]
    if text is None:
        return _NO_ATTRIBUTES
    attributes: Mapping[str, JsonValue] = json.loads(text)
    return attributes
