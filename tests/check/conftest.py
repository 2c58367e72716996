"""One authority for all tests of checks."""

from __future__ import annotations

import pytest

from check.kit import Site


@pytest.fixture(scope="session")
def _site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def site(_site: Site) -> Site:
    """Return a folder with an authority; nothing was asked so far."""
    _site.seen.clear()
    return _site
