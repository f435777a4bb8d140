"""What happens to `hostpledge probe` in the middle, and what is on the host before and after it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from tests import probe_hosts as made
from tests.fleet import Fleet
from tests.fleet.machine import inside, podman

HOST = "effective"
# each takes so long that there is a middle; of a login within the last hour nothing is told, so
# that one can be made again
_SLOW = """
cd /usr/local/sbin
for program in aide clamdscan gzip; do
  printf '#!/bin/sh\\nsleep %s\\nexec /usr/bin/%s "$@"\\n' @SECONDS@ "$program" >"$program"
done
cat >journalctl <<'J'
#!/bin/sh
case "$*" in
  *--since=-60min*) exit 0 ;;
  *--since=-10min*) sleep @SECONDS@ ;;
esac
exec /usr/bin/journalctl "$@"
J
chmod 755 aide clamdscan gzip journalctl
# from one test to the next the failed logins of this machine's own address are not added up
fail2ban-client set sshd addignoreip "$(ip route | awk '/^default/ { print $3 }')"
fail2ban-client unban --all
"""
_NOT_SLOW = "cd /usr/local/sbin && rm -f aide clamdscan gzip journalctl"
_BOOTED = ("/run/", "/etc/tmpfiles.d 1")
# by what it is seen on the host that a probe is in the middle of its act
_MIDDLE = {
    "integrity": "ls /etc/tmpfiles.d/hostpledge-*",
    "restore": "ls /run/hostpledge-probe/room/pg/postmaster.pid",
    "malware_stream": "ls /run/hostpledge-probe/out",
    "malware_file": "ls /srv/files/hostpledge-probe-*/2.com",
    "failed_login": "ls /run/hostpledge-probe/pid",
    "ban": "systemctl list-units --no-legend 'hostpledge-probe-unban-*.timer' | grep hostpledge",
}
UP = """
n=0
until fail2ban-client ping >/dev/null 2>&1 && [ -S /run/clamav/clamd.ctl ] || [ "$n" -ge 100 ]; do
  n=$((n + 1)); sleep 0.3
