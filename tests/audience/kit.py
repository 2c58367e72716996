"""Prepares audiences for their tests, and reads them back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pushctl.audience import Audience, Recipient, open_audience
from pushctl.audience.prepare import COLUMNS, Prepared, Tuple, prepare, recipient_of

DEVICES = [f"{number:064x}" for number in range(1, 10)]
REGISTRATION = "dX1vExampleQm7_Zk2Lw9a:APA91bExample-1kYt5Rz0uHc8VnQ2sWb7LxJm4PdEo6"
INSTALLATION = "cW5kZXJzdGFuZGluZ19fX1"


def file_with(path: Path, text: str) -> Path:
    """Return *path*, which now holds *text*."""
    path.write_text(text, encoding="utf-8", newline="")
    return path


def prepared_in(folder: Path, audience: Audience, **options: Any) -> Prepared:
    """Return *audience* prepared in a new folder inside *folder*."""
    for number in range(10_000):
        place = folder / f"run-{number}"
        if not place.exists():
            place.mkdir()
            return prepare(audience, place, **options)
    raise AssertionError("too many runs")


def rows_of(prepared: Prepared, size: int = 1000, *, after: int = 0) -> list[Tuple]:
    """Return all rows of *prepared* after row *after*, read *size* at a time."""
    return [row for batch in prepared.batches(size, after=after) for row in batch]


def recipients(prepared: Prepared) -> list[Recipient]:
    """Return everybody in *prepared*."""
    return [recipient_of(row) for row in rows_of(prepared)]


def column(prepared: Prepared, name: str) -> list[Any]:
    """Return what each row of *prepared* has in the column *name*."""
    return [row[COLUMNS.index(name)] for row in rows_of(prepared)]


def counted(rows: Iterable[Recipient]) -> tuple[Mapping[Any, int], Mapping[Any, int]]:
    """Return what the tallies of *rows* must be: who is sent to, and who is not."""
    sendable: Counter[Any] = Counter()
    verdicts: Counter[Any] = Counter()
    for one in rows:
        if one.verdict is None:
            sendable[one.service, one.credential, one.environment, one.topic] += 1
        else:
            verdicts[one.verdict.kind, one.verdict.reason] += 1
    return sendable, verdicts


def check_same(folder: Path, **options: Any) -> Prepared:
    """Check that what is prepared is what iterating yields, tallies included; return it."""
    audience = open_audience(**options)
    expected = list(audience)
    prepared = prepared_in(folder, audience)
    assert expected == recipients(prepared)
    tallies = prepared.tallies()
    assert counted(expected) == (tallies.sendable, tallies.verdicts)
    assert prepared == Prepared.open(prepared.folder)
    attributes: dict[str, set[str]] = {}
    for one in expected:
        if one.verdict is None and one.service is not None and one.attributes:
            attributes.setdefault(one.service, set()).update(one.attributes)
    assert attributes == tallies.attributes
    return prepared
