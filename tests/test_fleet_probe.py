"""`hostpledge probe` at real hosts: one where controls work, one where they only look set up.

HOSTPLEDGE_PROBE_KILLS=50 tries as many moments of a kill.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import probe_hosts as made
from tests.fleet import Fleet
from tests.fleet.machine import inside, podman, why_not
from tests.probe_accidents import spare_address
from tests.run.conftest import Ran, hostpledge

pytestmark = pytest.mark.fleet

HOSTS = ("effective", "hollow", "logstore")
# the clock of a container is the machine's own: of a clock that is wrong only recordings tell
BOTH = (
    "log_arrival", "failed_login", "malware_stream", "restore", "outside_ports", "integrity", "ban",
)  # fmt: skip
RAISED = {
    "log_arrival": "logging.logins",
    "failed_login": "logging.logins",
    "malware_stream": "antivirus.running",
    "integrity": "intrusion.file_integrity",
}
# the long form: more moments, and accidents that take a minute each
KILLS = int(os.environ.get("HOSTPLEDGE_PROBE_KILLS", "2"))

_LONG = pytest.mark.skipif(KILLS < 3, reason="the long form: HOSTPLEDGE_PROBE_KILLS=50")


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    folder = tmp_path_factory.mktemp("probe")
    with Fleet(HOSTS, folder=folder, prefix=f"probe-{os.getpid()}") as running:
        _set_up(running)
        yield running


def _set_up(hosts: Fleet) -> None:
    store = hosts.hosts["logstore"].address
    forward = made.FORWARDING.replace("@STORE@", store)
    watched = made.AIDE.replace("@LEFT_OUT@", "")
    unwatched = made.AIDE.replace("@LEFT_OUT@", "!/etc/tmpfiles.d")
    jail = made.FAIL2BAN.replace("@WHERE@", "backend = systemd")
    dead = made.FAIL2BAN.replace("@WHERE@", "backend = polling\nlogpath = /var/log/other.log")
    good = (
        made.CLAMD, forward.replace("@PORT@", "514").replace("@HOW@", "tcp"), made.RULES, jail,
        made.RESTIC, made.DUMP, watched,
    )  # fmt: skip
    bad = (
        made.BLIND, made.CLAMD, forward.replace("@PORT@", "515").replace("@HOW@", "udp"),
        made.RULES, dead, made.RESTIC, made.ROTTEN, made.DUMP, made.CUT_OFF, unwatched,
    )  # fmt: skip
    for name, texts in (("logstore", (made.TAKING,)), ("effective", good), ("hollow", bad)):
        done = hosts.execute(name, "sh", "-e", data="".join(texts).encode(), seconds=180)
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        # what PAM makes of the first login of all (/run/motd.dynamic) is none of ours
        subprocess.run([*hosts.ssh(name), "true"], check=True, capture_output=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def spare(hosts: Fleet) -> Iterator[str]:
    with spare_address(hosts) as address:
        yield address


def _words(hosts: Fleet, out: Path, names: tuple[str, ...], *more: str) -> list[str]:
    chosen = [word for name in names for word in ("--probe", name)]
    return ["probe", "-i", str(hosts.inventory), "-o", str(out), "--yes", *chosen, *more]


def _probe(hosts: Fleet, home: Path, out: Path, names: tuple[str, ...], *more: str) -> Ran:
    words = [*_words(hosts, out, names, *more), "--format", "json"]
    return hostpledge(*words, timeout=400, HOSTPLEDGE_HOME=str(home))


@pytest.fixture(scope="module")
def probed(
    hosts: Fleet, home: Path, spare: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Ran, Path]:
    """All of them at both hosts, in one command; and what it says."""
    out = tmp_path_factory.mktemp("probed") / "out"
    store = ",".join(f"/var/log/remote/{name}.log" for name in ("effective", "hollow"))
    settings = hosts.folder / "restore.yml"
    settings.write_text(
        "all: {vars: {hostpledge_restore: {tool: restic, store: shop, path: /srv/shop, "
        "repository: /srv/backup/shop, password_file: /etc/backup/password}}}\n",
        encoding="utf-8",
    )
    # rules that are gone a moment after they were looked at
    loses = threading.Thread(target=_loses_rules, args=(hosts, out), daemon=True)
    loses.start()
    done = _probe(
        hosts, home, out, (*BOTH, "time"), "-i", str(settings), "-l", "effective,hollow",
        "--log-store", f"ssh:logstore:{store}", "--log-seconds", "6", "--ban-from", spare,
        "--second-node", "logstore",
    )  # fmt: skip
    loses.join(10)
    return done, out


def _loses_rules(hosts: Fleet, out: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and not (out / "captures" / "hollow.capture.gz").exists():
        time.sleep(0.1)
    hosts.execute("hollow", "nft", "flush", "ruleset")


def _told(probed: tuple[Ran, Path]) -> dict[str, Any]:
    assert probed[0].status == 1, probed[0].err[-3000:]
    found: dict[str, Any] = json.loads(probed[0].out)["probes"]
    return found


def _findings(out: Path, host: str) -> dict[str, dict[str, Any]]:
    evidence = json.loads((out / "bundle" / "data" / "evidence.json").read_text())
    return {f["control"]: f for f in evidence["hosts"][host]["findings"]}


@pytest.mark.parametrize("name", (*BOTH, "time"))
def test_what_works_is_tested(probed: tuple[Ran, Path], name: str) -> None:
    found = _told(probed)["effective"][name]
    assert (found["good"], found["left"]) == (True, []), found
    assert found["outcome"] in ("blocked", "alerted", "logged")


def test_the_second_node_asked_too(probed: tuple[Ran, Path]) -> None:
    found = {host: _told(probed)[host]["outside_ports"]["why"] for host in ("effective", "hollow")}
    assert "from logstore" in found["effective"], found
    assert "6379" in found["hollow"], found


@pytest.mark.parametrize("name", BOTH)
def test_what_only_looks_set_up_is_caught(probed: tuple[Ran, Path], name: str) -> None:
    found = _told(probed)["hollow"][name]
    # its sshd does log; that the record goes no further is what is caught
    assert (found["good"], found["left"]) == (name == "failed_login", []), found


def test_findings_say_tested_or_fail(probed: tuple[Ran, Path]) -> None:
    good, bad = (_findings(probed[1], host) for host in ("effective", "hollow"))
    for control in ("intrusion.lockout", "firewall.exposed_ports", "antivirus.running"):
        assert bad[control]["verdict"] == "fail", bad[control]
        assert bad[control]["method"] == "tested", bad[control]
    for control in set(RAISED.values()):
        assert "tested on" in good[control]["message"]["en"], good[control]
        if good[control]["verdict"] in ("pass", "partial"):
            assert good[control]["method"] == "tested", good[control]
    assert bad["intrusion.file_integrity"]["verdict"] == "fail"


def test_the_bundle_verifies_and_comes_out_the_same_again(
    probed: tuple[Ran, Path], home: Path
) -> None:
    bundle, said = str(probed[1] / "bundle"), str(home)
    keys = str(next(home.rglob("trust*.json")))
    done = hostpledge("verify", bundle, "--trust", keys, HOSTPLEDGE_HOME=said)
    assert done.status == 0, done.err
    again = hostpledge("replay", bundle, "--lang", "en", HOSTPLEDGE_HOME=said)
    assert again.status == 0 and "the same" in again.out + again.err


def test_a_dump_is_loaded_and_one_that_is_cut_off_is_caught(
    hosts: Fleet, home: Path, tmp_path: Path
) -> None:
    settings = hosts.folder / "dump.yml"
    settings.write_text(
        "all: {vars: {hostpledge_restore: {tool: dump, store: shop, "
        "path: '/srv/backup/shop-db*.sql.gz'}}}\n",
        encoding="utf-8",
    )
    more = ("-i", str(settings), "-l", "effective,hollow")
    found = json.loads(_probe(hosts, home, tmp_path / "out", ("restore",), *more).out)["probes"]
    assert found["effective"]["restore"]["good"] is True, found
    assert found["hollow"]["restore"]["good"] is False, found


@pytest.fixture
def watching(hosts: Fleet) -> Iterator[str]:
    """A real clamonacc on both: it needs more than a container may, so it comes in from outside."""
    begun = []
    for name in ("effective", "hollow"):
        done = hosts.execute(name, "sh", "-e", data=made.WATCHING.encode(), seconds=60)
        assert done.returncode == 0, done
        pid = podman("inspect", "-f", "{{.State.Pid}}", hosts.hosts[name].container).stdout
        words = ["nsenter", "-t", pid.decode().strip(), "-m", "-p", "-u", "-i"]
        words += ["clamonacc", "-F", "--config-file=/etc/clamav/clamd.conf"]
        begun.append(subprocess.Popen(
            inside(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ))  # fmt: skip
    for daemon in begun:
        assert daemon.stdout is not None
        assert b"watching '/srv/files'" in daemon.stdout.readline()
    settings = hosts.folder / "watched.yml"
    settings.write_text("all: {vars: {hostpledge_malware_folder: /srv/files}}\n", encoding="utf-8")
    try:
        yield str(settings)
    finally:
        for name in ("effective", "hollow"):
            hosts.execute(
                name, "sh", "-c", "pkill clamonacc; sed -i /OnAccess/d /etc/clamav/clamd.conf"
            )
        for daemon in begun:
            daemon.wait(20)


def test_a_file_is_stopped_as_it_is_opened_or_that_is_caught(
    hosts: Fleet, home: Path, watching: str, tmp_path: Path
) -> None:
    """Both watch and would refuse; what the second one's signatures know is nothing."""
    before = {name: _tree(hosts, name) for name in ("effective", "hollow")}
    more = ("-i", watching, "-l", "effective,hollow")
    ran = _probe(hosts, home, tmp_path / "out", ("malware_stream",), *more)
    found = {h: x["malware_stream"] for h, x in json.loads(ran.out)["probes"].items()}
    good, bad = found["effective"], found["hollow"]
    assert (good["good"], good["outcome"], good["left"]) == (True, "blocked", []), found
    assert "antivirus.realtime" in good["holds"], found
    assert (bad["good"], bad["left"]) == (False, []), found
    assert "antivirus.realtime" in bad["broken"], found
    for name, tree in before.items():
        assert sorted(set(_tree(hosts, name)) ^ set(tree)) == []


