"""The driver and the simulator with nghttpx between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from interop.proxy import nghttpx, send_through


def test_through_nghttpx(tmp_path: Path) -> None:
    """A proxy that knows no first limit, refused streams, a GOAWAY: each push is accepted once."""
    if why := nghttpx().missing():
        pytest.skip(why)
    told, stats = send_through(tmp_path / "shop")

    assert {("accepted", 200, None): 200, ("rejected", 410, "Unregistered"): 20} == told
    assert (200, 0, {"goaway": 1}) == (stats.accepted, stats.accepted_again, stats.faults)
