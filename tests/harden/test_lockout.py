"""Nobody is locked out: the host puts back by itself what no new connection confirmed."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from collector.run.harden.guard import undo_text
from tests.harden.conftest import Hosts

pytestmark = pytest.mark.fleet

SECONDS = 8
CUT = "/etc/nftables.d/cut.nft"
SSHD = "/etc/ssh/sshd_config.d/00-cut.conf"
# What is open already stays open: only a connection made anew shows that the path is cut.
RULES = (
    "table inet cut { chain input { type filter hook input priority -5; policy drop; "
    "ct state established,related accept; iif lo accept; }; }"
)
AFTER = {
    "firewall": "nft delete table inet cut 2>/dev/null; true",
    "intrusion": "systemctl reload ssh.service",
}


def _guard(family: str, state: str, path: str = "") -> dict[str, object]:
    armed = {"paths": [path], "after": [AFTER[family]], "seconds": SECONDS} if path else {}
    return {"hostpledge_guard": {"state": state, "family": family, **armed}}


def _changes() -> list[dict[str, object]]:
    """A firewall that cuts the path, and an sshd that refuses everybody, in numbered steps."""
    copied = {"mode": "0600"}
    steps: list[dict[str, object]] = [
        {"ansible.builtin.command": "mkdir -p /etc/nftables.d"},
        _guard("firewall", "armed", CUT),
        {"ansible.builtin.copy": {"dest": CUT, "content": RULES + "\n", **copied}},
        {"ansible.builtin.command": f"nft -f {CUT}"},
        _guard("intrusion", "armed", SSHD),
        {"ansible.builtin.copy": {"dest": SSHD, "content": "AllowUsers nobody\n", **copied}},
        {"ansible.builtin.command": "systemctl reload ssh.service"},
        {"ansible.builtin.command": "sleep 60"},
    ]
    return [{"name": f"Step {number}", **step} for number, step in enumerate(steps)]


@pytest.fixture(scope="module")
def guarded(hosts: Hosts) -> Hosts:
    for host in ("bare", "bare-12"):
        done = hosts.run(
            host,
            "sh",
            "-c",
            "command -v nft || { apt-get update -q && apt-get install -qy nftables; }",
        )
        assert hosts.run(host, "sh", "-c", "command -v nft"), done
    return hosts


def _is_as_before(hosts: Hosts, host: str) -> bool:
    left = hosts.run(host, "sh", "-c", f"ls {CUT} {SSHD} 2>/dev/null; nft list tables | grep cut")
    return not left and hosts.logs_in(host)


def _comes_back(hosts: Hosts, host: str, seconds: float) -> bool:
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        if _is_as_before(hosts, host):
            return True
        time.sleep(0.3)
    return False


def test_killed_at_ten_random_moments_the_host_answers_again(
    guarded: Hosts, tmp_path: Path
) -> None:
    """Two hosts at once, five times: ten hosts whose control side dies in the middle."""
    chance = random.Random(os.environ.get("SEED", "6"))
    hit = 0
    for turn, step in enumerate(chance.sample(range(1, 8), 5)):
        log = tmp_path / f"{turn}.log"
        argv = guarded.play_argv(_changes(), limit="all", roles=["safeguard"])
        with log.open("w") as stream:
            playing = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                env=guarded.environment, start_new_session=True,
            )  # fmt: skip
        _waits_for(log, f"TASK [Step {step}]")
        time.sleep(chance.uniform(0, 1))
        os.killpg(playing.pid, signal.SIGKILL)
        killed = time.monotonic()
        playing.wait()
        _no_masters(guarded)
        # what was half-way when the control side died may still do harm: look only after that
        time.sleep(0.5)
        cut = [host for host in ("bare", "bare-12") if not _is_as_before(guarded, host)]
        hit += len(cut)
        for host in ("bare", "bare-12"):
            assert _comes_back(guarded, host, SECONDS + 12), log.read_text()
        # a host that was armed and not changed yet answers at once, and is armed all the same
        time.sleep(max(0, killed + SECONDS + 3 - time.monotonic()))
    assert hit >= 3, "the kills came before or after everything that they should have met"
    told = guarded.play(roles=["safeguard"], limit="all")
    assert "an earlier run did not confirm its change in time; the host rolled it back" in (
        re.sub(r"\s+", " ", told.stdout + told.stderr)
    )


def _waits_for(log: Path, text: str) -> None:
    last = time.monotonic() + 120
    while text not in log.read_text():
        assert time.monotonic() < last, log.read_text()
        time.sleep(0.05)


def _no_masters(hosts: Hosts) -> None:
    """Shared connections are no children of Ansible and would outlive it."""
    folder = Path(hosts.environment["ANSIBLE_SSH_CONTROL_PATH_DIR"])
    for path in folder.glob("*") if folder.is_dir() else ():
        subprocess.run(
            ["ssh", "-O", "exit", "-S", str(path), "x"], check=False, capture_output=True
        )


def test_rules_that_cut_the_path_are_rolled_back_and_the_play_says_so(guarded: Hosts) -> None:
    tasks = [*_changes()[:4], _guard("firewall", "confirmed")]
    begun = time.monotonic()
    done = guarded.play(tasks, roles=["safeguard"])
    assert done.returncode == 2
    assert "no new connection could be made" in done.stdout
    assert "the host has rolled it back" in done.stdout
    assert time.monotonic() - begun < SECONDS + 60
    assert _is_as_before(guarded, "bare")


def test_what_fails_half_way_is_put_back_at_once(guarded: Hosts) -> None:
    block = [*_changes()[1:3], {"ansible.builtin.command": "false"}]
    tasks = [*_changes()[:1], {"block": block, "rescue": [_guard("firewall", "abandoned")]}]
    done = guarded.play(tasks, roles=["safeguard"])
    assert done.returncode == 2
    assert "what was changed before it is put back" in done.stdout
    assert _is_as_before(guarded, "bare")
    assert "firewall" not in guarded.run("bare", "ls", "/var/lib/hostpledge/undo/.armed")


def test_where_a_step_has_no_end_the_timer_puts_back(guarded: Hosts) -> None:
    hangs = {"ansible.builtin.command": "sleep 300", "timeout": 3}
    leave = {"ansible.builtin.meta": "end_host", "when": "safeguard_stuck"}
    rescue = [leave, _guard("firewall", "abandoned")]
    tasks = [*_changes()[:1], {"block": [*_changes()[1:3], hangs], "rescue": rescue}]
    done = guarded.play(tasks, roles=["safeguard"])
    assert done.returncode == 0, done.stdout
    assert "rescued=1" in done.stdout
    assert "is put back" not in done.stdout
    assert _comes_back(guarded, "bare", SECONDS + 12)
    assert "firewall.fired" in guarded.run("bare", "ls", "/var/lib/hostpledge/undo/.armed")
    guarded.run("bare", "sh", "-c", "rm -r /var/lib/hostpledge/undo/.armed/firewall.fired")


def test_a_second_run_does_not_step_into_the_first(guarded: Hosts) -> None:
    armed = {"state": "armed", "family": "firewall", "paths": [CUT], "seconds": 120}
    task: dict[str, object] = {"hostpledge_guard": armed}
    ignored = {**task, "ignore_errors": True}
    # another family is nobody's business
    other = [_guard("intrusion", "armed", SSHD), _guard("intrusion", "confirmed")]
    done = guarded.play([task, ignored, *other], roles=["safeguard"])
    assert done.returncode == 0, done.stdout
    assert "firewall: another run is changing this, and has" in done.stdout
    assert "ignored=1" in done.stdout
    armed_now = guarded.run("bare", "ls", "/var/lib/hostpledge/undo/.armed")
    assert armed_now.split() == ["firewall"]
    abandon = (
        'u=/var/lib/hostpledge/undo; sh $u/undo.sh --abandon firewall "$(cat $u/.armed/*/token)"'
    )
    guarded.run("bare", "sh", "-c", abandon)
    assert guarded.run("bare", "ls", "/var/lib/hostpledge/undo/.armed") == ""
    timers = guarded.run("bare", "systemctl", "list-timers", "--all")
    assert "hostpledge-rollback-firewall" not in timers


_HALFWAY = """
set -e
u=/var/lib/hostpledge/undo
mkdir -p $u/.armed/firewall/kept
echo before >$u/.armed/firewall/kept/0001
printf 'hostpledge-undo 1\\nfile 0001 - - /etc/cut\\nabsent - - - /etc/new\\n' \\
  >$u/.armed/firewall/manifest
