"""What systemd would start as sshd: what its units said on Debian 13, asked from a stand-in."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from collector.facts.access.sshd_effective import listeners
from collector.facts.access.sshd_sockets import SOCKETS
from collector.facts.base.opened import OPENED
from tests import cases
from tests.test_script import SHELLS

# as `systemctl show` ordered them (systemd 257)
_SOCKETS = """Accept=yes
Listen=[::]:2222 (Stream)
Id=alt.socket
Triggers=

Accept=no
Listen=/run/dbus/system_bus_socket (Stream)
Id=dbus.socket
Triggers=dbus.service

Accept=yes
Listen=/run/ssh-unix-local/socket (Stream)
Id=sshd-unix-local.socket
Triggers=

Accept=no
Listen=[::]:22 (Stream)
Id=ssh.socket
Triggers=ssh.service
"""
_SERVICES = """ExecStart={ path=/usr/sbin/sshd ; argv[]=/usr/sbin/sshd -i -f /etc/ssh/alt_config $ALT_OPTS \
$MORE ${NONE} -o Ciphers=aes128-cbc ; ignore_errors=yes ; start_time=[n/a] ; pid=0 ; status=0/0 }
Environment=X=1 ALT_OPTS=-oPermitRootLogin=yes
EnvironmentFiles=@FILE@ (ignore_errors=yes)
Id=alt@hp.service
ActiveState=inactive

ExecStart={ path=/usr/sbin/sshd ; argv[]=/usr/sbin/sshd -D $SSHD_OPTS ; ignore_errors=no ; pid=0 }
Environment=
EnvironmentFiles=@FILE@ (ignore_errors=yes)
Id=ssh.service
ActiveState=@STATE@
"""
_SYSTEMCTL = """#!/bin/sh
case " $* " in
  *' list-units '*) printf '%s loaded active listening x\\n' alt.socket dbus.socket \\
    sshd-unix-local.socket ssh.socket;;
  *Accept*ssh.socket*) cat "$(dirname "$0")/sockets";;
  *' alt@hp.service '*) cat "$(dirname "$0")/services";;
esac
"""


# `\\n` in the unit's setting, as systemd 257 prints it
_BROKEN = "-o Ciphers=aes128-cbc\nActiveState=active\n\nId=x.service"


@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize("state", ["active", "inactive"])
@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_socket_starts(shell: str, state: str, broken: bool, tmp_path: Path) -> None:
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"no {shell} here")
    options = tmp_path / "ssh"
    options.write_text("# SSHD_OPTS=-oA=1\nSSHD_OPTS=\nMORE='-o UsePAM=no -p 2222'\n")
    services = _SERVICES.replace("@FILE@", str(options)).replace("@STATE@", state)
    if broken:
        services = services.replace("-o Ciphers=aes128-cbc", _BROKEN)
    for name, text in (
        ("systemctl", _SYSTEMCTL),
        ("sockets", _SOCKETS),
        ("services", services),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    body = SOCKETS.replace("[ -d /run/systemd/system ]", "true")
    told = 'for p in $by; do printf "== %s\\n" "$p"; hp_started "$p"; done'
    done = subprocess.run(
        [*SHELLS[shell], "-c", f"{OPENED}\n{body}\n{told}"],
        capture_output=True, text=True, check=True,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )  # fmt: skip
    alt, *others = done.stdout.split("== ")[1:]
    asked = ["alt@hp.service", "?"] if broken else [
        "alt@hp.service", "/usr/sbin/sshd", "-i", "-f", "/etc/ssh/alt_config",
        "-oPermitRootLogin=yes", "-o", "UsePAM=no", "-p", "2222", "-o", "Ciphers=aes128-cbc",
    ]  # fmt: skip
    assert alt.split() == asked
    # one that runs is asked itself
    waits = [] if state == "active" else [["ssh.service", "/usr/sbin/sshd", "-D"]]
    assert [other.split() for other in others] == waits


def test_one_by_socket_is_a_listener() -> None:
    case = cases.load(
        cases.HERE / "controls/intrusion/root_login/looks_right_second_by_socket.fail.yml"
    )
    _, second = listeners(case.capture)
    assert (second.pid, second.args[:3]) == (None, ("-i", "-f", "/etc/ssh/alt_config"))
    assert second.config == "PasswordAuthentication yes"
