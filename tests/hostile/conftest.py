"""One simulator for the tests with secrets and hostile text, and a folder for each."""

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
def served(simulator: Served) -> Iterator[Served]:
    """Return the simulator, with nothing received so far; what it answers is put back."""
    simulator.forget()
    yield simulator
    simulator.simulator.play(Script(rules=rules()))


@pytest.fixture
def project(tmp_path: Path, served: Served, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a new folder with a config that fits the simulator; temporary files lie beside it."""
    folder, temporary = tmp_path / "shop", tmp_path / "tmp"
    folder.mkdir()
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return Project(folder, served)
