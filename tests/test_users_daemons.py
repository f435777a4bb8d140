"""A daemon that a user who can log in has started is not the system's."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from collector import catalog
from collector.assess import assess_host
from collector.facts.system.processes import processes
from collector.model import Capture, HostStatus, ReadResult, ReadStatus, Result
from tests import cases

_CONTROLS = ("antivirus.running", "antivirus.heartbeat", "antivirus.realtime", "monitoring.state")
_READ = "processes.all"


def _passing() -> list[Path]:
    found = [p for c in _CONTROLS for p in cases.case_files(c) if p.name.endswith(".pass.yml")]
    # somebody answers for it, or a history on the disk does
    return [
        p
        for p in found
        if not re.search("attested|sysstat|prometheus_server|looks_wrong_just_ended", p.name)
    ]


def _started_by_a_user(text: str) -> str:
    text = re.sub(r"(?m)^(/proc/(?!1/)\d+/status:Uid:).*", r"\1\t4242\t4242\t4242\t4242", text)
    head, separator, programs = text.partition("== exe\n")
    head = re.sub(r"(?m)^/proc/(?!1/)\d+/cgroup:.*\n", "", head)
    ids = dict.fromkeys(re.findall(r"(?m)^/proc/(?!1/)(\d+)/status", head))
    slice_ = "0::/user.slice/user-4242.slice/user@4242.service/app.slice/x.service"
    return head + "".join(f"/proc/{i}/cgroup:{slice_}\n" for i in ids) + separator + programs


@pytest.mark.parametrize("path", _passing(), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_it_passes_no_control(path: Path) -> None:
    case = cases.load(path)
    was = case.capture.reads[_READ]
    text = _started_by_a_user(was.stdout.decode())
    reads = {**case.capture.reads, _READ: replace(was, stdout=text.encode())}
    capture = replace(case.capture, reads=reads)
    (found,) = assess_host(capture, [catalog.control(case.control)], grade=case.grade, at=case.at)
    assert found.result is not Result.PASS, found.message.en


@pytest.mark.parametrize(
    ("uid", "group", "login"),
    [
        (0, "/user.slice/user-0.slice/session-1.scope", False),
        (997, "/", False),
        (61184, "/system.slice/x.service", False),
        (65534, "/", False),
        (1001, "/system.slice/node_exporter.service", False),
        (1001, "/system.slice/docker-0123456789abcdef.scope", False),
        (1001, "/system.slice/cron.service", True),
        (1001, "/user.slice/user-1001.slice/session-3.scope", True),
        (1001, "/user.slice/user-1001.slice/user@1001.service/app.slice/clamd.service", True),
        (1001, "/", True),
        (1_400_001, "/", True),
    ],
)
def test_whose_it_is(uid: int, group: str, login: bool) -> None:
    lines = [
        "/proc/1/status:Name:\tinit", "/proc/1/status:PPid:\t0", "/proc/1/status:Uid:\t0\t0\t0\t0",
        "/proc/7/status:Name:\tx", "/proc/7/status:PPid:\t1",
        f"/proc/7/status:Uid:\t{uid}\t{uid}\t{uid}\t{uid}", "/proc/7/status:VmSize:\t   9 kB",
        f"/proc/7/cgroup:0::{group}", "== exe", "",
    ]  # fmt: skip
    result = ReadResult(_READ, ReadStatus.OK, stdout="\n".join(lines).encode())
    (process,) = processes(Capture("h", HostStatus.COMPLETE, reads={_READ: result})).all
    assert process.login is login
