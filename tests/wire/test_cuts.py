"""
However the bytes come, they mean the same.

Each scripted conversation is cut at every byte in test_conversations.py; here several cuts fall at
once, and what the service did or did not take up is told rightly whatever lies in one segment.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pushctl.wire.connection import ABOVE_GOAWAY, REFUSED
from pushctl.wire.events import Answer, Closed, Event, Unanswered, Unprocessed
from wire.talk import Recorder, Talk, answer, unknown
from wire.test_conversations import CONVERSATIONS, byte_by_byte, goaway

RST = 0x3
GONE = b'{"reason":"Unregistered","timestamp":1700000000000}'


class Cuts:
    """Cuts all that is received at the given offsets, counted over all segments."""

    def __init__(self, offsets: set[int]) -> None:
        self._offsets = sorted(offsets)
        self._heard = 0

    def __call__(self, data: bytes) -> Iterator[bytes]:
        inside = [at - self._heard for at in self._offsets if 0 < at - self._heard < len(data)]
        self._heard += len(data)
        for start, end in itertools.pairwise([0, *inside, len(data)]):
            yield data[start:end]


@pytest.fixture(scope="module")
def recorders() -> dict[str, Recorder]:
    """Return every conversation, played once in whole segments."""
    played = {}
    for play in CONVERSATIONS:
        talk = play()
        talk.write()
        talk.finish()
        played[play.__name__] = talk.recorder
    return played


@pytest.mark.parametrize("name", [play.__name__ for play in CONVERSATIONS])
def test_many_cuts_at_once(recorders: dict[str, Recorder], name: str) -> None:
    """Any number of cuts anywhere leave events and output as they are."""
    recorder = recorders[name]
    total = sum(len(call.arguments[0]) for call in recorder.calls if call.name == "receive")

    @settings(max_examples=25, deadline=None)
    @given(st.sets(st.integers(1, max(1, total - 1)), max_size=12))
    def cut(offsets: set[int]) -> None:
        again = recorder.replay(Cuts(offsets))

        assert recorder.events == again.events
        assert recorder.written == again.written

    cut()


# --------------------------------------------------------------------------- what was processed


# Five pushes are on the streams 1 to 9.  How the server refuses some of them, and what each is
# then: taken up (1), provably not (0), or refused by its own stream (R).
REFUSALS: dict[str, tuple[bytes, str]] = {
    "REFUSED_STREAM for two": (
        unknown(RST, 3, b"\0\0\0\7") + unknown(RST, 9, b"\0\0\0\7"),
        "1R11R",
    ),
    "GOAWAY 0": (goaway(0), "00000"),
    "GOAWAY in the middle": (goaway(5), "11100"),
    "GOAWAY 2^31-1": (goaway(2**31 - 1), "11111"),
    "GOAWAY in two steps": (goaway(2**31 - 1) + goaway(3), "11000"),
    "GOAWAY that falls": (goaway(9) + goaway(7) + goaway(1, 2), "10000"),
    "GOAWAY that rises": (goaway(3) + goaway(9), "11000"),
    "GOAWAY with an error": (goaway(5, 2, b'{"reason":"Shutdown"}'), "11100"),
    "GOAWAY with an error, nothing taken": (goaway(0, 11), "00000"),
    "REFUSED_STREAM, then GOAWAY": (unknown(RST, 1, b"\0\0\0\7") + goaway(5), "R1100"),
}
ANSWERS = {1: answer(1), 3: answer(3, 410, GONE), 5: answer(5), 7: answer(7, 429), 9: answer(9)}


def conversation(refusal: bytes, taken: str, order: str) -> bytes:
    """Return the refusal among the answers to what was taken up."""
    answers = [ANSWERS[2 * n + 1] for n, one in enumerate(taken) if one == "1"]
    at = {"before": len(answers), "after": 0, "between": len(answers) // 2}[order]
    return b"".join([*answers[:at], refusal, *answers[at:]])


@pytest.mark.parametrize("order", ["before", "between", "after"])
@pytest.mark.parametrize("name", REFUSALS)
def test_what_was_not_taken_up_is_told_so(name: str, order: str) -> None:
    """Answers around a refusal: none is lost, and the rest is free, wherever the bytes are cut."""
    refusal, taken = REFUSALS[name]
    data = conversation(refusal, taken, order)
    talk = Talk(judge=False)
    talk.push(5)
    talk.write()
    talk.hear(data)
    talk.finish()

    for number, one in enumerate(taken):
        stream = 2 * number + 1
        [event] = [event for event in talk.events if event[0] == f"a{stream}"]
        if one == "1":
            assert isinstance(event, Answer)
        elif one == "R":
            assert Unprocessed(f"a{stream}", REFUSED) == event
        else:
            assert Unprocessed(f"a{stream}", ABOVE_GOAWAY) == event
    for cut in (byte_by_byte, *(Cuts({at}) for at in range(len(data)))):
        assert talk.events == talk.recorder.replay(cut).events


@pytest.mark.parametrize("name", REFUSALS)
def test_a_cut_connection_leaves_only_what_was_taken_up_in_doubt(name: str) -> None:
    """Wherever the socket ends, a push is answered, free, or in doubt: never two, never none."""
    refusal, taken = REFUSALS[name]
    data = conversation(refusal, taken, "between")
    for end in range(len(data) + 1):
        talk = Talk(judge=False)
        talk.push(5)
        talk.write()
        talk.hear(data[:end])
        talk.finish()
        events = [event for event in talk.events if not isinstance(event, Closed)]

        assert 5 == len({event[0] for event in events}) == len(events)
        for number, one in enumerate(taken):
            allowed: tuple[type[Event], ...] = (Answer, Unanswered)
            if one != "1":
                allowed = (Unprocessed, Unanswered)
            [event] = [event for event in events if event[0] == f"a{2 * number + 1}"]
            assert isinstance(event, allowed)
