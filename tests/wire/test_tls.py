"""Servers that cannot be trusted or understood: told from each other, and told nothing."""

from __future__ import annotations

import pytest

from pushctl.wire.errors import ConnectFailed
from pushctl.wire.link import Link
from wire.authority import Authority
from wire.server import Owner, endpoint, in_loop
from wire.witness import WRONG, witnessing


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_server_hears_nothing(authority: Authority, name: str) -> None:
    """Stage, message and hint say what is wrong; not a byte of HTTP/2 was said."""
    wrong = WRONG[name]

    @in_loop
    async def run() -> None:
        owner = Owner()
        with pytest.raises(ConnectFailed) as caught:
            await Link.open(
                endpoint(witness.port),
                authority.client(),
                on_events=owner.on_events,
                on_wake=owner.on_wake,
                request_timeout_s=5.0,
                connect_timeout_s=0.5 if wrong.hangs else 10.0,
            )
        error = caught.value

        assert wrong.stage == error.stage
        assert wrong.says in error.message
        assert wrong.hint in str(error.hint)
        assert f"127.0.0.1:{witness.port}: " in error.message
        assert [] == owner.events

    with witnessing(wrong, authority) as witness:
        run()

    assert witness.connections == 1
    assert b"" == witness.heard


def test_an_unknown_authority_hears_nothing(authority: Authority) -> None:
    """The same for a certificate whose CA nobody named."""

    @in_loop
    async def run() -> None:
        owner = Owner()
        with pytest.raises(ConnectFailed, match="unknown CA"):
            await Link.open(
                endpoint(witness.port),
                authority.client(trusting=False),
                on_events=owner.on_events,
                on_wake=owner.on_wake,
                request_timeout_s=5.0,
            )

    good = WRONG["HTTP/1.1 only"]
    with witnessing(good, authority) as witness:
        run()

    assert b"" == witness.heard
