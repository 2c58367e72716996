"""Virtual time: an event loop that never waits, and the clocks that go with it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from typing import Any

EPOCH = 1_790_000_000.0
"""What the wall clock shows when a world begins."""


_MOST_ROUNDS = 50_000
_TICK_S = 1e-9
"""Time never stands still: a timer is only due once its time is over."""


class Died(SystemExit):
    """The process ends here: nothing it does from now on has an effect."""


class Stuck(AssertionError):
    """Nothing will ever happen again, and the run is not over."""


class Clock:
    """The time of a world.  Only the wall clock may jump."""

    def __init__(self) -> None:
        self.now = 1.0
        self.jumped = 0.0

    def monotonic(self) -> float:
        """Return the seconds since the world began."""
        return self.now

    def time(self) -> float:
        """Return what the wall clock shows."""
        return EPOCH + self.now + self.jumped


class _Selector:
    """Where a loop would wait for the network, time passes instead."""

    def __init__(self, clock: Clock, limit_s: float) -> None:
        self._clock = clock
        self._until = clock.now + limit_s
        self._rounds = 0

    def select(self, timeout: float | None) -> list[object]:
        """Let *timeout* seconds pass at once."""
        self._rounds += 1
        if self._rounds > _MOST_ROUNDS:
            raise Stuck("the run is busy for ever")
        if timeout is None:
            raise Stuck("no timer is set and nothing is ready")
        self._clock.now += timeout + _TICK_S
        if self._clock.now > self._until:
            raise Stuck("the run does not come to an end")
        return []

    def close(self) -> None:
        """Nothing was open."""


class Loop(asyncio.BaseEventLoop):
    """
    An event loop in virtual time; what it runs happens in the same order every time.

    ``thread`` says how long a call that is made in a thread takes to begin and to be heard of,
    ``tls`` gives what :meth:`start_tls` returns.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        thread: Callable[[], tuple[float, float]],
        tls: Callable[[Any, asyncio.Protocol], Any],
        limit_s: float,
    ) -> None:
        super().__init__()
        self._selector = _Selector(clock, limit_s)
        self._clock_resolution = 0.0
        self._clock = clock
        self._thread = thread
        self._tls = tls
        self._tasks: list[asyncio.Task[Any]] = []
        self.signals: dict[int, Callable[[], object]] = {}
        self.failed: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _, context: self.failed.append(context))

    def time(self) -> float:
        """Return the virtual time."""
        return self._clock.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """Call *func* some time from now; the result is heard of some time after that."""
        heard = self.create_future()
        before, after = self._thread()
        self.call_later(before, self._call, functools.partial(func, *args), heard, after)
        return heard

    def _call(self, func: Callable[[], Any], heard: asyncio.Future[Any], after: float) -> None:
        try:
            done = functools.partial(_resolve, heard, func())
        except Exception as error:  # noqa: BLE001 -- a thread hands on whatever it raised
            done = functools.partial(_fail, heard, error)
        self.call_later(after, done)

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> Any:
        """Start a task, and remember it."""
        task = super().create_task(coro, name=name, context=context)
        self._tasks.append(task)
        return task

    async def start_tls(
        self, transport: Any, protocol: Any, sslcontext: Any, **options: Any
    ) -> Any:
        """Return the modelled connection that *transport* stands for."""
        return self._tls(transport, protocol)

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        """Keep *callback* for whoever plays the user."""
        self.signals[sig] = functools.partial(callback, *args)

    def remove_signal_handler(self, sig: int) -> bool:
        """Forget it."""
        return self.signals.pop(sig, None) is not None

    def abandon(self) -> None:
        """End what still runs: its process is dead, so nothing of it has an effect."""
        for task in self._tasks:
            if task.done():
                continue
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            # It may want to wait for something in its finally clause.
            with contextlib.suppress(RuntimeError, ValueError):
                task.get_coro().close()
        self._tasks.clear()
        self._ready.clear()
        self._scheduled.clear()
        self.close()

    def _process_events(self, event_list: list[object]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """No other thread exists."""


def _resolve(future: asyncio.Future[Any], value: object) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
