"""Security fixes that are not installed. What apt and rpm themselves say is the measure."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.package_versions import dpkg_newer, rpm_newer
from collector.facts.system.end_of_life import life
from collector.facts.system.os_release import Platform
from collector.facts.system.updates import READS, Fix, updates
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

_DPKG = [
    "1.0", "1.0-1", "1.0-1~deb13u1", "1.0-1+b1", "1:0.9-1", "1.0~rc1-1", "1.0~~", "1.0a", "1.0+dfsg-2",
    "3.5.9-1~deb13u1", "3.5.7-1~deb13u3", "2.12.7+dfsg+really2.9.14-2.1+deb13u3", "2.36-9+deb12u10",
    "2.36-9+deb12u9", "1.2.3.4-0ubuntu1.10", "1.2.3.4-0ubuntu1.9", "0", "00", "1.01", "1.1",
]  # fmt: skip


@pytest.mark.skipif(not shutil.which("dpkg"), reason="dpkg is the measure")
def test_dpkg_versions_as_dpkg_compares_them() -> None:
    for one in _DPKG:
        for other in _DPKG:
            said = subprocess.run(["dpkg", "--compare-versions", one, "gt", other], check=False)
            assert dpkg_newer(one, other) is (said.returncode == 0), (one, other)


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    # tests/rpmvercmp.at of rpm
    [
        ("0:1.0-1", "0:1.0-1", False), ("0:2.0-1", "0:1.0-1", True), ("0:2.0.1-1", "0:2.0-1", True),
        ("0:2.0.1a-1", "0:2.0.1-1", True), ("0:5.5p10-1", "0:5.5p1-1", True),
        ("0:10xyz-1", "0:10.1xyz-1", False), ("0:xyz10-1", "0:xyz10.1-1", False),
        ("0:xyz.4-1", "0:8-1", False), ("0:1.0010-1", "0:1.9-1", True), ("0:1.05-1", "0:1.5-1", False),
        ("0:1.0~rc1-1", "0:1.0-1", False), ("0:1.0-1", "0:1.0~rc1-1", True),
        ("0:1.0^-1", "0:1.0-1", True), ("0:1.0^git1-1", "0:1.01-1", False),
        ("0:1.0^git1~pre-1", "0:1.0^git1-1", False), ("1:0.1-1", "0:9-1", True),
        ("0:0.116-9.oe1", "0:0.116-8.oe1", True), ("0:6.6.0-99.0.0.91", "0:6.6.0-101.0.0.1", False),
    ],
)  # fmt: skip
def test_rpm_versions(one: str, other: str, newer: bool) -> None:
    assert rpm_newer(one, other) is newer


def _capture(apt: str = "== none\n", dnf: str = "== none\n") -> Capture:
    reads = {
        id: ReadResult(id, ReadStatus.OK, stdout=text.encode())
        for id, text in (("updates.apt", apt), ("updates.dnf", dnf))
    }
    told = CapturedFile(
        "/etc/os-release", ReadStatus.OK, data=b"ID=debian\nVERSION_CODENAME=trixie\n"
    )
    reads["platform.release"] = ReadResult("platform.release", ReadStatus.OK, files=(told,))
    reads["platform.init"] = ReadResult("platform.init", ReadStatus.OK, stdout=b"init=systemd\n")
    return Capture("h", HostStatus.COMPLETE, reads=reads)


def test_neither_apt_nor_dnf() -> None:
    assert updates(_capture()) is None


@pytest.mark.parametrize("text", ["== releases\n", "== releases\n== differ\nx 1\n== end\n", ""])
def test_what_is_cut_off_is_not_taken_for_empty(text: str) -> None:
    with pytest.raises(NotUnderstood):
        updates(_capture(text))
    with pytest.raises(CouldNotLook):
        updates(Capture("h", HostStatus.COMPLETE))


_ADVISORIES = """<?xml version="1.0" encoding="UTF-8"?>
<updates>
  <update from="openeuler.org" type="security" status="stable"><id>openEuler-SA-2021-1502</id>
    <title>An update for polkit</title><severity>Important</severity>
    <issued date="2022-01-27"></issued>
    <references><reference href="x" id="CVE-2021-4034" type="cve"></reference></references>
    <pkglist><collection><name>openEuler</name>
      <package arch="aarch64" name="polkit" release="9.oe1" version="0.116"><filename>x</filename></package>
      <package arch="x86_64" name="polkit" release="9.oe1" version="0.116"><filename>x</filename></package>
      <package arch="x86_64" name="not-installed" release="9.oe1" version="0.116"/>
    </collection></pkglist></update>
  <update from="x" type="bugfix"><id>openEuler-BA-1</id><issued date="2022-01-28"/><pkglist>
      <package name="bash" version="6.0" release="1" epoch="0" arch="x86_64"/></pkglist></update>
  <update type='security'><id>RHSA-2026:1</id><severity>Critical</severity>
    <issued date='2026-11-01 00:00:00'/><pkglist>
      <package name="bash" version="5.2" release="2" epoch="0" arch="x86_64"/></pkglist></update>
