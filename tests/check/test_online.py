"""Checks of real servers on loopback: the simulator, and servers on which something is wrong."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from h2.settings import SettingCodes, Settings

from check.kit import (
    Answering,
    Says,
    Site,
    check,
    closed_port,
    serve,
    step,
    verdicts,
)
from credentials import material
from pushctl.check.run import Checking, check_credentials
from pushctl.check.step import Verdict, exit_code
from pushctl.config import CredentialSettings, load_settings
from pushctl.simulator import ApnsKey, Rule, Script, Simulator, answers, make_credentials
from pushctl.simulator.throwaway import write_config
from wire.server import Peer, Silent, refusing_clients

BAD_TOKEN = Says(400, {"reason": "BadDeviceToken"})


# -- the simulator --------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Simulated:
    """A simulator with credentials that it trusts."""

    simulator: Simulator
    ios: CredentialSettings
    android: Any


def simulated(folder: Path, simulator: Simulator) -> Simulated:
    """Return credentials that *simulator* trusts."""
    write_config(folder, simulator, make_credentials(folder, simulator))
    settings = load_settings(folder / "pushctl.yaml", environ={}, cwd=folder, home=folder)
    made = settings.credentials
    return Simulated(simulator, made["simulated-ios"], made["simulated-android"])


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """Serve one simulator."""
    with Simulator().run_in_thread() as simulator:
        yield simulated(tmp_path_factory.mktemp("simulator"), simulator)


def test_a_good_key(fake: Simulated) -> None:
    """Everything passes but what only a device can prove."""
    report = check(fake.ios)
    found = verdicts(report)

    assert Verdict.PASS is report.verdict
    assert {"tcp", "tls", "http2", "provider-token"} <= {n for n, v in found.items() if v == "pass"}
    assert "skipped" == found["topic-and-environment"]
    assert "BadDeviceToken" in step(report, "provider-token").sentence
    assert "pushctl simulator CA" in step(report, "tls").sentence


def test_a_good_account(fake: Simulated) -> None:
    """The exchange, the project and the clock pass."""
    report = check(fake.android)
    found = verdicts(report)

    assert Verdict.PASS is report.verdict
    assert {"access-token", "project", "clock"} <= {n for n, v in found.items() if v == "pass"}


def test_no_push_is_ever_accepted(fake: Simulated) -> None:
    """A check costs one request a credential, and none of them could reach a device."""
    before = fake.simulator.stats()
    check_credentials([fake.ios, fake.android], how())
    after = fake.simulator.stats()

    assert before.accepted == after.accepted
    assert 2 == after.requests - before.requests


def test_the_order_is_that_of_the_wishes(fake: Simulated) -> None:
    """Credentials are asked side by side, and reported in order."""
    reports = check_credentials([fake.android, fake.ios, fake.android], how())

    assert ["simulated-android", "simulated-ios", "simulated-android"] == [
        it.name for it in reports
    ]
    assert 0 == exit_code(reports)


def how(**changes: Any) -> Checking:
    """Return the way to check."""
    return Checking(environ={}, clock=time.time, timeout_s=5.0, **changes)


def test_offline_asks_nobody(fake: Simulated) -> None:
    """With --offline not even a connection is opened."""
    before = fake.simulator.stats()
    reports = check_credentials([fake.ios, fake.android], how(offline=True))
    after = fake.simulator.stats()

    assert before == after
    assert {"skipped"} == {verdicts(it)["service"] for it in reports}


def test_a_key_that_apple_does_not_know(fake: Simulated, tmp_path: Path) -> None:
    """Another key under the same id is refused, and the way to mend it is Apple's portal."""
    other = material.write(tmp_path / "AuthKey_SIMULATED1.p8", material.pem(material.ec_key()))
    report = check(dataclasses.replace(fake.ios, key_file=other))  # type: ignore[call-arg]
    found = step(report, "provider-token")

    assert (Verdict.FAIL, 4, "InvalidProviderToken") == (
        found.verdict,
        found.exit_code,
        found.reason,
    )
    assert any("portal" in advice for advice in found.advice)
    assert "topic-and-environment" not in verdicts(report)


