"""
A pytest plugin with a fake APNs and a fake FCM: the fixtures ``fake_apns`` and ``fake_fcm``.

It is not loaded by itself, so that having pushctl installed changes nobody's test runs.  Ask for
it once, in the top ``conftest.py`` or in the settings of pytest::

    pytest_plugins = ["pushctl.testing"]

    [tool.pytest.ini_options]
    addopts = ["-p", "pushctl.testing"]

A test that uses both fixtures has one simulator behind them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pushctl.testing.fakes import FakeApns, FakeFcm, Stage

__all__ = ["fake_apns", "fake_fcm", "pushctl_simulator"]


@pytest.fixture
def pushctl_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Run a simulator of APNs, FCM and the token endpoint, with throw-away credentials."""
    from pushctl.testing.fakes import staged

    folder: Path = tmp_path_factory.mktemp("pushctl-simulator")
    with staged(folder) as stage:
        yield stage


@pytest.fixture
def fake_apns(pushctl_simulator: Stage) -> FakeApns:
    """A fake APNs on loopback, with a push key and a certificate that it accepts."""
    return pushctl_simulator.apns


@pytest.fixture
def fake_fcm(pushctl_simulator: Stage) -> FakeFcm:
    """A fake FCM and token endpoint on loopback, with a service account that they accept."""
    return pushctl_simulator.fcm
