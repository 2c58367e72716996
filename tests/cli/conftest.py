"""One simulator for all tests of the command line, and a folder to send from for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.kit import Project, Served, rules, serving
from pushctl.simulator import Script


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve APNs and FCM until the tests are over."""
    with serving(tmp_path_factory.mktemp("credentials"), Script(rules=rules())) as served:
        yield served


@pytest.fixture
def served(simulator: Served) -> Served:
    """Return the simulator, with nothing received so far."""
    simulator.forget()
    return simulator


@pytest.fixture
def project(tmp_path: Path, served: Served) -> Project:
    """Return a new folder with a config that fits the simulator."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return Project(folder, served)
