"""Faults to plant, each of which the fuzzer must find: it is worth something only if it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def a_wrong_token_is_dead() -> None:
    """BadDeviceToken removes a token, as many senders have it: a wrong environment burns a list."""
    from pushctl.gateway import apns
    from pushctl.outcome import TokenAction

    honest = apns.read_answer

    def read_answer(status: int, headers: Any, body: bytes) -> Any:
        outcome = honest(status, headers, body)
        if outcome.reason == "BadDeviceToken":
            return outcome._replace(token_action=TokenAction.REMOVE)
        return outcome

    apns.read_answer = read_answer


def a_reset_is_a_refusal() -> None:
    """Every RST_STREAM is taken for REFUSED_STREAM: what may have been delivered is sent again."""
    from pushctl.wire.connection import Connection

    honest = Connection._settle

    def settle(self: Any, stream: int, why: str, events: Any, *, processed: bool = True) -> None:
        honest(self, stream, why, events, processed=processed and "reset" not in why)

    Connection._settle = settle  # type: ignore[method-assign]


def half_a_frame_is_forgotten() -> None:
    """What is left of a read when no whole frame remains is dropped."""
    from pushctl.wire.connection import Connection

    honest = Connection.receive

    def receive(self: Any, data: bytes, now: float) -> Any:
        if len(self._rest) > 40:
            self._rest = b""
        return honest(self, data, now)

    Connection.receive = receive  # type: ignore[method-assign]


def an_open_quote_is_closed() -> None:
    """A csv whose quote does not close is read all the same."""
    import csv

    from pushctl.audience import delimited

    class Lenient:
        Error = csv.Error

        @staticmethod
        def reader(lines: Any, **options: Any) -> Any:
            return csv.reader(lines, **{**options, "strict": False})

    delimited.csv = Lenient  # type: ignore[assignment]


def a_key_may_occur_twice() -> None:
    """Of two keys of one name the last wins, silently."""
    from pushctl.documents import json_text

    json_text._Suspicion.pairs = lambda self, pairs: dict(pairs)  # type: ignore[method-assign]


def what_was_sent_was_not() -> None:
    """After another boot of the machine a row that was sent counts as never sent."""
    from pushctl.records.replay import Replay

    Replay.uncertain = lambda self, boot: sorted(self.doubtful)  # type: ignore[method-assign]


FAULTS: dict[str, tuple[str, Callable[[], None]]] = {
    plant.__name__: (target, plant)
    for target, plant in (
        ("answers", a_wrong_token_is_dead),
        ("dialogue", a_reset_is_a_refusal),
        ("frames", half_a_frame_is_forgotten),
        ("delimited", an_open_quote_is_closed),
        ("json_documents", a_key_may_occur_twice),
        ("journals", what_was_sent_was_not),
    )
}
"""By name: which target must find it, and how it is planted."""


def plant(fault: str) -> None:
    """Plant the *fault* of that name; nothing where it is empty."""
    if fault:
        FAULTS[fault][1]()
