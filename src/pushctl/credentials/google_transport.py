"""google-auth's transport, on httpx."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import google.auth.exceptions
import httpx
from google.auth import transport

from pushctl.config import FcmSettings
from pushctl.credentials.tls import client_context
from pushctl.rules.text import printable

_TIMEOUT_S = 10.0
_MAX_ANSWER_BYTES = 2**20


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as google-auth wants it.  The body may be a token: it is not shown."""

    status: int
    headers: Mapping[str, str] = dataclasses.field(repr=False)
    data: bytes = dataclasses.field(repr=False)


class HttpxRequest(transport.Request):
    """
    google-auth's transport on httpx.  Follows no redirect; remembers how the last request went.

    That memory is what errors are made from: google-auth's exceptions quote whole bodies.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.answer: Answer | None = None
        self.failure: str | None = None

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> Answer:
        """Send one request; raise google-auth's TransportError if it is not answered."""
        self.answer, self.failure = None, None
        patience_s = timeout or _TIMEOUT_S
        try:
            self.answer = self._send(url, method, body, headers, patience_s)
        except httpx.TimeoutException:
            self.failure = f"no answer within {patience_s:g} s"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self.failure = printable(str(error), 200) or type(error).__name__
        if self.answer is None:  # outside of the handler: httpx's errors hold the assertion
            raise google.auth.exceptions.TransportError(self.failure)  # type: ignore[no-untyped-call]
        return self.answer

    def _send(
        self,
        url: str,
        method: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        timeout: float,
    ) -> Answer:
        data = bytearray()
        with self._client.stream(
            method, url, content=body, headers=dict(headers or {}), timeout=timeout
        ) as response:
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > _MAX_ANSWER_BYTES:
                    raise httpx.DecodingError("the answer is too long for a token")
        return Answer(response.status_code, dict(response.headers), bytes(data))


def http_client(settings: FcmSettings) -> httpx.Client:
    """
    Return a client for the token endpoint: verified TLS, no redirects, bounded waiting.

    Nothing is taken from the environment but what the settings say.
    """
    context = client_context(
        settings, only_ca_file=settings.token_endpoint is not None, alpn=("http/1.1",)
    )
    return httpx.Client(
        verify=context,
        follow_redirects=False,
        timeout=_TIMEOUT_S,
        trust_env=False,
        proxy=settings.proxy,
    )
