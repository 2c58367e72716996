"""How far a long look has come, on one line of stderr that goes when the look is over."""

from __future__ import annotations

import time
from collections.abc import Callable

from pushctl.view.terminal import Terminal

_SHOW_AFTER_S = 2.0
_DRAW_EVERY_S = 0.1
_SAY_EVERY_S = 30.0


class Gauge:
    """
    Shows ``checked 3,400,000 of 10,000,000`` after two seconds; use it as a context manager.

    Where the terminal may not be animated, a line is said twice a minute instead.
    """

    def __init__(self, terminal: Terminal, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._terminal = terminal
        self._clock = clock
        self._began = self._drawn_at = clock()
        self._drawn = False

    def __enter__(self) -> Gauge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, what: str, done: int, total: int) -> None:
        """Show that *done* of *total* is *what*; call it often, it draws seldom."""
        now = self._clock()
        animate = self._terminal.animate
        every_s = _DRAW_EVERY_S if animate else _SAY_EVERY_S
        if now - self._began < _SHOW_AFTER_S or now - self._drawn_at < every_s:
            return
        self._drawn_at = now
        share = f"{done / total:4.0%}" if total else "   –"
        text = f"{share}  {what} {done:,} of {total:,}"
        if animate:
            self._drawn = True
            self._draw(f"\r\x1b[K{text[: self._terminal.width - 1]}")
        else:
            self._terminal.say(f"progress: {text.strip()}")

    def close(self) -> None:
        """Take the line off the screen."""
        if self._drawn:
            self._drawn = False
            self._draw("\r\x1b[K")

    def _draw(self, text: str) -> None:
        self._terminal.stderr.write(text)
        self._terminal.stderr.flush()
