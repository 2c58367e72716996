"""From samples to rows: ratios with their quartiles, targets, and the tables that are printed."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence

from rig.clients import Sample

Samples = Mapping[str, Sequence[Sample]]
"""By the client's name, one for each round."""
Measure = Callable[[Sample], float]


@dataclasses.dataclass(frozen=True, slots=True)
class Spread:
    """A figure over all rounds."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float], middle: float | None = None) -> Spread:
        """Return the quartiles of *values*; of fewer than three, the least and the greatest."""
        if middle is None:
            middle = statistics.median(values)
        if len(values) < 3:
            return cls(min(values), middle, max(values))
        low, _, high = statistics.quantiles(values, n=4)
        return cls(low, middle, high)

    def text(self, digits: int) -> str:
        """Return the middle, and the quartiles in brackets."""
        low, middle, high = (f"{one:,.{digits}f}" for one in (self.low, self.middle, self.high))
        return middle if low == high else f"{middle} ({low} to {high})"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that was asked, and what was found."""

    what: str
    found: Spread | None
    """``None``: it could not be measured."""
    at_least: float | None = None
    at_most: float | None = None
    digits: int = 2

    @property
    def has_target(self) -> bool:
        """Return whether this row can be missed."""
        return self.at_least is not None or self.at_most is not None

    @property
    def met(self) -> bool:
        """
        Return whether the worse quartile meets the target; what was not measured does not.

        On a restless machine the ratio of the medians can lie beyond the quartiles of the
        rounds' ratios: then it counts.
        """
        if self.found is None:
            return False
        if self.at_least is not None:
            return min(self.found.low, self.found.middle) >= self.at_least
        return self.at_most is None or max(self.found.high, self.found.middle) <= self.at_most

    def cells(self) -> tuple[str, str, str, str]:
        """Return the row as text: what, target, found, verdict."""
        target = "–"
        if self.at_least is not None:
            target = f"≥ {self.at_least:g}"
        elif self.at_most is not None:
            target = f"≤ {self.at_most:g}"
        found = "not measured" if self.found is None else self.found.text(self.digits)
        verdict = ("met" if self.met else "**missed**") if self.has_target else ""
        return self.what, target, found, verdict


def ratio(ours: Sequence[Sample], mine: Measure, theirs: Sequence[Sample], its: Measure) -> Spread:
    """Return the ratio of the medians, with the quartiles of the ratios round by round."""
    a, b = [mine(one) for one in ours], [its(one) for one in theirs]
    rounds = [x / y for x, y in zip(a, b, strict=True)]
    return Spread.of(rounds, statistics.median(a) / statistics.median(b))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a Markdown table that also reads well as plain text; *left* columns are text."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * width if column < left else "-" * (width - 1) + ":"
        for column, width in enumerate(widths)
    ]
    return "\n".join([line(heads), line(rule), *map(line, rows)])