def test_a_topic_that_the_key_may_not_push_to(fake: Simulated, tmp_path: Path) -> None:
    """A topic-specific key is told from a bad one."""
    key = ApnsKey(
        material.ec_key().public_key(), "TEAM123456", topics=frozenset({"com.example.other"})
    )
    fake.simulator.trust_key("TOPICKEY01", key)
    path = material.write(tmp_path / "AuthKey_TOPICKEY01.p8", material.pem(material.ec_key()))
    found = step(
        check(dataclasses.replace(fake.ios, key_file=path, key_id="TOPICKEY01")),  # type: ignore[call-arg]
        "provider-token",
    )

    assert ("TopicDisallowed", 4) == (found.reason, found.exit_code)


def test_a_clock_that_is_behind(fake: Simulated) -> None:
    """Three hours behind, the provider token is stale; FCM's Date shows how wrong the clock is."""

    def late() -> float:
        return time.time() - 3 * 3600

    key, account = check(fake.ios, clock=late), check(fake.android, clock=late)

    assert "ExpiredProviderToken" == step(key, "provider-token").reason
    assert "3 h behind" in step(account, "clock").sentence
    assert Verdict.WARN is step(account, "clock").verdict


def test_a_project_that_the_account_may_not_use(fake: Simulated) -> None:
    """A project that nobody has is a wrong one."""
    wrong = dataclasses.replace(fake.android, project_id="no-such-shop")
    report = check(wrong)

    assert "pass" == verdicts(report)["access-token"]
    assert ("NOT_FOUND", 4) == (step(report, "project").reason, step(report, "project").exit_code)
    assert step(report, "project").sentence.startswith("wrong project")
    assert "warn" == verdicts(report)["project-id"]


@pytest.mark.parametrize("case", ["bad_signature", "account_not_found", "clock_or_lifetime"])
def test_an_exchange_that_is_refused(tmp_path: Path, case: str) -> None:
    """Without an access token the gateway is reached and not asked; the exchange says why."""
    script = Script(rules=(Rule(service="oauth", answer=case),))
    with Simulator(script=script).run_in_thread() as simulator:
        report = check(simulated(tmp_path, simulator).android)
        requests = simulator.stats().requests

    assert (case, 4) == (
        step(report, "access-token").reason,
        step(report, "access-token").exit_code,
    )
    assert {"http2": "pass", "project": "skipped"}.items() <= verdicts(report).items()
    assert 0 == requests


def test_a_clock_that_the_exchange_finds_wrong(tmp_path: Path) -> None:
    """Google's token endpoint refuses times that are off; its own Date shows by how much."""
    ahead = Simulator(clock=lambda: time.time() + 7200)
    with ahead.run_in_thread() as simulator:
        found = step(check(simulated(tmp_path, simulator).android), "access-token")

    assert "clock_or_lifetime" == found.reason


# -- servers that a test chooses ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        (400, "BadDeviceToken", 0),
        (410, "Unregistered", 0),
        (400, "TopicDisallowed", 4),
        (400, "BadTopic", 4),
        (403, "Forbidden", 4),
        (403, "InvalidProviderToken", 4),
        (403, "ExpiredProviderToken", 4),
        (403, "BadEnvironmentKeyIdInToken", 4),
        (429, "TooManyProviderTokenUpdates", 5),
        (503, "ServiceUnavailable", 5),
    ],
)
def test_refusals_over_the_wire(site: Site, status: int, reason: str, code: int) -> None:
    """Each answer of a gateway ends in its exit code, whatever the transport adds."""
    with site.answering(Says(status, {"reason": reason})) as port:
        report = check(site.key(port))

    assert code == exit_code([report])
    assert reason in step(report, "provider-token").sentence


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("INVALID_ARGUMENT/bad_token", 0),
        ("UNREGISTERED", 0),
        ("SERVICE_DISABLED", 4),
        ("IAM_PERMISSION_DENIED", 4),
        ("NOT_FOUND", 4),
        ("ACCESS_TOKEN_EXPIRED", 4),
        ("UNAVAILABLE", 5),
    ],
)
def test_refusals_of_fcm_over_the_wire(site: Site, fake: Simulated, name: str, code: int) -> None:
    """The token is the simulator's, the answer a recorded or documented one of Google's."""
    answer = answers.fcm(name)
    with site.answering(Says(answer.status, answer.body)) as port:
        both = site.folder / "both.pem"
        both.write_bytes(site.authority.file.read_bytes() + fake.simulator.ca_pem)
        endpoint = site.key(port).endpoint
        report = check(dataclasses.replace(fake.android, endpoint=endpoint, ca_file=both))

    assert code == exit_code([report])
    assert "validate_only" not in site.seen[0][":path"]
    assert "/v1/projects/simulated-shop/messages:send" == site.seen[0][":path"]


