"""access.conf as the real pam_access reads it: what pamtester said over Linux-PAM 1.7.0 (Debian 13).

`adm1` is in the group sudo, `bob` in none but his own; asked was from one address of each network
that the file names, and from one of none of them.
"""

from __future__ import annotations

import pytest

from collector.facts.access.pam.access_conf import Who, admits, lets_in
from collector.facts.access.pam.stack import Stacks

_ADM1 = Who("adm1", frozenset({"adm1", "sudo"}))
_BOB = Who("bob", frozenset({"bob"}))

# the file, is adm1 let in from one of these places, is bob
_SAID = (
    ("", True, True),
    ("#-:ALL:ALL\n", True, True),
    ("-:ALL:ALL", True, True),
    ("-:ALL:ALL\n", False, False),
    (" -:ALL:ALL\n", True, True),
    ("- : ALL : ALL\n", False, False),
    ("-::ALL\n", True, True),
    ("-:ALL\n", True, True),
    ("*:ALL:ALL\n", True, True),
    ("+:adm1:ALL\n-:ALL:ALL\n", True, False),
    ("-:adm1 bob:ALL EXCEPT LOCAL\n", False, False),
    ("+:(sudo):ALL\n-:ALL:ALL\n", True, False),
    ("+:root:ALL\n-:ALL:ALL EXCEPT 10.\n", True, True),
    ("\t-:ALL:ALL\n", True, True),
    ("-:ALL:ALL \t\n", False, False),
    (":-:ALL:ALL\n", False, False),
    ("-:ALL:ALL # remark\n", False, False),
    ("-:ALL # x:ALL\n", False, False),
    (
        "-:ALL EXCEPT (sudo):10.\n+:ALL:10.0.0.0/255.0.0.0\n-:bob:10.0.0.0/255.0.0.0\n+:adm1, bob:192.168.1.5\n",
        True,
        True,
    ),
    (
        "-:sudo:192.168.1.5\n+:adm1:10.0.0.0/8\n+:all:ALL EXCEPT LOCAL\n-:(sudo):ALL EXCEPT 192.168.1.5\n",
        True,
        True,
    ),
    ("+:root:ALL EXCEPT LOCAL\n-:adm1 bob:192.168.1.0/24 EXCEPT 192.168.1.5\n", True, True),
    ("+:root:10.0.0.0/8\n", True, True),
    ("+:adm1 bob:ALL EXCEPT 10.0.0.0/8\n", True, True),
    ("+:bob:10.\n+:all:ALL EXCEPT LOCAL\n-:adm1 bob:all\n", True, True),
    ("+:adm1:LOCAL\n-:(adm1):cron\n", True, True),
    ("+:adm1, bob:tty1\n", True, True),
    ("+:nobody:ALL EXCEPT LOCAL\n-:(sudo):LOCAL 10.0.0.0/8\n", True, True),
    (
        "+:adm1, bob:ALL EXCEPT 10.0.0.0/8\n+:adm1, bob:10.0.0.0/255.0.0.0\n+:root:10.0.0.0/8\n+:ALL EXCEPT adm1:2001:db8::/32\n",
        True,
        True,
    ),
    ("-:bob:ALL EXCEPT 192.168.1.5\n-:(sudo):LOCAL\n+:adm1, bob:all\n", True, True),
    (
        "-:ALL EXCEPT adm1:ALL EXCEPT LOCAL\n-:ALL EXCEPT adm1:10.0.0.0/8\n-:all:LOCAL 10.0.0.0/8\n-:(adm1):ALL EXCEPT 192.168.1.5\n",
        True,
        False,
    ),
    ("-:ALL:LOCAL\n+:ALL EXCEPT (sudo):192.168.1.5\n", True, True),
    ("+:ALL:LOCAL\n", True, True),
    ("-:adm1 bob:192.168.1.0/24 EXCEPT 192.168.1.5\n", True, True),
    ("+:nobody:ALL EXCEPT 192.168.1.5\n+:ADM1:cron\n+:bob:ALL EXCEPT 192.168.1.5\n", True, True),
    ("+:root:2001:db8::/32\n", True, True),
    ("-:sudo:cron\n-:nobody:10.0.0.0/8\n", True, True),
    ("-:all:10.\n", True, True),
    ("+:sudo:tty1\n+:adm1 bob:192.168.1.5\n", True, True),
    (
        "-:adm1, bob:ALL EXCEPT LOCAL\n+:ADM1:cron\n+:ALL:all\n-:all:ALL EXCEPT LOCAL\n",
        False,
        False,
    ),
    ("+:ALL EXCEPT adm1:10.\n+:(sudo):NONE\n-:adm1:NONE\n", True, True),
    ("+:nobody:tty1\n", True, True),
    (
        "+:nobody:NONE\n+:adm1:ALL EXCEPT LOCAL\n+:root:all\n+:bob:ALL EXCEPT 10.0.0.0/8\n",
        True,
        True,
    ),
    ("+:bob:ALL EXCEPT LOCAL\n", True, True),
    ("-:ADM1:NONE\n", True, True),
    ("+:ALL EXCEPT adm1 bob EXCEPT bob:ALL EXCEPT LOCAL\n", True, True),
    ("+:(nogrp):2001:db8::/32\n+:adm1, bob:NONE\n+:(sudo):LOCAL 10.0.0.0/8\n", True, True),
    ("-:(adm1):ALL EXCEPT 10.0.0.0/8\n+:(sudo):10.0.0.0/8\n", True, True),
    ("+:ALL:2001:db8::/32\n+:nobody:ALL EXCEPT LOCAL\n+:ALL:cron\n", True, True),
    ("+:(nogrp):cron\n+:(sudo):all\n", True, True),
    ("-:ADM1:10.0.0.0/255.0.0.0\n", True, True),
    ("+:ALL EXCEPT (sudo):10.\n-:adm1:192.168.1.5\n", True, True),
    (
        "-:ALL:ALL EXCEPT 192.168.1.5\n+:ALL:10.0.0.0/255.0.0.0\n-:ALL EXCEPT adm1:all\n",
        True,
        False,
    ),
    (
        "-:nobody:192.168.1.0/24 EXCEPT 192.168.1.5\n-:adm1 bob:ALL EXCEPT LOCAL\n-:(sudo) EXCEPT adm1:2001:db8::/32\n",
        False,
        False,
    ),
    (
        "-:(nogrp):192.168.1.0/24 EXCEPT 192.168.1.5\n+:ALL EXCEPT adm1 bob EXCEPT bob:192.168.1.0/24 EXCEPT 192.168.1.5\n+:ALL EXCEPT adm1 bob EXCEPT bob:ALL EXCEPT LOCAL\n+:ALL EXCEPT adm1 bob EXCEPT bob:ALL\n",
        True,
        True,
    ),
    ("+:nobody:10.\n+:ALL EXCEPT adm1 bob EXCEPT bob:2001:db8::/32\n", True, True),
    (
        "+:ALL EXCEPT adm1 bob EXCEPT bob:ALL EXCEPT LOCAL\n+:root:NONE\n+:ALL EXCEPT adm1 bob EXCEPT bob:10.0.0.0/8\n-:ALL:ALL EXCEPT 192.168.1.5\n",
        True,
        True,
    ),
    ("+:ALL EXCEPT adm1:ALL\n-:adm1:ALL EXCEPT LOCAL\n", False, True),
    ("-:sudo:10.0.0.0/8\n-:adm1, bob:192.168.1.0/24 EXCEPT 192.168.1.5\n", True, True),
    (
        "-:nobody:cron\n+:ALL EXCEPT adm1 bob EXCEPT bob:192.168.1.0/24 EXCEPT 192.168.1.5\n",
        True,
        True,
    ),
    ("+:sudo:ALL\n-:ALL:cron\n", True, True),
)


