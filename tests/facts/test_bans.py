"""fail2ban as its client answered: 1.0.2 on Debian 12, 1.1.0 on Debian 13, recorded live."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.access.ban_effects import effects, takes, version_of
from collector.facts.access.fail2ban import READS, jails
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests import cases
from tests.test_script import SHELLS

_PLACE = cases.HERE / "controls/intrusion/lockout"


def _recorded(name: str) -> str:
    case = cases.load(_PLACE / name)
    return case.capture.read("bans.fail2ban").stdout.decode()


def _capture(text: str) -> Capture:
    result = ReadResult("bans.fail2ban", ReadStatus.OK, stdout=text.encode())
    return Capture("h", HostStatus.COMPLETE, reads={result.id: result})


def test_debian_13_reads_the_journal() -> None:
    (jail,) = jails(_capture(_recorded("fail2ban.pass.yml")))
    assert (jail.name, jail.maxretry, jail.findtime, jail.bantime) == ("sshd", 5, 600, 600)
    assert jail.journal == "_SYSTEMD_UNIT=ssh.service + _COMM=sshd"
    assert (jail.logs, jail.actions, dict(jail.ports)) == ((), ("nftables",), {"nftables": "ssh"})
    assert jail.sshd


def test_debian_12_reads_a_file() -> None:
    (jail,) = jails(_capture(_recorded("fail2ban_reads_a_file.pass.yml")))
    assert (jail.logs, jail.journal) == (("/var/log/auth.log",), "")
    assert dict(jail.ports) == {"iptables-multiport": "ssh"}


def test_two_jails_keep_their_answers_apart() -> None:
    """Recorded with `recidive` beside it, and a ban of every port."""
    recidive, sshd = jails(_capture(_recorded("fail2ban_all_ports.pass.yml")))
    assert (recidive.sshd, sshd.sshd) == (False, True)
    assert recidive.logs == ("/var/log/fail2ban.log",)
    assert (recidive.bantime, sshd.bantime) == (604_800, 600)
    assert dict(sshd.ports) == {"nftables": "all"}


_ANSWERS = {
    "status sshd": "Status for the jail: sshd\n   |- Currently banned:\t2\n"
        "   `- Banned IP list:\t192.0.2.7 2001:db8::7",
    "status web": "Status for the jail: web\n   |- Currently banned:\t0\n"
        "   `- Banned IP list:\t",
    "status": "Status\n|- Number of jail:\t2\n`- Jail list:\tsshd, web",
    "get sshd actions": "The jail sshd has the following actions:\nnftables-multiport, hook",
    "get web actions": "The jail web has the following actions:\nufw",
    "get sshd logpath": "Current monitored log file(s):\n`- /var/log/a.log",
    "get sshd ignorecommand": "", "get web ignorecommand": "/bin/true hunter2",
    "get sshd action nftables-multiport protocol": "tcp",
    "get sshd action nftables-multiport actionban": "nft add element <addr_set> \\{ <ip> \\}",
    "get sshd action nftables-multiport actionstart":
        "nft add table\nfor p in $(echo 'tcp'); do\nnft add rule\ndone",
    "get sshd action hook protocol": "tcp",
    "get sshd action hook actionban": "curl -H 'Key: hunter2' https://nft.example/iptables-x?<ip>",
    "get sshd action hook actionstart": "",
    "get web action ufw protocol": "all",
    "get web action ufw actionban":
        'if [ -n "" ] && ufw app info ""\nthen\nufw reject from <ip> comment "x"\nfi\n',
    "get web action ufw actionstart": "",
}  # fmt: skip
# as the interactive client of 1.1.0 behaves: a prompt before each answer, empty ones too
_CLIENT = """#!/usr/bin/env python3
import sys
said = {answers!r}
if sys.argv[1:] == ["status"]:
    print(said["status"])
    sys.exit()
print("Fail2Ban v1.1.0 reads log file\\nand bans the corresponding IP addresses.\\n")
for line in sys.stdin:
    print("fail2ban> ", end="")
    if line.strip() == "exit":
        break
    if line.strip():
        print(said.get(line.strip(), "5"))
