"""What lies in the reach of a host's own user helps him to nothing of root's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from collector.facts.base.opened import OPENED
from collector.model import (
    CapturedFile,
    HostStatus,
    Read,
    ReadStatus,
    Text,
    command,
    files,
    shell,
)
from tests.mallory import SECRET, UID, Host, can_be_made
from tests.test_script import AS_NOBODY, SHELLS

WHY = Text("试验", "a trial")
pytestmark = pytest.mark.skipif(not can_be_made(), reason="needs root, unshare, setpriv, setsid")


@pytest.fixture(params=SHELLS)
def sh(request: pytest.FixtureRequest) -> list[str]:
    argv = SHELLS[request.param]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    return argv


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "host")


def looked(host: Host, sh: list[str], *paths: str) -> dict[str, CapturedFile]:
    raw, capture = host.collected(sh, [files("t.a", *paths, why=WHY, most=99, seconds=60)])
    assert SECRET.encode() not in raw
    return {file.path: file for file in capture.read("t.a").files}


def test_his_own_files_are_read_with_his_rights(host: Host, sh: list[str]) -> None:
    host.write("/home/mallory/mine", "mine\n", mallory=True, mode=0o600)
    host.write("/home/mallory/lent", "lent\n", mode=0o644)
    host.write("/home/mallory/roots", SECRET, mode=0o600)
    found = looked(host, sh, "/home/*/mine", "/home/*/lent", "/home/mallory/roots")
    mine = found["/home/mallory/mine"]
    assert (mine.status, mine.data) == (ReadStatus.OK, b"mine\n")
    assert (mine.mode, mine.uid, mine.size) == (0o600, UID, 5)
    assert mine.mtime > 0
    assert found["/home/mallory/lent"].data == b"lent\n"
    assert found["/home/mallory/roots"].status is ReadStatus.REFUSED


def test_links_of_his_lead_to_nothing(host: Host, sh: list[str]) -> None:
    host.link("/home/mallory/a", "/root/secret")
    host.link("/home/mallory/b", "../../root/secret")
    host.link("/home/mallory/kept", "/root/kept")
    os.link(host.at("/root/secret"), host.at("/home/mallory/hard"))
    os.mkfifo(host.at("/home/mallory/fifo"))
    host.link("/home/mallory/memory", "/dev/mem")
    host.link("/home/mallory/gone", "/root/nothing")
    found = looked(host, sh, "/home/mallory/*", "/home/mallory/kept/location")
    assert {file.status for file in found.values()} == {ReadStatus.REFUSED}
    assert {file.data for file in found.values()} == {b""}
    assert len(found) == 7
    assert {file.size for file in found.values()} == {-1}, "how large root's file is, is root's too"


def test_what_root_links_to_is_followed(host: Host, sh: list[str]) -> None:
    host.write("/srv/real/one", "one\n", mode=0o600)
    host.at("/srv/link").symlink_to("real")
    host.at("/srv/one").symlink_to("/srv/link/one")
    host.write("/home/mallory/his", "his\n", mallory=True)
    host.at("/srv/his").symlink_to("/home/mallory/his")
    host.link("/home/mallory/back", "/srv/real/one")
    host.at("/srv/back").symlink_to("/home/mallory/back")
    found = looked(host, sh, "/srv/one", "/srv/link/../link/one", "/srv/his", "/srv/back")
    assert found["/srv/one"].data == found["/srv/link/../link/one"].data == b"one\n"
    assert found["/srv/his"].data == b"his\n"
    assert found["/srv/back"].status is ReadStatus.REFUSED


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775, 0o1775])
def test_a_folder_that_others_may_write_to(host: Host, sh: list[str], mode: int) -> None:
    folder = host.folder("/srv/shared")
    os.chown(folder, 0, UID)
    folder.chmod(mode)
    host.link("/srv/shared/link", "/root/secret")
    os.link(host.at("/root/secret"), host.at("/srv/shared/hard"))
    host.write("/srv/shared/his", "his\n", mallory=True, mode=0o600)
    host.write("/srv/shared/open", "open\n")
    host.write("/srv/shared/roots/own", "own\n", mode=0o600)
    found = looked(host, sh, "/srv/shared/*", "/srv/shared/roots/own")
    assert found["/srv/shared/link"].status is ReadStatus.REFUSED
    assert found["/srv/shared/hard"].status is ReadStatus.REFUSED
    assert found["/srv/shared/his"].data == b"his\n"
    assert found["/srv/shared/open"].data == b"open\n"
    own = found["/srv/shared/roots/own"]
    assert (own.data == b"own\n") is bool(mode & 0o1000), (
        "only a sticky folder holds what is root's"
    )


def test_users_crontabs_as_debian_keeps_them(host: Host, sh: list[str]) -> None:
    spool = host.folder("/var/spool/cron/crontabs")
    gid = next(int(g.split(":")[2]) for g in host.at("/etc/group").read_text().splitlines()
               if g.startswith("news:"))  # fmt: skip
    os.chown(spool, 0, gid)
    spool.chmod(0o1730)
    for name, uid in (("root", 0), ("mallory", UID)):
        tab = host.write(f"/var/spool/cron/crontabs/{name}", f"# {name}\n", mode=0o600)
        os.chown(tab, uid, gid)
    found = looked(host, sh, "/var/spool/cron/crontabs/*")
    assert [file.data for file in found.values()] == [b"# mallory\n", b"# root\n"]


def test_logs_as_ubuntu_keeps_them(host: Host, sh: list[str]) -> None:
    text = host.at("/etc/group").read_text()
    gid = {g.split(":")[0]: int(g.split(":")[2]) for g in text.splitlines()}
    logs = host.at("/var/log")
    os.chown(logs, 0, UID)
    logs.chmod(0o775)
    host.write("/var/log/syslog", "s\n", mode=0o640)
    os.chown(host.at("/var/log/syslog"), UID, gid["adm"])
    host.write("/var/log/dmesg", "d\n", mode=0o640)
    os.chown(host.at("/var/log/dmesg"), 0, gid["adm"])
    host.write("/var/log/btmp", "b\n", mode=0o660)
    os.chown(host.at("/var/log/btmp"), 0, gid["utmp"])
    host.write("/var/log/audit/audit.log", "a\n", mode=0o640)
    host.at("/var/log/audit").chmod(0o750)
    for path in ("/var/log/audit", "/var/log/audit/audit.log"):
        os.chown(host.at(path), 0, gid["adm"])
    found = looked(host, sh, "/var/log/*", "/var/log/audit/audit.log")
    assert sorted(file.data for file in found.values()) == [b"a\n", b"b\n", b"d\n", b"s\n"]


def _aide(host: Host) -> Path:
    """As Debian has it, where root runs aide: 0600 of root's in a folder of its user's."""
    host.write("/var/log/aide/aide.log", "aide\n", mode=0o600)
    os.chown(host.at("/var/log/aide"), UID, 4)
    return host.at("/var/log/aide")


READ = "hp_can PATH && echo can; hp_by PATH cat; hp_by PATH tail -n 1; exit 0".replace(
    "PATH", "/var/log/aide/aide.log"
)


def test_what_root_writes_in_a_log_folder_of_a_user(host: Host, sh: list[str]) -> None:
    folder = _aide(host)
    read = shell("t.b", OPENED + READ, why=WHY)
    known = ["can", "aide", "aide"]
    for there, mode, out in (
        ("aide\n", 0o600, known),
        ("aide\n", 0o640, known),
        ("aide\n", 0o644, known),
        (None, 0, []),
    ):
        (folder / "aide.log").unlink()
        if there is None:
            (folder / "aide.log").symlink_to("/root/secret")
        else:
            host.write("/var/log/aide/aide.log", there, mode=mode)
            os.chown(folder / "aide.log", 0, 4)
        raw, capture = host.collected(sh, [read])
        assert SECRET.encode() not in raw
        assert capture.read("t.b").text().split() == out, (there, mode)


def test_a_race_in_a_log_folder_gains_him_nothing(host: Host) -> None:
    _aide(host)
    body = "i=0; while [ $i -lt 60 ]; do {READ}; i=$((i + 1)); done 2>/dev/null; exit 0"
    looks = READ.removesuffix("; exit 0")
    read = shell("t.b", OPENED + body.replace("{READ}", looks), why=WHY, seconds=90)
    away = (
        "os.path.islink('aide.log') or os.rename('aide.log', 'kept'); os.symlink('/root/secret', p)"
    )
    back = "os.rename('kept', p)"
    host.write("/var/log/aide/kept", "aide\n", mode=0o600)
    with host.flipping("/var/log/aide/aide.log", back, away):
        raw, capture = host.collected(["dash"], [read])
    assert SECRET.encode() not in raw
    assert set(capture.read("t.b").text().split()) <= {"can", "aide"}


FILE = "open(p, 'w').write('good\\n')"
FOLDER = "os.mkdir(p); open(p + '/location', 'w').write('good\\n')"


@pytest.mark.parametrize(
    ("there", "away", "path"),
    [
        (FILE, "os.symlink('/root/secret', p)", "/home/*/flip"),
        (FOLDER, "os.symlink('/root/kept', p)", "/home/*/flip/location"),
    ],
)
def test_a_race_gains_him_nothing(host: Host, there: str, away: str, path: str) -> None:
    reads: list[Read] = [files(f"t.r{n:03}", path, why=WHY) for n in range(60)]
    body = "i=0; while [ $i -lt 200 ]; do hp_by PATH cat; i=$((i + 1)); done 2>/dev/null; exit 0"
    reads.append(
        shell(
            "t.shell",
            OPENED + body.replace("PATH", path.replace("*", "mallory")),
            why=WHY,
            seconds=90,
        )
    )
    statuses: set[ReadStatus] = set()
    with host.flipping("/home/mallory/flip", there, away):
        # a busy machine may meet one side of the coin only
        for _ in range(6):
            raw, capture = host.collected(["dash"], reads)
            assert SECRET.encode() not in raw
            seen = [file for read in capture.reads.values() for file in read.files]
            good = {file.data for file in seen if file.status is ReadStatus.OK}
            assert good <= {b"good\n"}
            assert set(capture.read("t.shell").stdout.split()) <= {b"good"}
            statuses |= {file.status for file in seen}
            if statuses >= {ReadStatus.OK, ReadStatus.REFUSED}:
                break
    assert statuses >= {ReadStatus.OK, ReadStatus.REFUSED}


def test_a_pipe_in_a_files_place_costs_that_read_alone(host: Host) -> None:
    reads: list[Read] = [files(f"t.r{n}", "/home/*/flip", why=WHY, seconds=1) for n in range(9)]
    with host.flipping("/home/mallory/flip", FILE, "os.mkfifo(p)"):
        _, capture = host.collected(["dash"], [*reads, command("t.z", "echo", "on", why=WHY)])
    assert capture.status is HostStatus.COMPLETE
    assert capture.read("t.z").stdout == b"on\n"


def test_without_the_means_it_is_refused_and_said(host: Host, sh: list[str]) -> None:
    host.write("/home/mallory/mine", "mine\n", mallory=True)
    body = shell("t.b", f"{OPENED}hp_by /home/mallory/mine cat", why=WHY)
    reads = [files("t.a", "/home/*/mine", why=WHY), body]
    host.without = ["/usr/bin/setpriv"]
    _, capture = host.collected(sh, reads)
    assert capture.read("t.a").files[0].data == capture.read("t.b").stdout == b"mine\n"
    host.without = ["/usr/bin/setpriv", "/usr/sbin/chroot"]
    _, capture = host.collected(sh, reads)
    assert capture.read("t.a").files[0].status is ReadStatus.REFUSED
    assert capture.read("t.b").status is ReadStatus.REFUSED
    assert "reach of a user" in capture.read("t.b").stderr


def test_who_is_not_root_gives_away_nothing_of_his_own(host: Host, sh: list[str]) -> None:
    os.chown(host.write("/srv/mine", "mine\n", mode=0o600), 65534, 65534)
    host.write("/home/mallory/open", "open\n", mallory=True)
    host.link("/home/mallory/link", "/srv/mine")
    body = "for f in /home/mallory/link /home/mallory/open; do hp_by $f cat; done"
    found = files("t.a", "/home/mallory/*", "/srv/mine", why=WHY)
    _, capture = host.collected([*AS_NOBODY, *sh], [found, shell("t.b", OPENED + body, why=WHY)])
    seen = {file.path: file.data for file in capture.read("t.a").files}
    assert seen == {
        "/home/mallory/link": b"", "/home/mallory/open": b"open\n", "/srv/mine": b"mine\n",
    }  # fmt: skip
    assert capture.read("t.b").stdout == b"open\n"


def test_the_group_of_root_is_nobodys(host: Host, sh: list[str]) -> None:
    """A folder of his whose group is root's: what the group root may read is none of his."""
    folder = host.folder("/srv/his", mallory=True)
    os.chown(folder, UID, 0)
    host.write("/root/kept/grouped", SECRET, mode=0o640)
    host.at("/root").chmod(0o750)
    host.link("/srv/his/grouped", "/root/kept/grouped")
    assert looked(host, sh, "/srv/his/grouped")["/srv/his/grouped"].status is ReadStatus.REFUSED


def test_what_runs_as_him_has_a_group_that_no_account_has(host: Host, sh: list[str]) -> None:
    """ptrace(2): with both numbers alike he could take on the groups of those who read logs."""
    with host.at("/etc/passwd").open("a") as known:
        known.write(f"service:x:{UID}:65534::/:/bin/false\nfirst:x:77:65529::/:/bin/false\n")
    with host.at("/etc/group").open("a") as known:
        known.write("second:x:65530:\n")
    host.write("/srv/subgid", "service:65528:1\nother:100000:65536\n")
    told = "grep ^Gid: /proc/self/status"
    body = (
        OPENED.replace("/etc/subgid", "/srv/subgid")
        + f"hp_id {UID}; hp_as $R {told}; hp_reach /home/mallory/x; hp_as $R {told}"
    )
    body += "; hp_word /home/mallory/open; hp_as $W grep -E '^(Gid|Groups):' /proc/self/status"
    host.write("/home/mallory/open", "open\n").chmod(0o666)
    _, capture = host.collected(sh, [shell("t.b", body, why=WHY)])
    lines = capture.read("t.b").stdout.decode().split("\n")
    assert [x.split()[1:] for x in lines if x.startswith("Gid")] == [["65527"] * 4] * 3, lines
