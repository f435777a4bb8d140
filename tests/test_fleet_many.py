"""Real hosts, asked in one task and by a task each: what they give is the same, in every way in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from collector import captures
from collector.model import Capture
from tests.fleet import Fleet
from tests.fleet.machine import why_not
from tests.run.conftest import hostpledge

pytestmark = pytest.mark.fleet

STATUSES = {
    "bare": "complete",
    "busybox": "complete",
    "password": "complete",
    "password-sudo": "complete",
    "inner": "complete",
    "sudo-free": "complete",
    "sudo-asked": "complete",
    "sudo-refused": "become_refused",
    "hangs": "timed_out",
    "floods": "flooded",
    "wrongkey": "host_key_changed",
}
# these are of the moment: processes, the clock
MOVING = {"processes.all", "timesync.timedatectl", "timesync.clock"}
MOMENT = {"clock", "seconds", "run", "output_sha256"}


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    names = ("bare", "busybox", "password", "inner", "sudo", "hangs", "floods", "wrongkey")
    folder = tmp_path_factory.mktemp("many")
    with Fleet(names, folder=folder, prefix=f"many-{os.getpid()}") as running:
        yield running


def _lasting(capture: Capture) -> Capture:
    """Without times, nonces and what moves by itself."""
    origin = {k: v for k, v in capture.origin.items() if k not in MOMENT}
    head = {k: v for k, v in capture.head.items() if k not in ("session", "clock")}
    reads = {id: replace(read, seconds=0) for id, read in capture.reads.items() if id not in MOVING}
    detail = "flooded" if capture.status == "flooded" else capture.detail
    return replace(
        capture, origin=origin, head=head, reads=MappingProxyType(reads), detail=detail, nonce="",
        collected_at=None,
    )  # fmt: skip


def test_each_way_in_gives_the_same(hosts: Fleet, tmp_path: Path) -> None:
    found: list[dict[str, Capture]] = []
    for per_host in ("", "1"):
        out = tmp_path / f"out{per_host}"
        ran = hostpledge(
            "collect", "-i", str(hosts.inventory), "-o", str(out), "--family", "monitoring",
            "--seconds", "30", timeout=200, HOSTPLEDGE_PER_HOST=per_host,
        )  # fmt: skip
        assert ran.status == 1, ran.err
        paths = (out / "captures").glob(f"*{captures.SUFFIX}")
        found.append({c.host: c for c in map(captures.load, paths)})
    assert {h: str(c.status) for h, c in found[0].items()} == STATUSES
    for host, capture in found[0].items():
        assert capture.reads.keys() == found[1][host].reads.keys()
        assert _lasting(capture) == _lasting(found[1][host]), host
