"""google-auth's transport, on httpx."""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import google.auth.exceptions
import httpx
from google.auth import transport

from pushctl.config import FcmSettings
from pushctl.credentials.through_proxy import httpx_proxy
from pushctl.credentials.tls import client_context
from pushctl.errors import InvalidInput
from pushctl.proxy import Proxy, choose_way
from pushctl.rules.text import printable
from pushctl.tls_faults import tls_fault

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
        """Why there was no answer."""
        self.hint: str | None = None
        """What to try then."""
        self.host: str | None = None
        """Who was asked last."""

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
        self.answer, self.failure, self.hint = None, None, None
        self.host = urlsplit(url).hostname
        patience_s = timeout or _TIMEOUT_S
        try:
            self.answer = self._send(url, method, body, headers, patience_s)
        except httpx.TimeoutException:
            self.failure = f"no answer within {patience_s:g} s"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self.failure = printable(str(error), 200) or type(error).__name__
            tls = _tls_error(error)
            if tls is not None:
                self.failure, self.hint = tls_fault(tls)
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


def _tls_error(error: BaseException) -> ssl.SSLError | None:
    """Return the failed handshake behind *error*, if that is what it was."""
    below: BaseException | None = error
    while below is not None and not isinstance(below, ssl.SSLError):
        below = below.__cause__ or below.__context__
    return below


class _ByHost(httpx.BaseTransport):
    """
    Sends each request directly or through a proxy, as its host wants it.

    What google-auth asks is known to it alone: Google's token endpoint, the service that
    impersonates, or the metadata server of this machine.
    """

    def __init__(
        self, context: ssl.SSLContext, configured: str | None, environ: Mapping[str, str]
    ) -> None:
        self._context = context
        self._configured = configured
        self._environ = environ
        self._transports: dict[Proxy | None, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        proxy = self._proxy(request.url)
        if proxy not in self._transports:
            self._transports[proxy] = httpx.HTTPTransport(
                verify=self._context,
                trust_env=False,
                proxy=None if proxy is None else httpx_proxy(proxy),
            )
        try:
            return self._transports[proxy].handle_request(request)
        except httpx.ProxyError as error:
            raise httpx.ProxyError(f"proxy {proxy}: {error}", request=request) from None

    def close(self) -> None:
        for transport_ in self._transports.values():
            transport_.close()

    def _proxy(self, url: httpx.URL) -> Proxy | None:
        if url.scheme != "https":
            return None  # a metadata server or a file server of this machine's network
        try:
            way = choose_way(
                url.host, url.port or 443, configured=self._configured, environ=self._environ
            )
        except InvalidInput as error:
            raise httpx.ProxyError(str(error)) from None
        return way.proxy


def http_client(settings: FcmSettings, environ: Mapping[str, str]) -> httpx.Client:
    """
    Return a client for the token endpoint: verified TLS, no redirects, bounded waiting.

    Of *environ* nothing is taken but the proxy, where the settings name none.
    """
    context = client_context(
        settings, only_ca_file=settings.token_endpoint is not None, alpn=("http/1.1",)
    )
    return httpx.Client(
        transport=_ByHost(context, settings.proxy, environ),
        follow_redirects=False,
        timeout=_TIMEOUT_S,
        trust_env=False,
    )