done
"""


@contextlib.contextmanager
def spare_address(hosts: Fleet) -> Iterator[str]:
    """An address of this machine that nobody uses: of the networks for tests (RFC 2544).

    One of the hosts' own network may be given to a container at any time.
    """
    address = f"198.18.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}"
    device = have_address(hosts, address)
    try:
        yield address
    finally:
        subprocess.run(["ip", "addr", "del", f"{address}/32", "dev", device], check=False)


def have_address(hosts: Fleet, address: str) -> str:
    """The device that has it: with the last container of a network its bridge goes, and comes."""
    near = hosts.hosts[HOST].address
    words = subprocess.check_output(["ip", "-o", "route", "get", near], text=True).split()
    device = words[words.index("dev") + 1]
    subprocess.run(["ip", "addr", "replace", f"{address}/32", "dev", device], check=True)
    return device


def tree(hosts: Fleet) -> list[str]:
    done = hosts.execute(HOST, "sh", data=made.TREES.encode())
    return sorted(set(done.stdout.decode("utf-8", "replace").splitlines()))


def quiet(hosts: Fleet, seconds: float = 30) -> list[str]:
    """The host's tree once nothing of an earlier test's run is still ending in it."""
    end = time.monotonic() + seconds
    before = tree(hosts)
    while (now := tree(hosts)) != before and time.monotonic() < end:
        before = now
        time.sleep(1)
    return before


def settled(hosts: Fleet, before: Iterable[str], seconds: float, *, booted: bool) -> list[str]:
    """What differs, once nothing of ours is at work any more; of /run only ours after a start."""
    end = time.monotonic() + seconds
    known = set(before)
    while True:
        differs = sorted(set(tree(hosts)) ^ known)
        if booted:
            # the start takes the file away, and nobody then knows the folder's time before it
            differs = [x for x in differs if not x.startswith(_BOOTED) or "hostpledge" in x]
        if not differs or time.monotonic() > end:
            return differs
        time.sleep(1)


def slowly(hosts: Fleet, seconds: int) -> None:
    script = _SLOW.replace("@SECONDS@", str(seconds)) if seconds else _NOT_SLOW
    # mount(8), by which the disk gets full, makes this one: a start of the host takes it away
    hosts.execute(HOST, "sh", data=f"mkdir -p /run/mount\n{script}".encode())


def begun(hosts: Fleet, home: Path, out: Path, probe: str, *more: str) -> subprocess.Popen[bytes]:
    """The command at work; what it says goes to a file beside its folder."""
    words = ["probe", "-i", str(hosts.inventory), "-o", str(out), "--yes", "-l", HOST]
    words += ["--probe", probe, "--lang", "en", *more]
    with out.with_suffix(".said").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "collector", *words],
            env={**os.environ, "HOSTPLEDGE_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def in_the_middle(hosts: Fleet, probe: str, seconds: float = 90) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if hosts.execute(HOST, "sh", "-c", f"{_MIDDLE[probe]} 2>/dev/null").stdout:
            return True
        time.sleep(0.2)
    return False


def window_of_this_minute(least: float = 50) -> str:
    """A window that ends with the minute, which has so many seconds left."""
    while 60 - datetime.now().astimezone().second < least:
        time.sleep(1)
    now = datetime.now().astimezone()
    return f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(minutes=1):%H:%M}"


def _processes(home: Path) -> list[tuple[int, bytes]]:
    """What the command started, and itself: they have its home in their environment."""
    mark = f"HOSTPLEDGE_HOME={home}\0".encode()
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                found.append((int(entry.name), (entry / "cmdline").read_bytes()))
    return found


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _within(hosts: Fleet, script: str) -> None:
    """In the host's mounts, with what this machine may and the host may not."""
    pid = podman("inspect", "--format={{.State.Pid}}", hosts.hosts[HOST].container).stdout
    words = inside("nsenter", f"--target={pid.decode().strip()}", "--mount", "--", "sh", "-c")
    subprocess.run([*words, script], check=True, capture_output=True)


def happens(hosts: Fleet, home: Path, kind: str, command: subprocess.Popen[bytes]) -> None:
    if kind == "command":
        command.kill()
        command.wait()
    elif kind == "everything":
        _kill(pid for pid, _ in _processes(home))
        command.wait()
    elif kind == "ssh":
        _kill(pid for pid, words in _processes(home) if words.startswith(b"ssh\0"))
    elif kind == "script":
        pids = "cat /run/hostpledge-probe/pid 2>/dev/null; pgrep -f 'sh -s$'"
        hosts.execute(HOST, "sh", "-c", f"kill -9 $({pids})")
    elif kind == "reboot":
        # as a power cut: nothing is told to end
        podman("kill", "--signal=KILL", hosts.hosts[HOST].container)
        podman("start", hosts.hosts[HOST].container)
        # it may get another address, which a host does not
        near = f"{hosts.hosts[HOST].address}/24"
        hosts.execute(HOST, "ip", "addr", "replace", near, "dev", "eth0")
    elif kind == "full":
        _within(hosts, "mount -o remount,size=$(df -Pk /run | awk 'NR==2{print $3+4}')k /run")
    elif kind == "network":
        # with the link goes the way to other networks, which a real host gets back as it comes up
        way = hosts.execute(HOST, "ip", "route", "show", "default").stdout.decode().split()
        hosts.execute(HOST, "ip", "link", "set", "eth0", "down")
        time.sleep(27)
        hosts.execute(HOST, "ip", "link", "set", "eth0", "up")
        hosts.execute(HOST, "ip", "route", "replace", *way)


def over(hosts: Fleet, kind: str) -> None:
    """The accident itself is no more."""
    if kind == "full":
        _within(hosts, "mount -o remount,size=50% /run")
    if kind == "reboot":
        hosts.execute(HOST, "sh", data=UP.encode())