def test_a_clamd_of_a_user_and_a_mount_of_its_own(hosts: Fleet, home: Path, tmp_path: Path) -> None:
    """The first is none of the host's; of the second a restart might leave something."""
    done = hosts.execute("effective", "sh", "-e", data=made.OF_A_USER.encode(), seconds=60)
    assert done.returncode == 0, done
    try:
        ran = _probe(hosts, home, tmp_path / "one", ("malware_stream",), "-l", "effective")
        found = json.loads(ran.out)["probes"]["effective"]["malware_stream"]
        assert found["good"] is True, found
    finally:
        hosts.execute("effective", "sh", "-c", "pkill -u plain; userdel -r plain")
    settings = hosts.folder / "mount.yml"
    settings.write_text("all: {vars: {hostpledge_malware_folder: /sys/kernel}}\n", encoding="utf-8")
    more = ("-i", str(settings), "-l", "effective")
    ran = _probe(hosts, home, tmp_path / "two", ("malware_stream",), *more)
    found = json.loads(ran.out)["probes"]["effective"]["malware_stream"]
    assert (found["good"], found["left"]) == (None, []), found
    assert "file system of its own" in found["why"], found


def test_what_answers_in_the_place_of_this_hosts_clamd_is_not_asked(
    hosts: Fleet, home: Path, tmp_path: Path
) -> None:
    """What clamdscan is set up to ask finds everything; the clamd that runs here knows nothing."""
    done = hosts.execute("hollow", "sh", "-e", data=made.ANSWERS_FOR_IT.encode(), seconds=60)
    assert b"FOUND" in done.stdout, done
    ran = _probe(hosts, home, tmp_path / "out", ("malware_stream",), "-l", "hollow")
    found = json.loads(ran.out)["probes"]["hollow"]["malware_stream"]
    assert found["good"] is False, found


