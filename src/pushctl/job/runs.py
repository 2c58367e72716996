"""Looks at runs that were made: what they are, how every row ended, whether they are sound."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import json
import shutil
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pushctl.audience.prepared import Prepared
from pushctl.errors import InvalidInput, Problem
from pushctl.job.intact import Copies, Witness, lost_lines, refuse_damaged_audience
from pushctl.job.manifest import refuse_changed
from pushctl.job.send import windows
from pushctl.job.targets import Row, target_of
from pushctl.outcome import Kind, Outcome
from pushctl.records.bounce_log import logged_run
from pushctl.records.folder import RunFolder, all_run_folders, begun_at, is_locked, locked
from pushctl.records.identity import push_id, push_id_prefix
from pushctl.records.journal import boot_id, storage_error
from pushctl.records.record import Address, Record, outcome_record
from pushctl.records.replay import Replay, journal_records, lines, replay_of

_LINES_KEPT = 256


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
    """``finished``, ``unfinished``, ``running`` or ``damaged``."""


def summarise(folder: RunFolder) -> RunSummary:
    """Return what *folder* holds.  Never raises for a damaged run: that is its state."""
    try:
        manifest = folder.read_manifest()
        replay = replay_of(folder)
        started = float(manifest["started"])
        inputs = int(manifest["inputs"])
    except (InvalidInput, KeyError, TypeError, ValueError):
        return RunSummary(folder.run, "", None, 0, dict.fromkeys(Kind, 0), 0, "damaged")
    running = is_locked(folder)
    totals = replay.totals()
    left = inputs - sum(totals.values()) + totals[Kind.NOT_SENT]
    # A resume notes what a dead process may have sent as unknown; it is that already.
    doubtful = 0 if running else len(replay.uncertain(boot_id()))
    totals[Kind.UNKNOWN] += doubtful
    left -= doubtful
    begun = datetime.datetime.fromtimestamp(started, datetime.UTC)
    return RunSummary(
        folder.run,
        f"{begun:%Y-%m-%dT%H:%M:%SZ}",
        manifest.get("campaign"),
        inputs,
        totals,
        left,
        "running" if running else "unfinished" if left or doubtful else "finished",
    )


def run_records(folder: RunFolder) -> Iterator[Record]:
    """
    Yield the outcome record of every row of a run that has ended, in the order of rows.

    Accepted rows are put together from the audience and the journal's columns.
    """
    manifest = folder.read_manifest()
    if not folder.journal.exists():
        return
    places = _places(folder, int(manifest["inputs"]))
    refuse_damaged_audience(folder.path, manifest["prepared"])
    prepared = Prepared.open(folder.path) if manifest["audience"] else None
    targets = [(kind, value) for kind, value in manifest["targets"]]
    with folder.journal.open("rb") as stream:
        ending = functools.lru_cache(maxsize=_LINES_KEPT)(lambda place: _ending(stream, place))
        for window in windows(prepared, targets):
            for row in window:
                place = places[row[0]]
                if place:
                    yield _record_of(manifest, row, ending(place - 1))


def _places(folder: RunFolder, inputs: int) -> array[int]:
    """Return where in the journal the line begins that ended each row, plus one; 0 for none."""
    places = array("Q", [0]) * (inputs + 1)
    replay, place = Replay(), 0
    for line in lines(folder.journal, replay, folder.run):
        if line["t"] == "accepted":
            for row in line["rows"]:
                places[row] = place + 1
        elif line["t"] == "outcome":
            places[line["record"]["row"]] = place + 1
        place = replay.size
    return places


def _ending(stream: BinaryIO, place: int) -> dict[str, Any]:
    """Return the line at *place* of the journal; a batch knows under ``at_row`` where rows are."""
    stream.seek(place)
    line: dict[str, Any] = json.loads(stream.readline())
    if line["t"] == "accepted":
        line["at_row"] = {row: index for index, row in enumerate(line["rows"])}
    return line


def _record_of(manifest: dict[str, Any], row: Row, line: dict[str, Any]) -> Record:
    if line["t"] == "outcome":
        record: Record = line["record"]
        return record
    number = row[0]
    key = str(number)
    lane = line["credential"]
    fields = {"credential": lane, **manifest["credentials"][lane]}
    identifier = line.get("ids", {}).get(key)
    if identifier is None and fields["service"] == "apns":
        identifier = push_id(push_id_prefix(manifest["run"]), number)
    address = Address(
        row=number,
        source=row[1],
        profile=row[5],
        service=row[3],
        platform=row[4],
        credential=fields["credential"],
        environment=fields["environment"],
        topic=fields["topic"],
        token=row[2],
        target=target_of(row),
    )
    unique_id = line.get("unique_ids", {}).get(key)
    return outcome_record(
        address,
        Outcome(kind=Kind.ACCEPTED, status=200, id=identifier, unique_id=unique_id),
        run=manifest["run"],
        campaign=manifest["campaign"],
        time=line["at"],
        attempts=line.get("attempts", {}).get(key, 1),
        latency_ms=line["ms"][line["at_row"][number]],
    )


def check_run(folder: RunFolder) -> list[str]:
    """
    Return what is wrong with a run, in sentences; nothing where it is sound.

    Checked are the checksums of manifest, journal and audience, the accounting, the input files,
    and that journal and bounce log tell the same.
    """
    try:
        manifest = folder.read_manifest()
        replay = replay_of(folder)
    except InvalidInput as error:
        return [_sentence(problem) for problem in error.problems]
    found = _off_accounts(replay, int(manifest["inputs"]))
    if replay.torn:
        found.append("the journal's last line is torn; a resume cuts it off")
    for refuse in (
        functools.partial(refuse_damaged_audience, folder.path, manifest["prepared"]),
        functools.partial(refuse_changed, manifest["files"]),
    ):
        try:
            refuse()
        except InvalidInput as error:
            found += [_sentence(problem) for problem in error.problems]
    return found + _off_log(folder, manifest, replay)


def _off_log(folder: RunFolder, manifest: dict[str, Any], replay: Replay) -> list[str]:
    """Return a sentence for what only one of journal and bounce log knows."""
    found = []
    bounce_log = Path(manifest["bounce_log"])
    witness = Witness(replay, boot_id(), manifest["started"])
    inputs = int(manifest["inputs"])
    copies = Copies(manifest["started"], inputs, masked=bool(manifest["mask_tokens"]))
    for record in journal_records(folder.journal) if folder.journal.exists() else ():
        if record["outcome"] == Kind.REJECTED:
            copies.know(record)
    logged = logged_run(bounce_log, folder.run, inputs, listener=witness, hear=copies.hear).rows
    testimony = witness.testimony()
    if testimony is not None:
        found.append(_sentence(lost_lines(testimony, folder.journal, bounce_log)))
    wrong = copies.wrong()
    if wrong:
        more = f", nor are {len(wrong) - 1:,} others" if len(wrong) > 1 else ""
        found.append(f"{wrong[0]}: this bounce is not what the journal holds{more}")
    missing = copies.rows.without(logged)
    if missing:
        found.append(f"{missing:,} bounces are not in the bounce log yet; a resume adds them")
    return found


def _sentence(problem: Problem) -> str:
    return problem.message if problem.place is None else f"{problem.place}: {problem.message}"


def _off_accounts(replay: Replay, inputs: int) -> list[str]:
    """Return a sentence for each way in which the numbers of a run do not add up."""
    found = []
    if replay.high > inputs:
        found.append(f"the journal tells of row {replay.high:,}; there are {inputs:,} inputs")
    if replay.ended:
        totals = replay.totals()
        del totals[Kind.NOT_SENT]  # it holds those that were not reached as well
        noted = {kind: replay.end_totals.get(kind.value) for kind in totals}
        total = sum(replay.end_totals.values())
        if noted != totals or total != inputs:
            found.append(
                f"the accounting is off: the last process ended with {total:,} outcomes for"
                f" {inputs:,} inputs, and the rows of the journal do not add up to them"
            )
    return found


def prune(state_dir: Path, older_than_s: float, now: float) -> list[str]:
    """
    Delete the runs that began more than *older_than_s* before *now*; return their ids.

    A run that another process works on stays.  Raises :class:`StorageError`.
    """
    pruned = []
    for folder in all_run_folders(state_dir):
        if begun_at(folder) < now - older_than_s:
            with contextlib.suppress(InvalidInput), locked(folder):
                _delete(folder)
                pruned.append(folder.run)
    return pruned


def _delete(folder: RunFolder) -> None:
    try:
        shutil.rmtree(folder.path)
    except OSError as error:
        raise storage_error("delete", str(folder.path), error) from error
