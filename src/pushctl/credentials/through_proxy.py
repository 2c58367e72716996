"""A proxy of ours as httpx wants it."""

from __future__ import annotations

import ssl

import httpx

from pushctl.proxy import Proxy


def httpx_proxy(proxy: Proxy) -> httpx.Proxy:
    """Return *proxy* for httpx; one over TLS is verified by the system's roots."""
    return httpx.Proxy(
        proxy.url,
        ssl_context=ssl.create_default_context() if proxy.tls else None,
        auth=None if proxy.username is None else (proxy.username, proxy.password or ""),
    )
