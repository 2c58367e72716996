"""Service accounts, access tokens, and all the ways not to get one."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
import respx

from credentials import material
from credentials.material import NOW
from pushctl.config import Origin
from pushctl.credentials import Authorization, TokenRefused, open_credential
from pushctl.credentials import google_transport as transport
from pushctl.credentials.google import GoogleCredential
from pushctl.credentials.google_transport import http_client
from pushctl.errors import InvalidInput, Problem, Unreachable
from pushctl.outcome import Service

GOOGLE = "https://oauth2.googleapis.com/token"


@pytest.fixture
def router(monkeypatch: pytest.MonkeyPatch) -> Iterator[respx.MockRouter]:
    """Stand in for the network; waiting between attempts costs nothing."""
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)
    with respx.mock(assert_all_called=False) as router:
        yield router


@pytest.fixture
def endpoint(router: respx.MockRouter) -> respx.Route:
    """Stand in for Google's token endpoint."""
    return router.post(GOOGLE).respond(200, json=grant("ya29.first"))


def grant(token: str = "ya29.first", expires_in: object = 3599) -> dict[str, object]:
    """Return a good answer of the token endpoint."""
    return {"access_token": token, "expires_in": expires_in, "token_type": "Bearer"}


def opened(data: bytes | None = None, **changes: Any) -> GoogleCredential:
    """Open a service account that a variable holds."""
    value = (material.account() if data is None else data).decode("utf-8", "surrogateescape")
    it = open_credential(material.fcm_settings(**changes), environ={"ACCOUNT": value})
    assert isinstance(it, GoogleCredential)
    return it


def problem_of(data: bytes, **changes: Any) -> Problem:
    """Return what is wrong with a service account."""
    with pytest.raises(InvalidInput) as caught:
        opened(data, **changes)
    (problem,) = caught.value.problems
    return problem


def test_what_it_says_of_itself() -> None:
    """Project and account come from the file, the origin from Google, unless the config differs."""
    it = opened()
    other = opened(project_id="other-123", endpoint=Origin("127.0.0.1", 2197))

    assert ("android", Service.FCM, None, None) == (
        it.name,
        it.service,
        it.environment,
        it.topic,
    )
    assert ("shop-1234", "other-123") == (it.project_id, other.project_id)
    assert (Origin("fcm.googleapis.com"), Origin("127.0.0.1", 2197)) == (it.origin, other.origin)
    assert "service account push@shop-1234" == it.fingerprint
    assert "<android: service account push@shop-1234>" == repr(it)
    assert it.ssl_context() is it.ssl_context()


def test_an_account_file_is_opened(tmp_path: Path) -> None:
    """A file works like a variable, and its mode is looked at."""
    path = material.write(tmp_path / "a.json", material.account())
    path.chmod(0o644)
    it = open_credential(material.fcm_settings(path), environ={})

    assert "shop-1234" == it.project_id
    assert "mode 0644" in it.warnings[0].message


def test_the_exchange(endpoint: respx.Route) -> None:
    """One form post with a signed assertion for the messaging scope gives the header."""
    authorization = opened().authorization(NOW)
    form = parse_qs(endpoint.calls.last.request.content.decode())
    (assertion,) = form["assertion"]
    claims = jwt.decode(
        assertion, material.rsa_key().public_key(), algorithms=["RS256"], audience=GOOGLE
    )

    assert b"Bearer ya29.first" == authorization.header
    assert ["urn:ietf:params:oauth:grant-type:jwt-bearer"] == form["grant_type"]
    assert material.EMAIL == claims["iss"]
    assert "https://www.googleapis.com/auth/firebase.messaging" == claims["scope"]
    assert 3600 == claims["exp"] - claims["iat"]
    assert {"alg": "RS256", "typ": "JWT", "kid": "abc123"} == jwt.get_unverified_header(assertion)


def test_the_token_is_kept_until_shortly_before_its_end(endpoint: respx.Route) -> None:
    """One exchange serves an hour less 3 min 45 s; then the next is made."""
    it = opened()
    first = it.authorization(NOW)

    assert NOW == first.issued_at
    assert first.retire_at == pytest.approx(NOW + 3599 - 225, abs=2)
    assert first.expires_at == pytest.approx(NOW + 3599, abs=2)
    assert first is it.authorization(first.retire_at - 0.1)
    assert 1 == endpoint.call_count
    assert first is not it.authorization(first.retire_at)
    assert 2 == endpoint.call_count


