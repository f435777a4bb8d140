"""The login side of the role `intrusion` on an odd host: real logins, real guesses, a lock-out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fleet import Fleet
from tests.fleet.machine import why_not

pytestmark = pytest.mark.fleet

ROOT = Path(__file__).parent.parent
NAME = "bare-12"
PASSWORD = "Strong-Pass9"
KEPT = (
    "/etc/ssh/sshd_config", "/etc/pam.d/common-auth", "/etc/pam.d/common-password",
    "/etc/pam.d/common-account", "/etc/security/faillock.conf", "/etc/login.defs",
    "/etc/security/pwquality.conf", "/etc/passwd",
)  # fmt: skip

# What sshd_config(5) reads first wins, and this owner's file says it before any drop-in is read.
ODD = f"""set -e
cat >/etc/ssh/sshd_config <<'END'
Ciphers aes256-ctr,aes128-cbc,aes256-gcm@openssh.com
PermitRootLogin yes
Include /etc/ssh/sshd_config.d/*.conf
UsePAM yes
AllowUsers root alice bob
Match Address 192.0.2.0/24
    PermitRootLogin yes
END
echo 'MACs hmac-sha2-256,hmac-md5' >/etc/ssh/sshd_config.d/10-own.conf
echo 'minlen = 6' >/etc/security/pwquality.conf
mkdir -p /etc/security/pwquality.conf.d
echo 'minclass = 4' >/etc/security/pwquality.conf.d/50-own.conf
printf 'deny = 10\\nunlock_time=2\\n' >>/etc/security/faillock.conf
echo 'TMOUT=300' >/etc/profile.d/own.sh
echo 'LANG=zh_CN.UTF-8' >>/etc/environment
usermod -s /bin/bash games
useradd -m -s /bin/bash -G sudo alice
useradd -m -s /bin/bash bob
useradd -m -s /bin/bash mallory
usermod -p '' mallory
printf '%s\\n' 'alice:{PASSWORD}' 'bob:{PASSWORD}' 'root:{PASSWORD}' | chpasswd
chage -d 2020-01-01 bob
sshd -t
systemctl reload ssh
"""


@dataclass(frozen=True)
class Odd:
    """The host, what its files held before, and what the first run said."""

    fleet: Fleet
    folder: Path
    before: str
    said: str

    def on(self, command: str) -> str:
        return on(self.fleet, command)

    def play(self, *more: str) -> str:
        return play(self.fleet, self.folder, *more)

    def login(self, password: str, command: str = "id -un") -> str:
        """What an ordinary user gets who types this password; empty where nothing lets them in."""
        asks = self.folder / "asks.sh"
        asks.write_text(f"#!/bin/sh\necho '{password}'\n")
        asks.chmod(0o700)
        argv = self.fleet.ssh(NAME, "alice")
        done = subprocess.run(
            [argv[0], "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1",
             "-o", "BatchMode=no", *argv[1:], command],
            env={**os.environ, "SSH_ASKPASS": str(asks), "SSH_ASKPASS_REQUIRE": "force"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        return done.stdout.strip()


def on(fleet: Fleet, command: str) -> str:
    done = subprocess.run(
        [*fleet.ssh(NAME), "sh -s"],
        input=command, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.stdout + done.stderr


def play(fleet: Fleet, folder: Path, *more: str) -> str:
    """A short lock is enough to see it end; no fail2ban, which would hide it."""
    book = folder / "logins.yml"
    book.write_text("- hosts: all\n  roles: [intrusion]\n")
    wanted = (
        '{"intrusion_bans": false, "intrusion_policy": false, "intrusion_lockout_seconds": 25,'
        ' "intrusion_controls": ["password_quality", "password_age", "empty_passwords", "lockout",'
        ' "session_timeout", "ssh_crypto", "root_login"], "safeguard_seconds": 45}'
    )
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", fleet.inventory, book,
         "-e", wanted, *more],
        env={**os.environ, "ANSIBLE_ROLES_PATH": str(ROOT / "roles"), "ANSIBLE_NOCOLOR": "1",
             "ANSIBLE_PIPELINING": "True"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Odd]:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    folder = tmp_path_factory.mktemp("logins")
    with Fleet((NAME,), folder=folder, prefix=f"logins-{os.getpid()}") as running:
        assert on(running, ODD) == ""
        # past its sshd, which may just be reading its configuration anew
        before = running.execute(NAME, "cat", *KEPT).stdout.decode()
        yield Odd(running, folder, before, play(running, folder))


def test_what_goes_before_is_said_and_all_else_is_done(odd: Odd) -> None:
    assert re.search(r"/etc/ssh/sshd_config:\d+: PermitRootLogin yes \(Match Address", odd.said)
    assert "bob (" in odd.said, "whose password would run out at once is told"
    holds = odd.on("sshd -T; cut -d: -f1,2,5 /etc/shadow; getent passwd games; bash -lc 'TMOUT=1'")
    assert "\npermitrootlogin without-password\n" in holds
    assert "\nciphers aes256-ctr,aes256-gcm@openssh.com\n" in holds
    assert "\nmacs hmac-sha2-256\n" in holds
    assert re.findall(r"^allowusers (.*)", holds, re.MULTILINE) == ["root", "alice", "bob"]
    assert re.search(r"^alice:[^:]*:90$", holds, re.MULTILINE)
    assert re.search(r"^bob:[^:]*:99999$", holds, re.MULTILINE), "he would be shut out at once"
    assert re.search(r"^root:[^:]*:99999$", holds, re.MULTILINE), "this run logs in as root"
    assert "\nmallory:!:" in holds
    assert holds.count("/usr/sbin/nologin") == 1
    assert "TMOUT: readonly variable" in holds
    assert "TMOUT=300" in odd.on("cat /etc/profile.d/zz-hostpledge-timeout.sh"), "shorter stays"


def test_weak_passwords_are_refused_and_strong_ones_taken(odd: Odd) -> None:
    for weak in ("Short1!", "onlyletters", "Threekinds9"):
        assert "password not changed" in odd.on(f"echo 'alice:{weak}' | chpasswd 2>&1")
    assert odd.on(f"echo 'alice:{PASSWORD}' | chpasswd") == ""


def test_a_guesser_is_locked_out_and_let_in_again(odd: Odd) -> None:
    asked = f"echo {PASSWORD} | sudo -S -p '' id -un"
    assert odd.login(PASSWORD, asked) == "root"
    for _ in range(5):
        assert odd.login("Wrong-Pass9") == ""
    assert odd.login(PASSWORD) == "", "the right one stays out once locked"
    assert odd.on("su - alice -c 'id -un'").strip() == "alice", "root may still help"
    time.sleep(26)
    assert odd.login(PASSWORD) == "alice"


def test_a_second_time_nothing_is_changed(odd: Odd) -> None:
    odd.on("sed -i '/^Match/,$d' /etc/ssh/sshd_config; systemctl reload ssh")
    assert re.search(r"changed=0 .*failed=0", odd.play("--check", "--diff"))
    assert re.search(r"changed=0 .*failed=0", odd.play())


def test_a_change_that_shuts_the_operator_out_is_rolled_back(odd: Odd) -> None:
    """This client knows one cipher alone, and it is one that is taken away."""
    odd.on(
        "sed -i '/BEGIN hostpledge intrusion.ssh_crypto/,/END/d' /etc/ssh/sshd_config;"
        "systemctl reload ssh"
    )
    said = odd.play("-e", "{ansible_ssh_extra_args: -o Ciphers=aes128-cbc, safeguard_seconds: 20}")
    assert "no matching cipher found" in said
    assert "the host has rolled it back" in said
    assert "aes128-cbc" in odd.on("sshd -T | grep ^ciphers")


def test_undo_leaves_what_was_there(odd: Odd) -> None:
    said = odd.on("sh /var/lib/hostpledge/undo/undo.sh intrusion")
    assert "intrusion: put back (" in said
    assert odd.on(f"cat {' '.join(KEPT)}") == odd.before
    assert re.search(r"^alice:[^:]*:99999$", odd.on("cut -d: -f1,2,5 /etc/shadow"), re.MULTILINE)
    assert odd.login(PASSWORD) == "alice"
