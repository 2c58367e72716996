"""The runner: connections opened, filled, retired and given up; on connections that are played."""

from __future__ import annotations

import asyncio
import itertools
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from pushctl.dispatch import runner as module
from pushctl.dispatch.lane import Lane
from pushctl.dispatch.pace import Pacer
from pushctl.dispatch.policy import Policy
from pushctl.dispatch.push import Push
from pushctl.dispatch.runner import Route, Runner
from pushctl.dispatch.thresholds import Stop
from pushctl.errors import CredentialsRefused, StorageError, Unreachable
from pushctl.outcome import Category, Kind, Outcome, Retryable, Service
from pushctl.wire.connection import TIMED_OUT
from pushctl.wire.errors import ConnectFailed
from pushctl.wire.events import Answer, Closed, Event, Unanswered, Unprocessed
from pushctl.wire.link import Endpoint

ACCEPTED = Outcome(kind=Kind.ACCEPTED, status=200)
OK = 200


def rejected(status: int, reason: str, **more: Any) -> Outcome:
    """Return a rejection."""
    return Outcome(kind=Kind.REJECTED, status=status, reason=reason, **more)


BUSY = rejected(503, "Busy", retryable=Retryable.WITH_BACKOFF, retry_after_s=0.05)
IDLE = rejected(400, "IdleTimeout", retryable=Retryable.WITH_BACKOFF)
EXPIRED = rejected(403, "ExpiredProviderToken", category=Category.CREDENTIALS)
STALE = rejected(401, "ACCESS_TOKEN_EXPIRED", category=Category.CREDENTIALS)


class Permit:
    """A token with a number."""

    def __init__(self, number: int, *, expire_in_s: float = 1e6) -> None:
        self.header = b"bearer %d" % number
        self.retire_at = time.time() + 1e6
        self.expires_at = time.time() + expire_in_s


class Authorizer:
    """Gives out permits from a list, the last one for ever; an error in it is raised."""

    def __init__(self, *permits: Permit | Exception) -> None:
        self.permits = list(permits)
        self.renewed: list[bytes] = []

    def authorization(self, now: float) -> Any:
        """Return the present permit, or the next where it is to be replaced."""
        if isinstance(self.permits[0], Permit) and now >= self.permits[0].retire_at:
            del self.permits[0]
        present = self.permits[0]
        if isinstance(present, Exception):
            del self.permits[: len(self.permits) > 1]
            raise present
        return present

    def renew(self, now: float, refused: Any) -> Any:
        """Return the next permit."""
        self.renewed.append(refused.header)
        del self.permits[0]
        if isinstance(self.permits[0], Exception):
            raise self.permits[0]
        return self.permits[0]


class Link:
    """A connection that is played: what comes back is decided by the service it belongs to."""

    def __init__(self, service: Gateway, on_events: Callable[[Any, list[Event]], None]) -> None:
        self.service = service
        self.open: list[Push] = []
        self.limit = service.limit
        self.heads: list[bytes] = []
        self.closed = False
        self.on_events = on_events
        self.connection = SimpleNamespace(
            draining=False, open_streams=0, last_received=time.monotonic(), lost=self.lost
        )
        self._fresh: list[Push] = []

    def capacity(self) -> int:
        """Return how many requests fit."""
        return 0 if self.connection.draining else self.limit - len(self.open)

    def request(self, block: bytes, body: bytes, tag: Push) -> None:
        """Take a request."""
        assert not self.closed
        assert self.capacity() > 0
        self.open.append(tag)
        self._fresh.append(tag)
        self.heads.append(block)
        self.connection.open_streams = len(self.open)

    def flush(self) -> None:
        """Hand the requests to the service, once the runner is done."""
        fresh, self._fresh = self._fresh, []
        asyncio.get_running_loop().call_soon(self.service.got, self, fresh)

    def say(self, *events: Event) -> None:
        """Tell the runner what happened."""
        for event in events:
            if not isinstance(event, Closed):
                self.open.remove(event.tag)  # type: ignore[arg-type]
        self.connection.open_streams = len(self.open)
        self.connection.last_received = time.monotonic()
        self.on_events(self, list(events))

    def lost(self, why: str) -> list[Event]:
        """End the connection from our side."""
        events: list[Event] = [Unanswered(push, why) for push in self.open]
        self.open.clear()
        return [*events, Closed(why, None, b"")]

    def die(self, *, debug: bytes = b"") -> None:
        """End the connection from the other side."""
        events: list[Event] = [Unanswered(push, "cut") for push in self.open]
        self.say(*events, Closed("cut", None, debug))

    async def close(self) -> None:
        """Close it."""
        self.closed = True
        if self.open:
            self.on_events(self, self.lost("closed"))


