"""The collector script on real hosts: as root and as an ordinary user, past SSH and through it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import pytest

from collector import catalog
from collector.model import Capture, HostStatus, ReadStatus
from collector.script import collector_script, parse_output
from tests.fleet import Fleet

pytestmark = pytest.mark.fleet

READS = catalog.all_reads()
SCRIPT = collector_script(READS.values())
HOSTS = ("good", "bare", "nopython", "busybox")
WAYS: dict[str, Callable[[Fleet, str], list[str]]] = {
    "exec": lambda fleet, host: fleet.execute_argv(host, "sh"),
    "ssh": lambda fleet, host: [*fleet.ssh(host), "sh -s"],
    "plain": lambda fleet, host: [*fleet.ssh(host, "plain"), "sh -s"],
}
# What goes on without us: records of logins and jobs, and what systemd makes for its own services
# as D-Bus starts them (timedated) and they end. What stays in /tmp would have a line of its own.
MOVING = (
    "/var/log/", "/var/lib/systemd/", "/var/lib/logrotate", "/tmp ", "/var/tmp ",
    "/tmp/systemd-private-", "/var/tmp/systemd-private-",
)  # fmt: skip
LISTING = """find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /dev \\) -prune \
-o -exec stat -c '%n %s %a %u %g %Y %Z' {} +"""


def collect(fleet: Fleet, host: str, way: str) -> tuple[Capture, bytes]:
    from tests.fleet.machine import environment

    done = subprocess.run(
        WAYS[way](fleet, host),
        input=SCRIPT.encode(),
        capture_output=True,
        env=environment(),
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return parse_output(done.stdout, host=host), done.stderr


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("host", HOSTS)
def test_a_whole_capture_comes_back(fleet: Fleet, host: str, way: str) -> None:
    capture, err = collect(fleet, host, way)
    assert err == b""
    assert capture.status is HostStatus.COMPLETE
    assert set(capture.reads) == set(READS)
    bad = (ReadStatus.LOST, ReadStatus.TIMEOUT)
    assert [r.id for r in capture.reads.values() if r.status in bad] == []
    assert capture.head["hostname"] == host
    assert capture.root == (way != "plain")
    assert bool(capture.head["session"]) == (way != "exec")
    shadow = capture.read("accounts.shadow").present()
    if way == "plain":
        assert [f.status for f in shadow] == [ReadStatus.REFUSED]
        privileged = {id for id, read in READS.items() if read.privileged}
        told = {capture.read(id).status for id in privileged}
        assert told <= {ReadStatus.REFUSED, ReadStatus.MISSING}
        assert ReadStatus.REFUSED in told
    else:
        assert [f.status for f in shadow] == [ReadStatus.OK]
        refused = [r.id for r in capture.reads.values() if r.status is ReadStatus.REFUSED]
        assert refused == []


@pytest.mark.parametrize("host", HOSTS)
def test_what_is_not_there_is_told_from_what_is_refused(fleet: Fleet, host: str) -> None:
    capture, _ = collect(fleet, host, "plain")
    inventory = capture.read("inventory.document")
    if host == "good":
        assert inventory.one() is not None
    else:
        assert inventory.absent
    systemctl = {r.status for r in capture.reads.values() if READS[r.id].argv[:1] == ("systemctl",)}
    assert (ReadStatus.MISSING in systemctl) == (host == "busybox" and bool(systemctl))


@pytest.mark.parametrize("host", HOSTS)
def test_nothing_is_written_and_nothing_stays(fleet: Fleet, host: str) -> None:
    """Where the host's own timers fired meanwhile (midnight), it is looked at once more."""
    timers = "systemctl show '*.timer' -p Id,LastTriggerUSec"
    for _ in range(3):
        fired = fleet.execute(host, "sh", "-c", timers).stdout
        before = fleet.execute(host, "sh", "-c", LISTING).stdout
        collect(fleet, host, "exec")
        after = fleet.execute(host, "sh", "-c", LISTING).stdout
        if fleet.execute(host, "sh", "-c", timers).stdout == fired:
            break
    assert before.count(b"\n") > 50
    changed = set(before.splitlines()) ^ set(after.splitlines())
    assert sorted(line for line in changed if not line.decode().startswith(MOVING)) == []
    time.sleep(1.5)
    left = fleet.execute(host, "sh", "-c", "grep -l HP_MARK= /proc/[0-9]*/environ")
    assert left.stdout == b""
    zombies = fleet.execute(host, "sh", "-c", "grep -l '^State:.Z' /proc/[0-9]*/status")
    assert zombies.stdout == b""


def test_a_host_that_hangs_or_floods_gives_no_capture(fleet: Fleet) -> None:
    for host in ("hangs", "floods"):
        process = subprocess.Popen(
            [*fleet.ssh(host), "sh -s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(SCRIPT.encode()[:4096])
            process.stdin.flush()
            if host == "floods":
                assert b"hostpledge-capture" not in process.stdout.read(100_000)
            else:
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(timeout=2)
        finally:
            process.kill()
            process.communicate()


def test_a_host_with_another_key_is_refused(fleet: Fleet) -> None:
    done = subprocess.run([*fleet.ssh("wrongkey"), "id"], capture_output=True, check=False)
    assert done.returncode == 255
    assert b"IDENTIFICATION HAS CHANGED" in done.stderr
