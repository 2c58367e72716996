"""
Scenario files of the simulator, whatever stands in them.

A file is read or refused, every fault with its place in it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from fuzz import kit
from pushctl.simulator.scenario import parse_scenario

EXECUTIONS = 20_000
WORDS = tuple(
    word.encode()
    for word in (
        *("apns:", "fcm:", "oauth:", "rules:", "- token: ", "match: ", "answer: ", "reason: "),
        *("status: 410", "Unregistered", "goaway: ", "reset: ", "limit: ", "delay: 2s", "count: 3"),
        *("devices:", "connections:", "share: 50%", "quota: ", "environment: sandbox", "topics: "),
        *("half: ", "hang", "drop", "silence", "after: ", "every: ", "page: ", "streams: [1, 100]"),
    )
)


def check(data: bytes) -> None:
    """Raise if *data* shows a fault."""
    with contextlib.suppress(kit.Refused, UnicodeDecodeError), kit.refusals("scenario"):
        parse_scenario(data.decode("utf-8")).options()


def seeds() -> Iterator[bytes]:
    """Yield what the documentation shows."""
    for page in ("simulator.md", "scenarios.md"):
        path = kit.HERE.parent.parent / "docs" / page
        if path.is_file():
            parts = path.read_text("utf-8").split("```yaml\n")[1:]
            yield from (part.partition("```")[0].encode()[:1_000] for part in parts)
