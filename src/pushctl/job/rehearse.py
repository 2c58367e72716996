"""A dry run: everything but the sending, over the whole audience."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pushctl.dispatch.lane import Lane
from pushctl.dispatch.pace import Pacer
from pushctl.dispatch.push import Push
from pushctl.job.outgoing import Outgoing
from pushctl.job.running import FCM_RAMP_FROM, FCM_RAMP_S, FCM_RATE
from pushctl.job.send import Order, Plan, make_plan, windows
from pushctl.outcome import Kind, Outcome, Service
from pushctl.records.folder import RunFolder
from pushctl.records.identity import push_id_prefix
from pushctl.records.record import Address

SAMPLES = 3
APNS_RATE = 10_000.0
"""Assumed for the estimate: 1,000 streams on one connection, answers after 100 ms."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """One request as it would leave, without its authorization."""

    row: int
    source: str
    token: str
    credential: str
    authority: str
    path: str
    fields: tuple[tuple[str, str], ...]
    body: str


@dataclasses.dataclass(slots=True)
class Sizes:
    """How many pushes go out with a credential, and the bytes of their bodies."""

    number: int = 0
    least: int = 0
    most: int = 0
    total: int = 0

    def add(self, size: int) -> None:
        """Count one body of *size* bytes."""
        self.least = size if not self.number else min(self.least, size)
        self.most = max(self.most, size)
        self.total += size
        self.number += 1


@dataclasses.dataclass(slots=True)
class Rehearsal:
    """What a send would do."""

    inputs: int
    assuming: str = ""
    sizes: dict[str, Sizes] = dataclasses.field(default_factory=dict)
    decided: Counter[tuple[Kind, str]] = dataclasses.field(default_factory=Counter)
    samples: list[Sample] = dataclasses.field(default_factory=list)
    estimate_s: float = 0.0

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return {
            "inputs": self.inputs,
            "to_send": sum(sizes.number for sizes in self.sizes.values()),
            "estimate_s": round(self.estimate_s, 1),
            "assuming": self.assuming,
            "credentials": [
                {
                    "credential": name,
                    "number": sizes.number,
                    "least_bytes": sizes.least,
                    "most_bytes": sizes.most,
                    "total_bytes": sizes.total,
                }
                for name, sizes in self.sizes.items()
            ],
            "decided": [
                {"outcome": kind.value, "reason": reason, "count": count}
                for (kind, reason), count in self.decided.most_common()
            ],
            "samples": [dataclasses.asdict(sample) for sample in self.samples],
        }


def rehearse(order: Order, environ: Mapping[str, str]) -> Rehearsal:
    """
    Do all that :func:`~pushctl.job.send.send` does before the first byte, for every row.

    Nothing is connected to, no run is made, nothing is written that stays.  Raises what
    :func:`~pushctl.job.send.send` raises.
    """
    with tempfile.TemporaryDirectory(prefix="pushctl-") as folder:
        plan = make_plan(order, RunFolder("rehearsal", Path(folder)), environ)
        found = Rehearsal(inputs=plan.found.inputs)
        outgoing, lanes = _outgoing(order, plan, found)
        for window in windows(plan.prepared, order.targets):
            for lane, push in outgoing.pushes(window, time.time()):
                found.sizes.setdefault(lane.name, Sizes()).add(len(push.body))
                if len(found.samples) < SAMPLES:
                    found.samples.append(_sample(plan, lane, push))
        rate = order.delivery.rate
        found.assuming = "at 10,000/s" if rate is None else f"at --rate {rate:g}"
        found.estimate_s = max((_estimate(order, lane, found) for lane in lanes), default=0.0)
    return found


class _Decisions:
    """Stands where the recorder stands in a run: counts what is decided without sending."""

    def __init__(self, found: Rehearsal) -> None:
        self._found = found

    def decided(self, address: Address, outcome: Outcome) -> None:
        self._found.decided[outcome.kind, outcome.reason or ""] += 1


class _NoEffects:
    """A rehearsed lane asks nothing of the world."""

    def finished(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None: ...
    def sending(self, lane: Lane, pushes: Sequence[Push]) -> None: ...
    def retrying(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None: ...
    def renew(self, lane: Lane) -> None: ...
    def stop(self, stop: object) -> None: ...


def _outgoing(order: Order, plan: Plan, found: Rehearsal) -> tuple[Outgoing, list[Lane]]:
    lanes = {
        name: Lane(
            name,
            binding.service,
            policy=order.delivery.policy,
            effects=_NoEffects(),
            pacer=Pacer(None),
            jitter=lambda: 0.0,
            least_wait_s=lambda _: None,
        )
        for name, binding in plan.bindings.items()
    }
    outgoing = Outgoing(
        plan.bindings,
        lanes,
        plan.chooser,
        _Decisions(found),
        id_prefix=push_id_prefix("dry-run"),
        validate_only=order.delivery.validate_only,
    )
    return outgoing, list(lanes.values())


def _sample(plan: Plan, lane: Lane, push: Push) -> Sample:
    row = push.subject
    assert isinstance(row, tuple)
    own = () if push.id is None else (("apns-id", push.id.decode("ascii")),)
    fields = tuple((name.decode(), value.decode("utf-8", "replace")) for name, value in push.fields)
    return Sample(
        row=push.row,
        source=str(row[1]),
        token=str(row[2]),
        credential=lane.name,
        authority=str(plan.bindings[lane.name].credential.origin),
        path=push.path.decode("ascii"),
        fields=(*fields, *own),
        body=push.body.decode("utf-8"),
    )


def _estimate(order: Order, lane: Lane, found: Rehearsal) -> float:
    number = found.sizes[lane.name].number if lane.name in found.sizes else 0
    if order.delivery.rate is not None:
        return number / order.delivery.rate
    if lane.service is Service.FCM:
        # While the rate grows from nothing to all of it, half as many go out.
        ramp_s = FCM_RAMP_S / 2 if number >= FCM_RAMP_FROM else 0.0
        return number / FCM_RATE + ramp_s
    return number / APNS_RATE
