"""
What people write into options: durations, sizes, moments, conditions, proxies, endpoints, tokens.

A word is understood or refused in the way its reader promises, with a message that is fit to be
shown; what is understood is within bounds and means the same when it is written out again.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterator

from fuzz import kit
from fuzz.draw import Draw
from pushctl.config import endpoints
from pushctl.dispatch.thresholds import StopIf
from pushctl.errors import PushctlError
from pushctl.outcome import Service
from pushctl.proxy import Proxy
from pushctl.report.moments import parse_moment as parse_past
from pushctl.rules import tokens
from pushctl.rules.dead_tokens import epoch_s
from pushctl.rules.duration import parse_duration
from pushctl.rules.moment import LATEST_EPOCH_S, parse_moment
from pushctl.rules.size import parse_size
from pushctl.rules.text import inert, printable
from pushctl.simulator.script import parse_action

EXECUTIONS = 200_000
MAX_BYTES = 200
NOW_S = 1_795_168_800.0
WORDS = (
    *(b"90s", b"15m", b"28d", b"500MB", b"2GiB", b"2026-10-01T08:00:00Z", b"+02:00", b"+30m"),
    *(b"faulty>8%", b"unknown>100", b"never", b"http://user:pa%20ss@proxy:3128", b"[::1]", b"%2F"),
    *(b"https://127.0.0.1:2197/token", b"ExponentPushToken[", b"<ab12 cd34>", b"0x", b"1.5E+10"),
    *(
        b"\xe2\x80\xae",
        b"\x1b[31m",
        b"##vso[",
        b"::error::",
        b"reset",
        b"goaway",
        b"\xd9\xa3",
        b"...",
    ),
)


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    draw = Draw(data)
    reader = draw.pick(_READERS)
    with contextlib.suppress(PushctlError):
        reader(draw.rest().decode("utf-8", "replace"))


def seeds() -> Iterator[bytes]:
    """Yield a word or two for each reader."""
    for number in range(len(_READERS)):
        yield from (bytes((number,)) + word for word in WORDS[number : number + 3])


def _duration(text: str) -> None:
    seconds = parse_duration(text)
    if seconds is not None:
        assert 0 <= seconds < 10**18
        assert seconds == parse_duration(f"{seconds}s") or seconds >= 10**12


def _size(text: str) -> None:
    size = parse_size(text)
    assert size is None or size == parse_size(str(size)) or size >= 10**12


def _moment(text: str) -> None:
    moment = parse_moment(text, NOW_S)
    if moment is not None:
        assert 0 <= moment < LATEST_EPOCH_S
        written = datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat()
        assert moment == parse_moment(written, NOW_S)
    at = epoch_s(text)
    assert at is None or isinstance(at, float)


def _past(text: str) -> None:
    now = datetime.datetime.fromtimestamp(NOW_S, datetime.UTC)
    moment = parse_past(text, now, option="--since")
    assert moment.utcoffset() == datetime.timedelta(0)


def _condition(text: str) -> None:
    condition = StopIf.parse(text)
    if condition is not None:
        assert (condition.share is None) != (condition.count is None)
        assert condition.what in ("bounced", "faulty", "unknown")


def _proxy(text: str) -> None:
    with _promised(text):
        proxy = Proxy.parse(text)
        assert 0 < proxy.port < 65_536
        elsewhere = f"{proxy.host} {proxy.username}"
        if len(proxy.password or "") > 15 and proxy.password not in elsewhere:
            assert proxy.password not in f"{proxy!r} {proxy} {proxy.shown}"
        assert proxy.shown == printable(proxy.shown, 5_000)
        assert Proxy.parse(proxy.url).host == proxy.host


def _endpoint(text: str) -> None:
    for parse in (endpoints.parse_origin, endpoints.parse_token_endpoint):
        with _promised(text):
            origin = parse(text)
            assert 0 < origin.port < 65_536
            assert origin.host.isascii()
            assert origin.host == origin.host.lower()
            assert not {*"/?#@ "} & {*origin.host}


def _token(text: str) -> None:
    tokens.shape(text)
    for service in Service:
        found = tokens.find_fault(text, service)
        if found is None:
            assert text.isascii()
            assert text.isprintable()
            assert not {*" /"} & {*text}
            assert tokens.normalise(text, service).lower() == text.lower()
        else:
            kit.check_shown(found.text)


def _shown(text: str) -> None:
    for limit in (1, 20, 5_000):
        clean = printable(text, limit)
        assert len(clean) <= limit
        assert clean.strip() == printable(clean, limit).strip()
    for commands in (False, True):
        quiet = inert(text, commands=commands)
        assert quiet == inert(quiet, commands=commands)
        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u2028"} & {*quiet}
        assert len(quiet) <= 6 * len(text)


def _action(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse_action(text)


_READERS: tuple[Callable[[str], None], ...] = (
    *(_duration, _size, _moment, _past, _condition, _proxy, _endpoint, _token, _shown, _action),
)


@contextlib.contextmanager
def _promised(text: str) -> Iterator[None]:
    """Let what is wrong with *text* be told by a ValueError that quotes nothing of it."""
    try:
        yield
    except ValueError as error:
        kit.check_shown(str(error))
        if len(text) > 30 and text in str(error):
            raise AssertionError(f"{error} quotes {text}") from error