def test_the_request_that_is_sent(site: Site) -> None:
    """One quiet push to a token that is nobody's, never kept by APNs, with the token of Apple's."""
    with site.answering(BAD_TOKEN) as port:
        check(site.key(port))
    (request,) = site.seen

    assert "/3/device/" + "0" * 64 == request[":path"]
    assert ("background", "5", "0", "com.acme.shop") == (
        request["apns-push-type"],
        request["apns-priority"],
        request["apns-expiration"],
        request["apns-topic"],
    )
    assert request["authorization"].startswith("bearer ey")


def test_a_topic_of_voip_is_asked_as_voip(site: Site) -> None:
    """A topic that only fits one push type is not refused for the wrong one."""
    with site.answering(BAD_TOKEN) as port:
        check(site.key(port, topic="com.acme.shop.voip"))
    (request,) = site.seen

    assert ("voip", "com.acme.shop.voip") == (request["apns-push-type"], request["apns-topic"])


@pytest.mark.parametrize(("skew", "verdict"), [(0, "pass"), (7200, "warn"), (-600, "warn")])
def test_the_date_of_an_answer(site: Site, skew: int, verdict: str) -> None:
    """A server whose Date differs shows that one of the two clocks is wrong."""
    date = formatdate(time.time() + skew, usegmt=True)
    says = dataclasses.replace(BAD_TOKEN, headers=(("date", date),))
    with site.answering(says) as port:
        report = check(site.key(port))

    assert verdict == verdicts(report)["clock"]
    assert 0 == exit_code([report])


def test_a_wrong_clock_explains_a_refusal(site: Site) -> None:
    """Where the token is refused and the clock is off, the clock is the first advice."""
    date = formatdate(time.time() + 3 * 3600, usegmt=True)
    says = Says(403, {"reason": "ExpiredProviderToken"}, (("date", date),))
    with site.answering(says) as port:
        found = step(check(site.key(port)), "provider-token")

    assert "3 h behind" in found.advice[0]


# -- connections that fail ------------------------------------------------------------------------


def outcome(settings: CredentialSettings, **options: Any) -> tuple[dict[str, str], str, int]:
    """Check; return the verdicts of the connection, what its failure says, and the exit code."""
    report = check(settings, **options)
    names = ("dns", "tcp", "proxy", "tls", "http2", "provider-token", "client-certificate")
    found = {name: verdict for name, verdict in verdicts(report).items() if name in names}
    said = [it.sentence for it in report.steps if it.verdict is Verdict.FAIL]
    return found, said[0] if said else "", int(exit_code([report]))


def test_no_such_name(site: Site) -> None:
    """A name that cannot be resolved fails at DNS."""
    from pushctl.config import Origin

    settings = dataclasses.replace(site.key(1), endpoint=Origin("push.invalid", 443))
    found, said, code = outcome(settings)

    assert ("fail", "skipped", "skipped") == (found["dns"], found["tcp"], found["provider-token"])
    assert "push.invalid: the name cannot be resolved" in said
    assert 5 == code


