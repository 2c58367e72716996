"""The machine that subscribes: retries, what stops it, and what it says of everyone then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pushctl.config import Origin
from pushctl.credentials import Authorization, TokenRefused
from pushctl.errors import ExitCode, PushctlError, Unreachable
from pushctl.gateway.topics import Action
from pushctl.manage.client import ManagementClient, Reply, Silence
from pushctl.manage.groups import Row, groups
from pushctl.manage.topics import GROUPS_AT_ONCE, Ended, Order, TopicManager
from pushctl.outcome import Kind

BATCHES, SINGLES = Origin("iid.example"), Origin("fcm.example")
FID = "cabcdefghijklmnopqrs"

Answer = Reply | Silence


def rows(number: int, *, fid: bool = False) -> Iterator[Row]:
    """Yield *number* rows of a list."""
    for one in range(1, number + 1):
        token = f"{FID}{one:02}" if fid else f"t{one}:x"
        yield (one, f"list.txt:{one}", token, "fcm", "android", *(None,) * 9)


def ok(tokens: Sequence[str], **errors: str) -> Reply:
    """Return the answer to a batch of *tokens*; *errors* are by the token's first part."""
    each = [
        {"error": errors[name]} if (name := token.partition(":")[0]) in errors else {}
        for token in tokens
    ]
    return Reply(200, (), json.dumps({"results": each}).encode())


def refused(status: int, name: str, **headers: str) -> Reply:
    """Return a refusal of the whole in Google's form."""
    body = {"error": {"code": status, "status": name, "message": "m"}}
    pairs = [(key.replace("_", "-"), value) for key, value in headers.items()]
    return Reply(status, pairs, json.dumps(body).encode())


class Google(ManagementClient):
    """Stands where the network is: *answer* says what each request comes to."""

    def __init__(self, answer: Callable[[int, list[str]], Answer]) -> None:
        self._answer = answer
        self.asked: list[list[str]] = []
        self.origins: list[Origin] = []
        self.tokens = 0
        self.token_error: PushctlError | None = None
        self.interrupted = False
        self.hang: asyncio.Event | None = None
        """Where set: requests wait for ever, and this tells that one does."""

    async def authorization(self, refused: Authorization | None = None) -> Authorization:
        if self.token_error is not None:
            raise self.token_error
        if refused is not None or not self.tokens:
            self.tokens += 1
        return Authorization(b"Bearer %d" % self.tokens, 0, 1e9, 1e9)

    async def ask(self, origin: Origin, call: Any, authorization: Any, **_: Any) -> Answer:
        body = json.loads(call.body or b"{}")
        tokens = body.get("registration_tokens") or [call.path.split("/")[5]]
        self.asked.append(tokens)
        self.origins.append(origin)
        if self.hang is not None and len(self.asked) > 1:
            self.hang.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.interrupted = True
                return Silence("interrupted", was_sent=True)
        await asyncio.sleep(0)
        return self._answer(len(self.asked), tokens)


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        await asyncio.sleep(0)


class World:
    """One run of a manager."""

    def __init__(
        self, answer: Callable[[int, list[str]], Answer], *, retry_for_s: float = 300.0
    ) -> None:
        self.google = Google(answer)
        self.clock = Clock()
        order = Order(
            action=Action.SUBSCRIBE,
            topic="news",
            project_id="shop",
            batches=BATCHES,
            singles=SINGLES,
            retry_for_s=retry_for_s,
        )
        self.manager = TopicManager(
            self.google, order, clock=self.clock, sleep=self.clock.sleep, jitter=lambda: 0.0
        )
        self.ended: list[Ended] = []

    async def go(self, given: Iterator[Row], batches: bool = True) -> None:
        found = groups(given, Action.SUBSCRIBE, credential="shop", batches=batches)
        async for several in self.manager.run(found):
            self.ended += several

    def run(self, number: int, **more: Any) -> list[str]:
        """Carry out *number* rows; return how each ended, in a word."""
        asyncio.run(self.go(rows(number, **more)))
        assert [one.row[0] for one in self.ended] == list(range(1, number + 1))
        return [one.outcome.kind.value for one in self.ended]


def test_batches_of_a_thousand_and_the_first_goes_alone() -> None:
    """5,500 tokens are six requests, to the host of batches, none before the first is answered."""
    running: list[int] = []

    def answer(number: int, tokens: list[str]) -> Reply:
        running.append(number)
        return ok(tokens)

    world = World(answer)

    assert {"accepted"} == set(world.run(5_500))
    assert [1000, 1000, 1000, 1000, 1000, 500] == [len(tokens) for tokens in world.google.asked]
    assert {BATCHES} == set(world.google.origins)
    assert 6 == world.manager.requests


def test_no_more_is_read_than_is_asked_about() -> None:
    """Of a list of any length only the groups in flight are in memory."""
    world = World(lambda number, tokens: ok(tokens))
    read = 0
    ahead: list[int] = []

    def counted() -> Iterator[Row]:
        nonlocal read
        for row in rows(30_000):
            read += 1
            yield row

    async def go() -> None:
        found = groups(counted(), Action.SUBSCRIBE, credential="shop")
        done = 0
        async for several in world.manager.run(found):
            ahead.append(read - done)
            done += len(several)

    asyncio.run(go())

    assert 30 == len(ahead)
    assert GROUPS_AT_ONCE * 1000 >= max(ahead)