def test_a_clock_set_back_fetches_anew(endpoint: respx.Route) -> None:
    """A token from the future is not trusted to live."""
    it = opened()
    it.authorization(NOW)
    it.authorization(NOW - 7200)

    assert 2 == endpoint.call_count


@pytest.mark.parametrize(
    ("expires_in", "lifetime", "kept"),
    [
        (200, 200, 100),
        (0, 60, 30),
        (-5, 60, 30),
        (10**6, 86400, 86400 - 225),
        (None, 600, 375),
        ("3599", 3599, 3599 - 225),
    ],
)
def test_odd_lifetimes(
    endpoint: respx.Route, expires_in: object, lifetime: float, kept: float
) -> None:
    """Short, absurd and missing lifetimes lead neither to storms nor to stale tokens."""
    answer = grant(expires_in=expires_in)
    if expires_in is None:
        del answer["expires_in"]
    endpoint.respond(200, json=answer)
    authorization = opened().authorization(NOW)

    assert authorization.expires_at == pytest.approx(NOW + lifetime, abs=2)
    assert authorization.retire_at == pytest.approx(NOW + kept, abs=2)


def test_a_refused_token_is_replaced_once(endpoint: respx.Route) -> None:
    """All who were refused share one new token."""
    it = opened()
    refused = it.authorization(NOW)
    endpoint.respond(200, json=grant("ya29.second"))
    renewed = it.renew(NOW + 1, refused)

    assert b"Bearer ya29.second" == renewed.header
    assert renewed is it.renew(NOW + 2, refused)
    assert renewed is it.authorization(NOW + 3)
    assert 2 == endpoint.call_count


def test_renewing_before_anything_was_fetched(endpoint: respx.Route) -> None:
    """A credential that has no token yet fetches one."""
    other = Authorization(header=b"x", issued_at=0, retire_at=0, expires_at=0)

    assert b"Bearer ya29.first" == opened().renew(NOW, other).header
    assert 1 == endpoint.call_count


def test_threads_share_one_exchange(endpoint: respx.Route) -> None:
    """However many threads ask at once, Google is asked once."""
    it = opened()
    threads = [threading.Thread(target=it.authorization, args=(NOW,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == endpoint.call_count


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "Invalid JWT Signature."},
            "refused service account push@shop-1234: invalid_grant: Invalid JWT Signature.",
        ),
        (401, {"error": "invalid_client"}, "invalid_client"),
        (403, {}, "HTTP 403"),
        (404, "<html>", "HTTP 404"),
        (400, {"error": {"code": 1}}, "HTTP 400"),
        (400, {"error": "bad\x1b[31m\u202eword"}, "bad[31mword"),
    ],
)
def test_refusals(endpoint: respx.Route, status: int, body: object, message: str) -> None:
    """A no of the token endpoint is CredentialsRefused, with its words and its answer."""
    content = body if isinstance(body, str) else json.dumps(body)
    endpoint.respond(status, content=content.encode())
    with pytest.raises(TokenRefused) as caught:
        opened().authorization(NOW)

    assert str(caught.value).endswith(message)
    assert status == caught.value.status
    assert content.encode() == caught.value.body
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "body", [{"id_token": "secret"}, {"access_token": ""}, {"access_token": "a\r\nb: c"}, {}]
)
def test_a_yes_without_a_token_is_a_no(endpoint: respx.Route, body: dict[str, str]) -> None:
    """Google answers 200 with an id_token to a scope it does not know; nothing of it is kept."""
    endpoint.respond(200, json=body)
    with pytest.raises(TokenRefused, match="without a usable access token") as caught:
        opened().authorization(NOW)

    assert b"{}" == caught.value.body


@pytest.mark.parametrize(
    ("status", "content", "message"),
    [
        (503, b"", "HTTP 503"),
        (500, b'{"error":"internal_failure"}', "internal_failure"),
        (429, b"", "HTTP 429"),
        (408, b"", "HTTP 408"),
        (302, b"", "HTTP 302"),
        (200, b"<html>log in</html>", "HTTP 200"),
        (200, b"\xff", "HTTP 200"),
        (200, b"[" * 5000, "HTTP 200"),
        (200, b'"text"', "HTTP 200"),
    ],
)
def test_no_answer_worth_the_name(
    endpoint: respx.Route, status: int, content: bytes, message: str
) -> None:
    """Overload, redirects and captive portals are Unreachable: the credential is not at fault."""
    endpoint.respond(status, content=content, headers={"location": "https://evil.example/"})
    with pytest.raises(Unreachable, match=message) as caught:
        opened().authorization(NOW)

    assert caught.value.__context__ is None