def test_a_port_that_is_closed(site: Site) -> None:
    """A refused connection fails at TCP."""
    found, said, code = outcome(site.key(closed_port()))

    assert ("fail", "skipped", "skipped") == (found["tcp"], found["tls"], found["provider-token"])
    assert "the connection was refused" in said
    assert 5 == code


def test_a_certificate_of_somebody_else(site: Site, fake: Simulated) -> None:
    """A server that is not trusted fails at TLS, and whose certificate it showed is told."""
    port = fake.simulator.port
    found, said, code = outcome(site.key(port))

    assert ("pass", "fail", "skipped") == (found["tcp"], found["tls"], found["provider-token"])
    assert "unknown CA" in said
    assert "issued by pushctl simulator CA" in said
    assert 5 == code


def test_a_certificate_that_has_expired(site: Site) -> None:
    """An expired certificate is told with its days; no token is shown to its owner."""
    with site.answering(
        BAD_TOKEN, context=site.authority.server("127.0.0.1", expired=True)
    ) as port:
        found, said, code = outcome(site.key(port))

    assert "fail" == found["tls"]
    assert "its certificate has expired; it was issued by pushctl test CA, for 20" in said
    assert 5 == code
    assert [] == site.seen


def test_a_certificate_for_another_name(site: Site) -> None:
    """A certificate for another host fails at TLS."""
    context = site.authority.server("push.example")
    with site.answering(BAD_TOKEN, context=context) as port:
        found, said, _ = outcome(site.key(port))

    assert "fail" == found["tls"]
    assert "for another" in said


@pytest.mark.parametrize("protocols", [(), ("http/1.1",)], ids=["no ALPN", "HTTP/1.1"])
def test_a_server_without_http2(site: Site, protocols: tuple[str, ...]) -> None:
    """A server, or a proxy that inspects, without HTTP/2 fails after TLS."""
    context = site.authority.server("127.0.0.1", protocols=protocols)
    with site.answering(BAD_TOKEN, context=context) as port:
        found, said, code = outcome(site.key(port))

    assert ("pass", "fail", "skipped") == (found["tls"], found["http2"], found["provider-token"])
    assert "the server" in said
    assert 5 == code


def test_a_server_that_never_speaks(site: Site) -> None:
    """Waiting is bounded by the timeout, and what was waited for is told."""
    with serve(Silent, site.authority.server("127.0.0.1")) as port:
        found, said, code = outcome(site.key(port), timeout_s=0.3)

    assert "fail" == found["http2"]
    assert "no SETTINGS within 0.3 s" in said
    assert 5 == code


def test_a_server_that_never_answers(site: Site) -> None:
    """A request without an answer is no judgement."""

    class Deaf(Peer):
        def asked(self, stream: int) -> None:
            pass

    with serve(Deaf, site.authority.server("127.0.0.1")) as port:
        found, said, code = outcome(site.key(port), timeout_s=0.3)

    assert ("pass", "fail") == (found["http2"], found["provider-token"])
    assert "the request was not answered" in said
    assert 5 == code


def test_a_server_that_takes_no_requests(site: Site) -> None:
    """A stream limit of 0 does not hold a check up for ever."""

    class Full(Peer):
        def begin(self) -> None:
            none = {SettingCodes.MAX_CONCURRENT_STREAMS: 0}
            self.h2.local_settings = Settings(client=False, initial_values=none)
            super().begin()

    with serve(Full, site.authority.server("127.0.0.1")) as port:
        found, said, code = outcome(site.key(port), timeout_s=0.2)

    assert "fail" == found["provider-token"]
    assert "takes no requests" in said
    assert 5 == code


def test_a_server_that_hangs_up(site: Site) -> None:
    """A connection that is cut during the request is no judgement."""

    class Rude(Peer):
        def asked(self, stream: int) -> None:
            self.transport.abort()

    with serve(Rude, site.authority.server("127.0.0.1")) as port:
        found, said, code = outcome(site.key(port))

    assert "fail" == found["provider-token"]
    assert "not answered" in said
    assert 5 == code


