"""Every command of pushctl, how it is called here, and the outputs that it knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from unittest import mock

import pytest
import typer

from cli.kit import Project, Result, android, ios, run_cli
from pushctl.cli.app import build_app
from pushctl.manual.model import Command
from pushctl.manual.read import read_command

CHANNEL = "dHN0LXNyY2gtY2hubA=="
HELLO = ("--title", "Hello")

CALLS: Mapping[str, Sequence[str]] = {
    "demo": ("--folder", "demo"),
    "init": ("made",),
    "send": (
        "--token", ios(1), "--token", ios(2, "de"), "--token", android(3),
        "--token", android(4, "GONE"), *HELLO,
    ),
    "explain": ("Unregistered",),
    "check": (),
    "tokens check": ("list.csv",),
    "bounces report": (),
    "bounces list": (),
    "bounces tokens": (),
    "bounces follow": (),
    "channels create": (),
    "channels list": (),
    "channels show": (CHANNEL,),
    "channels delete": (CHANNEL, "--yes"),
    "topics subscribe": ("news", "--token", android(3)),
    "topics unsubscribe": ("news", "--token", android(3)),
    "runs list": (),
    "runs show": ("first",),
    "runs resume": ("first",),
    "runs check": ("first",),
    "runs prune": ("--older-than", "90d"),
    "config show": (),
    "config path": (),
    "config schema": (),
    "completion": ("bash",),
    "help": ("security",),
    "simulate": ("--port", "0", "--folder", "simulated", "--record", "traffic.jsonl"),
}  # fmt: skip
"""How each command is called in a folder of :func:`stock`."""

OPENS_CREDENTIALS = (
    "send", "check", "channels create", "channels list", "channels show", "channels delete",
    "runs resume", "config show",
)  # fmt: skip


def leaves() -> dict[str, Command]:
    """Return every command that does something, by its words."""
    root = read_command(typer.main.get_command(build_app()))
    return {" ".join(each.path): each for each in root.walk() if not each.commands}


def outputs_of(command: Command) -> Sequence[str]:
    """Return what ``-o`` of *command* takes; nothing where it has none."""
    return next((each.words for each in command.options if each.name == "--output"), ())


def ways_to_ask(command: Command) -> Iterator[tuple[str, ...]]:
    """Yield options: each level, each output at the loudest, and all outputs' default."""
    yield from ((), ("-v",), ("-vv",), ("--debug",))
    for output in outputs_of(command):
        yield ("-vv", "--debug", "-o", output)


def stock(project: Project, env: Mapping[str, str] | None = None) -> None:
    """Put into *project* what the calls need: a list, and a run with its bounce log."""
    project.write("list.csv", f"token,name\n{ios(1)},Anna\n0x12ab,Ben\n{android(2)},Carla\n")
    project.send(
        "--token", ios(1), "--token", ios(2, "de"), "--token", ios(3, "cc"),
        "--token", android(4, "GONE"), *HELLO, "--run", "first", env=env,
    )  # fmt: skip


def call(project: Project, name: str, *options: str, **more: object) -> Result:
    """Run the command *name* with *options* in *project*; what would go on for ever ends."""
    arguments = list(CALLS[name])
    if name in ("demo", "init"):  # which want a new folder
        number = len(list(project.folder.glob(f"{arguments[-1]}*")))
        arguments[-1] += str(number)
    with _ended():
        return run_cli(*name.split(), *arguments, *options, cwd=project.folder, **more)  # type: ignore[arg-type]


class _ended:  # noqa: N801 -- a context manager
    """While it holds, following a log and serving end at once, as if by Ctrl-C."""

    def __enter__(self) -> None:
        import asyncio
        import contextlib

        def stopped() -> asyncio.Event:
            event = asyncio.Event()
            event.set()
            return event

        @contextlib.contextmanager
        def signalled() -> Iterator[object]:
            yield lambda _seconds: 2

        self._patches = (
            mock.patch("pushctl.cli.bounces_follow._signalled", signalled),
            mock.patch("pushctl.cli.simulate_serving._stop_on_signals", stopped),
        )
        for patch in self._patches:
            patch.start()

    def __exit__(self, *_: object) -> None:
        for patch in self._patches:
            patch.stop()


def written(*folders: Path) -> Iterator[Path]:
    """Yield every file and folder below *folders*."""
    for folder in folders:
        yield from sorted(folder.rglob("*"))


__all__ = ["CALLS", "OPENS_CREDENTIALS", "call", "leaves", "pytest", "stock", "ways_to_ask"]