def test_a_ban_by_sshd_itself_is_one_and_is_taken_back(
    hosts: Fleet, home: Path, spare: str, tmp_path: Path
) -> None:
    """The packet filter lets the address in; what is counted late bans it once more."""
    jail = made.FAIL2BAN.replace("@WHERE@", "backend = systemd").replace(
        "nftables-multiport", "hostsdeny"
    )
    text = jail.replace("maxretry = 4", "maxretry = 3").replace("bantime = 900", "bantime = -1")
    # failures of the tests before are none of this one
    text = f"journalctl -q --rotate; journalctl -q --vacuum-time=1s\n{text}"
    hosts.execute("hollow", "sh", "-e", data=text.encode(), seconds=60)
    more = ("-l", "hollow", "--ban-from", spare)
    found = json.loads(_probe(hosts, home, tmp_path / "out", ("ban",), *more).out)["probes"]
    assert (found["hollow"]["ban"]["good"], found["hollow"]["ban"]["left"]) == (True, []), found
    asked = "fail2ban-client status sshd; cat /etc/hosts.deny; systemctl list-units 'hostpledge*'"
    # a ban that is only on its way comes within these seconds
    time.sleep(5)
    assert spare not in hosts.execute("hollow", "sh", "-c", asked).stdout.decode()


