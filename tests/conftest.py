"""Fixtures that tests of several rooms share; and in CI a skip that nobody allowed is a failure."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections import defaultdict
from typing import Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from tests import long
from tests.fleet.fixtures import fleet

__all__ = ["fleet"]

# what may be missing even where everything that the tests need was installed
_ALLOWED = (
    "rsyslogd is not here",  # its package would take over the log of this machine
    "this Python cannot be read by an ordinary user",  # an interpreter under root's own folder
    "promtool is not there",  # its package starts a server of its own, so it is not installed
    "LibreOffice is not here",  # too large to install for one look
    "this kernel has no flowtables",
    "this kernel takes no program of",
    "the long form: HOSTPLEDGE_PROBE_KILLS",  # minutes each: for who asks for it
    long.LEFT_OUT,  # a machine that is slow today
)


# making a package takes minutes and the network: for who asks for it
collect_ignore = [] if os.environ.get("HOSTPLEDGE_TEST_DEB") else ["test_deb.py"]

# what waits more than it works goes beside what works
_FIRST = ("test_fleet", "test_no_secret_leaves.py", "run/")
# its programs for the kernel are seen from every host of this machine
_ALONE = "facts/test_packet_hooks.py"
_FLEET = (
    "tests/test_fleet.py",
    "tests/test_fleet_collect.py",
    "tests/test_fleet_logins.py",
    "tests/test_fleet_script.py",
    "tests/test_no_secret_leaves.py",
)


def _scope(nodeid: str) -> str:
    """What one worker does, one after the other: a file, and what takes long in it by itself."""
    path = nodeid.partition("::")[0]
    if path in _FLEET:
        return "fleet"
    if path == "tests/test_molecule.py":
        return nodeid
    return f"{path} long" if long.named(nodeid) else path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is quick, and then what takes long, the shortest first.

    Where there is not time for all, most of them have run.
    """
    scopes = defaultdict(set)
    for item in items:
        scopes[_scope(item.nodeid)].update({long.named(item.nodeid)} - {""})

    def place(item: pytest.Item) -> tuple[bool, int, int]:
        path = item.nodeid.partition("::")[0].removeprefix("tests/")
        first = next((n for n, start in enumerate(_FIRST) if path.startswith(start)), len(_FIRST))
        return path == _ALONE, long.seconds(scopes[_scope(item.nodeid)]), first

    items.sort(key=place)


class _Files(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """See `_scope`."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Files | None:
    return _Files(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_configure() -> None:
    """Nothing that a test begins is sealed with the keys of whoever runs the tests."""
    long.begin()
    if "HOSTPLEDGE_HOME" not in os.environ:
        folder = tempfile.mkdtemp(prefix="hostpledge-tests-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["HOSTPLEDGE_HOME"] = folder


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """An ssh that a test kills leaves the standard input it shares with us non-blocking.

    Ansible then refuses to start, in every test that comes after.
    """
    for stream in (0, 1, 2):
        os.set_blocking(stream, True)
    if long.named(item.nodeid) and long.over():
        pytest.skip(long.LEFT_OUT)


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
