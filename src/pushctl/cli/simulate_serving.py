"""Runs the simulator of ``pushctl simulate``: says where it is, what came, what it received."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pushctl.errors import StorageError, UsageError
from pushctl.rules.text import printable, shorten_token
from pushctl.view.terminal import Terminal

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from pushctl.simulator import Exchange, Received, Simulator, Stats
    from pushctl.simulator.record import Recorder


class Serving:
    """What goes on around a running simulator: what is written, and where."""

    def __init__(
        self, terminal: Terminal, folder: Path, topic: str | None, record_file: Path | None
    ) -> None:
        self.terminal = terminal
        self.folder = folder
        self.topic = topic
        self.failure: StorageError | None = None
        """Why the record could not be written on."""
        self._record_file = record_file
        self._recorder: Recorder | None = None

    def open(self, stop: asyncio.Event) -> None:
        """Open the record; *stop* is set if it cannot be written any more."""
        if self._record_file is None:
            return
        import asyncio

        from pushctl.simulator.record import Recorder

        def failed(error: StorageError) -> None:
            self.failure = error
            stop.set()

        later = asyncio.get_running_loop().call_soon
        self._recorder = Recorder(self._record_file, later=later, failed=failed)

    def close(self) -> None:
        """Write what is left of the record."""
        if self._recorder is not None:
            self._recorder.close()

    def record(self, exchange: Exchange) -> None:
        """Record *exchange*."""
        if self._recorder is not None:
            self._recorder.take(exchange)

    def listener(self, *, jsonl: bool) -> Callable[[Received], None] | None:
        """Return what is called for each push; ``None`` where nobody wants to see them."""
        if jsonl:
            return self._print_record
        return self._print_line if self.terminal.verbose else None

    def _print_record(self, push: Received) -> None:
        import json

        from pushctl.simulator.exchange import rfc3339

        line = {
            "time": rfc3339(push.time),
            "service": push.service,
            "token": push.token,
            "topic": push.topic,
            "status": push.status,
            "reason": push.reason,
        }
        self.terminal.data(json.dumps(line, ensure_ascii=True) + "\n")

    def _print_line(self, push: Received) -> None:
        status = "-" if push.status is None else str(push.status)
        token = shorten_token(push.token or "(no token)")
        reason = push.reason or "accepted"
        self.terminal.say(f"{push.service:<4}  {status:>3}  {token:<16}  {reason}")


def serve(simulator: Simulator, serving: Serving) -> None:
    """
    Run *simulator* until Ctrl-C.

    :raises UsageError: its port is taken.
    :raises StorageError: the credentials or the record cannot be written.
    """
    import asyncio

    asyncio.run(_serve(simulator, serving))


async def _serve(simulator: Simulator, serving: Serving) -> None:
    from pushctl.simulator.throwaway import TOPIC, make_credentials, write_config

    stop = _stop_on_signals()
    serving.open(stop)
    try:
        await simulator.start()
    except OSError as error:
        raise UsageError(
            f"cannot listen on port {simulator.port} of loopback: {error.strerror}",
            hint="another simulator may be running; --port 0 lets the system choose",
        ) from None
    try:
        made = make_credentials(serving.folder, simulator, topic=serving.topic or TOPIC)
        config = write_config(serving.folder, simulator, made)
        introduce(serving.terminal, simulator, config)
        await stop.wait()
    finally:
        await simulator.stop()
        serving.close()
        conclude(serving.terminal, simulator.stats())
    if serving.failure is not None:
        raise serving.failure


def _stop_on_signals() -> asyncio.Event:
    """Return an event that Ctrl-C and SIGTERM set.  Both are how a server is meant to end."""
    import asyncio
    import contextlib
    import signal

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not on Windows: there Ctrl-C interrupts the loop.
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def introduce(terminal: Terminal, simulator: Simulator, config: Path) -> None:
    """Say where *simulator* listens, and how to send to it."""
    import shlex

    arrow = "▸" if terminal.unicode else ">"
    terminal.say(
        f"{arrow} simulator · APNs {simulator.environment} + FCM + token endpoint"
        f" · {simulator.url}",
        style="bold",
    )
    terminal.say(f"  credentials to send with: {config}")
    terminal.say(f"  what it received:         {simulator.page_url or simulator.url + '/stats'}")
    profiles = config.with_name("profiles.yaml")
    words = f"pushctl send --config {shlex.quote(str(config))} --profiles"
    command = f"{words} {shlex.quote(str(profiles))} --title Hello"
    terminal.say(f"{terminal.paint('next:', 'cyan')} in another terminal: {command}")
    terminal.say("  Ctrl-C stops it")


def conclude(terminal: Terminal, stats: Stats) -> None:
    """Say what was received."""
    terminal.say(
        f"received {stats.requests:,} pushes on {stats.connections:,} connections, accepted"
        f" {stats.accepted:,}"
    )
    for reason, count in sorted(stats.reasons.items(), key=lambda item: -item[1]):
        terminal.say(f"  {count:>8,}  {printable(reason, 100)}")