"""


@pytest.mark.parametrize("shell", SHELLS)
def test_what_bans_do_leaves_without_what_they_say(shell: str, tmp_path: Path) -> None:
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"no {shell} here")
    client = tmp_path / "fail2ban-client"
    client.write_text(_CLIENT.format(answers=_ANSWERS), encoding="utf-8")
    client.chmod(0o755)
    for name in ("nft", "systemctl", "journalctl"):
        (tmp_path / name).write_text(
            {"systemctl": "#!/bin/sh\necho disabled\n", "journalctl": "#!/bin/sh\necho 17.5 x\n"}
            .get(name, "#!/bin/sh\n"),
            encoding="utf-8",
        )  # fmt: skip
        (tmp_path / name).chmod(0o755)
    log = tmp_path / "fail2ban.log"
    log.write_text(
        "1 ERROR Failed to execute ban jail 'web' action\n2 INFO Starting Fail2ban v1\n"
        "3 ERROR Failed to execute ban jail 'sshd' action 'hook' info 'hunter2'\n",
        encoding="utf-8",
    )
    body = next(r.body for r in READS if r.id == "bans.fail2ban")
    done = subprocess.run(
        [*SHELLS[shell], "-c", body.replace("/var/log/fail2ban.log", str(log))],
        capture_output=True, text=True, check=True,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert "hunter2" not in done.stdout
    found = effects(_capture(done.stdout))
    assert found is not None
    assert found.calls == {("sshd", "nftables-multiport"): {"nft"}, ("web", "ufw"): {"ufw"}}
    assert found.protocols[("web", "ufw")] == "all"
    assert found.ignoring == {"web"}
    assert (found.boot, found.sshd, dict(found.failed)) == ("disabled", 17, {"sshd": 1})
    assert "nft" in found.there
    assert found.banned == {"sshd": ("192.0.2.7", "2001:db8::7"), "web": ()}
    assert list(found.logs.values()) == [None]


def test_whether_a_log_is_fed() -> None:
    def fed(sshd: str, *logs: str) -> bool | None:
        lines = "".join(f"log {line}\n" for line in logs)
        found = effects(_capture(f"== up\n== ports\n== effects\n{lines}sshd {sshd}\n"))
        assert found is not None
        return found.fed(tuple(line.partition(" ")[2] for line in logs))

    assert fed("2000", "1990 /a") is True
    assert fed("2000", "2100 /a", "- /b") is True
    assert fed("2000", "1600 /a") is False
    assert fed("2000", "- /a") is False
    assert fed("", "1600 /a") is None


def test_no_server() -> None:
    assert jails(_capture("== none\n")) == ()
    assert jails(_capture("== down\nERROR   Failed to access socket path\n")) == ()


def test_a_server_that_answers_half() -> None:
    with pytest.raises(CouldNotLook):
        jails(_capture("== up\nasked sshd\nfail2ban> fail2ban> 5\n== ports\n"))
    with pytest.raises(NotUnderstood):
        jails(_capture(""))


@pytest.mark.parametrize(
    ("action", "told", "version", "every", "taken"),
    [
        ("iptables-multiport", "tcp", (0, 9, 7), False, True),
        ("iptables-multiport", "tcp, udp", (0, 11, 2), False, False),
        ("iptables-allports", "tcp,udp", (0, 11, 2), True, False),
        ("iptables-multiport", "tcp, udp", (1, 0, 1), False, True),
        ("iptables-multiport", "tcp, udp", None, False, None),
        ("iptables-ipset-proto6", "tcp, udp", (0, 9, 7), False, False),
        ("iptables-multiport-log", "tcp, udp", (1, 1, 0), False, False),
        ("iptables-multiport", "all", (1, 1, 0), False, False),
        ("iptables-allports", "all", (0, 9, 7), True, True),
        ("nftables-multiport", "tcp, udp", (0, 10, 4), False, False),
        ("nftables", "tcp,udp", (0, 10, 5), False, True),
        ("nftables", "all", (1, 1, 0), False, False),
        ("nftables", "all", (1, 1, 1), True, True),
        ("firewallcmd-rich-rules", "tcp,udp", (1, 1, 1), False, False),
        ("firewallcmd-ipset", "all", (1, 1, 1), False, None),
        ("firewallcmd-allports", "tcp,udp", (0, 9, 7), True, True),
        ("mine", "tcp, udp", (1, 1, 1), False, None),
    ],
)
def test_which_protocols_an_action_takes(
    action: str, told: str, version: tuple[int, ...] | None, every: bool, taken: bool | None
) -> None:
    """By config/action.d of the tags: before 1.0.1 `-p tcp, udp` was one word for iptables."""
    assert takes(action, {"iptables"}, told, version, every_port=every) is taken


def test_protocols_do_not_concern_who_bans_an_address_alone() -> None:
    assert takes("ufw", {"ufw"}, "tcp, udp", (0, 9, 7), every_port=False)


def test_a_version_that_was_never_released_is_not_told() -> None:
    assert version_of("Fail2Ban v0.10.3.1 reads log file that\n") == (0, 10, 3, 1)
    assert version_of("Fail2Ban v1.0.1.dev1 reads log file that\n") is None
    assert version_of("nothing\n") is None
