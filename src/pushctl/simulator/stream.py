"""One HTTP/2 stream at the simulator: a request that comes in, an answer that goes out."""

from __future__ import annotations

import asyncio
import dataclasses

from pushctl.simulator.http import Request, most_kept
from pushctl.simulator.plan import Plan


@dataclasses.dataclass(slots=True)
class Stream:
    """A request that is coming in, or an answer that is waiting or on its way."""

    head: Request
    """What the request's header fields say; its body is still to come."""
    body: bytearray = dataclasses.field(default_factory=bytearray)
    body_size: int = 0
    plan: Plan | None = None
    """What is to be done once the delay is over; ``None`` again once it is done."""
    timer: asyncio.TimerHandle | None = None
    unsent: memoryview | None = None

    def take(self, data: bytes) -> None:
        """Add *data* to the body."""
        self.body_size += len(data)
        self.body += data[: most_kept(self.head.target) - len(self.body)]

    def request(self) -> Request:
        """Return the request, whole."""
        return dataclasses.replace(self.head, body=bytes(self.body), body_size=self.body_size)


def head_of(stream_id: int, headers: list[tuple[bytes, bytes]]) -> Request:
    """Return the request that *headers* begin."""
    decoded = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    pseudo = dict(decoded)
    fields = tuple((name, value) for name, value in decoded if not name.startswith(":"))
    method, target = pseudo.get(":method", ""), pseudo.get(":path", "")
    return Request(method, target, fields, b"", 0, stream=stream_id)
