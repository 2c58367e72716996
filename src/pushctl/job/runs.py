"""Looks at runs that were made: what they are, how every row ended, whether they are sound."""

from __future__ import annotations

import dataclasses
import datetime
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pushctl import catalog
from pushctl.audience.prepared import Prepared
from pushctl.errors import InvalidInput
from pushctl.job.manifest import refuse_changed
from pushctl.job.outgoing import Row, target_of
from pushctl.job.send import windows
from pushctl.outcome import Kind, Outcome
from pushctl.records.bounce_log import logged_run
from pushctl.records.folder import RunFolder, list_runs, locked
from pushctl.records.identity import push_id, push_id_prefix
from pushctl.records.record import Address, Record, outcome_record
from pushctl.records.replay import (
    NOT_OPENED,
    WAITING,
    Replay,
    journal_records,
    lines,
    replay_journal,
)


@dataclasses.dataclass(frozen=True, slots=True)
class RunSummary:
    """One run in a list."""

    run: str
    started: str
    campaign: str | None
    inputs: int
    totals: dict[Kind, int]
    left: int
    """Rows that a resume would send."""
    state: str
    """``finished``, ``unfinished`` or ``damaged``."""


def summarise(folder: RunFolder) -> RunSummary:
    """Return what *folder* holds.  Never raises for a damaged run: that is its state."""
    try:
        manifest = folder.read_manifest()
        replay = replay_journal(folder.journal) if folder.journal.exists() else Replay()
    except InvalidInput:
        return RunSummary(folder.run, "", None, 0, dict.fromkeys(Kind, 0), 0, "damaged")
    totals = replay.totals()
    inputs = int(manifest["inputs"])
    ended = sum(totals.values())
    left = inputs - ended + totals[Kind.NOT_SENT]
    started = datetime.datetime.fromtimestamp(manifest["started"], datetime.UTC)
    return RunSummary(
        folder.run,
        f"{started:%Y-%m-%dT%H:%M:%SZ}",
        manifest.get("campaign"),
        inputs,
        totals,
        left,
        "finished" if not left else "unfinished",
    )


def run_records(folder: RunFolder) -> Iterator[Record]:
    """
    Yield the outcome record of every row of a run that has ended, in the order of rows.

    Accepted rows are put together from the audience and the journal's columns.
    """
    manifest = folder.read_manifest()
    accepted: dict[int, tuple[str, float, int, str | None, str | None]] = {}
    others: dict[int, Record] = {}
    if folder.journal.exists():
        for line in lines(folder.journal, Replay()):
            if line["t"] == "accepted":
                ids, unique = line.get("ids", {}), line.get("unique_ids", {})
                for row, latency_ms in zip(line["rows"], line["ms"], strict=True):
                    accepted[row] = (
                        line["credential"],
                        line["at"],
                        latency_ms,
                        ids.get(str(row)),
                        unique.get(str(row)),
                    )
                    others.pop(row, None)
            elif line["t"] == "outcome":
                others[line["record"]["row"]] = line["record"]
    prepared = Prepared.open(folder.path) if manifest["audience"] else None
    targets = [(kind, value) for kind, value in manifest["targets"]]
    for window in windows(prepared, targets):
        for row in window:
            if row[0] in accepted:
                yield _accepted_record(manifest, row, accepted[row[0]])
            elif row[0] in others:
                yield others[row[0]]


def check_run(folder: RunFolder) -> list[str]:
    """
    Return what is wrong with a run, in sentences; nothing where it is sound.

    Checked are the journal's chain of checksums, the accounting, the audience and input files,
    and that the bounce log holds each rejected row.
    """
    manifest = folder.read_manifest()
    try:
        replay = replay_journal(folder.journal)
    except InvalidInput as error:
        return [f"{problem.place}: {problem.message}" for problem in error.problems]
    found = []
    if replay.torn:
        found.append("the journal's last line is torn; a resume cuts it off")
    ended = sum(replay.totals().values())
    waiting = sum(replay.states.count(code) for code in (NOT_OPENED, WAITING))
    if replay.high > manifest["inputs"] or (replay.ended and ended < replay.high - waiting):
        found.append(
            f"the accounting is off: {ended:,} outcomes for rows up to {replay.high:,}"
            f" of {manifest['inputs']:,} inputs"
        )
    try:
        refuse_changed(manifest["files"])
    except InvalidInput as error:
        found += [problem.message for problem in error.problems]
    logged = logged_run(Path(manifest["bounce_log"]), folder.run).rows
    bounced = {
        record["row"]
        for record in journal_records(folder.journal)
        if record["outcome"] == Kind.REJECTED
    }
    missing = len(bounced - logged)
    if missing:
        found.append(f"{missing:,} bounces are not in the bounce log yet; a resume adds them")
    return found


def prune(state_dir: Path, older_than_s: float, now: float) -> list[str]:
    """Delete the runs that began more than *older_than_s* before *now*; return their ids."""
    pruned = []
    for folder in list_runs(state_dir):
        try:
            started = float(folder.read_manifest()["started"])
        except (InvalidInput, KeyError, TypeError, ValueError):
            continue
        if started < now - older_than_s:
            with locked(folder):
                shutil.rmtree(folder.path)
            pruned.append(folder.run)
    return pruned


def _accepted_record(
    manifest: dict[str, Any],
    row: Row,
    noted: tuple[str, float, int, str | None, str | None],
) -> Record:
    credential, at, latency_ms, own_id, unique_id = noted
    fields = manifest["credentials"][credential]
    identifier = own_id
    if identifier is None and fields["service"] == "apns":
        identifier = push_id(push_id_prefix(manifest["run"]), row[0])
    address = Address(
        row=row[0],
        source=row[1],
        profile=row[5],
        service=row[3],
        platform=row[4],
        credential=credential,
        environment=fields["environment"],
        topic=fields["topic"],
        token=row[2],
        target=target_of(row),
    )
    outcome = Outcome(
        kind=Kind.ACCEPTED,
        status=200,
        description=catalog.accepted(fields["service"]),
        id=identifier,
        unique_id=unique_id,
    )
    return outcome_record(
        address,
        outcome,
        run=manifest["run"],
        campaign=manifest["campaign"],
        time=at,
        attempts=1,
        latency_ms=latency_ms,
    )