class GoingAway(Peer):
    """Says GOAWAY with a reason in place of an answer, as APNs does to bad certificates."""

    def asked(self, stream: int) -> None:
        debug = json.dumps({"reason": "BadCertificateEnvironment"}).encode()
        self.h2.close_connection(additional_data=debug, last_stream_id=0)


def test_a_goaway_that_names_the_certificate(site: Site) -> None:
    """APNs tells a bad certificate by GOAWAY: that is a refusal, explained like a 403."""
    with serve(GoingAway, site.authority.server("127.0.0.1")) as port:
        report = check(site.certificate(port))
    found = step(report, "client-certificate")

    assert ("BadCertificateEnvironment", 4) == (found.reason, found.exit_code)


# -- client certificates --------------------------------------------------------------------------


def test_a_client_certificate_is_presented(site: Site) -> None:
    """A server that demands a certificate gets it, and no authorization header."""
    context = site.authority.server("127.0.0.1", clients=True)
    with site.answering(BAD_TOKEN, context=context) as port:
        report = check(site.certificate(port))

    assert "pass" == verdicts(report)["client-certificate"]
    assert "APNs accepts the client certificate" in step(report, "client-certificate").sentence
    assert "authorization" not in site.seen[0]
    assert "skipped" == verdicts(report)["topic-and-environment"]


def test_a_client_certificate_that_is_turned_down(site: Site, tmp_path: Path) -> None:
    """A server that does not know the certificate's CA has refused the credential: exit 4."""
    context = site.authority.server("127.0.0.1", clients=True)
    key = material.ec_key()
    data = material.pem(key) + material.certificate_pem(material.certificate(key))
    path = material.write(tmp_path / "other.pem", data)
    with refusing_clients(context) as port:
        settings = dataclasses.replace(site.certificate(port), certificate_file=path)  # type: ignore[call-arg]
        report = check(settings, clock=lambda: material.NOW)

    assert 4 == exit_code([report])
    assert "skipped" == verdicts(report)["client-certificate"]
    assert any("client certificate" in it.sentence for it in report.steps if it.exit_code)


def test_a_key_where_a_certificate_is_demanded(site: Site) -> None:
    """A server that takes certificates only cannot judge a .p8 key: exit 5, with the reason."""
    context = site.authority.server("127.0.0.1", clients=True)
    with refusing_clients(context) as port:
        _, said, code = outcome(site.key(port))

    assert "asks for a client certificate" in said
    assert 5 == code


# -- proxies --------------------------------------------------------------------------------------


def test_a_proxy_that_is_down(site: Site) -> None:
    """A proxy that does not answer fails in a step of its own."""
    report = check(site.key(443, proxy=f"http://127.0.0.1:{closed_port()}"))

    assert ("fail", "skipped") == (verdicts(report)["proxy"], verdicts(report)["tls"])
    assert 5 == exit_code([report])


def test_a_variable_that_is_no_proxy(site: Site) -> None:
    """HTTPS_PROXY with rubbish is a fault of the environment, not of the network."""
    from pushctl.config import Origin

    settings = dataclasses.replace(site.key(1), endpoint=Origin("push.invalid", 443))
    report = check(settings, environ={"HTTPS_PROXY": "socks5://x"})

    assert ("fail", 3) == (verdicts(report)["proxy"], exit_code([report]))
    assert "HTTPS_PROXY" in step(report, "proxy").sentence


def test_a_token_endpoint_that_is_down(site: Site) -> None:
    """An exchange that cannot be made is exit 5; the gateway itself is still looked at."""
    with site.answering(BAD_TOKEN) as port:
        report = check(site.account(port, closed_port()))

    assert {"access-token": "fail", "http2": "pass", "project": "skipped"}.items() <= verdicts(
        report
    ).items()
    assert 5 == exit_code([report])
    assert [] == site.seen


def test_nothing_is_left_open(site: Site) -> None:
    """A check closes its connection, and says goodbye."""
    gone = threading.Event()

    class Noted(Answering):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            gone.set()

    with serve(lambda: Noted(BAD_TOKEN, []), site.authority.server("127.0.0.1")) as port:
        check(site.key(port))

        assert gone.wait(5)
