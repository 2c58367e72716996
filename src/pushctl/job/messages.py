"""One neutral message, read, and compiled for each service when it turns out to be needed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pushctl.documents import Document, read
from pushctl.errors import InvalidInput, Problem
from pushctl.message.compile import CompiledMessage, compile_message
from pushctl.message.lint import lint
from pushctl.message.model import Message
from pushctl.message.neutral import from_document
from pushctl.outcome import Service
from pushctl.rules.apns import Sender

MAX_MESSAGE_BYTES = 1 << 20


def read_message(path: Path) -> Message:
    """
    Return the message of a message file; files that it names are looked for in its folder.

    Raises :class:`InvalidInput` with everything that cannot be read.
    """
    document = read(path, max_bytes=MAX_MESSAGE_BYTES)
    return from_document(document, lambda name: _read_beside(path.parent, name))


def _read_beside(folder: Path, name: str) -> Document:
    """Return the file *name* of *folder*: who writes a message must not reach any file he likes."""
    file = folder / name
    if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder)):
        hint = "put it beside the message file, or give it with an option of send"
        raise InvalidInput(f"{name!r} lies outside the folder of the message file", hint=hint)
    return read(file, max_bytes=MAX_MESSAGE_BYTES)


class Messages:
    """The message of a run.  Only what the audience needs has to be right."""

    def __init__(self, message: Message, *, target_kinds: frozenset[str]) -> None:
        """*target_kinds* are the kinds of its targets (``token``, ``topic``, ``channel``…)."""
        self.message = message
        self.warnings: list[Problem] = []
        self._target_kinds = target_kinds - {"channel"}
        self._compiled: dict[tuple[Service, bool], CompiledMessage] = {}

    def of(
        self, service: Service, senders: Sequence[Sender] = (), *, to_channel: bool = False
    ) -> CompiledMessage:
        """
        Return the message for *service*, linted by the vendor's rules the first time.

        *senders* are the APNs credentials that it goes out with; with *to_channel* it goes to a
        broadcast channel, by rules of its own.

        Raises :class:`InvalidInput` with every rule that it breaks.
        """
        compiled = self._compiled.get((service, to_channel))
        if compiled is None:
            kinds = frozenset({"channel"}) if to_channel else self._target_kinds
            verdict = lint(self.message, [service], target_kinds=kinds, senders=senders)
            if verdict.errors:
                raise InvalidInput(problems=verdict.errors)
            self.warnings += [one for one in verdict.warnings if one not in self.warnings]
            compiled = compile_message(self.message, service, to_channel=to_channel)
            self._compiled[service, to_channel] = compiled
        return compiled
