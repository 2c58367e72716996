"""What is to be done with one request: the value between the desk and whoever holds the socket."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from h2.errors import ErrorCodes

from pushctl.simulator import script
from pushctl.simulator.exchange import Exchange
from pushctl.simulator.http import Answer
from pushctl.simulator.provider_token import Session
from pushctl.simulator.script import Action


@dataclasses.dataclass(slots=True)
class Visit:
    """What is remembered of one connection."""

    session: Session = dataclasses.field(default_factory=Session)
    pushes: int = 0
    number: int = 0
    """The connection's number, from 1."""


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What to do with one stream."""

    answer: Answer
    """What is answered if *action* lets it be answered."""
    action: Action
    delay_s: float = 0.0
    opens_up: bool = False
    """Whether the request had valid credentials: the stream limit may rise."""
    exchange: Exchange | None = None
    """What is counted and told once the plan is carried out; ``None``: nothing is."""
    perform: Callable[[], None] | None = None
    """What a good request changes at the service."""

    @property
    def answers(self) -> bool:
        """Whether the answer is sent whole."""
        return is_answered(self.action)


def is_answered(action: Action) -> bool:
    """Whether *action* sends the whole answer."""
    if isinstance(action, script.GoAway):
        return action.last_stream != "previous"
    return isinstance(action, script.Accept | script.Say | script.Wedge)


def is_processed(action: Action) -> bool:
    """Whether a real server would have processed the push before this happened."""
    match action:
        case script.Reset():
            return action.processed and action.code != ErrorCodes.REFUSED_STREAM
        case script.Drop() | script.Hang() | script.Silence():
            return action.processed
        case script.GoAway():
            return action.last_stream != "previous"
        case _:
            return True


_FAULTS: dict[type, str] = {
    script.Drop: "drop",
    script.Hang: "hang",
    script.Silence: "silence",
    script.Reset: "rst",
    script.GoAway: "goaway",
    script.Half: "half",
}


def fault_of(action: Action) -> str | None:
    """Return the name of the fault that *action* is; ``None``: it is none."""
    return _FAULTS.get(type(action))