echo {token} >$u/.armed/firewall/token
cat >$u/undo.sh
sh $u/undo.sh --arm firewall {token} 3
echo after >/etc/cut
echo after >/etc/new
"""


def test_without_systemd_a_shell_outlives_the_session(hosts: Hosts) -> None:
    """Busybox and dropbear: no systemd, no at, no Python; the state is laid out by hand."""
    script = _HALFWAY.format(token="0123abcd")
    remote = [*hosts.fleet.ssh("busybox"), f"{script}\nexec sleep 100"]
    with subprocess.Popen(
        remote, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as session:
        assert session.stdin is not None
        assert session.stdout is not None
        session.stdin.write(undo_text().encode())
        session.stdin.close()
        assert session.stdout.readline() == b"a background shell\n"
        time.sleep(0.5)
        assert hosts.run("busybox", "cat", "/etc/cut", "/etc/new") == "after\nafter\n"
        os.killpg(session.pid, signal.SIGKILL)
    last = time.monotonic() + 15
    while hosts.run("busybox", "cat", "/etc/cut") != "before\n" and time.monotonic() < last:
        time.sleep(0.3)
    assert hosts.run("busybox", "cat", "/etc/cut") == "before\n"
    time.sleep(0.5)
    assert "/etc/new" not in hosts.run("busybox", "sh", "-c", "echo /etc/n*")
    assert "Z" in hosts.run("busybox", "cat", "/var/lib/hostpledge/undo/.armed/firewall.fired/at")


def test_units_are_put_back_as_they_were(guarded: Hosts) -> None:
    unit = "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"
    states = {"on": "enable --now", "off": "disable", "away": "mask", "runs": "start"}
    for name in states:
        guarded.run(
            "bare", "sh", "-c", f"printf '%s' '{unit}' >/etc/systemd/system/t-{name}.service"
        )
    guarded.run("bare", "systemctl", "daemon-reload")
    # a unit under /etc cannot be masked: systemd wants its link there
    guarded.run("bare", "mv", "/etc/systemd/system/t-away.service", "/usr/lib/systemd/system/")
    for name, how in states.items():
        guarded.run("bare", "systemctl", *how.split(), f"t-{name}.service")
    before = _states(guarded, states)
    remember = {
        "family": "logging",
        "units": [f"t-{name}.service" for name in (*states, "new")],
        "paths": ["/etc/systemd/system/t-new.service"],
    }
    done = guarded.play([{"hostpledge_remember": remember}], roles=["safeguard"])
    assert done.returncode == 0, done.stdout
    assert "changed=1" in done.stdout
    guarded.run("bare", "sh", "-c", f"printf '%s' '{unit}' >/etc/systemd/system/t-new.service")
    for words in (
        "daemon-reload", "unmask t-away", "enable --now t-away t-off t-new", "disable --now t-on",
        "mask t-runs", "stop t-runs",
    ):  # fmt: skip
        guarded.run("bare", "systemctl", *words.split())
    assert _states(guarded, states) != before
    told = guarded.run("bare", "sh", "/var/lib/hostpledge/undo/undo.sh", "logging")
    assert "logging: put back" in told, told
    assert _states(guarded, states) == before
    assert guarded.run("bare", "systemctl", "is-active", "t-new").strip() == "inactive"


def _states(hosts: Hosts, names: dict[str, str]) -> str:
    units = [f"t-{name}.service" for name in names]
    return hosts.run("bare", "systemctl", "is-enabled", *units) + hosts.run(
        "bare", "systemctl", "is-active", *units
    )
