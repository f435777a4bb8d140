"""Whom a sudoers file makes an administrator here and now: the real sudo says so too."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from collector.facts.access.sudoers import READS, Holders, sudoers
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus
from tests.masked import redacted

HOST, USER = "web-01.example.com", "games"
(_READ,) = READS
pytestmark = pytest.mark.skipif(
    shutil.which("sudo") is None or os.geteuid() != 0, reason="needs sudo, and root"
)


def _capture(*files: CapturedFile) -> Capture:
    read = ReadResult(_READ.id, ReadStatus.OK, files=files)
    return Capture(
        HOST,
        HostStatus.COMPLETE,
        head=MappingProxyType({"hostname": HOST}),
        reads=MappingProxyType({_READ.id: read}),
        collected_at=datetime.now(UTC),
    )


def _real(main: Path, more: Path) -> bool:
    """Does sudo let the user run everything as root?"""
    script = (
        f"mount --bind {main} /etc/sudoers && mount --bind {more} /etc/sudoers.d && "
        f"hostname {HOST} && sudo -l -U {USER} /usr/bin/id"
    )
    done = subprocess.run(
        ["unshare", "-m", "-u", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode == 0 and "/usr/bin/id" in done.stdout


@pytest.mark.parametrize(
    ("rule", "mode", "holds"),
    [
        (f"{USER} ALL=(ALL:ALL) ALL", 0o440, True),
        (f"{USER} web-01=(ALL:ALL) ALL", 0o440, True),
        (f"{USER} web-01.example.com=(ALL) NOPASSWD: ALL", 0o440, True),
        (f"{USER} db-07=(ALL:ALL) ALL", 0o440, False),
        (f"{USER} WEB-0?=(ALL) ALL", 0o440, True),
        (f"{USER} db-07,web-01=(ALL) ALL", 0o440, True),
        (f"{USER} ALL,!web-01=(ALL) ALL", 0o440, False),
        (f"Host_Alias DB = db-01, db-07\n{USER} DB=(ALL) ALL", 0o440, False),
        (f"Host_Alias WEB = web-*\n{USER} WEB=(ALL) ALL", 0o440, True),
        (f"Host_Alias WEB = web-*\n{USER} ALL,!WEB=(ALL) ALL", 0o440, False),
        (f"{USER} db-07=(ALL) ALL : web-01=(ALL) ALL", 0o440, True),
        (f"{USER} web-01=(ALL) ALL : db-07=(ALL) ALL", 0o440, True),
        (f"{USER} ALL=(ALL) ALL\n{USER} ALL=(ALL) !ALL", 0o440, False),
        (f"{USER} ALL=(ALL) !ALL\n{USER} ALL=(ALL) ALL", 0o440, True),
        (f"{USER} ALL=(ALL) ALL\n{USER} db-07=(ALL) !ALL", 0o440, True),
        (f"{USER} ALL=(ALL) ALL\nALL ALL=(ALL) !ALL", 0o440, False),
        (f"{USER} ALL=(ALL) ALL, !ALL", 0o440, False),
        (f"{USER} ALL=(ALL) NOTAFTER=20200101000000Z NOPASSWD: ALL", 0o440, False),
        (f"{USER} ALL=(ALL) NOTAFTER=20990101000000Z NOPASSWD: ALL", 0o440, True),
        (f"{USER} ALL=(ALL) NOTBEFORE=20990101000000Z ALL", 0o440, False),
        (f"{USER} ALL=(ALL) ALL", 0o666, False),
        (f"{USER} ALL=(ALL) ALL", 0o644, True),
    ],
)
def test_as_sudo_has_it(tmp_path: Path, rule: str, mode: int, holds: bool) -> None:
    more = tmp_path / "sudoers.d"
    more.mkdir(mode=0o750)
    main, file = tmp_path / "sudoers", more / "10-admins"
    main.write_text("root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n")
    main.chmod(0o440)
    file.write_text(rule + "\n")
    file.chmod(mode)
    assert _real(main, more) is holds
    assert _READ.redact is not None
    seen = [
        CapturedFile(path, ReadStatus.OK, bits, 0, 0, data=redacted(_READ.redact, at.read_bytes()))
        for path, at, bits in (
            ("/etc/sudoers", main, 0o440),
            ("/etc/sudoers.d/10-admins", file, mode),
        )
    ]
    grants = [g for g in sudoers(_capture(*seen)) if g.all and g.root]
    certain = Holders.of(g for g in grants if g.holds == "yes")
    assert certain.hold(USER, 5, frozenset({USER}), 60) is holds


def test_what_cannot_be_told_is_neither() -> None:
    main = CapturedFile(
        "/etc/sudoers",
        ReadStatus.OK,
        0o440,
        0,
        0,
        data=b"ops 10.0.0.0/8=(ALL) ALL\nadm +hosts=(ALL) ALL\n%team ALL=(ALL) ALL\nx ALL=(ALL) !ALL\n",
    )
    assert [g.holds for g in sudoers(_capture(main))] == ["untold"] * 3


def test_a_command_whose_name_did_not_leave_the_host_is_untold() -> None:
    """What it may do nobody knows here; it was taken for no right at all."""
    main = b"a ALL=(ALL) NOPASSWD:$_6b7d55c0\nb ALL=(ALL) /bin/ls $_6b7d55c0\n"
    found = CapturedFile("/etc/sudoers", ReadStatus.OK, 0o440, 0, 0, data=main)
    assert [g.holds for g in sudoers(_capture(found))] == ["untold", "yes"]
