"""The running fleet as a pytest fixture; tests that use it are marked `fleet`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.fleet.hosts import HOSTS
from tests.fleet.machine import why_not
from tests.fleet.running import Fleet


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Every host of the fleet. Where CI is set, a machine without containers fails the tests."""
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    folder = tmp_path_factory.mktemp("fleet")
    with Fleet(HOSTS, folder=folder, prefix=f"tests-{os.getpid()}") as running:
        yield running
