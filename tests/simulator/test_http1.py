"""The simulator over HTTP/1.1, which Google serves and APNs does not."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pushctl.simulator import Rule, Script
from simulator.kit import ANDROID_TOKEN, GRANT, Served, serving


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, http2=False) as running:
        yield running


def test_google_speaks_it(served: Served) -> None:
    """A grant and a message on one kept connection."""
    answer = served.fcm({"token": ANDROID_TOKEN}, served.access_token())
    assert (200, "HTTP/1.1", "OK", 1) == (
        answer.status_code,
        answer.http_version,
        answer.reason_phrase,
        served.fake.stats().connections,
    )


def test_apns_does_not(served: Served) -> None:
    """A push to APNs over HTTP/1.1 is refused and not counted."""
    assert (505, 0) == (served.push().status_code, served.fake.stats().requests)


def raw(served: Served) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection(
        "127.0.0.1", served.fake.port, context=served.fake.client_context(), timeout=10
    )


def test_a_client_may_ask_before_it_sends(served: Served) -> None:
    """Expect: 100-continue is answered, then the request."""
    connection = raw(served)
    connection.putrequest("POST", "/token")
    connection.putheader("Expect", "100-continue")
    connection.putheader("Content-Length", "3")
    connection.endheaders()
    assert connection.sock.recv(100).startswith(b"HTTP/1.1 100")
    connection.send(b"a=b")
    assert connection.getresponse().status == 400
    connection.close()


def test_garbage_ends_the_connection(served: Served) -> None:
    """What is no HTTP gets 400 and the end."""
    connection = raw(served)
    connection.connect()
    connection.sock.sendall(b"nonsense\r\n\r\n")
    answer = connection.sock.recv(100)
    assert (True, b"") == (answer.startswith(b"HTTP/1.1 400"), connection.sock.recv(100))
    connection.close()


def test_garbage_behind_a_delayed_request(tmp_path: Path) -> None:
    """Garbage while an answer is waiting ends the connection; the late answer does no harm."""
    script = Script(rules=(Rule(service="oauth", answer="accept", delay_s=0.05),))
    with serving(tmp_path, http2=False, script=script) as served:
        form = served.client.build_request(
            "POST", "/token", data={"grant_type": GRANT, "assertion": served.assertion()}
        )
        head = "".join(f"{name}: {value}\r\n" for name, value in form.headers.items())
        connection = raw(served)
        connection.connect()
        connection.sock.sendall(f"POST /token HTTP/1.1\r\n{head}\r\n".encode() + form.read())
        connection.sock.sendall(b"nonsense\r\n\r\n")
        answer = b""
        while data := connection.sock.recv(2000):
            answer += data
        connection.close()
        assert 200 == served.client.get("/health").status_code
    assert b" 200 OK" in answer


def test_requests_on_the_heels_of_each_other(served: Served) -> None:
    """Two requests in one write are answered in order."""
    connection = raw(served)
    connection.connect()
    get = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    connection.sock.sendall(get + last)
    answers = b""
    while data := connection.sock.recv(1000):
        answers += data
    assert 2 == answers.count(b"ok\n")
    connection.close()


def test_a_large_body_is_refused(served: Served) -> None:
    """A body far over the limit is read to its end and answered 413."""
    answer = served.client.post(
        "/v1/projects/simulated-shop/messages:send",
        content=b"x" * 100_000,
        headers={"authorization": f"Bearer {served.access_token()}"},
    )
    assert 413 == answer.status_code


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("drop", "cut"),
        ("rst:CANCEL", "cut"),
        ("goaway:previous", "cut"),
        ("half:drop", "cut"),
        ("half", "late"),
        ("hang", "late"),
        ("goaway", "close"),
    ],
)
def test_faults_of_the_connection(tmp_path: Path, word: str, outcome: str) -> None:
    """A reset is a cut here, GOAWAY is connection: close, hanging is hanging."""
    with serving(
        tmp_path, http2=False, script=Script(rules=(Rule(token=ANDROID_TOKEN, answer=word),))
    ) as served:
        access = served.access_token()
        served.client.timeout = httpx.Timeout(10, read=0.2 if outcome == "late" else 10)
        if outcome == "close":
            answer = served.fcm({"token": ANDROID_TOKEN}, access)
            assert (200, "close") == (answer.status_code, answer.headers["connection"])
        else:
            wanted = {"cut": httpx.TransportError, "late": httpx.ReadTimeout}[outcome]
            with pytest.raises(wanted):
                served.fcm({"token": ANDROID_TOKEN}, access)


def test_delayed_answers(tmp_path: Path) -> None:
    """A delayed answer comes; one that nobody waits for any more does no harm."""
    script = Script(rules=(Rule(token=ANDROID_TOKEN, answer="accept", delay_s=0.1),))
    with serving(tmp_path, http2=False, script=script) as served:
        access = served.access_token()
        assert 200 == served.fcm({"token": ANDROID_TOKEN}, access).status_code
        with pytest.raises(httpx.ReadTimeout):
            served.client.post(
                "/v1/projects/simulated-shop/messages:send",
                headers={"authorization": f"Bearer {access}"},
                json={"message": {"token": ANDROID_TOKEN}},
                timeout=0.02,
            )
        assert 200 == served.client.get("/health").status_code
