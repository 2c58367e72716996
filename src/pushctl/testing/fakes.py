"""What a test holds in its hands: where the fake is, what it answers, and what it received."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pushctl.outcome import JsonValue
from pushctl.simulator import (
    Exchange,
    Rule,
    Simulator,
    ThrowAwayCredentials,
    make_credentials,
)
from pushctl.simulator.script import Action, GatewayName

if TYPE_CHECKING:
    from pushctl.simulator import Stats

WAIT_S = 10.0
"""How long :meth:`Fake.wait_for` waits for pushes that do not come."""


@dataclasses.dataclass(frozen=True, slots=True)
class ReceivedPush:
    """One push as it arrived, and what it was answered."""

    target: str | None
    """The device or registration token, ``topic:NAME``, ``condition:EXPR`` or ``channel:ID``."""
    topic: str | None
    """APNs: the topic.  FCM: the project."""
    headers: Mapping[str, str]
    payload: JsonValue
    """The body as JSON; ``None`` if it is none."""
    status: int | None
    """The status of the answer; ``None``: it got none."""
    reason: str | None
    """Why it was refused; ``None``: it was not."""
    accepted: bool

    @classmethod
    def of(cls, exchange: Exchange) -> ReceivedPush:
        """Return the push of *exchange*."""
        try:
            payload: JsonValue = json.loads(exchange.request.body)
        except (ValueError, RecursionError):
            payload = None
        answer = exchange.answer
        return cls(
            exchange.target,
            exchange.topic,
            dict(exchange.request.fields),
            payload,
            None if answer is None else answer.status,
            exchange.reason,
            exchange.outcome == "accepted",
        )


class Stage:
    """A running simulator with credentials, and the two fakes that look at it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._arrived = threading.Condition()
        self._exchanges: list[Exchange] = []
        self.simulator = Simulator(on_exchange=self._take)

    def open(self) -> None:
        """Make credentials for the running simulator."""
        self.made: ThrowAwayCredentials = make_credentials(self.folder, self.simulator)
        self.certificate_file = self.folder / "push-certificate.pem"
        pem = self.simulator.push_certificate(self.made.topic)
        self.certificate_file.touch(mode=0o600)
        self.certificate_file.write_bytes(pem)
        self.apns, self.fcm = FakeApns(self), FakeFcm(self)

    def play(self, scenario: str | Path) -> None:
        """Follow a scenario in place of all answers given so far; see :meth:`Fake.play`."""
        from pushctl.simulator.scenario import parse_scenario, read_scenario

        found = read_scenario(scenario) if isinstance(scenario, Path) else parse_scenario(scenario)
        self.simulator.play(found.script)

    def _take(self, exchange: Exchange) -> None:
        with self._arrived:
            self._exchanges.append(exchange)
            self._arrived.notify_all()

    def pushes(self, service: GatewayName) -> list[ReceivedPush]:
        """Return the pushes that *service* has received so far, oldest first."""
        with self._arrived:
            found = [one for one in self._exchanges if one.service == service]
        return [ReceivedPush.of(exchange) for exchange in found]

    def wait_for(self, service: GatewayName, count: int, seconds: float) -> list[ReceivedPush]:
        """Return the pushes of *service* once there are *count*."""

        def there() -> bool:
            return sum(one.service == service for one in self._exchanges) >= count

        with self._arrived:
            if not self._arrived.wait_for(there, seconds):
                had = sum(one.service == service for one in self._exchanges)
                raise AssertionError(
                    f"{had} of {count} pushes had arrived at {service} after {seconds:g} s"
                )
        return self.pushes(service)

    def clear(self, service: GatewayName) -> None:
        """Forget the pushes that *service* has received."""
        with self._arrived:
            self._exchanges = [one for one in self._exchanges if one.service != service]