def test_overload_is_asked_three_times(endpoint: respx.Route) -> None:
    """google-auth's own patience: three attempts, then the answer stands."""
    endpoint.side_effect = [httpx.Response(503), httpx.Response(200, json=grant())]

    assert opened().authorization(NOW)
    assert 2 == endpoint.call_count


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (httpx.ConnectError("[Errno -2] Name or service not known"), "Name or service not known"),
        (httpx.ReadTimeout("x"), "no answer within 10 s"),
        (httpx.RemoteProtocolError(""), "RemoteProtocolError"),
    ],
)
def test_no_connection(endpoint: respx.Route, fault: Exception, message: str) -> None:
    """What the network says is passed on, and the request it holds is not."""
    endpoint.side_effect = fault
    with pytest.raises(Unreachable, match=message) as caught:
        opened().authorization(NOW)

    assert caught.value.__context__ is None
    assert "Google's token endpoint" in str(caught.value)


def test_answers_are_bounded(endpoint: respx.Route, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token endpoint that never stops talking is cut off."""
    monkeypatch.setattr(transport, "_MAX_ANSWER_BYTES", 100)
    endpoint.respond(200, content=b" " * 1000)
    with pytest.raises(Unreachable, match="the answer is too long"):
        opened().authorization(NOW)


def test_after_a_failure_the_next_call_tries_again(endpoint: respx.Route) -> None:
    """A failure is not remembered."""
    it = opened()
    endpoint.side_effect = [httpx.Response(400), httpx.Response(200, json=grant())]
    with pytest.raises(TokenRefused):
        it.authorization(NOW)

    assert it.authorization(NOW)


def test_the_config_may_name_another_endpoint(
    router: respx.MockRouter, endpoint: respx.Route
) -> None:
    """Assertions go to the config's endpoint, wherever the file points; errors name it."""
    other = "https://127.0.0.1:2197/token"
    it = opened(token_endpoint=other)
    route = router.post(other).respond(200, json=grant("ya29.other"))
    assert b"Bearer ya29.other" == it.authorization(NOW).header
    assert 0 == endpoint.call_count
    route.respond(400)
    with pytest.raises(TokenRefused, match=other):
        it.renew(NOW, it.authorization(NOW))
    assert opened(material.account(token_uri=other), token_endpoint=other)


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/token",
        "http://oauth2.googleapis.com/token",
        "https://oauth2.googleapis.com/token/../evil",
        "https://oauth2.googleapis.com/token?to=evil",
        "https://oauth2.googleapis.com.evil.example/token",
        "https://oauth2.googleapis.com@evil.example/token",
        "https://oauth2.googleapis.com./token",
        "https://oauth2.googleapis.com:8443/token",
        "https://oauth2.googleapis.com:443/token",
        "https://oauth2.googleapis.c\u03bfm/token",
        "https://oauth2\u3002googleapis\u3002com/token",
        "https://www.googleapis.com/oauth2/v4/token",
        "https://142.250.0.1/token",
        "https://[::1]/token",
        "http://127.0.0.1/token",
        "http://metadata.google.internal/token",
        "file:///etc/passwd",
        "//oauth2.googleapis.com/token",
    ],
)
def test_the_file_may_not(router: respx.MockRouter, uri: str) -> None:
    """A token_uri that is not Google's, to the letter, is refused before anything is sent."""
    problem = problem_of(material.account(token_uri=uri))

    assert not router.calls
    assert uri in problem.message
    assert "set token_endpoint" in str(problem.hint)
    assert (
        uri
        in problem_of(
            material.account(token_uri=uri), token_endpoint="https://127.0.0.1:1/token"
        ).message
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/token",
        "http://oauth2.googleapis.com/token",
        "https://oauth2.googleapis.com/elsewhere",
        "//evil.example/token",
    ],
)
def test_no_redirect_is_followed(
    router: respx.MockRouter, endpoint: respx.Route, status: int, to: str
) -> None:
    """Not even Google's endpoint may send the assertion on, to another host or to its own."""
    elsewhere = router.route().respond(200, json=grant("ya29.stolen"))
    endpoint.respond(status, headers={"location": to})
    with pytest.raises(Unreachable, match=f"HTTP {status}") as caught:
        opened().authorization(NOW)

    assert 0 == elsewhere.call_count
    assert {GOOGLE} == {str(call.request.url) for call in router.calls}
    assert "captive portal" in str(caught.value.problems[0].hint)