</updates>
"""


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_advisories_are_joined_with_what_rpm_holds(shell: str, tmp_path: Path) -> None:
    """The body as it stands, under a real shell and its awk; only rpm itself is stood in for."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"no {shell} here")
    folder = tmp_path / "cache/dnf/update-1/repodata"
    folder.mkdir(parents=True)
    (folder / "repomd.xml").write_text("x", encoding="utf-8")
    os.utime(folder / "repomd.xml", (1_795_000_000, 1_795_000_000))
    (folder / "a-updateinfo.xml.gz").write_bytes(gzip.compress(_ADVISORIES.encode()))
    rpm = tmp_path / "rpm"
    rpm.write_text(
        "#!/bin/sh\necho 'polkit (none) 0.116-8.oe1 x86_64 1790000000'\n"
        "echo 'bash 0 5.2-1 x86_64 1794000000'\n",
        encoding="utf-8",
    )
    rpm.chmod(0o755)
    body = next(r for r in READS if r.id == "updates.dnf").body
    body = body.replace("/var/cache", str(tmp_path / "cache")).replace("rpm -qa", f"{rpm} -qa")
    argv = [found, *(["sh"] if shell == "busybox" else []), "-c", body]
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(argv, capture_output=True, text=True, env={"PATH": path}, check=True)
    assert done.stderr == ""
    seen = updates(_capture(dnf=done.stdout))
    assert seen is not None
    assert seen.fetched == datetime.fromtimestamp(1_795_000_000, UTC)
    assert seen.last == datetime.fromtimestamp(1_794_000_000, UTC)
    assert set(seen.fixes) == {
        Fix("polkit", "0:0.116-8.oe1", "0:0.116-9.oe1", "openEuler-SA-2021-1502", "Important",
            date(2022, 1, 27)),
        Fix("bash", "0:5.2-1", "0:5.2-2", "RHSA-2026:1", "Critical", date(2026, 11, 1)),
    }  # fmt: skip


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_a_kernel_of_another_name(shell: str, tmp_path: Path) -> None:
    """The body as it stands, under a real shell and its awk; only dpkg itself is stood in for."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"no {shell} here")
    lists = tmp_path / "lists"
    lists.mkdir()
    name = "security.debian.org_debian-security_dists_trixie-security"
    (lists / f"{name}_InRelease").write_text(
        "Label: Debian-Security\nCodename: trixie-security\nDate: Sat, 21 Nov 2026 09:15:44 UTC\n"
        "SHA256:\n", encoding="utf-8",
    )  # fmt: skip
    (lists / f"{name}_main_binary-amd64_Packages").write_text(
        "Package: linux-image-6.12.57+deb13-amd64\nSource: linux-signed-amd64\nVersion: 6.12.57-1\n"
        "\nPackage: linux-image-6.12.57+deb13-rt-amd64\nVersion: 6.12.57-1\n", encoding="utf-8",
    )  # fmt: skip
    query = tmp_path / "dpkg-query"
    query.write_text(
        "#!/bin/sh\necho installed linux-image-6.12.38+deb13-amd64 6.12.38-1\n", encoding="utf-8"
    )
    query.chmod(0o755)
    body = next(r for r in READS if r.id == "updates.apt").body
    body = body.replace("/var/lib/apt/lists", str(lists))
    argv = [found, *(["sh"] if shell == "busybox" else []), "-c", body]
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(argv, capture_output=True, text=True, env={"PATH": path}, check=True)
    assert done.stderr == ""
    seen = updates(_capture(apt=done.stdout))
    assert seen is not None
    assert seen.fixes == (Fix("linux-image-6.12.38+deb13-amd64", "6.12.38-1", "6.12.57-1"),)
    assert seen.foreign == ""


@pytest.mark.parametrize(
    ("id", "version", "name", "end"),
    [
        ("centos", "7", "CentOS Linux 7 (Core)", date(2024, 6, 30)),
        ("centos", "8", "CentOS Stream 8", date(2024, 5, 31)),
        ("debian", "12", "Debian GNU/Linux 12 (bookworm)", date(2028, 6, 30)),
        ("ubuntu", "22.04", "Ubuntu 22.04.5 LTS", date(2027, 4, 30)),
        ("openeuler", "24.03", "openEuler 24.03 (LTS-SP1)", date(2026, 12, 31)),
        ("openeuler", "24.03", "openEuler 24.03 (LTS)", date(2026, 5, 31)),
        ("alinux", "3", "Alibaba Cloud Linux 3 (Soaring Falcon)", date(2031, 3, 31)),
        ("anolis", "8.8", "Anolis OS 8.8", date(2031, 3, 31)),
        ("kylin", "V10", "Kylin Linux Advanced Server V10 (Lance)", None),
        ("tencentos", "3.1", "TencentOS Server 3.1 (Final)", date(2029, 12, 31)),
        ("uos", "20", "UnionTech OS Server 20", None),
        ("tlinux", "2.4", "Tencent tlinux 2.4 (Final)", date(2024, 6, 30)),
        # as public copies of their os-release have them
        ("opencloudos", "8.5", "OpenCloudOS 8.5", None),
        ("hce", "2.0", "Huawei Cloud EulerOS 2.0 (x86_64)", None),
        ("bclinux", "8.8", "BigCloud Enterprise Linux 8.8 (Core)", None),
        ("bclinux", "21.10", "BigCloud Enterprise Linux For Euler 21.10 LTS", None),
    ],
)
def test_ends_of_support(id: str, version: str, name: str, end: date | None) -> None:
    system = Platform(id, version, name, (), "systemd", systemd=True, container=False)
    found = life(system)
    assert found is not None
    assert found.end == end


def test_a_system_nobody_wrote_down() -> None:
    # made from EL 7, and whether their makers still mend them is nowhere to be read
    for id, version in (("bclinux", "7.6"), ("neokylin", "V7"), ("cgsl", "5.04")):
        assert life(Platform(id, version, id, (), "systemd", systemd=True, container=False)) is None
    assert life(Platform("arch", "", "Arch", (), "systemd", systemd=True, container=False)) is None