class Fake:
    """One service of the simulator."""

    service: ClassVar[GatewayName]

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def url(self) -> str:
        """``https://127.0.0.1:PORT``."""
        return self._stage.simulator.url

    @property
    def host(self) -> str:
        """``127.0.0.1``."""
        return "127.0.0.1"

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._stage.simulator.port

    @property
    def ca_file(self) -> Path:
        """The certificate that a client has to trust, as PEM."""
        return self._stage.made.ca_file

    def ssl_context(self) -> ssl.SSLContext:
        """Return a TLS context that trusts the fake and nothing else."""
        return self._stage.simulator.client_context()

    def answer(
        self,
        token: str | None,
        answer: str | Action,
        *,
        times: int | None = None,
        delay_s: float = 0.0,
    ) -> None:
        """
        Answer the good pushes to *token* with *answer* from now on.

        :param token: a token, or a pattern with ``*`` and ``?``; ``None``: every one.
        :param answer: a reason (``"Unregistered"``), a status (``"503"``), a fault (``"drop"``,
            ``"hang"``, ``"goaway"``, ``"rst:REFUSED_STREAM"``), or an action of
            :mod:`pushctl.simulator`.
        :param times: so often, then as before; ``None``: always.
        :raises ValueError: *answer* is none.
        """
        pattern = token if token is not None and ("*" in token or "?" in token) else None
        self._stage.simulator.add_rule(
            Rule(
                answer=answer,
                token=None if pattern is not None else token,
                pattern=pattern,
                service=self.service,
                times=times,
                each_token=token is not None,
                delay_s=delay_s,
            )
        )

    def play(self, scenario: str | Path) -> None:
        """
        Follow a scenario, a file or YAML text, in place of all answers given so far.

        Of it count the rules, quotas, limits and delays; what a simulator is made with (devices,
        topics, environment, the lifetime of access tokens) does not.  See docs/simulator.md.

        :raises InvalidInput: with every fault of it.
        """
        self._stage.play(scenario)

    @property
    def received(self) -> list[ReceivedPush]:
        """The pushes that arrived so far, oldest first."""
        return self._stage.pushes(self.service)

    def wait_for(self, count: int, seconds: float = WAIT_S) -> list[ReceivedPush]:
        """
        Return the pushes once *count* have arrived.

        :raises AssertionError: they had not after so many seconds.
        """
        return self._stage.wait_for(self.service, count, seconds)

    def clear(self) -> None:
        """Forget what was received; answers stay."""
        self._stage.clear(self.service)

    def stats(self) -> Stats:
        """Return the counts of the simulator, of both services."""
        return self._stage.simulator.stats()


class FakeApns(Fake):
    """A fake APNs."""

    service = "apns"

    @property
    def key_file(self) -> Path:
        """A push key (.p8)."""
        return self._stage.made.key_file

    @property
    def key_id(self) -> str:
        """The id of the push key."""
        return self._stage.made.key_id

    @property
    def team_id(self) -> str:
        """The team of the push key."""
        return self._stage.made.team_id

    @property
    def topic(self) -> str:
        """A topic to send to.  Any other is accepted too, but by the certificate."""
        return self._stage.made.topic

    @property
    def certificate_file(self) -> Path:
        """A provider certificate of :attr:`topic` with its key, as PEM."""
        return self._stage.certificate_file


class FakeFcm(Fake):
    """A fake FCM and token endpoint."""

    service = "fcm"

    @property
    def service_account_file(self) -> Path:
        """A service account; its ``token_uri`` is the fake's."""
        return self._stage.made.service_account_file

    @property
    def project_id(self) -> str:
        """The project of the service account."""
        return self._stage.made.project_id

    @property
    def token_uri(self) -> str:
        """The address of the token endpoint."""
        return self._stage.simulator.token_uri

    def revoke_access_tokens(self) -> None:
        """Refuse every access token granted so far, as one that has expired."""
        self._stage.simulator.revoke_access_tokens()


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Run a simulator whose credentials lie in *folder* until the block ends."""
    stage = Stage(folder)
    with stage.simulator.run_in_thread():
        stage.open()
        yield stage
