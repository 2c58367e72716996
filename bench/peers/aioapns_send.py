"""
Sends the first tokens of a list with aioapns.

Usage: ``aioapns_send.py LIST NUMBER PAYLOAD KEY CA HOST PORT TOPIC KEY_ID TEAM_ID CONCURRENCY``.
The last line of its output is JSON; its clock starts after the imports.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from uuid import uuid4

from aioapns import APNs, NotificationRequest
from aioapns.common import PushType
from aioapns.connection import APNsTLSClientProtocol


class _Protocol(APNsTLSClientProtocol):
    """The library knows Apple's hosts only; this one is on loopback."""


async def main(arguments: list[str]) -> None:
    """Send, and print what came of it."""
    path, number, payload, key, ca_file, host, port, topic, key_id, team_id, workers = arguments
    _Protocol.APNS_SERVER = host
    _Protocol.APNS_PORT = int(port)
    client = APNs(
        key=Path(key).read_text(),
        key_id=key_id,
        team_id=team_id,
        topic=topic,
        ssl_context=_trusting(ca_file),
    )
    client.pool.protocol_class = _Protocol
    message = json.loads(Path(payload).read_text())
    count = {"accepted": 0, "rejected": 0, "failed": 0}

    async def work(tokens: Iterator[str]) -> None:
        for token in tokens:
            request = NotificationRequest(
                device_token=token,
                message=message,
                notification_id=str(uuid4()),
                priority=10,
                push_type=PushType.ALERT,
            )
            try:
                answer = await client.send_notification(request)
            except Exception:  # noqa: BLE001 - whatever the library raises is a push that failed
                count["failed"] += 1
            else:
                count["accepted" if answer.is_successful else "rejected"] += 1

    begun, cpu = time.perf_counter(), time.process_time()
    with open(path, encoding="ascii") as lines:
        next(lines)
        tokens = (line.rstrip("\n") for line in islice(lines, int(number)))
        await asyncio.gather(*(work(tokens) for _ in range(int(workers))))
    spent = {"seconds": time.perf_counter() - begun, "cpu_s": time.process_time() - cpu}
    print(json.dumps({**spent, **count}))


def _trusting(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.set_alpn_protocols(["h2"])
    return context


if __name__ == "__main__":
    # It warns of every RST_STREAM(NO_ERROR) that follows an answer; writing those would slow it.
    logging.getLogger("aioapns").setLevel(logging.CRITICAL)
    asyncio.run(main(sys.argv[1:]))
