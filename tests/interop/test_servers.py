"""The driver judged by servers that are not ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from interop.driver import send
from interop.servers import SERVERS, Server, serving


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_each_push_is_served_once_and_told_right(server: Server, tmp_path: Path) -> None:
    """Hundreds of pushes, few streams, connections that end: the server and pushctl agree."""
    if why := server.missing():
        pytest.skip(why)
    with serving(server, tmp_path) as running:
        verdict = send(server, running, tmp_path)

    assert [] == verdict.faults(server), verdict.stderr
    assert 1 == verdict.exit_code  # some were refused
