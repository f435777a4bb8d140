"""Fixtures that tests of several rooms share; and in CI a skip that nobody allowed is a failure."""

from __future__ import annotations

import os

import pytest

from tests.fleet.fixtures import fleet

__all__ = ["fleet"]

# what may be missing even where everything that the tests need was installed
_ALLOWED = (
    "HOSTPLEDGE_TEST_POSTGRESQL is not set",  # opt-in: wants a server of the tester's own
    "this Python cannot be read by an ordinary user",  # an interpreter under root's own folder
    "this kernel has no flowtables",
    "this kernel takes no program of",
)


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
