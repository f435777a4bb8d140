"""Hosts unlike most: no systemd, sshd started by a socket, a file that cannot be written."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable

import pytest
import yaml

from collector.resources import shared
from tests.fleet.machine import inside, podman
from tests.harden.conftest import BIN, Hosts

pytestmark = pytest.mark.fleet

SOCKETS = ("bare", "bare-12")
PLAN = {
    "bare": [
        "classification.exposed_files", "encryption.password_hash", "intrusion.password_age",
        "intrusion.session_timeout",
    ],
    "bare-12": ["intrusion.session_timeout"],
    "sysvinit": [
        "firewall.default_deny", "intrusion.session_timeout", "logging.daemon_protection",
    ],
}  # fmt: skip
DEFS = "/etc/login.defs"
CUT = "/etc/ssh/sshd_config.d/00-cut.conf"
TIMEOUT = "/etc/ssh/sshd_config.d/00-hostpledge-timeout.conf"


@pytest.fixture(scope="module")
def said(hosts: Hosts) -> str:
    """What hardening them told. `bare` has /etc/login.defs on a mount that is read-only."""
    for host in SOCKETS:
        hosts.run(host, "systemctl", "disable", "--now", "ssh.service")
        hosts.run(host, "systemctl", "enable", "--now", "ssh.socket")
    wrong = "s/^ENCRYPT_METHOD.*/ENCRYPT_METHOD MD5/; s/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 99999/"
    hosts.run("bare", "sed", "-i", wrong, "/etc/login.defs")
    hosts.run("bare", "sh", "-c", "mkdir -p /srv/app; umask 22; echo a=b >/srv/app/.env")
    _mount(hosts, "bare", "--bind", "/etc/login.defs", "/etc/login.defs")
    _mount(hosts, "bare", "-o", "remount,bind,ro", "/etc/login.defs")
    done = subprocess.run(
        [BIN / "ansible-playbook", "-i", hosts.fleet.inventory, "-l", ",".join(PLAN),
         shared("playbooks", "harden.yml"), "-e", json.dumps({"harden_plan": PLAN})],
        env=hosts.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=400,
    )  # fmt: skip
    return " ".join(f"{done.stdout}\n{done.stderr}".split())


def _mount(hosts: Hosts, host: str, *words: str) -> None:
    found = podman("inspect", hosts.fleet.hosts[host].container, "--format={{.State.Pid}}")
    argv = ["nsenter", f"--target={found.stdout.decode().strip()}", "--mount", "mount", *words]
    subprocess.run(inside(*argv), check=True, stdin=subprocess.DEVNULL)


def _until(holds: Callable[[], bool], seconds: float = 40) -> bool:
    last = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > last:
            return False
        time.sleep(0.2)
    return True


def test_a_file_that_cannot_be_written_is_told_and_all_else_is_done(
    hosts: Hosts, said: str
) -> None:
    """Two families want it: each says so in a line, and what does not need it is done."""
    line = "/etc/login.defs is read-only (a mount, or chattr +i or +a), nothing that needs it"
    assert f"password_age: not brought about, and put back where it had begun: {line}" in said
    whole = re.search(r"not brought about, or not whole: ([a-z, ]*[a-z])", said)
    assert whole is not None, said[-4000:]
    assert sorted(whole[1].split(", ")) == ["encryption", "intrusion"], said[-4000:]
    held = hosts.run("bare", "grep", "-E", "^(ENCRYPT_METHOD|PASS_MAX_DAYS)", "/etc/login.defs")
    assert held.split() == ["PASS_MAX_DAYS", "99999", "ENCRYPT_METHOD", "MD5"]
    assert "ClientAliveInterval" in hosts.run("bare", "cat", TIMEOUT)
    assert hosts.run("bare", "stat", "-c", "%a", "/srv/app/.env") == "640\n"


def test_a_file_that_cannot_be_written_is_refused_only_where_it_would_be(hosts: Hosts) -> None:
    """By the plain play, which brings about what is satisfied already too."""
    role = {"role": "intrusion", "intrusion_controls": ["password_age"], "intrusion_policy": False}
    _mount(hosts, "bare-12", "--bind", DEFS, DEFS)
    for days, fails in ((90, 0), (99999, 1)):
        _mount(hosts, "bare-12", "-o", "remount,bind,rw", DEFS)
        written = f"sed 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS {days}/' {DEFS} >/tmp/defs"
        hosts.run("bare-12", "sh", "-c", f"{written} && cat /tmp/defs >{DEFS}")
        _mount(hosts, "bare-12", "-o", "remount,bind,ro", DEFS)
        done = hosts.play(limit="bare-12", roles=[role])
        assert f"failed={fails}" in done.stdout, done.stdout
        told = " ".join(f"{done.stdout}\n{done.stderr}".split())
        assert (f"{DEFS} is read-only" in told) is bool(fails), told[-4000:]
    _mount(hosts, "bare-12", "-o", "remount,bind,rw", DEFS)


def test_without_systemd_all_works_or_says_a_line(hosts: Hosts, said: str) -> None:
    assert "sysvinit : ok=" in said
    assert "failed=0" in said.partition("sysvinit : ok=")[2][:120], said[-4000:]
    for line in (
        "PID 1 is sysvinit, not systemd: nothing here can keep auditd from being stopped by hand",
        "the rules are loaded now, but there is no systemd here: load /etc/nftables.d/hostpledge",
    ):
        assert line in said
    holds = "sshd -T && nft list ruleset"
    told = hosts.run("sysvinit", "sh", "-c", holds)
    assert "\nclientaliveinterval 200\n" in told
    assert "policy drop" in told
    assert hosts.logs_in("sysvinit")


def test_sshd_that_a_socket_starts_takes_changes_and_puts_them_back(
    hosts: Hosts, said: str
) -> None:
    for host in SOCKETS:
        assert hosts.logs_in(host), said[-4000:]
        assert hosts.run(host, "systemctl", "is-active", "ssh.socket") == "active\n"
        assert "ClientAliveInterval" in hosts.run(host, "cat", TIMEOUT)
    variables = yaml.safe_load(shared("roles", "intrusion", "vars", "main.yml").read_text())
    anew = variables["intrusion_sshd_reload"]
    guard = {"family": "intrusion", "paths": [CUT], "after": [anew], "seconds": 8}
    tasks = [
        {"hostpledge_guard": {"state": "armed", **guard}},
        {"ansible.builtin.copy": {"dest": CUT, "content": "AllowUsers nobody\n", "mode": "0600"}},
        {"ansible.builtin.command": {"argv": ["sh", "-c", anew], "expand_argument_vars": False}},
        {"hostpledge_guard": {"state": "confirmed", "family": "intrusion"}},
    ]
    done = hosts.play(tasks, limit=",".join(SOCKETS), roles=["safeguard"])
    told = re.findall(r"fatal: \[([a-z0-9-]+)\].*the host has rolled it back", done.stdout)
    assert sorted(told) == list(SOCKETS), done.stdout
    for host in SOCKETS:
        assert _until(lambda host=host: hosts.logs_in(host))  # type: ignore[misc]
        hosts.run(host, "systemctl", "disable", "--now", "ssh.socket")
        # enabling makes the alias sshd.service: systemd then merges what was asked for by that
        # name into ssh.service at its reload, and may forget that this one runs
        hosts.run(host, "systemctl", "stop", "ssh.service")
        hosts.run(host, "systemctl", "enable", "--now", "ssh.service")
        assert _until(lambda host=host: hosts.logs_in(host))  # type: ignore[misc]


def test_without_systemd_the_way_back_is_taken_by_at_or_by_a_shell(hosts: Hosts) -> None:
    """`at` alone is not enough: without its daemon it takes jobs and never runs them."""
    state = "/etc/odd-"
    install = "apt-get update -q && apt-get install -qy --no-install-recommends at; service atd {}"

    def changed(name: str, content: str) -> dict[str, object]:
        wanted = {"dest": state + name, "content": content, "mode": "0600"}
        return {"ansible.builtin.copy": wanted}

    def armed(name: str, family: str, seconds: int = 6) -> dict[str, object]:
        things = {"family": family, "paths": [state + name], "seconds": seconds}
        return {"hostpledge_guard": {"state": "armed", **things}, "register": name}

    tasks = [
        {"ansible.builtin.shell": install.format("stop")},
        *(changed(name, "before") for name in ("shell", "at", "kept")),
        armed("shell", "logging"),
        changed("shell", "after"),
        {"ansible.builtin.shell": "service atd start"},
        armed("kept", "firewall", 60),
        changed("kept", "after"),
        {"hostpledge_guard": {"state": "confirmed", "family": "firewall"}},
        {"ansible.builtin.command": "atq", "register": "left"},
        armed("at", "intrusion"),
        changed("at", "after"),
        {"ansible.builtin.debug": {
            "msg": "by {{ shell.timer }}, {{ kept.timer }} ({{ left.stdout }}), {{ at.timer }}"}},
    ]  # fmt: skip
    done = hosts.play(tasks, limit="sysvinit", roles=["safeguard"])
    assert "by a background shell, at (), at" in done.stdout, done.stdout

    def back() -> bool:
        return hosts.run("sysvinit", "cat", f"{state}shell", f"{state}at") == "beforebefore"

    assert _until(back)
    assert hosts.run("sysvinit", "cat", f"{state}kept") == "after"