Answers = Callable[[Link, Push], Any]


class Gateway:
    """Opens played connections, and answers what comes on them."""

    def __init__(self, answer: Answers = lambda link, push: OK) -> None:
        self.answer = answer
        self.links: list[Link] = []
        self.failures: list[ConnectFailed] = []
        self.limit = 10
        self.tries: list[float] = []
        self.got_rows: list[int] = []

    async def open(self, endpoint: Endpoint, context: ssl.SSLContext, **options: Any) -> Link:
        """Stand in for :meth:`pushctl.wire.link.Link.open`."""
        self.tries.append(time.monotonic())
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        link = Link(self, options["on_events"])
        self.links.append(link)
        return link

    def got(self, link: Link, pushes: list[Push]) -> None:
        """Answer *pushes* in one piece."""
        events: list[Event] = []
        for push in pushes:
            self.got_rows.append(push.row)
            said = self.answer(link, push) if push in link.open else None
            if isinstance(said, int):
                events.append(Answer(push, said, None, b""))
            elif isinstance(said, Outcome):
                events.append(Answer(push, said.status or 0, [], b"%d" % id(said)))
                OUTCOMES[b"%d" % id(said)] = said
            elif said is not None:
                events.append(said)
        if events:
            link.say(*events)


OUTCOMES: dict[bytes, Outcome] = {}


def read_answer(status: int, headers: Sequence[tuple[str, str]], body: bytes) -> Outcome:
    """Return the outcome that a played answer stands for."""
    return OUTCOMES[body]


