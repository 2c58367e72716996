"""Where things stand on a chart: axes, ticks, and days taken together.  Pure."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Sequence

from pushctl.report.values import Day, Metrics

_DAILY_MAX = 100
_WEEKLY_MAX = 730
_LABELS_MAX = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """One place on the axis of time."""

    begin: datetime.date
    days: int
    metrics: Metrics

    @property
    def title(self) -> str:
        """The day, or the days from first to last."""
        if self.days == 1:
            return f"{self.begin:%a %Y-%m-%d}"
        last = self.begin + datetime.timedelta(days=self.days - 1)
        return f"{self.begin:%Y-%m-%d} to {last:%Y-%m-%d}"


def slots(days: Sequence[Day]) -> tuple[str, list[Slot]]:
    """
    Return what one slot is (``day``, ``week`` or ``month``) and the slots of *days*.

    Days are taken together where there are so many that a bar each could not be told apart.
    """
    if len(days) <= _DAILY_MAX:
        return "day", [Slot(day.day, 1, day.metrics) for day in days]
    weekly = len(days) <= _WEEKLY_MAX
    groups: dict[tuple[int, ...], list[Day]] = {}
    for day in days:
        key = day.day.isocalendar()[:2] if weekly else (day.day.year, day.day.month)
        groups.setdefault(key, []).append(day)
    return "week" if weekly else "month", [_together(group) for group in groups.values()]


def _together(days: Sequence[Day]) -> Slot:
    opened = [day.metrics.opened for day in days if day.metrics.opened is not None]
    metrics = Metrics(
        received=sum(day.metrics.received for day in days),
        bounced=sum(day.metrics.bounced for day in days),
        opened=sum(opened) if opened else None,
    )
    return Slot(days[0].day, len(days), metrics)


def labels(begins: Sequence[datetime.date]) -> list[tuple[int, str]]:
    """
    Return which of the slots beginning at *begins* get a label, and the label.

    At most eight, evenly apart, the first one always; a year stands where it is a new one.
    """
    step = max(1, math.ceil(len(begins) / _LABELS_MAX))
    if step > 4 and _is_daily(begins):
        step = math.ceil(step / 7) * 7
    chosen: list[tuple[int, str]] = []
    year = begins[0].year if begins else 0
    for index in range(0, len(begins), step):
        day = begins[index]
        chosen.append((index, f"{day.day} {day:%b}" + ("" if day.year == year else f" {day.year}")))
        year = day.year
    return chosen


def _is_daily(begins: Sequence[datetime.date]) -> bool:
    return len(begins) < 2 or (begins[1] - begins[0]).days == 1


def nice_ceiling(value: float) -> float:
    """Return the least of 1, 2, 2.5, 4, 5 and 8 times a power of ten that is not below *value*."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    for factor in (1.0, 2.0, 2.5, 4.0, 5.0, 8.0, 10.0):
        if value <= factor * power * (1 + 1e-9):
            return factor * power
    raise AssertionError("ten times the power of ten is above the value")


def short_number(value: float) -> str:
    """Return *value* in few characters: ``950``, ``1.2 k``, ``250 k``, ``3 M``."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def level(value: float, most: float, levels: int) -> int:
    """
    Return how dark a cell of *value* is, from 0 (nothing) to *levels*, *most* being the darkest.

    By the square root: small numbers stay visible beside large ones.
    """
    if value <= 0 or most <= 0:
        return 0
    return min(levels, max(1, math.ceil(levels * math.sqrt(value / most))))
