"""
What an HTTP proxy answers to CONNECT, cut anyhow.

Only a whole head of a 2xx with nothing behind it is a tunnel; whatever else comes is a named
failure that holds neither the password nor anything that could drive a terminal.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

from fuzz import kit
from fuzz.draw import Draw
from pushctl.proxy import Proxy
from pushctl.wire.proxy import _judge, _Waiting

EXECUTIONS = 100_000
PASSWORD = "hunter2hunter2"
PROXY = Proxy("proxy.example", 3128, username="user", password=PASSWORD)
TARGET = "api.push.apple.com:443"
_TUNNEL = re.compile(rb"HTTP/1\.[01] 2[0-9]{2}(?=[ \r\n]).*?\r?\n\r?\n", re.DOTALL)
_NEW = asyncio.new_event_loop()
WORDS = (
    *(b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 407 x\r\n", b"Proxy-Authenticate: Basic realm=x\r\n"),
    *(b"Proxy-Authenticate: Negotiate\r\n", b"\r\n\r\n", b"\n\n", b"\x15\x03\x03", b"HTTP/2 200\n"),
)


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    sizes = draw.take(8)
    answer = draw.rest()
    failure = _judge(answer, PROXY, TARGET)
    _check(answer, failure)
    heard = _heard(answer, sizes)
    _check(heard, _judge(heard, PROXY, TARGET))
    assert answer.startswith(heard)


def seeds() -> Iterator[bytes]:
    """Yield what proxies do answer."""
    for words in (WORDS[:1], WORDS[1:3] + WORDS[4:5], WORDS[1:4] + WORDS[4:5], WORDS[6:7]):
        yield bytes(8) + b"".join(words)
    yield bytes(8) + b"HTTP/1.1 403 Forbidden\r\ncontent-length: 3\r\n\r\nno\n"


def _check(answer: bytes, failure: Exception | None) -> None:
    found = _TUNNEL.match(answer)
    assert (failure is None) == (found is not None and found.end() == len(answer))
    if failure is not None:
        kit.check_shown(str(failure))
        assert PASSWORD not in f"{failure} {failure.hint}"  # type: ignore[attr-defined]


def _heard(answer: bytes, sizes: bytes) -> bytes:
    """Return what is waited for, of an *answer* in pieces."""
    waiting = _NEW.run_until_complete(_made())
    for piece in Draw(sizes).cut(answer):
        waiting.data_received(piece)
        if waiting.answer.done():
            break
    waiting.connection_lost(None)
    return waiting.answer.result()


async def _made() -> _Waiting:
    return _Waiting()