# --- accidents -----------------------------------------------------------------------------------


def _tree(hosts: Fleet, name: str = "effective") -> list[str]:
    done = hosts.execute(name, "sh", data=made.TREES.encode())
    return sorted(set(done.stdout.decode("utf-8", "replace").splitlines()))


def _quiet(hosts: Fleet, seconds: float = 30) -> list[str]:
    """The host's tree once nothing of an earlier test's run is still ending in it."""
    end = time.monotonic() + seconds
    before = _tree(hosts)
    while (now := _tree(hosts)) != before and time.monotonic() < end:
        before = now
        time.sleep(1)
    return before


def _settled(hosts: Fleet, before: list[str], seconds: float) -> list[str]:
    """What differs, once nothing of ours is at work any more."""
    end = time.monotonic() + seconds
    while (differs := sorted(set(_tree(hosts)) ^ set(before))) and time.monotonic() < end:
        time.sleep(1)
    return differs


def _slowly(hosts: Fleet, seconds: int) -> None:
    """AIDE takes its time, so that there is a middle to be interrupted in."""
    text = f'#!/bin/sh\nsleep {seconds}\nexec /usr/bin/aide "$@"\n'
    script = f"cat >/usr/local/sbin/aide <<'T'\n{text}T\nchmod 755 /usr/local/sbin/aide"
    hosts.execute("effective", "sh", data=script.encode())


@pytest.fixture
def slow(hosts: Fleet) -> Iterator[list[str]]:
    """The tree of the host before; a comparison takes five seconds."""
    _slowly(hosts, 5)
    try:
        yield _quiet(hosts)
    finally:
        hosts.execute("effective", "rm", "-f", "/usr/local/sbin/aide")


