"""
Charts as inline SVG that fit any width without a script.

Positions along the horizontal are per cent of the width and text has its own size, so a chart on
a phone has the same letters as on a desk.  Each chart is one image to a screen reader, with a
sentence as its name; whoever shows a chart shows its numbers as a table as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from pushctl.view.html_report.markup import Markup, element, joined
from pushctl.view.html_report.scales import level, nice_ceiling, short_number

PLOT_HEIGHT = 104
_TOP, _BASE = 20, 100
"""Where the highest value and nought stand, in pixels from the top of a plot."""
_SLOTS_MIN = 12
HEAT_LEVELS = 8


class Point(NamedTuple):
    """One value on the axis of time."""

    value: float | None
    """``None``: nothing is known of it, which is not nought."""
    title: str
    """What is shown when it is pointed at."""


class Axis(NamedTuple):
    """The axis of time, shared by all plots of a group."""

    slots: int
    labels: Sequence[tuple[int, str]]
    """Which slots carry which label."""

    def left(self, index: int) -> float:
        """Return where slot *index* begins, in per cent."""
        places = max(self.slots, _SLOTS_MIN)  # a few columns stay slim, in the middle
        return 100 * (index + (places - self.slots) / 2) / places

    @property
    def width(self) -> float:
        """How wide a slot is, in per cent."""
        return 100 / max(self.slots, _SLOTS_MIN)


def columns(axis: Axis, points: Sequence[Point], *, tone: str, name: str) -> Markup:
    """Return a plot with a column for each of *points*, coloured as *tone*; *name* says it all."""
    top = nice_ceiling(max((point.value or 0 for point in points), default=0))
    gap = 0.26 if axis.slots <= 60 else 0.14
    marks = []
    for index, point in enumerate(points):
        height = (_BASE - _TOP) * (point.value or 0) / top
        if point.value and height < 1:
            height = 1.0  # what is there is seen
        marks.append(
            element(
                "rect",
                x=f"{axis.left(index) + axis.width * gap / 2:.3f}%",
                width=f"{axis.width * (1 - gap):.3f}%",
                y=_BASE - height,
                height=height,
                class_="mark",
            )
            if height
            else None
        )
    return _plot(axis, points, marks, top, _short_count, tone=tone, name=name)


def line(axis: Axis, points: Sequence[Point], *, tone: str, name: str) -> Markup:
    """Return a plot of shares (0 to 1) as a line with gaps where a value is not known."""
    top = nice_ceiling(100 * max((point.value or 0 for point in points), default=0)) / 100
    places = [
        (axis.left(index) + axis.width / 2, _height(point.value, top))
        for index, point in enumerate(points)
    ]
    pieces: list[list[str]] = [[]]
    for x, y in places:
        if y is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{x:.3f},{y:.2f}")
    lines = [
        element("polyline", points=" ".join(piece), class_="stroke") for piece in pieces if piece
    ]
    marks = [
        element(
            "svg",
            *lines,
            width="100%",
            height=PLOT_HEIGHT,
            viewBox=f"0 0 100 {PLOT_HEIGHT}",
            preserveAspectRatio="none",
        )
    ]
    if axis.slots <= 60:
        marks += [
            element("circle", cx=f"{x:.3f}%", cy=y, r=2.25, class_="mark")
            for x, y in places
            if y is not None
        ]
    return _plot(axis, points, marks, top, _short_percent, tone=tone, name=name)


def time_labels(axis: Axis) -> Markup:
    """Return the labels under a group of plots."""
    texts = []
    for order, (index, label) in enumerate(axis.labels):
        shown = "wide" if order % 2 else None  # a phone has room for every second one
        at = axis.left(index) + axis.width / 2
        anchor = "start" if at < 4 else "end" if at > 96 else "middle"
        at = 0 if anchor == "start" else 100 if anchor == "end" else at
        texts.append(element("text", label, x=f"{at:.3f}%", y=13, text_anchor=anchor, class_=shown))
    return element(
        "div",
        element("span"),
        element("svg", *texts, width="100%", height=18, class_="labels"),
        class_="plot",
        aria_hidden="true",
    )


def _height(value: float | None, top: float) -> float | None:
    return None if value is None else _BASE - (_BASE - _TOP) * value / top


def _plot(
    axis: Axis,
    points: Sequence[Point],
    marks: Sequence[Markup | None],
    top: float,
    tick: Callable[[float], str],
    *,
    tone: str,
    name: str,
) -> Markup:
    """Return grid, marks, the label of the highest and what is shown when pointed at."""
    grid, ticks = [], []
    for part in (0.0, 0.5, 1.0):
        y = _BASE - (_BASE - _TOP) * part
        kind = "base" if part == 0 else "grid"
        grid.append(element("line", x1=0, x2="100%", y1=y, y2=y, class_=kind))
        ticks.append(element("text", tick(top * part), x="100%", y=y + 4, text_anchor="end"))
    targets = [
        element(
            "rect",
            element("title", point.title),
            x=f"{axis.left(index):.3f}%",
            width=f"{axis.width:.3f}%",
            y=0,
            height=PLOT_HEIGHT,
            class_="target",
        )
        for index, point in enumerate(points)
    ]
    return element(
        "div",
        element("svg", *ticks, width="100%", height=PLOT_HEIGHT, class_="labels"),
        element("svg", *grid, *marks, *targets, width="100%", height=PLOT_HEIGHT),
        class_=f"plot {tone}",
        role="img",
        aria_label=name,
    )


def _short_count(count: float) -> str:
    """Return *count* for the axis; nothing for halves of a push."""
    return "" if count < 10 and count != round(count) else short_number(count)


def _short_percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def bar(share: float, *, tone: str) -> Markup:
    """Return a horizontal bar filled to *share* (0 to 1).  It repeats a number beside it."""
    return element(
        "svg",
        element("rect", width="100%", height=6, rx=3, class_="track"),
        element("rect", width=f"{100 * min(max(share, 0), 1):.2f}%", height=6, rx=3, class_="mark"),
        width="100%",
        height=6,
        class_=f"bar {tone}",
        aria_hidden="true",
    )


def spark(values: Sequence[float | None], *, tone: str) -> Markup:
    """Return a small row of columns, for a cell of a table."""
    top = max((value or 0 for value in values), default=0) or 1
    width = 100 / max(len(values), 1)
    rects = [
        element(
            "rect",
            x=f"{index * width:.2f}%",
            width=f"{width * 0.75:.2f}%",
            y=24 - max(1.0, 23 * value / top),
            height=max(1.0, 23 * value / top),
            class_="mark",
        )
        for index, value in enumerate(values)
        if value
    ]
    return element(
        "svg", *rects, width="100%", height=24, class_=f"spark {tone}", aria_hidden="true"
    )


def heat_strip(counts: Sequence[int], most: int, titles: Sequence[str], *, name: str) -> Markup:
    """Return a row of cells, darker for more; *most* is the darkest of the whole map."""
    width = 100 / max(len(counts), 1)
    cells = [
        element(
            "rect",
            element("title", title),
            x=f"{index * width:.4f}%",
            width=f"{width * 0.94:.4f}%",
            height=26,
            rx=2,
            class_=f"h{level(count, most, HEAT_LEVELS)}",
        )
        for index, (count, title) in enumerate(zip(counts, titles, strict=True))
    ]
    return element(
        "svg", *cells, width="100%", height=26, class_="heat", role="img", aria_label=name
    )


def heat_hours() -> Markup:
    """Return the hours under a heat map of a day."""
    texts = [
        element(
            "text",
            f"{hour:02d}",
            x=f"{100 * (hour + 0.47) / 24:.3f}%",
            y=13,
            text_anchor="middle",
            class_="wide" if hour % 6 else None,
        )
        for hour in range(0, 24, 3)
    ]
    return element("svg", *texts, width="100%", height=18, class_="labels", aria_hidden="true")


def heat_scale() -> Markup:
    """Return the key of a heat map: from nothing to most."""
    cells = [
        element("rect", x=index * 14, width=13, height=10, rx=2, class_=f"h{index}")
        for index in range(HEAT_LEVELS + 1)
    ]
    width = 14 * (HEAT_LEVELS + 1)
    return element("svg", *cells, width=width, height=10, class_="heat", aria_hidden="true")


def stacked(parts: Sequence[tuple[str, float, str]], *, name: str) -> Markup:
    """Return one bar of *parts* (tone, value, title), each as wide as its share."""
    total = sum(value for _, value, _ in parts)
    if total <= 0:
        return joined()
    shown = [part for part in parts if part[1] > 0]
    # What is there is seen: a sliver gets half a per cent, taken from the widest.
    widths = [max(100 * value / total, 0.5) for _, value, _ in shown]
    widest = widths.index(max(widths))
    widths[widest] -= sum(widths) - 100
    begins = [0.0]
    for width in widths:
        begins.append(begins[-1] + width)
    cells = [
        element(
            "rect",
            element("title", title),
            x=f"{begin:.3f}%",
            width=f"{max(end - begin - 0.15, 0.2):.3f}%",
            height=30,
            class_=f"mark {tone}",
        )
        for (tone, _, title), (begin, end) in zip(shown, pairwise(begins), strict=True)
    ]
    return element(
        "svg", *cells, width="100%", height=30, class_="stacked", role="img", aria_label=name
    )
