"""Counts what reached the simulator: the oracle for lost and duplicate pushes."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping

from pushctl.outcome import JsonValue
from pushctl.simulator.provider_token import fingerprint

LISTED_TOKENS = 10_000
"""Single tokens in the JSON form at most; the totals always cover all."""
_MAX_PROVIDER_TOKENS = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class Stats:
    """A snapshot.  Tokens are device and registration tokens; ``topic:NAME`` for topics."""

    requests: int
    """Pushes that arrived, whatever became of them (a retry counts again)."""
    accepted: int
    """Pushes that were processed as good, counted before the answer left.  Some of them may never
    have been answered."""
    accepted_again: int
    """How many of those went to a token that had accepted one before: duplicates, if each token
    was meant to get one."""
    validated: int
    """Good pushes that were to be checked and not sent (FCM's ``validate_only``)."""
    unprocessed: int
    """Pushes that arrived and were not acted upon: above the last stream of a GOAWAY, or by a
    fault of the script."""
    reasons: Mapping[str, int]
    """What was answered instead of an acceptance, as ``service/reason``."""
    requests_per_token: Mapping[str, int]
    accepted_per_token: Mapping[str, int]
    uncounted_requests: int
    """Pushes to tokens that came after the limit of counted tokens was reached."""
    connections: int
    open_connections: int
    streams_high_water: int
    """The most streams that were open at once on one connection."""
    refused_streams: int
    """Streams that a client opened above the announced limit."""
    faults: Mapping[str, int]
    """Scripted faults of the connection by kind: drop, hang, rst, goaway, half, silence, and
    close for a connection that was not let in."""
    provider_tokens: Mapping[str, int]
    """How often each provider token came, by a prefix of its SHA-256."""
    token_requests: int
    """Requests to the token endpoint."""
    management_requests: int
    """Requests to manage broadcast channels or topic subscriptions."""

    def as_json(self) -> dict[str, JsonValue]:
        """Return the form of ``GET /stats``: at most :data:`LISTED_TOKENS` single tokens."""
        fields: dict[str, JsonValue] = {
            field.name: getattr(self, field.name) for field in dataclasses.fields(self)
        }
        fields["tokens"] = len(self.requests_per_token)
        for name in ("requests_per_token", "accepted_per_token"):
            counts: Mapping[str, int] = getattr(self, name)
            fields[name] = dict(list(counts.items())[:LISTED_TOKENS])
        return fields


class Counts:
    """The running counts.  One thread writes; any thread may take a snapshot."""

    def __init__(self, *, max_tokens: int) -> None:
        """:param max_tokens: how many tokens are counted singly; 0 counts none."""
        self._max_tokens = max_tokens
        self._requests_per_token: dict[str, int] = {}
        self._accepted_per_token: dict[str, int] = {}
        self._reasons: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._provider_tokens: dict[str, int] = {}
        self._fingerprints: dict[str, str] = {}
        self._requests = self._accepted = self._accepted_again = self._uncounted = 0
        self._refused_streams = self._streams_high_water = 0
        self._connections = self._open = 0
        self._token_requests = self._management_requests = 0
        self._validated = self._unprocessed = 0

    def connected(self) -> None:
        """A connection was opened."""
        self._connections += 1
        self._open += 1

    def disconnected(self) -> None:
        """A connection is gone."""
        self._open -= 1

    def streams(self, count: int) -> None:
        """So many streams are open on a connection."""
        if count > self._streams_high_water:
            self._streams_high_water = count

    def stream_refused(self) -> None:
        """A stream above the announced limit was refused."""
        self._refused_streams += 1

    def push(self, token: str | None) -> None:
        """A push arrived."""
        self._requests += 1
        if token is not None:
            known = self._requests_per_token
            if token in known or len(known) < self._max_tokens:
                known[token] = known.get(token, 0) + 1
            else:
                self._uncounted += 1

    def push_accepted(self, token: str) -> None:
        """A push was processed as good; call it before the answer leaves."""
        self._accepted += 1
        if token in self._requests_per_token:
            earlier = self._accepted_per_token.get(token, 0)
            self._accepted_per_token[token] = earlier + 1
            if earlier:
                self._accepted_again += 1

    def push_validated(self) -> None:
        """A push was good, and only to be checked."""
        self._validated += 1

    def push_unprocessed(self) -> None:
        """A push had arrived and was not acted upon."""
        self._unprocessed += 1

    def management_request(self) -> None:
        """Channels or subscriptions were to be managed."""
        self._management_requests += 1

    def refused(self, service: str, reason: str) -> None:
        """A request was answered with *reason*."""
        self._reasons[f"{service}/{reason}"] += 1

    def fault(self, kind: str) -> None:
        """A scripted fault of the connection took place."""
        self._faults[kind] += 1

    def provider_token(self, authorization: str) -> None:
        """A push came with this ``authorization`` value."""
        name = self._fingerprints.get(authorization)
        if name is None:
            if len(self._fingerprints) >= _MAX_PROVIDER_TOKENS:
                return
            name = fingerprint(authorization.partition(" ")[2].strip())
            self._fingerprints[authorization] = name
        self._provider_tokens[name] = self._provider_tokens.get(name, 0) + 1

    def token_request(self) -> None:
        """The token endpoint was asked."""
        self._token_requests += 1

    @property
    def reasons(self) -> Counter[str]:
        """The running count of ``service/reason``.  For the writing thread alone."""
        return self._reasons

    def totals(self) -> dict[str, JsonValue]:
        """Return the counts without single tokens: cheap however many there were."""
        return {
            "requests": self._requests,
            "accepted": self._accepted,
            "accepted_again": self._accepted_again,
            "validated": self._validated,
            "unprocessed": self._unprocessed,
            "refused": sum(self._reasons.values()),
            "faults": sum(self._faults.values()),
            "refused_streams": self._refused_streams,
            "connections": self._connections,
            "open_connections": self._open,
            "token_requests": self._token_requests,
            "management_requests": self._management_requests,
        }

    def snapshot(self) -> Stats:
        """Return the counts as they are now."""
        return Stats(
            requests=self._requests,
            accepted=self._accepted,
            accepted_again=self._accepted_again,
            validated=self._validated,
            unprocessed=self._unprocessed,
            reasons=dict(self._reasons),
            requests_per_token=self._requests_per_token.copy(),
            accepted_per_token=self._accepted_per_token.copy(),
            uncounted_requests=self._uncounted,
            connections=self._connections,
            open_connections=self._open,
            streams_high_water=self._streams_high_water,
            refused_streams=self._refused_streams,
            faults=dict(self._faults),
            provider_tokens=self._provider_tokens.copy(),
            token_requests=self._token_requests,
            management_requests=self._management_requests,
        )