def test_installation_ids_are_asked_for_one_by_one() -> None:
    """Each has a request of its own, to FCM's host; so have tokens if that is wished."""
    world = World(lambda number, tokens: Reply(200, (), b"{}"))
    assert {"accepted"} == set(world.run(30, fid=True))
    assert ({SINGLES}, 30) == (set(world.google.origins), len(world.google.asked))

    singly = World(lambda number, tokens: Reply(200, (), b"{}"))
    asyncio.run(singly.go(rows(3), batches=False))
    assert [["t1:x"], ["t2:x"], ["t3:x"]] == singly.google.asked


def test_each_token_has_its_own_end() -> None:
    """What the answer says of one is said of that one."""
    world = World(lambda number, tokens: ok(tokens, t2="NOT_FOUND", t3="INVALID_ARGUMENT"))

    assert ["accepted", "rejected", "rejected", "accepted"] == world.run(4)
    assert ["NOT_FOUND", "INVALID_ARGUMENT"] == [one.outcome.reason for one in world.ended[1:3]]


def test_only_those_that_may_succeed_are_asked_for_again() -> None:
    """After the catalog's wait, in a smaller batch; the attempts are told."""
    world = World(lambda number, tokens: ok(tokens, t2="INTERNAL") if number == 1 else ok(tokens))

    assert ["accepted"] * 3 == world.run(3)
    assert [["t1:x", "t2:x", "t3:x"], ["t2:x"]] == world.google.asked
    assert [1, 2, 1] == [one.attempts for one in world.ended]
    assert [10.0] == world.clock.slept


@pytest.mark.parametrize(
    ("answer", "waits"),
    [
        (refused(503, "UNAVAILABLE"), [10.0]),
        (refused(503, "UNAVAILABLE", retry_after="42"), [42.0]),
        (refused(429, "RESOURCE_EXHAUSTED"), [60.0]),
        (Silence("reset", was_sent=True), [1.0]),
        (Silence("no route", was_sent=False), [1.0]),
    ],
)
def test_waits(answer: Answer, waits: list[float]) -> None:
    """As the service says, else the catalog, else a second; an unanswered batch is asked again."""
    world = World(lambda number, tokens: answer if number == 1 else ok(tokens))

    assert ["accepted"] == world.run(1)
    assert waits == world.clock.slept


def test_what_stays_unanswered_is_unknown() -> None:
    """For each token of the batch; the rest was never asked for, and that is said."""
    world = World(
        lambda number, tokens: ok(tokens) if number == 1 else Silence("reset", was_sent=True),
        retry_for_s=60,
    )

    found = world.run(7_000)

    assert ["accepted"] * 1000 == found[:1000]
    assert {"unknown"} == set(found[1000:5000])  # four batches were in flight
    assert {"not_sent"} == set(found[5000:])
    assert ExitCode.UNREACHABLE is world.manager.stop_code
    assert "NotReached" == world.ended[-1].outcome.reason


def test_nobody_there_asks_nobody() -> None:
    """After --retry-for nothing was sent, and the whole list is not tried batch by batch."""
    world = World(lambda number, tokens: Silence("no route", was_sent=False), retry_for_s=60)

    assert {"not_sent"} == set(world.run(3_000))
    assert {1000} == {len(tokens) for tokens in world.google.asked}
    assert 6 == len(world.google.asked)  # the first batch, at 0, 1, 3, 7, 15 and 31 seconds
    assert ExitCode.UNREACHABLE is world.manager.stop_code


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_costs_one_request(status: int) -> None:
    """401 gets a new access token once; then everything is not_sent, and nobody bounced."""
    world = World(lambda number, tokens: refused(status, "PERMISSION_DENIED"))

    assert {"not_sent"} == set(world.run(3_000))
    assert {"CredentialsRefused"} == {one.outcome.reason for one in world.ended}
    assert (2 if status == 401 else 1) == len(world.google.asked)
    assert ExitCode.CREDENTIALS_REFUSED is world.manager.stop_code


def test_an_access_token_that_expired_is_replaced() -> None:
    """Once, and the same batch is asked for again."""
    world = World(
        lambda number, tokens: refused(401, "UNAUTHENTICATED") if number == 2 else ok(tokens)
    )

    assert {"accepted"} == set(world.run(2_000))
    assert (2, 3) == (world.google.tokens, len(world.google.asked))


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (
            TokenRefused("no", status=400, body=b"{}"),
            ExitCode.CREDENTIALS_REFUSED,
            "CredentialsRefused",
        ),
        (Unreachable("nobody there"), ExitCode.UNREACHABLE, "NotReached"),
    ],
)
def test_no_access_token(error: PushctlError, code: ExitCode, reason: str) -> None:
    """Without one nobody is asked, and the reason stands at every row."""
    world = World(lambda number, tokens: ok(tokens))
    world.google.token_error = error

    assert {"not_sent"} == set(world.run(10))
    assert [] == world.google.asked
    assert ({reason}, code) == (
        {one.outcome.reason for one in world.ended},
        world.manager.stop_code,
    )


