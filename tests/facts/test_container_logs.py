"""What a kubelet and Podman keep of their containers' output."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.facts.logs.applications.rotation import READS, app_rotation
from collector.facts.logs.files import READS as FILES
from collector.facts.logs.files import log_files
from collector.facts.logs.model.families import family_of, log_of
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests.own_world import led_to
from tests.started import until_it_runs

ID = "fb5bd0d7c509774b7e293e869001d81857aa1d9eab885d5b17469312fd1ccad1"
USERDATA = f"/var/lib/containers/storage/overlay-containers/{ID}/userdata"
# conmon of Debian 13 for `podman run --name web --log-driver k8s-file --log-opt max-size=20kb`;
# 3000 lines were written, the file then held the last 175
CONMON = (
    f"/usr/bin/conmon --api-version 1 -c {ID} -u {ID} -r /usr/bin/crun -b {USERDATA} -p /run/pidfile"
    f" -n web-nginx --exit-dir /run/exits --full-attach -l k8s-file:{USERDATA}/ctr.log"
    " --log-level warning --syslog --log-size-max 20000 --runtime-arg --log-format=json"
)
POD = "/var/log/pods/shop_web-7d4_0b5e-1/nginx"


def _capture(text: str) -> Capture:
    result = ReadResult(READS[0].id, ReadStatus.OK, stdout=text.encode())
    return Capture("h", HostStatus.COMPLETE, reads={READS[0].id: result})


@pytest.mark.skipif(not os.path.exists("/proc/self/comm"), reason="needs /proc")
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_podman(tmp_path: Path, shell: str) -> None:
    """The read on a process that goes by conmon's name, with the arguments of a real one."""
    words = shell.split()
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {shell} here")
    conmon = tmp_path / "conmon"
    shutil.copy(shutil.which("dash") or "/bin/sh", conmon)
    with subprocess.Popen(
        [conmon, "-c", "sleep 30; :", *CONMON.split()[1:]], start_new_session=True
    ) as process:
        until_it_runs(process.pid, f"k8s-file:{USERDATA}/ctr.log")
        said = subprocess.run(
            [*words, "-c", READS[0].body], capture_output=True, text=True, check=True
        ).stdout
        os.killpg(process.pid, 9)
    rules, _ = app_rotation(_capture(said))
    (rule,) = [r for r in rules if r.log == f"{USERDATA}/ctr.log"]
    assert (rule.room, rule.known, rule.family) == (0, True, "web")
    assert rule.why.zh == "Podman 容器 web-nginx：log-size-max=20000"


def test_podman_without_a_limit_removes_nothing() -> None:
    path = f"{USERDATA}/ctr.log"
    for more in ("", f'{path}:"log-size-max":"-1\n'):
        text = f'@K podman\n@F {path}\n{path}:"name":"db-mysql\n{more}@E\n'
        (rule,) = app_rotation(_capture(text))[0]
        assert (rule.room, rule.known, rule.family) == (None, True, "database")


def test_pods() -> None:
    """By the kubelet: as many files of a size, for each container; gone with the pod."""
    text = (
        "@K kubelet\n@F /var/lib/kubelet/config.yaml\n"
        '/var/lib/kubelet/config.yaml:containerLogMaxSize: "20Mi"\n@E\n'
    )
    (rule,) = app_rotation(_capture(text))[0]
    assert (rule.room, rule.known, rule.each) == (80 << 20, False, True)
    assert "removed with their pod" in rule.why.en
    for name in ("0.log", "1.log", "0.log.20261124-030405", "0.log.20261123-030405.gz"):
        path = f"{POD}/{name}"
        assert rule.has(path)
        assert log_of(path, {f"{POD}/0.log"}) == POD
        assert family_of(path) == "web"
    assert family_of(POD) == "web"
    assert family_of("/var/log/pods/kube-system_coredns-x_1/coredns/0.log") == "dns"
    assert family_of("/var/log/pods/shop_app-x_1/app/0.log") == "other"


def test_the_read_goes_into_pods(tmp_path: Path) -> None:
    folder = tmp_path / "pods" / "shop_web-7d4_0b5e-1" / "nginx"
    folder.mkdir(parents=True)
    (folder / "0.log").write_text("2026-11-24T02:36:03.123456789Z stdout F 203.0.113.7 - - GET /\n")
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers" / "web.log").symlink_to(folder / "0.log")
    (read,) = FILES
    body = led_to(read.body, tmp_path)
    said = subprocess.run(["sh", "-c", body], capture_output=True, check=True).stdout
    said = said.replace(str(tmp_path).encode(), b"/var/log")
    capture = Capture(
        "h", HostStatus.COMPLETE, head={"kernel": "Linux 6.1 x86_64", "zone": "+0800"},
        collected_at=datetime(2026, 11, 25, 4, tzinfo=UTC),
        reads={read.id: ReadResult(read.id, ReadStatus.OK, stdout=said)},
    )  # fmt: skip
    ((log, files),) = log_files(capture).grouped().items()
    assert log == POD
    assert files[0].first == datetime(2026, 11, 24, 2, 36, 3, tzinfo=UTC)
