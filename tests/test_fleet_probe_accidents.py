"""What interrupts a probe leaves nothing behind: a tree and the accounts before and after.

HOSTPLEDGE_PROBE_KILLS=50 does all of them: each accident in the middle of each act, and some more.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import probe_accidents as accidents
from tests import probe_hosts as made
from tests.fleet import Fleet
from tests.fleet.machine import why_not

pytestmark = pytest.mark.fleet

HOST = accidents.HOST
PROBES = ("integrity", "restore", "malware_stream", "failed_login", "ban")
ENDS = ("command", "everything")
KINDS = ("everything", "ssh", "script", "command", "full", "network", "reboot", "window")
# kind, probe, and how long after the middle was seen (seconds)
PLAN = (
    *((kind, probe, 0.0) for kind, probe in itertools.product(KINDS, PROBES)),
    *((k, p, s) for k, p in itertools.product(KINDS[:2], PROBES[1:3]) for s in (0.7, 1.9)),
    *((k, "ban", 9.0) for k in KINDS[2:4]),
    # its files lie where no memory does, for twenty seconds
    *((kind, "malware_file", 0.0) for kind in KINDS),
)
# of the long form one stands here, and test_fleet_probe.py has more of those that are quick
FEWER = (("everything", "restore", 0.0), ("reboot", "malware_file", 0.0))
KILLS = int(os.environ.get("HOSTPLEDGE_PROBE_KILLS", "2"))
CHOSEN = PLAN if KILLS > 2 else FEWER


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    folder = tmp_path_factory.mktemp("accidents")
    with Fleet((HOST,), folder=folder, prefix=f"accidents-{os.getpid()}") as running:
        jail = made.FAIL2BAN.replace("@WHERE@", "backend = systemd")
        # mount(8), by which the disk gets full here, makes the second folder
        folders = "mkdir -p /srv/backup/shop /srv/files /run/mount\n"
        texts = (made.CLAMD, jail, folders, made.DUMP)
        watched = made.AIDE.replace("@LEFT_OUT@", "")
        lasting = "systemctl -q enable clamav-daemon.service fail2ban.service 2>/dev/null\n"
        for text in (*texts, lasting, watched, accidents.UP):
            done = running.execute(HOST, "sh", "-e", data=text.encode(), seconds=180)
            assert done.returncode == 0, done.stderr.decode()[-2000:]
        subprocess.run([*running.ssh(HOST), "true"], check=True, capture_output=True)
        yield running


@pytest.fixture(scope="module")
def spare(hosts: Fleet) -> Iterator[str]:
    with accidents.spare_address(hosts) as address:
        yield address


@pytest.fixture
def settings(hosts: Fleet, spare: str) -> tuple[str, ...]:
    file = hosts.folder / "dump.yml"
    file.write_text(
        "all: {vars: {hostpledge_restore: {tool: dump, store: shop, "
        "path: '/srv/backup/shop-db*.sql.gz'}}}\n",
        encoding="utf-8",
    )
    return ("-i", str(file), "--ban-from", spare)


@pytest.mark.parametrize(("kind", "probe", "later"), CHOSEN)
def test_an_interruption_leaves_nothing(
    hosts: Fleet, settings: tuple[str, ...], tmp_path: Path, kind: str, probe: str, later: float
) -> None:
    accidents.slowly(hosts, {"window": 60, "reboot": 7}.get(kind, 6))
    accidents.have_address(hosts, settings[-1])
    before = accidents.quiet(hosts)
    more = list(settings)
    middle = probe
    if probe == "malware_file":
        watched = tmp_path / "watched.yml"
        watched.write_text("all: {vars: {hostpledge_malware_folder: /srv/files}}\n")
        more += ["-i", str(watched)]
        probe = "malware_stream"
    if kind == "window":
        # the act that is begun goes on to its end, and another one does not begin
        more += ["--window", accidents.window_of_this_minute(), "--probe", "time"]
        more += ["--probe", "integrity"] if probe in ("restore", "failed_login") else []
    home, out = tmp_path / "home", tmp_path / "out"
    command = accidents.begun(hosts, home, out, probe, *more)
    try:
        assert accidents.in_the_middle(hosts, middle), out.with_suffix(".said").read_text()
        time.sleep(later)
        accidents.happens(hosts, home, kind, command)
        command.wait(timeout=300)
    finally:
        accidents.over(hosts, kind)
    # what takes a ban back is a timer of systemd, should all else be gone
    seconds = 200 if probe == "ban" and kind in (*ENDS, "network") else 40
    differs = accidents.settled(hosts, before, seconds, booted=kind == "reboot")
    said = out.with_suffix(".said").read_text(encoding="utf-8", errors="replace")
    assert differs == [], said
    assert "left on the host" not in said
    if kind not in ENDS:
        assert [line for line in said.splitlines() if line.startswith(f"{HOST} {probe} ")], said
        assert command.returncode in (0, 1), said
    # a burst may have come to its end before the window's; of it alone what is left is asked
    if kind == "window" and probe != "ban":
        assert "the time window was over" in said, said
    if probe == "ban":
        banned = hosts.execute(HOST, "fail2ban-client", "banned", settings[-1]).stdout
        assert banned.strip() in (b"[]", b"[[]]"), banned


@pytest.mark.parametrize("kind", ["command", "ssh"] if KILLS < 3 else ["command", "ssh", ENDS[1]])
def test_a_reading_ends_with_its_login(
    hosts: Fleet, settings: tuple[str, ...], tmp_path: Path, kind: str
) -> None:
    """A read that takes half a minute, and nobody who waits for it any more."""
    accidents.slowly(hosts, 0)
    accidents.quiet(hosts)
    slow = '#!/bin/sh\nsleep 31\nexec /usr/bin/dpkg-query.real "$@"\n'
    where = "/usr/bin/dpkg-query"
    replaced = f"mv {where} {where}.real; cat >{where}; chmod 755 {where}"
    hosts.execute(HOST, "sh", "-c", replaced, data=slow.encode())
    home = tmp_path / "home"
    command = accidents.begun(hosts, home, tmp_path / "out", "integrity", *settings)
    try:
        end = time.monotonic() + 60
        while not _reads(hosts) and time.monotonic() < end:
            time.sleep(0.2)
        accidents.happens(hosts, home, kind, command)
        end = time.monotonic() + 10
        while _reads(hosts) and time.monotonic() < end:
            time.sleep(0.5)
        assert not _reads(hosts)
        command.wait(timeout=90)
    finally:
        hosts.execute(HOST, "mv", f"{where}.real", where)


def _reads(hosts: Fleet) -> bytes:
    return hosts.execute(HOST, "sh", "-c", "pgrep -f 'sleep [3]1'").stdout
