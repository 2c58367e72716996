"""A certificate authority for loopback TLS."""

from __future__ import annotations

import pytest

from wire.authority import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return a fresh CA, shared by all tests of the room."""
    return Authority(tmp_path_factory.mktemp("ca"))
