"""Tests in a virtual machine are for `make test-vm` only: a boot takes a minute and more."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.vm.machine import Machine, why_not


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("HOSTPLEDGE_TEST_VM"):
        return
    left_out = [item for item in items if item.get_closest_marker("vm")]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"{len(left_out)} tests want a virtual machine: make test-vm")


@pytest.fixture(scope="module")
def machine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """A guest of Debian 13 (or of HOSTPLEDGE_VM_SUITE) with the DISKS of the module, in MiB."""
    if reason := why_not():
        pytest.fail(f"no virtual machine can run here: {reason}")
    suite = os.environ.get("HOSTPLEDGE_VM_SUITE", "trixie")
    disks = getattr(request.module, "DISKS", ())
    with Machine(suite, tmp_path_factory.mktemp("vm"), disks=disks) as running:
        yield running
