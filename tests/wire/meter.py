"""What a piece of code costs, counted in what does not depend on the machine."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


def work_of(act: Callable[[], T]) -> tuple[T, int]:
    """Return what *act* returns, and how many lines of Python ran for it."""
    lines = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        result = act()
    finally:
        sys.settrace(before)
    return result, lines


def peak_of(act: Callable[[], T]) -> tuple[T, int]:
    """Return what *act* returns, and how many bytes more than before were in use at most."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        result = act()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return result, peak - before