def _begun(hosts: Fleet, home: Path, out: Path) -> subprocess.Popen[bytes]:
    words = _words(hosts, out, ("integrity",), "-l", "effective", "--lang", "en")
    return subprocess.Popen(
        [sys.executable, "-m", "collector", *words],
        env={**os.environ, "HOSTPLEDGE_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _planted(hosts: Fleet, seconds: float = 90) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done = hosts.execute("effective", "sh", "-c", "ls /etc/tmpfiles.d/hostpledge-* 2>/dev/null")
        if done.stdout:
            return True
        time.sleep(0.2)
    return False


@pytest.mark.parametrize("moment", range(KILLS))
def test_a_killed_command_leaves_nothing(
    hosts: Fleet, home: Path, slow: list[str], tmp_path: Path, moment: int
) -> None:
    """With everything that it started, at moments from before the act to after it."""
    command = _begun(hosts, home, tmp_path / "out")
    if moment % 2 == 0:
        assert _planted(hosts)
    time.sleep(7.0 * moment / max(KILLS, 1) if moment % 2 else 3.0 * moment / max(KILLS, 1))
    with contextlib.suppress(ProcessLookupError):
        os.killpg(command.pid, signal.SIGKILL)
    command.wait()
    assert _settled(hosts, slow, 30) == []
    if moment == 0:
        again = _probe(hosts, home, tmp_path / "out", ("integrity",), "-l", "effective")
        assert again.status == 0, again.err[-2000:]
        assert _settled(hosts, slow, 5) == []


@_LONG
def test_an_act_that_is_killed_on_the_host_goes_with_the_next(
    hosts: Fleet, home: Path, slow: list[str], tmp_path: Path
) -> None:
    command = _begun(hosts, home, tmp_path / "out")
    assert _planted(hosts)
    hosts.execute("effective", "sh", "-c", "kill -9 $(cat /run/hostpledge-probe/pid)")
    said = command.communicate(timeout=120)[0].decode()
    assert command.returncode == 1 and "the connection was lost in the middle" in said, said
    # looked for once more over a new connection, and taken away
    assert _settled(hosts, slow, 10) == []


def test_a_second_probe_is_told_so(hosts: Fleet, home: Path, tmp_path: Path) -> None:
    """The first is at work, as far as its lock tells: the process that took it is there."""
    before = _quiet(hosts)
    held = (
        "mkdir -m 700 /run/hostpledge-probe && cd /run/hostpledge-probe; "
        "setsid sleep 600 >/dev/null 2>&1 </dev/null & echo $! >/run/hostpledge-probe/pid; "
        "sleep 1; sed 's/.*) //' /proc/$!/stat | cut -d ' ' -f 20 >/run/hostpledge-probe/born"
    )
    hosts.execute("effective", "sh", "-c", held)
    words = ("-l", "effective", "--lang", "en")
    try:
        busy = _probe(hosts, home, tmp_path / "out", ("integrity",), *words)
    finally:
        hosts.execute("effective", "sh", "-c", "kill $(cat /run/hostpledge-probe/pid)")
    found = json.loads(busy.out)["probes"]["effective"]["integrity"]
    assert busy.status == 1
    assert found["good"] is None and "another probe is at work" in found["why"]
    hosts.execute("effective", "rm", "-r", "/run/hostpledge-probe")
    assert _settled(hosts, before, 30) == []


@_LONG
def test_a_network_that_goes_away_leaves_nothing(
    hosts: Fleet, home: Path, slow: list[str], tmp_path: Path
) -> None:
    command = _begun(hosts, home, tmp_path / "out")
    assert _planted(hosts)
    hosts.execute("effective", "ip", "link", "set", "eth0", "down")
    time.sleep(28)
    hosts.execute("effective", "ip", "link", "set", "eth0", "up")
    said = command.communicate(timeout=150)[0].decode()
    assert command.returncode == 1 and "the connection was lost in the middle" in said, said
    assert "left on the host" not in said
    assert _settled(hosts, slow, 10) == []


def test_a_stop_on_the_host(hosts: Fleet, home: Path, tmp_path: Path) -> None:
    name = "hollow"
    hosts.execute(name, "sh", "-c", "mkdir -p /etc/hostpledge; touch /etc/hostpledge/probe.stop")
    names = ("integrity", "outside_ports")
    stopped = _probe(hosts, home, tmp_path / "out", names, "-l", name, "--lang", "en")
    hosts.execute(name, "sh", "-c", "rm -r /etc/hostpledge")
    found = json.loads(stopped.out)["probes"][name]
    assert stopped.status == 1
    for probe in names:
        assert "probes are stopped" in found[probe]["why"], found


def test_a_full_disk_and_a_second_login_within_the_hour(
    hosts: Fleet, home: Path, probed: tuple[Ran, Path], tmp_path: Path
) -> None:
    """What bans addresses counts two logins together, and would lock the control node out."""
    assert _told(probed)["effective"]["failed_login"]["good"] is True
    name = "effective"
    pid = podman("inspect", "--format={{.State.Pid}}", hosts.hosts[name].container).stdout
    full = (
        "mount -t tmpfs -o size=4k tmpfs /etc/tmpfiles.d; "
        "cat /dev/zero >/etc/tmpfiles.d/full 2>/dev/null || :"
    )
    within = inside("nsenter", f"--target={pid.decode().strip()}", "--mount", "--", "sh", "-c")
    subprocess.run([*within, full], check=True, capture_output=True)
    before = _quiet(hosts)
    try:
        names = ("integrity", "failed_login")
        ended = _probe(hosts, home, tmp_path / "out", names, "-l", name, "--lang", "en")
        differs = _settled(hosts, before, 10)
    finally:
        subprocess.run([*within, "umount /etc/tmpfiles.d"], check=True, capture_output=True)
    found = json.loads(ended.out)["probes"][name]
    assert ended.status == 1 and differs == []
    assert found["integrity"]["good"] is None and "no room" in found["integrity"]["why"]
    assert found["failed_login"]["good"] is None
    assert "less than an hour ago" in found["failed_login"]["why"]
    banned = hosts.execute(name, "fail2ban-client", "banned").stdout.decode()
    assert "10." not in banned, banned


def test_a_restart_in_the_middle_leaves_nothing(
    hosts: Fleet, home: Path, slow: list[str], tmp_path: Path
) -> None:
    command = _begun(hosts, home, tmp_path / "out")
    assert _planted(hosts)
    # as a power cut: nothing is told to end
    podman("kill", "--signal=KILL", hosts.hosts["effective"].container)
    podman("start", hosts.hosts["effective"].container)
    # it may get another address, which a host does not: the command waits until it is back
    near = f"{hosts.hosts['effective'].address}/24"
    hosts.execute("effective", "ip", "addr", "replace", near, "dev", "eth0")
    command.communicate(timeout=240)
    assert command.returncode == 1
    found = hosts.execute("effective", "sh", "-c", "ls -d /etc/tmpfiles.d/host* /run/hostpl*")
    assert found.stdout == b""
