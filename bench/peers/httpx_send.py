"""
Sends the first tokens of a list with httpx over HTTP/2.

Usage: ``httpx_send.py LIST NUMBER PAYLOAD KEY CA HOST PORT TOPIC KEY_ID TEAM_ID CONCURRENCY``.
The last line of its output is JSON; its clock starts after the imports.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import jwt


async def main(arguments: list[str]) -> None:
    """Send, and print what came of it."""
    path, number, payload, key, ca_file, host, port, topic, key_id, team_id, workers = arguments
    claims = {"iss": team_id, "iat": int(time.time())}
    signed = jwt.encode(claims, Path(key).read_text(), "ES256", {"kid": key_id})
    headers = {
        "authorization": f"bearer {signed}",
        "apns-topic": topic,
        "apns-push-type": "alert",
        "apns-priority": "10",
    }
    body = Path(payload).read_bytes()
    count = {"accepted": 0, "rejected": 0, "failed": 0}

    async def work(client: httpx.AsyncClient, tokens: Iterator[str]) -> None:
        for token in tokens:
            try:
                answer = await client.post(f"/3/device/{token}", content=body)
            except httpx.HTTPError:
                count["failed"] += 1
            else:
                count["accepted" if answer.status_code == 200 else "rejected"] += 1

    begun, cpu = time.perf_counter(), time.process_time()
    client = httpx.AsyncClient(
        http2=True,
        verify=ssl.create_default_context(cafile=ca_file),
        base_url=f"https://{host}:{port}",
        headers=headers,
        timeout=60.0,
        trust_env=False,
    )
    async with client:
        with open(path, encoding="ascii") as lines:
            next(lines)
            tokens = (line.rstrip("\n") for line in islice(lines, int(number)))
            await asyncio.gather(*(work(client, tokens) for _ in range(int(workers))))
    spent = {"seconds": time.perf_counter() - begun, "cpu_s": time.process_time() - cpu}
    print(json.dumps({**spent, **count}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
