"""Fixtures that tests of several rooms share; and in CI a skip that nobody allowed is a failure."""

from __future__ import annotations

import os

import pytest

from tests.fleet.fixtures import fleet
from tests.fleet.machine import why_not

__all__ = ["fleet"]

# what may be missing even where everything that the tests need was installed
_ALLOWED = (
    "this Python cannot be read by an ordinary user",  # an interpreter under root's own folder
    "promtool is not there",  # its package starts a server of its own, so it is not installed
    "LibreOffice is not here",  # too large to install for one look
    "this kernel has no flowtables",
    "this kernel takes no program of",
)


# They look at no machine and mind no load, so the jobs that mostly wait run beside them: last.
_PURE = (
    "test_bundle_cases.py",
    "test_captures_hostile.py",
    "test_cases.py",
    "test_garbled_captures.py",
    "test_never_pass_blind.py",
)
_LONG = ("test_fleet_bare.py", "test_molecule.py")
_LONG_BEGUN = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    last = [*_PURE, *_LONG]
    items.sort(key=lambda item: last.index(item.path.name) if item.path.name in last else -1)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """An ssh that a test kills leaves the standard input it shares with us non-blocking.

    Ansible then refuses to start, in every test that comes after.
    """
    for stream in (0, 1, 2):
        os.set_blocking(stream, True)
    if item.path.name in _PURE and _LONG_BEGUN not in item.config.stash:
        item.config.stash[_LONG_BEGUN] = True
        from tests import test_fleet_bare, test_molecule

        if not why_not():
            test_fleet_bare.begin(item.session.items)
            test_molecule.begin(item.session.items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names the skips that make the run fail."""
    for where, reason in _skips(terminalreporter):
        terminalreporter.write_line(f"CI does not allow this skip: {where}: {reason}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and session.exitstatus == 0 and _skips(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _skips(reporter: pytest.TerminalReporter) -> list[tuple[str, str]]:
    if not os.environ.get("CI"):
        return []
    found = []
    for report in reporter.stats.get("skipped", []):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
        if not any(allowed in reason for allowed in _ALLOWED):
            found.append((report.nodeid, reason))
    return found
