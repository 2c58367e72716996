"""One neutral message, read, and compiled for each service when it turns out to be needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pushctl.documents import read
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
    Return the message of a message file; files that it names are looked for beside it.

    Raises :class:`InvalidInput` with everything that cannot be read.
    """
    document = read(path, max_bytes=MAX_MESSAGE_BYTES)
    folder = path.parent
    return from_document(document, lambda name: read(folder / name, max_bytes=MAX_MESSAGE_BYTES))


class Messages:
    """The message of a run.  Only what the audience needs has to be right."""

    def __init__(self, message: Message, *, target_kinds: frozenset[str]) -> None:
        """*target_kinds* are the kinds of FCM targets (``token``, ``topic``, ``condition``)."""
        self.message = message
        self.warnings: list[Problem] = []
        self._target_kinds = target_kinds
        self._compiled: dict[Service, CompiledMessage] = {}

    def of(self, service: Service, senders: Sequence[Sender] = ()) -> CompiledMessage:
        """
        Return the message for *service*, linted by the vendor's rules the first time.

        *senders* are the APNs credentials that it goes out with.

        Raises :class:`InvalidInput` with every rule that it breaks.
        """
        compiled = self._compiled.get(service)
        if compiled is None:
            verdict = lint(
                self.message, [service], target_kinds=self._target_kinds, senders=senders
            )
            if verdict.errors:
                raise InvalidInput(problems=verdict.errors)
            self.warnings += [one for one in verdict.warnings if one not in self.warnings]
            compiled = self._compiled[service] = compile_message(self.message, service)
        return compiled
