"""Temporary: the audience in memory."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pushctl.audience import Audience


@dataclasses.dataclass
class Tallies:
    sendable: Counter[Any]
    verdicts: Counter[Any]
    attributes: dict[str, set[str]]


class Prepared:
    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows
        self.total = len(rows)

    @classmethod
    def open(cls, folder: Path) -> Prepared:
        return cls([tuple(row) for row in json.loads((folder / "audience.json").read_text())])

    def tallies(self) -> Tallies:
        result = Tallies(Counter(), Counter(), {})
        for row in self.rows:
            if row[11] is not None:
                result.verdicts[row[11], row[12]] += 1
                continue
            result.sendable[row[3], row[6], row[7], row[8]] += 1
            names = result.attributes.setdefault(row[3], set())
            if row[10]:
                names.update(k for k, v in json.loads(row[10]).items() if v is not None)
        return result

    def batches(self, size: int, *, after: int = 0) -> Iterator[Sequence[Any]]:
        for start in range(after, len(self.rows), size):
            yield self.rows[start : start + size]


def prepare(
    audience: Audience, folder: Path, *, where: str | None = None, suppress: Sequence[Path] = ()
) -> Prepared:
    rows = []
    for one in audience:
        verdict = one.verdict
        rows.append(
            (
                one.row,
                one.source,
                one.token,
                one.service and one.service.value,
                one.platform and one.platform.value,
                one.profile,
                one.credential,
                one.environment,
                one.topic,
                one.registered_at,
                json.dumps(dict(one.attributes)) if one.attributes else None,
                verdict and verdict.kind.value,
                verdict and verdict.reason,
                verdict and verdict.detail,
            )
        )
    (folder / "audience.json").write_text(json.dumps(rows))
    return Prepared(rows)