@pytest.mark.parametrize(("text", "adm1", "bob"), _SAID)
def test_as_pam_access_does(text: str, adm1: bool, bob: bool) -> None:
    assert (lets_in(text, _ADM1), lets_in(text, _BOB)) == (adm1, bob)


@pytest.mark.parametrize("text", ["+:@offices:ALL\n-:ALL:ALL\n", "+:bob:.example.org\n-:ALL:ALL\n"])
def test_netgroups_and_names_of_hosts_are_not_told(text: str) -> None:
    assert lets_in(text, _BOB) is None


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ("", True),
        ("accessfile=/etc/security/other-access.conf", False),
        ("accessfile=/etc/security/not-there-access.conf", None),
        ("listsep=,", None),
        ("***", None),
        ("nodefgroup", False),
    ],
)
def test_the_line_of_pam_says_which_file(args: str, told: bool | None) -> None:
    stacks = Stacks({"/etc/pam.d/sshd": f"account required pam_access.so {args}\n"})
    (entry,) = stacks.stack("sshd", "account")
    texts = {
        "/etc/security/access.conf": "+:sudo:ALL\n-:ALL:ALL\n",
        "/etc/security/other-access.conf": "-:adm1:ALL\n",
    }
    assert admits(entry, texts, _ADM1) is told


def test_files_beside_it_that_decide_are_not_told() -> None:
    stacks = Stacks({"/etc/pam.d/sshd": "account required pam_access.so\n"})
    (entry,) = stacks.stack("sshd", "account")
    texts = {"/etc/security/access.conf": "", "/etc/security/access.d/a.conf": "-:ALL:ALL\n"}
    assert admits(entry, texts, _ADM1) is None
    assert admits(entry, {**texts, "/etc/security/access.conf": "+:ALL:ALL\n"}, _ADM1) is True
