"""A dry run: everything but the sending, over the whole audience."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pushctl.dispatch.lane import Lane
from pushctl.dispatch.pace import Pacer
from pushctl.dispatch.push import Push
from pushctl.dispatch.thresholds import Stop
from pushctl.errors import CredentialsRefused
from pushctl.job.binding import Binding
from pushctl.job.ending import Ending
from pushctl.job.outgoing import Outgoing
from pushctl.job.recorder import OnRecord, Recorder, open_recorder_files
from pushctl.job.running import FCM_RAMP_FROM, FCM_RAMP_S, FCM_RATE, Running
from pushctl.job.send import Order, Plan, make_plan, windows
from pushctl.job.targets import Row
from pushctl.outcome import Kind, Outcome, Service
from pushctl.records.folder import RunFolder
from pushctl.records.identity import push_id_prefix
from pushctl.records.record import Address
from pushctl.view.progress import Snapshot
from pushctl.wire.errors import ConnectFailed
from pushctl.wire.trace import Trace

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
    validated: dict[str, Any] | None = None
    """What FCM said to each push with ``validate_only``: totals, reasons and problems."""
    ending: Ending | None = None
    """How that ended."""

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
            "validated": self.validated,
        }


def rehearse(order: Order, environ: Mapping[str, str]) -> Rehearsal:
    """
    Do all that :func:`~pushctl.job.send.send` does before the first byte, for every row.

    No run is made, and nothing is written that stays.  Nothing is connected to, but with
    ``validate_only``: then FCM checks each of its pushes and delivers none.  Raises what
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
        if order.delivery.validate_only:
            found.ending, found.validated = _validate(order, plan, Path(folder))
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
        credential=plan.bindings[lane.name].settings.name,
        authority=str(plan.bindings[lane.name].origin),
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


def _validate(order: Order, plan: Plan, folder: Path) -> tuple[Ending, dict[str, Any]]:
    """Have FCM check every push of the plan; return how it ended, and what it found."""
    bindings = {
        name: binding for name, binding in plan.bindings.items() if binding.service is Service.FCM
    }
    listener = _Validation()
    journal, log = open_recorder_files(folder / "journal", folder / "bounces")
    recorder = Recorder(
        journal,
        log,
        run="dry-run",
        campaign=order.campaign,
        stop_if=order.stop_if,
        on_outcome=listener.outcome,
    )
    running = Running(
        "dry-run",
        order.delivery,
        recorder,
        bindings,
        plan.chooser,
        listener,
        sendable=plan.found.sendable,
        inputs=_number_for_fcm(plan, bindings),
    )
    try:
        ending = asyncio.run(running.go(_of_fcm(plan, order)))
    finally:
        recorder.close()
    if ending.refused:
        name, reason = ending.refused[0]
        raise CredentialsRefused(f"credential {name!r} was refused: {reason}")
    return ending, {
        "totals": {kind.value: number for kind, number in ending.totals.items()},
        "reasons": [
            {"reason": reason, "case": case, "token_action": action, "count": count}
            for (reason, case, action), count in listener.reasons.most_common()
        ],
        "problems": ending.problems,
    }


def _number_for_fcm(plan: Plan, bindings: Mapping[str, Binding]) -> int:
    """Return how many rows :func:`_of_fcm` yields."""
    found = plan.found
    homeless = (n for wish, n in found.homeless.items() if wish.service is Service.FCM)
    return sum(found.sendable[name] for name in bindings) + sum(homeless)


def _of_fcm(plan: Plan, order: Order) -> Iterator[Sequence[Row]]:
    for window in windows(plan.prepared, order.targets):
        rows = [row for row in window if row[3] == Service.FCM and row[11] is None]
        if rows:
            yield rows


class _Validation:
    """Follows a validation quietly: what matters is in the document."""

    def __init__(self) -> None:
        self.on_record: OnRecord | None = None
        self.trace: Trace | None = None
        self.reasons: Counter[tuple[str | None, str | None, str]] = Counter()

    def outcome(self, service: str | None, outcome: Outcome) -> None:
        self.reasons[outcome.reason, outcome.case, outcome.token_action.value] += 1

    def connecting(self, lane: Lane, problem: ConnectFailed, retry_in_s: float | None) -> None: ...
    def tick(self, snapshot: Snapshot) -> None: ...
    def stopping(self, stop: Stop, in_flight: int) -> None: ...