def test_older_files_without_extras_are_fine() -> None:
    """token_uri, universe_domain and private_key_id may be missing."""
    data = material.account(token_uri=None, universe_domain=None, private_key_id=None)

    assert opened(data)


@pytest.mark.parametrize(
    "text",
    [
        material.pem(material.rsa_key()).decode().replace("\n", "\\n"),
        material.traditional(material.rsa_key()).decode(),
    ],
)
def test_private_keys(text: str) -> None:
    r"""Line breaks written out a second time, and the older PEM form, are understood."""
    assert opened(material.account(private_key=text))


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (b"hello", "is not a service account: it looks like something else", "Firebase console"),
        (material.pem(material.ec_key()), "it looks like a private key (PEM)", "service: apns"),
        (b'{"project_info": {}}', "an Android app's google-services.json", "into the app"),
        (b'{"apiKey": ""}', "a web app's firebaseConfig", "into the app"),
        (b'{"type": "authorized_user"}', "a person's gcloud login", "application_default: true"),
        (b'{"type": "external_account"}', "workload identity", "application_default: true"),
        (b"eyJ0eXBlIjogInNlcnZpY2VfYWNjb3VudCJ9", "wrapped in base64", "base64 -d"),
        (material.account(private_key=None), "it has no private_key", "download it again"),
        (material.account(client_email=""), "it has no client_email", "download it again"),
        (material.account(private_key=7), "it has no private_key", "download it again"),
        (material.account(universe_domain="x.example"), "another universe_domain", "Firebase"),
        (material.account(private_key="x"), "private_key that is none", "download"),
        (
            material.account(private_key=material.pem(material.ec_key()).decode()),
            "private_key that is not RSA",
            "download",
        ),
        (
            material.account(private_key=material.pem(material.rsa_key(1024)).decode()),
            "an RSA key of 1024 bits; 2048 are needed",
            "download",
        ),
        (
            material.account(
                private_key="-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n"
            ),
            "private_key that is damaged",
            "download",
        ),
        (
            material.account(private_key="-----BEGIN PRIVATE KEY-----é"),
            "private_key that is none",
            "download",
        ),
        (material.account(project_id=None), "names no valid project_id", "set project_id"),
        (material.account(project_id="a/b"), "names no valid project_id", "set project_id"),
        (
            b'{"type": "service_account",\n "type": "service_account"}',
            "cannot be read at line 2: the key 'type' occurs twice",
            "",
        ),
    ],
)
def test_what_is_no_service_account(data: bytes, message: str, hint: str) -> None:
    """Each wrong or damaged file is called by its name, with what to do."""
    problem = problem_of(data)

    assert message in problem.message
    assert hint in str(problem.hint)


def test_the_clients_caution() -> None:
    """No redirects, nothing from the environment, verified TLS, bounded waiting."""
    with http_client(material.fcm_settings(), {}) as client:
        assert not client.follow_redirects
        assert not client.trust_env
        assert 10 == client.timeout.read


def test_a_refresh_that_fails_without_a_request() -> None:
    """A source that gives up by itself is Unreachable, in words."""

    class GivesUp:
        token: str | None = None
        expiry: datetime | None = None

        def refresh(self, request: object) -> None:
            raise ValueError("secret inside")

    it = GoogleCredential(
        material.fcm_settings(),
        GivesUp(),
        project_id="shop-1234",
        fingerprint="f",
        environ={},
    )
    with pytest.raises(Unreachable, match="could not be refreshed") as caught:
        it.authorization(time.time())
    assert "secret" not in str(caught.value)


def test_importing_credentials_is_light() -> None:
    """What only names credentials pays neither for httpx nor for cryptography nor google-auth."""
    script = (
        "import sys, pushctl.credentials;"
        "sys.exit(any(n in sys.modules for n in ('httpx', 'cryptography', 'google.auth', 'jwt')))"
    )

    assert 0 == subprocess.run([sys.executable, "-c", script], check=False).returncode