class World:
    """The effects of the lanes, and the listener of the runner."""

    def __init__(self) -> None:
        self.runner: Runner | None = None
        self.ended: dict[int, Outcome] = {}
        self.problems: list[tuple[str, float | None]] = []
        self.on_sending: Callable[[], None] = lambda: None
        self.on_finished: Callable[[int], None] = lambda row: None

    def finished(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
        """Note an outcome."""
        assert push.row not in self.ended
        self.ended[push.row] = outcome
        self.on_finished(push.row)

    def sending(self, lane: Lane, pushes: Sequence[Push]) -> None:
        """Pushes are about to leave."""
        self.on_sending()

    def retrying(self, lane: Lane, push: Push, outcome: Outcome, now: float) -> None:
        """Nothing to do."""

    def renew(self, lane: Lane) -> None:
        """Pass it on, as the recorder does."""
        assert self.runner is not None
        self.runner.renew(lane)

    def stop(self, stop: Stop) -> None:
        """Pass it on, as the recorder does."""
        assert self.runner is not None
        self.runner.stop(stop)

    def connecting(self, lane: Lane, problem: ConnectFailed, retry_in_s: float | None) -> None:
        """Note a connection that could not be opened."""
        self.problems.append((problem.message, retry_in_s))

    @property
    def kinds(self) -> dict[Kind, int]:
        """Return how many pushes ended in each kind."""
        counts: dict[Kind, int] = {}
        for outcome in self.ended.values():
            counts[outcome.kind] = counts.get(outcome.kind, 0) + 1
        return counts

    @property
    def reasons(self) -> set[str | None]:
        """Return the reasons that were given."""
        return {outcome.reason for outcome in self.ended.values()}


class Play:
    """One run with one lane."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        number: int = 100,
        service: Service = Service.APNS,
        authorizer: Authorizer | None = None,
        policy: Policy | None = None,
        window: int = 50,
        **route: Any,
    ) -> None:
        self.world = World()
        self.gateway = gateway
        self.lane = Lane(
            "shop",
            service,
            policy=policy or Policy(canary=0),
            effects=self.world,
            pacer=Pacer(None),
            jitter=lambda: 0.0,
            least_wait_s=lambda _: None,
        )
        settings: dict[str, Any] = {
            "connections": 4,
            "timeout_s": 0.3,
            "accepted": ACCEPTED,
            "binds_token": service is Service.APNS,
            "read_answer": read_answer,
            "read_goaway": lambda debug: debug.decode(),
        }
        self.route = Route(
            endpoint=Endpoint("gateway.test", 443, "gateway.test"),
            ssl_context=ssl.create_default_context,
            authorizer=authorizer or Authorizer(Permit(1)),
            **(settings | route),
        )
        self.windows = [
            list(range(start, min(start + window, number + 1)))
            for start in range(1, number + 1, window)
        ]
        self.fed = 0
        self.runner = Runner({self.lane: self.route}, self.world, queue_limit=20)
        self.world.runner = self.runner

    async def feed(self) -> AsyncIterator[Sequence[tuple[Lane, Push]]]:
        """Yield the windows of the run."""
        for rows in self.windows:
            self.fed += 1
            yield [(self.lane, Push(row, row, b"/%d" % row, (), None, b"{}")) for row in rows]

    async def run(self) -> None:
        """Run it to its end, or say that it hangs."""
        await asyncio.wait_for(self.runner.run(self.feed()), 20)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of backing off takes 20 ms, and growth comes after 20 ms."""
    monkeypatch.setattr(module, "_BACKOFF_S", 0.02)
    monkeypatch.setattr(module, "_GROW_AFTER_S", 0.02)


def play(monkeypatch: pytest.MonkeyPatch, gateway: Gateway, **options: Any) -> Play:
    """Play one run against *gateway* and return it."""

    async def go() -> Play:
        made = Play(gateway, **options)
        monkeypatch.setattr(module.Link, "open", gateway.open)
        await made.run()
        return made

    return asyncio.run(go())


# -- opening and filling --------------------------------------------------------------------------


def test_all_of_a_feed_goes_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every push of every window is answered, and the connections are closed at the end."""
    gateway = Gateway()
    made = play(monkeypatch, gateway, number=1000)

    assert {Kind.ACCEPTED: 1000} == made.world.kinds
    assert list(range(1, 1001)) == sorted(gateway.got_rows)
    assert all(link.closed for link in gateway.links)


def test_connections_grow_with_demand_and_not_beyond_their_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While every connection is full one more is opened, one at a time."""
    gateway = Gateway(lambda link, push: OK if len(gateway.links) >= 3 or not proven() else None)

    def proven() -> bool:
        return len(gateway.got_rows) > 1

    def release() -> None:
        for link in gateway.links:
            link.say(*(Answer(push, OK, None, b"") for push in list(link.open)))

    async def go() -> Play:
        made = Play(gateway, number=100, connections=3)
        monkeypatch.setattr(module.Link, "open", gateway.open)
        running = asyncio.create_task(made.run())
        while len(gateway.links) < 3:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        release()
        await running
        return made

    made = asyncio.run(go())
    assert 3 == len(gateway.links)
    assert {Kind.ACCEPTED: 100} == made.world.kinds
    assert gateway.tries[2] - gateway.tries[1] >= 0.02


def test_concurrency_bounds_what_is_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--concurrency`` holds over all connections of the lane."""
    most = 0

    def note(link: Link, push: Push) -> int:
        nonlocal most
        most = max(most, sum(len(one.open) for one in gateway.links))
        return OK

    gateway = Gateway(note)
    made = play(monkeypatch, gateway, number=200, streams=4)

    assert {Kind.ACCEPTED: 200} == made.world.kinds
    assert 4 == most


def test_a_failing_connection_is_tried_again_ever_more_slowly_and_then_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A service that never answered gets three tries; all is provably not sent."""
    gateway = Gateway()
    gateway.failures = [ConnectFailed("connect", "refused", None) for _ in range(9)]
    made = play(monkeypatch, gateway, number=60)

    assert {Kind.NOT_SENT: 60} == made.world.kinds
    assert {"NotReached"} == made.world.reasons
    assert [0.02, 0.04, None] == [retry for _, retry in made.world.problems]
    gaps = [b - a for a, b in itertools.pairwise(gateway.tries)]
    assert gaps[0] >= 0.02
    assert gaps[1] >= 0.04


def test_a_wrong_certificate_of_the_server_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What fails for good at first contact is given up at once."""
    gateway = Gateway()
    gateway.failures = [ConnectFailed("tls", "not trusted", None)]
    made = play(monkeypatch, gateway, number=5)

    assert ({Kind.NOT_SENT: 5}, 1) == (made.world.kinds, len(gateway.tries))


def test_a_service_that_comes_back_is_met_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a run connecting is tried for as long as a push would be retried."""
    gateway = Gateway()

    def cut_once(link: Link, push: Push) -> Any:
        if push.row == 30 and len(gateway.links) == 1:
            gateway.failures = [ConnectFailed("tls", "closed", None) for _ in range(5)]
            asyncio.get_running_loop().call_soon(link.die)
            return None
        return OK

    gateway.answer = cut_once
    made = play(monkeypatch, gateway, number=60)

    assert {Kind.ACCEPTED: 50, Kind.UNKNOWN: 10} == made.world.kinds
    assert 7 == len(gateway.tries)


def test_connections_that_die_young_are_not_opened_in_haste(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that ends each connection before it answers is given up after three."""
    gateway = Gateway()

    def end(link: Link, push: Push) -> Any:
        events: list[Event] = [Unprocessed(one, "GOAWAY") for one in link.open]
        link.connection.draining = True
        asyncio.get_running_loop().call_soon(lambda: link.say(*events, Closed("x", 0, b"")))

    gateway.answer = end
    made = play(monkeypatch, gateway, number=100)

    assert {Kind.NOT_SENT: 100} == made.world.kinds
    assert 3 == len(gateway.links)


def test_a_connection_that_never_has_room_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream limit of 0 that stays does not hold the run up for ever."""
    gateway = Gateway()
    gateway.limit = 0
    made = play(monkeypatch, gateway, number=3, timeout_s=0.05)

    assert {Kind.NOT_SENT: 3} == made.world.kinds
    assert 3 == len(gateway.links)


def test_a_retry_that_is_due_opens_a_connection_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server went away while a push waited: when it is due, it goes out all the same."""

    def busy_then_gone(link: Link, push: Push) -> Any:
        if len(gateway.links) == 1:
            asyncio.get_running_loop().call_later(0.01, link.die)
            return BUSY
        return OK

    gateway = Gateway(busy_then_gone)
    made = play(monkeypatch, gateway, number=1)

    assert {Kind.ACCEPTED: 1} == made.world.kinds
    assert 2 == len(gateway.links)
    assert gateway.tries[1] - gateway.tries[0] >= 0.05, "it is not opened before it is needed"


def test_a_push_that_is_to_go_elsewhere_goes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """IdleTimeout ends the connection; the only push of the run goes out on another."""
    gateway = Gateway(lambda link, push: IDLE if len(gateway.links) == 1 else OK)
    made = play(monkeypatch, gateway, number=1)

    assert ({Kind.ACCEPTED: 1}, 2) == (made.world.kinds, len(gateway.links))
    assert gateway.links[0].closed


def test_after_a_silent_timeout_the_next_request_goes_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A connection on which nothing comes any more is left, even if it is not closed."""

    def silent(link: Link, push: Push) -> Any:
        if len(gateway.links) > 1 or push.row == 1:
            return OK
        push.sent_at -= 0.3
        link.connection.last_received = push.sent_at - 0.1
        asyncio.get_running_loop().call_soon(time_out, link, push)
        return None

    def time_out(link: Link, push: Push) -> None:
        before = link.connection.last_received
        link.open.remove(push)
        link.connection.open_streams = len(link.open)
        link.connection.last_received = before
        link.on_events(link, [Unanswered(push, TIMED_OUT)])

    gateway = Gateway(silent)
    gateway.limit = 1
    made = play(monkeypatch, gateway, number=4, connections=1)

    assert {Kind.ACCEPTED: 3, Kind.UNKNOWN: 1} == made.world.kinds
    assert 2 == len(gateway.links)
    assert gateway.links[0].closed


# -- tokens ---------------------------------------------------------------------------------------


def tokens_of(link: Link) -> set[bytes]:
    """Return the tokens that the requests on *link* carried."""
    return {
        number for head in link.heads for number in (b"1", b"2", b"3") if b"r " + number in head
    }


def test_a_connection_keeps_the_provider_token_it_began_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When its token is to be retired a connection is left for one with a newer token."""

    first = Permit(1)

    async def slowly(link: Link, push: Push) -> None:
        await asyncio.sleep(0.002)
        if push.row == 60:
            first.retire_at = 0.0
        if push in link.open:
            link.say(Answer(push, OK, None, b""))

    tasks = []
    gateway = Gateway(lambda link, push: tasks.append(asyncio.ensure_future(slowly(link, push))))
    gateway.limit = 2
    authorizer = Authorizer(first, Permit(2))
    made = play(monkeypatch, gateway, number=200, authorizer=authorizer, connections=1)

    assert {Kind.ACCEPTED: 200} == made.world.kinds
    assert [{b"1"}, {b"2"}] == [tokens_of(link) for link in gateway.links]
    assert gateway.links[0].closed


def test_an_access_token_is_replaced_while_sending_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection stays, the old token serves until the newer is there."""
    first = Permit(1)

    def retire(link: Link, push: Push) -> int | None:
        if push.row == 100:
            first.retire_at = 0.0
        if push.row < 500 or push.row % 10:
            return OK
        late = Answer(push, OK, None, b"")  # so that there is time to fetch the newer one
        asyncio.get_running_loop().call_later(0.02, link.say, late)
        return None

    gateway = Gateway(retire)
    authorizer = Authorizer(first, Permit(2))
    made = play(
        monkeypatch, gateway, number=600, authorizer=authorizer, service=Service.FCM, connections=1
    )

    assert {Kind.ACCEPTED: 600} == made.world.kinds
    (link,) = gateway.links
    assert {b"1", b"2"} == tokens_of(link)
    assert b"r 1" in link.heads[115], "what leaves meanwhile carries the old one"


def test_an_access_token_past_its_end_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the token endpoint is out of reach the run waits; it goes on when it is back."""
    gateway = Gateway()

    def expire(link: Link, push: Push) -> int:
        if push.row == 5:
            first.retire_at = first.expires_at = 0.0
        return OK

    gateway.answer = expire
    first = Permit(1)
    away = Unreachable("no answer")
    authorizer = Authorizer(first, away, away, Permit(2))
    made = play(monkeypatch, gateway, number=50, authorizer=authorizer, service=Service.FCM)

    assert {Kind.ACCEPTED: 50} == made.world.kinds
    assert {b"1", b"2"} == tokens_of(gateway.links[0])


@pytest.mark.parametrize("error", [CredentialsRefused("no such account"), Unreachable("away")])
def test_without_a_token_nothing_is_sent(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """A token endpoint that says no, or cannot be reached at first, ends the lane at once."""
    gateway = Gateway()
    made = play(monkeypatch, gateway, number=40, authorizer=Authorizer(error), service=Service.FCM)

    assert {Kind.NOT_SENT: 40} == made.world.kinds
    assert [] == gateway.tries
    refused = isinstance(error, CredentialsRefused)
    assert {"CredentialsRefused" if refused else "NotReached"} == made.world.reasons
    assert ([("shop", "no such account")] if refused else []) == made.runner.refusals()


def test_an_expired_provider_token_is_renewed_once_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many requests were refused together, one newer token is asked for."""
    gateway = Gateway(
        lambda link, push: EXPIRED if len(gateway.links) == 1 and push.row > 1 else OK
    )
    authorizer = Authorizer(Permit(1), Permit(2))
    made = play(monkeypatch, gateway, number=60, authorizer=authorizer, connections=1)

    assert {Kind.ACCEPTED: 60} == made.world.kinds
    assert [b"bearer 1"] == authorizer.renewed
    assert [{b"1"}, {b"2"}] == [tokens_of(link) for link in gateway.links]


def test_a_late_401_about_the_old_token_does_not_cost_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An answer to a request that carried the replaced token asks for no newer one."""

    def late(link: Link, push: Push) -> Any:
        if push.attempts > 1 or push.row == 1:
            return OK
        if push.row == 2:
            return STALE
        loop = asyncio.get_running_loop()
        code = b"%d" % id(STALE)
        loop.call_later(0.1, lambda: link.say(Answer(push, 401, [], code)))
        return None

    gateway = Gateway(late)
    authorizer = Authorizer(Permit(1), Permit(2), Permit(3))
    made = play(
        monkeypatch, gateway, number=5, authorizer=authorizer, service=Service.FCM, connections=1
    )

    assert {Kind.ACCEPTED: 5} == made.world.kinds
    assert 1 == len(authorizer.renewed)


def test_a_renewal_that_is_refused_ends_the_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account was closed in the middle of the run: nothing more is sent with it."""
    gateway = Gateway(lambda link, push: STALE if push.row > 9 else OK)
    authorizer = Authorizer(Permit(1), CredentialsRefused("account closed"))
    made = play(
        monkeypatch, gateway, number=500, authorizer=authorizer, service=Service.FCM, window=20
    )

    assert 9 == made.world.kinds[Kind.ACCEPTED]
    assert [("shop", "account closed")] == made.runner.refusals()
    assert len(gateway.got_rows) <= 20
    assert made.fed < len(made.windows), "a list that cannot be sent is not read to its end"


@pytest.mark.parametrize("before_settings", [True, False])
def test_a_goaway_about_the_certificate_refuses_the_credential(
    monkeypatch: pytest.MonkeyPatch, before_settings: bool
) -> None:
    """APNs lets TLS succeed and says BadCertificate in a GOAWAY: that is no network trouble."""

    def say_goodbye(link: Link, push: Push) -> None:
        link.die(debug=b"BadCertificate")

    gateway = Gateway(say_goodbye)
    if before_settings:
        gateway.failures = [ConnectFailed("settings", "GOAWAY", None, debug=b"BadCertificate")]
    made = play(monkeypatch, gateway, number=30)

    assert [("shop", "BadCertificate")] == made.runner.refusals()
    assert 1 == len(gateway.tries)
    assert 30 == len(made.world.ended)


# -- the end --------------------------------------------------------------------------------------


def test_a_bug_in_reading_an_answer_ends_the_run_and_does_not_hang_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """asyncio swallows what a protocol raises; the runner must not wait for what was lost by it."""
    broken = Outcome(kind=Kind.REJECTED, status=500)
    gateway = Gateway(lambda link, push: broken if push.row == 7 else OK)

    def read(status: int, headers: Sequence[tuple[str, str]], body: bytes) -> Outcome:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        play(monkeypatch, gateway, number=100, read_answer=read)
    assert all(link.closed for link in gateway.links)


def test_an_error_of_the_feed_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that cannot be read any further is no reason to wait for it."""

    async def go() -> None:
        gateway = Gateway()
        made = Play(gateway)
        monkeypatch.setattr(module.Link, "open", gateway.open)

        async def feed() -> AsyncIterator[Sequence[tuple[Lane, Push]]]:
            yield [(made.lane, Push(1, 1, b"/1", (), None, b"{}"))]
            raise OSError("the list is gone")

        await asyncio.wait_for(made.runner.run(feed()), 10)

    with pytest.raises(OSError, match="the list is gone"):
        asyncio.run(go())


def test_what_cannot_be_noted_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the journal refuses the note that pushes leave, they stay, and the run ends."""
    calls = 0

    def full() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise StorageError("no space left")

    async def go() -> Play:
        gateway = Gateway()
        made = Play(gateway, number=200)
        made.world.on_sending = full
        monkeypatch.setattr(module.Link, "open", gateway.open)
        await made.run()
        return made

    made = asyncio.run(go())
    assert sorted(made.gateway.got_rows) == sorted(
        row for row, outcome in made.world.ended.items() if outcome.kind is Kind.ACCEPTED
    )
    assert {"Stopped"} == made.world.reasons - {None}
    assert 3 == calls


def test_a_stop_waits_for_answers_and_an_abort_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped: nothing more leaves.  Aborted: what is in flight is unknown, at once."""

    async def go() -> Play:
        gateway = Gateway(lambda link, push: OK if push.row == 1 else None)
        made = Play(gateway, number=100)
        monkeypatch.setattr(module.Link, "open", gateway.open)
        running = asyncio.create_task(made.run())
        while len(gateway.got_rows) < 11:
            await asyncio.sleep(0.001)
        made.runner.stop(Stop("interrupted", "Ctrl-C"))
        await asyncio.sleep(0.05)
        assert not running.done()
        held = sum(len(link.open) for link in gateway.links)
        gateway.links[0].say(Answer(gateway.links[0].open[0], OK, None, b""))
        began = time.monotonic()
        made.runner.abort()
        await running
        assert 1 > time.monotonic() - began
        assert held - 1 == made.world.kinds[Kind.UNKNOWN]
        return made

    made = asyncio.run(go())
    assert 2 == made.world.kinds[Kind.ACCEPTED]
    assert {"Interrupted", "ConnectionLost", None} == made.world.reasons
    made.runner.abort()  # twice is as good as once


def test_one_lane_of_two_that_gives_up_leaves_the_other_going(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A refused credential ends its own pushes only."""

    async def go() -> tuple[World, Lane, Lane]:
        gateway = Gateway()
        good, bad = Play(gateway, number=80), Play(gateway, authorizer=Authorizer(REFUSAL))
        bad.lane._effects = good.world
        runner = Runner({good.lane: good.route, bad.lane: bad.route}, good.world, queue_limit=10)
        good.world.runner = runner
        monkeypatch.setattr(module.Link, "open", gateway.open)

        async def feed() -> AsyncIterator[Sequence[tuple[Lane, Push]]]:
            for start in range(1, 400, 20):
                yield [
                    (lane, Push(row, row, b"/%d" % row, (), None, b"{}"))
                    for row in range(start, start + 20)
                    for lane in ((good if row % 2 else bad).lane,)
                ]

        await asyncio.wait_for(runner.run(feed()), 10)
        return good.world, good.lane, bad.lane

    world, good, bad = asyncio.run(go())
    assert {Kind.ACCEPTED: 200, Kind.NOT_SENT: 200} == world.kinds
    assert (False, True) == (good.closed, bad.closed)


REFUSAL = CredentialsRefused("no")
