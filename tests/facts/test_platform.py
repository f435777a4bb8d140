"""Release files of several distributions."""

from __future__ import annotations

import pytest

from collector.errors import NotUnderstood
from collector.facts.system.os_release import platform
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus


def host(path: str, text: str, init: str = "init=systemd\nexists=/run/systemd/system\n") -> Capture:
    file = CapturedFile(path, ReadStatus.OK, data=text.encode())
    return Capture(
        "h",
        HostStatus.COMPLETE,
        reads={
            "platform.release": ReadResult("platform.release", ReadStatus.OK, files=(file,)),
            "platform.init": ReadResult("platform.init", ReadStatus.OK, stdout=init.encode()),
        },
    )


@pytest.mark.parametrize(
    ("path", "text", "id", "major"),
    [
        ("/etc/os-release", 'ID="centos"\nVERSION_ID="7"\nID_LIKE="rhel fedora"\n', "centos", 7),
        ("/etc/os-release", 'ID=debian\nVERSION_ID="13"\n', "debian", 13),
        ("/etc/os-release", 'ID="openEuler"\nVERSION_ID="24.03"\n', "openeuler", 24),
        ("/etc/os-release", 'ID="kylin"\nVERSION_ID="V10"\n', "kylin", 10),
        ("/etc/redhat-release", "CentOS release 6.10 (Final)\n", "centos", 6),
        ("/etc/debian_version", "trixie/sid\n", "debian", None),
    ],
)
def test_release(path: str, text: str, id: str, major: int | None) -> None:
    seen = platform(host(path, text))
    assert (seen.id, seen.major, seen.systemd) == (id, major, True)


def test_derived() -> None:
    text = 'ID="centos"\nVERSION_ID="7"\nID_LIKE="rhel fedora"\n'
    assert platform(host("/etc/os-release", text)).is_like("rhel")


def test_container_without_systemd() -> None:
    seen = platform(host("/etc/os-release", "ID=alpine\n", "init=sh\nexists=/.dockerenv\n"))
    assert seen.container
    assert not seen.systemd


def test_no_answer() -> None:
    with pytest.raises(NotUnderstood):
        platform(host("/etc/os-release", "ID=debian\n", ""))


def test_the_service_pack_of_kylin_stands_in_a_file_of_its_own() -> None:
    """Composed after the form that public notes of Kylin V10 SP3 show."""
    release = (
        'ID="kylin"\nVERSION_ID="V10"\nPRETTY_NAME="Kylin Linux Advanced Server V10 (Lance)"\n'
    )
    info = "Kylin Linux Advanced Server\nrelease V10 (SP3) /(Lance)-x86_64-Build23/20230324\n"
    files = tuple(
        CapturedFile(path, ReadStatus.OK, data=text.encode())
        for path, text in (("/etc/os-release", release), ("/etc/.productinfo", info))
    )
    capture = host("/etc/os-release", release)
    both = ReadResult("platform.release", ReadStatus.OK, files=files)
    reads = {**capture.reads, "platform.release": both}
    named = platform(Capture("h", HostStatus.COMPLETE, reads=reads)).name
    assert named == "Kylin Linux Advanced Server V10 (Lance) (SP3)"
    assert platform(capture).name == "Kylin Linux Advanced Server V10 (Lance)"


@pytest.mark.parametrize(
    ("text", "debian"),
    [
        ('NAME="UOS Server"\nID=UOS\nVERSION_ID="20"\nID_LIKE=debian\n', True),
        # as public copies of a server 20 1070e have it
        ('NAME="UOS Server 20"\nVERSION_ID="20"\nID=uos\nPLATFORM_ID="platform:uel20"\n', False),
    ],
)
def test_uos_is_of_either_family(text: str, debian: bool) -> None:
    seen = platform(host("/etc/os-release", text))
    assert seen.id == "uos"
    assert seen.is_like("debian") is debian
