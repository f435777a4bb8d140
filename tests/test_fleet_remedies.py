"""Every line of a remedy that says so is typed on Debian 12 and 13, as it stands.

Before: the check fails and our judge does not pass. Then the steps, the check, the judge, a new
ssh session, a log line; then the way back, after which the check fails again.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.remedies.steps import Step, for_platform
from tests.fleet import Fleet
from tests.fleet.machine import environment, podman, why_not
from tests.remedies import terminal, typing
from tests.remedies.integrity import AIDE_AWAY
from tests.remedies.scenes import PASSWORD, SCENES, UBUNTU_LOGS_BACK, Scene, typed

pytestmark = pytest.mark.fleet

HOSTS = ("bare", "bare-12")
_OTHER = dict(zip(HOSTS, reversed(HOSTS), strict=True))


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    folder = tmp_path_factory.mktemp("remedies")
    with Fleet(HOSTS, folder=folder, prefix=f"remedies-{os.getpid()}") as running:
        yield running


def _run(fleet: Fleet, host: str, text: str, **fill: str) -> None:
    status, said = typing.paste(fleet, host, ["set -e", text], fill)
    assert status == 0, f"{host}: {said[-1500:]}"


def _holds_soon(fleet: Fleet, host: str, step: Step, scene: Scene) -> bool:
    """A daemon on a busy machine may want a moment longer than the check waits."""
    if any(typing.holds(fleet, host, step, scene.fill) for _ in range(6)):
        return True
    end = time.monotonic() + scene.seconds
    while time.monotonic() < end:
        time.sleep(5)
        if typing.holds(fleet, host, step, scene.fill):
            return True
    return False


def _begin(fleet: Fleet, host: str, scene: Scene) -> list[Step]:
    other = _OTHER[host]
    if scene.peer:
        _run(fleet, other, scene.peer, PEER=fleet.hosts[host].address)
    if scene.prepare:
        _run(fleet, host, scene.prepare, PEER=fleet.hosts[other].address)
    for path in scene.carry:
        held = fleet.execute(other, "cat", path).stdout
        put = f"mkdir -p {Path(path).parent} && cat >{path}"
        assert fleet.execute(host, "sh", "-c", put, data=held).returncode == 0
    return typed(scene)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("name", SCENES)
def test_typed_as_it_stands(fleet: Fleet, host: str, name: str) -> None:
    scene = SCENES[name]
    steps = _begin(fleet, host, scene)
    assert steps
    if scene.before is not None:
        found = typing.judged(fleet, host, scene)
        assert found.result == scene.before, found.message.en
    for step in steps:
        typing.look(fleet, host, step, scene.fill)
        if step.check:
            assert not typing.holds(fleet, host, step, scene.fill), step.check
        typing.do(fleet, host, step.commands, scene.fill)
        if step.check:
            assert _holds_soon(fleet, host, step, scene), step.check
    if scene.restart:
        fleet.restart(host)
        for step in steps:
            assert _holds_soon(fleet, host, step, scene), f"after a restart: {step.check}"
    if scene.after:
        found = typing.judged(fleet, host, scene)
        assert found.result in scene.after, found.message.en
    assert typing.logs_in(fleet, host) == scene.by_key
    if scene.works:
        _run(fleet, host, scene.works)
    _run(fleet, host, typing.LOG_ARRIVES)
    for step in reversed(steps):
        if step.back:
            typing.do(fleet, host, step.back, scene.fill)
        if step.back and step.check:
            assert not typing.holds(fleet, host, step, scene.fill), step.back
    assert typing.logs_in(fleet, host)
    if scene.away:
        _run(fleet, host, scene.away)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("control", ["firewall.default_deny", "intrusion.password_quality"])
def test_pasted_whole_on_a_terminal(fleet: Fleet, host: str, control: str) -> None:
    """By ssh, with a pager at hand: what takes the keys would take the lines that follow."""
    scene = SCENES[control]
    steps = _begin(fleet, host, scene)
    _run(fleet, host, "apt-get -qq update; apt-get -qq install -y less >/dev/null")
    shell = [*fleet.ssh(host)[:-1], "-tt", fleet.ssh(host)[-1], "exec bash --norc -i"]
    with terminal.opened(shell) as keys:
        for name, value in scene.fill.items():
            keys.paste(f"{name}='{value}'")
        for step in steps:
            keys.paste("\n".join(step.look))
            keys.paste("\n".join(step.commands), seconds=300)
            status, seen = keys.paste("\n".join(step.check_said))
            assert (status, seen.count("\nOK\n")) == (0, 1), seen
        for step in reversed(steps):
            keys.paste("\n".join(step.back), seconds=300)
    assert typing.logs_in(fleet, host)


@pytest.mark.parametrize("host", HOSTS)
def test_logs_of_ubuntu_are_still_written_by_their_daemon(fleet: Fleet, host: str) -> None:
    """What the remedy of L13 once said, chown root:adm, ends logging there; the steps do not."""
    scene = SCENES["logging.tamper_protection"]
    arrives = 'logger "now $1"; sleep 2; grep -q "now $1" /var/log/syslog'
    for step in _begin(fleet, host, scene):
        typing.do(fleet, host, step.commands, scene.fill)
    _run(fleet, host, f"set -- mended; {arrives}")
    _run(fleet, host, "[ $(stat -c %U /var/log/syslog) = syslog ]")
    _run(fleet, host, "chown root:adm /var/log/syslog; chmod 0640 /var/log/syslog")
    _run(fleet, host, "systemctl restart rsyslog")
    status, _ = typing.paste(fleet, host, [f"set -- old; {arrives}"], {})
    assert status != 0, "the old words do no harm here: this test shows nothing"
    _run(fleet, host, UBUNTU_LOGS_BACK)


@pytest.mark.parametrize("host", HOSTS)
def test_two_factors_let_in_who_has_both(fleet: Fleet, host: str, tmp_path: Path) -> None:
    """The old words alone, without KbdInteractiveAuthentication, make sshd refuse to start."""
    scene = SCENES["intrusion.two_factor"]
    (step,) = _begin(fleet, host, scene)
    old = "AuthenticationMethods publickey,keyboard-interactive"
    place = "/etc/ssh/sshd_config.d/10-old.conf"
    _run(fleet, host, f"echo {old} >{place}")
    status, _ = typing.paste(fleet, host, ["systemctl restart ssh"], {})
    assert status != 0, "the old words do no harm here: this test shows nothing"
    _run(fleet, host, f"rm {place}; systemctl reset-failed ssh; systemctl restart ssh")
    typing.do(fleet, host, step.commands, scene.fill)
    assert not typing.logs_in(fleet, host)
    answers = tmp_path / "answers"
    answers.write_text(f"#!/bin/sh\necho '{PASSWORD}'\n")
    answers.chmod(0o700)
    # the first value that ssh is given of an option counts
    asked = ["ssh", "-o", "BatchMode=no", *fleet.ssh_options()]
    argv = [*asked, f"ops@{fleet.hosts[host].address}", "echo in"]
    done = subprocess.run(
        argv,
        env={**environment(), "SSH_ASKPASS": str(answers), "SSH_ASKPASS_REQUIRE": "force"},
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
    )
    typing.do(fleet, host, step.back, scene.fill)
    assert done.stdout == "in\n", done.stderr


@pytest.mark.parametrize("host", HOSTS)
def test_the_look_before_a_new_baseline_shows_what_somebody_changed(
    fleet: Fleet, host: str
) -> None:
    """What hostpledge keeps for itself is no change; the program that undoes is watched."""
    first, _, renewed = for_platform("intrusion.file_integrity", "debian")[:3]
    kept = "/var/lib/hostpledge/undo"
    _run(fleet, host, f"install -d -m 0700 {kept}; echo 1 >{kept}/undo.sh")
    typing.do(fleet, host, first.commands, {})
    own = f"mkdir {kept}/firewall; touch {kept}/firewall/manifest {kept}/.lock; sleep 1"
    others = f"echo 2 >>{kept}/undo.sh; echo >/etc/planted; echo '# mine' >>/etc/hosts.allow"
    _run(fleet, host, f"{own}; mkdir -p /root/.ansible/tmp; {others}")
    check = "aide --config=/etc/aide/aide.conf --check >/var/log/aide/aide.log || true"
    _run(fleet, host, check)
    _, seen = typing.paste(fleet, host, list(renewed.look), {})
    typing.do(fleet, host, first.back, {})
    _run(fleet, host, f"rm -rf /var/lib/hostpledge /etc/planted /etc/hosts.allow; {AIDE_AWAY}")
    paths = {line.rpartition(": ")[2] for line in seen.splitlines()}
    assert {"/etc/planted", "/etc/hosts.allow", f"{kept}/undo.sh"} <= paths, seen
    assert not {p for p in paths if p.startswith(kept) and p != f"{kept}/undo.sh"}, seen
    assert not {p for p in paths if "ansible" in p or "wtmp" in p}, seen


@contextmanager
def _inner(fleet: Fleet, host: str) -> Iterator[list[str]]:
    """A network behind the host, as a container has it there: a bridge, and masquerading by nft."""
    shown = podman("inspect", fleet.hosts[host].container, "--format", "{{.State.Pid}}")
    pid = shown.stdout.decode().strip()
    name = f"inner-{os.getpid()}"
    there = ["nsenter", f"--net=/proc/{pid}/ns/net", "--"]
    inner = ["ip", "netns", "exec", name]
    pair = ["name", "outer0", "type", "veth", "peer", "name", "veth0", "netns", name]
    try:
        for argv in (
            ["ip", "netns", "add", name],
            [*there, "ip", "link", "add", *pair],
            [*there, "ip", "link", "add", "cni0", "type", "bridge"],
            [*there, "ip", "link", "set", "outer0", "master", "cni0", "up"],
            [*there, "ip", "address", "add", "10.99.0.1/24", "dev", "cni0"],
            [*there, "ip", "link", "set", "cni0", "up"],
            [*there, "sysctl", "-qw", "net.ipv4.ip_forward=1"],
            [*inner, "ip", "address", "add", "10.99.0.2/24", "dev", "veth0"],
            [*inner, "ip", "link", "set", "veth0", "up"],
            [*inner, "ip", "route", "add", "default", "via", "10.99.0.1"],
        ):
            subprocess.run(argv, check=True, capture_output=True)
        yield inner
    finally:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
        away = [*there, "ip", "link", "delete", "cni0"]
        subprocess.run(away, capture_output=True, check=False)


@pytest.mark.parametrize("host", HOSTS)
def test_networks_of_containers_outlive_the_firewall(fleet: Fleet, host: str) -> None:
    """The old words, systemctl restart nftables, flush what masquerades for them."""
    scene = SCENES["firewall.default_deny"]
    steps = _begin(fleet, host, scene)
    there = fleet.hosts[_OTHER[host]].address
    reach = f"exec 3<>/dev/tcp/{there}/22 && read -t 5 -r line <&3 && echo $line"

    def reached(inner: list[str]) -> bool:
        argv = [*inner, "timeout", "8", "bash", "-c", reach]
        return b"SSH-" in subprocess.run(argv, capture_output=True, check=False).stdout

    def asks(inner: list[str]) -> bool:
        """Does the host's resolver hear one who asks over the bridge, by TCP and by UDP?"""
        _run(fleet, host, "rm -f /run/asked")
        ask = "echo asked >/dev/udp/10.99.0.1/53; exec 3<>/dev/tcp/10.99.0.1/53; sleep 1"
        argv = [*inner, "timeout", "5", "bash", "-c", ask]
        by_tcp = subprocess.run(argv, capture_output=True, check=False).returncode == 0
        status, _ = typing.paste(fleet, host, ["[ -s /run/asked ]"], {})
        return by_tcp and status == 0

    serve = "systemctl stop asked-udp asked-tcp 2>/dev/null || true; systemd-run -qu asked-udp "
    serve += "socat -u UDP-RECVFROM:53,bind=10.99.0.1,fork OPEN:/run/asked,creat,append; "
    serve += "systemd-run -qu asked-tcp socat -u TCP-LISTEN:53,bind=10.99.0.1,fork "
    serve += "OPEN:/dev/null; sleep 1"
    nat = "nft add table ip netavark; nft add chain ip netavark post "
    nat += "'{ type nat hook postrouting priority srcnat; }'; "
    nat += "nft add rule ip netavark post ip saddr 10.99.0.0/24 masquerade"
    with _inner(fleet, host) as inner:
        _run(fleet, host, "apt-get -qq update; apt-get -qq install -y nftables socat >/dev/null")
        _run(fleet, host, serve)
        assert asks(inner)
        assert not reached(inner)
        _run(fleet, host, nat)
        assert reached(inner)
        for step in steps:
            typing.do(fleet, host, step.commands, scene.fill)
        assert reached(inner)
        assert asks(inner)
        old = "nft delete rule inet hostpledge_inbound input handle $(nft -a list table inet "
        old += "hostpledge_inbound | sed -n 's/.*cni.*%s dport.* //p')"
        _run(fleet, host, old % "udp")
        assert not asks(inner), "the old words do no harm here: this test shows nothing"
        for step in reversed(steps):
            typing.do(fleet, host, step.back, scene.fill)
        assert reached(inner)
        assert asks(inner)
        _run(fleet, host, "systemctl restart nftables")
        assert not reached(inner), "the old words do no harm here: this test shows nothing"
        _run(fleet, host, "systemctl stop nftables")


@pytest.mark.parametrize("host", HOSTS)
def test_a_copy_goes_to_a_server_of_a_private_ca(fleet: Fleet, host: str) -> None:
    """The old words, which name no CA, send nothing, and rsyslogd -N1 is content."""
    scene = SCENES["logging.remote_copy"]
    (step,) = _begin(fleet, host, scene)
    other = _OTHER[host]
    arrived = 'sleep 3; grep -q "$1" /var/log/remote.log'
    typing.do(fleet, host, step.commands, scene.fill)
    _run(fleet, host, f"logger mended-{host}; sleep 3")
    _run(fleet, other, f"set -- mended-{host}; {arrived}")
    old = "sed -i '/CAFile/d; /PermittedPeers/d' /etc/rsyslog.d/90-hostpledge-remote.conf"
    _run(fleet, host, f"{old}; rsyslogd -N1; systemctl restart rsyslog; logger old-{host}; sleep 3")
    status, _ = typing.paste(fleet, other, [f"set -- old-{host}; {arrived}"], {})
    assert status != 0, "the old words do no harm here: this test shows nothing"
    assert not typing.holds(fleet, host, step, scene.fill)
    typing.do(fleet, host, step.back, scene.fill)