def test_a_request_that_is_wrong_as_a_whole_stops_all() -> None:
    """What every batch would be answered costs one; the others are not sent."""
    world = World(lambda number, tokens: refused(400, "INVALID_ARGUMENT"))

    found = world.run(3_000)

    assert (["rejected"] * 1000, {"not_sent"}) == (found[:1000], set(found[1000:]))
    assert (1, ExitCode.STOPPED) == (len(world.google.asked), world.manager.stop_code)


def test_results_that_cannot_be_laid_to_tokens_are_unknown() -> None:
    """They are asked for again while there is time."""
    world = World(lambda number, tokens: Reply(200, (), b'{"results":[{}]}'), retry_for_s=0)

    assert ["unknown", "unknown"] == world.run(2)


def test_an_interruption_is_accounted_for() -> None:
    """What was in flight is unknown, what had not begun is not_sent, what was done stays done."""
    world = World(lambda number, tokens: ok(tokens))

    async def go() -> None:
        world.google.hang = asyncio.Event()
        task = asyncio.create_task(world.go(rows(9_000)))
        await world.google.hang.wait()
        while len(world.google.asked) < 5:
            await asyncio.sleep(0)
        task.cancel()
        await task

    asyncio.run(go())

    found = [one.outcome.kind.value for one in world.ended]
    assert 9_000 == len(found)
    assert {"accepted"} == set(found[:1000])
    assert {"unknown"} == set(found[1000:5000])
    assert {"not_sent"} == set(found[5000:])
    assert "Interrupted" == world.ended[-1].outcome.reason
    assert world.manager.stop_code is None


def test_an_interruption_among_single_requests() -> None:
    """Those that waited for their turn are not_sent, those in flight unknown."""
    world = World(lambda number, tokens: Reply(200, (), b"{}"))

    async def go() -> None:
        world.google.hang = asyncio.Event()
        task = asyncio.create_task(world.go(rows(60, fid=True)))
        await world.google.hang.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        await task

    asyncio.run(go())

    found = [one.outcome.kind for one in world.ended]
    asked = len(world.google.asked)
    assert 60 == len(found)
    assert (1, asked - 1, 60 - asked) == tuple(
        found.count(kind) for kind in (Kind.ACCEPTED, Kind.UNKNOWN, Kind.NOT_SENT)
    )


def test_an_interruption_while_waiting_to_retry() -> None:
    """The last answer stands."""
    world = World(lambda number, tokens: refused(503, "UNAVAILABLE"))
    waiting = asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    world.manager._sleep = sleep

    async def go() -> None:
        task = asyncio.create_task(world.go(rows(2)))
        await waiting.wait()
        task.cancel()
        await task

    asyncio.run(go())

    assert [("rejected", 503)] * 2 == [
        (one.outcome.kind, one.outcome.status) for one in world.ended
    ]


ANSWERS = st.sampled_from(
    [
        *("ok", "ok", "mixed", "internal", "401", "403", "400", "503", "429"),
        *("silent", "unreached", "short", "garbage"),
    ]
)


def of_word(word: str, tokens: list[str]) -> Answer:
    """Return the answer that *word* names."""
    single = not tokens[0].endswith(":x")
    match word:
        case "mixed" | "internal":
            error = "NOT_FOUND" if word == "mixed" else "INTERNAL"
            if single:
                return refused(404 if word == "mixed" else 500, error)
            return ok(tokens, **{tokens[0].partition(":")[0]: error})
        case "401" | "403" | "400" | "503" | "429":
            return refused(int(word), "SOMETHING")
        case "silent" | "unreached":
            return Silence(word, was_sent=word == "silent")
        case "short":
            return Reply(200, (), b'{"results":[]}')
        case "garbage":
            return Reply(200, (), b"\xff")
        case _:
            return Reply(200, (), b"{}") if single else ok(tokens)


@settings(deadline=None)
@given(
    words=st.lists(ANSWERS, min_size=1, max_size=12), number=st.integers(1, 40), fid=st.booleans()
)
def test_every_row_ends_once_whatever_is_answered(words: list[str], number: int, fid: bool) -> None:
    """In order, with an outcome that an answer or the lack of one speaks for."""
    world = World(
        lambda count, tokens: of_word(words[(count - 1) % len(words)], tokens), retry_for_s=100
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pushctl.manage.groups.MAX_BATCH", 7)
        patch.setattr("pushctl.manage.groups.MAX_SINGLES", 5)

        found = world.run(number, fid=fid)

    if set(words) <= {"ok"}:
        assert {"accepted"} == set(found)
    for one in world.ended:
        if one.outcome.kind in (Kind.ACCEPTED, Kind.REJECTED, Kind.UNKNOWN):
            assert one.attempts > 0
        if one.outcome.kind is Kind.ACCEPTED:
            assert one.row[2] in {token for tokens in world.google.asked for token in tokens}
