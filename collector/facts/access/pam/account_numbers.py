"""Which numbers a host gives to accounts of the system: login.defs(5)."""

from __future__ import annotations

import re

from collector.facts.access.pam.stack import READS as _PAM_READS
from collector.facts.system.accounts import Account
from collector.model import Capture, Read

READS: tuple[Read, ...] = tuple(r for r in _PAM_READS if r.id == "pam.settings")

# useradd(8), where login.defs says nothing; above it nobody can tell people from programs
_LAST = 999
_SET = r"(?m)^[ \t]*{}[ \t]+(0x[0-9A-Fa-f]+|\d+)"


def last_of_system(capture: Capture) -> int:
    """The last number that useradd(8) gives to an account of the system. Raises FactError.

    SYS_UID_MAX, or what lies below UID_MIN; what is later in the file counts.
    """
    for file in capture.read("pam.settings").present():
        if file.path != "/etc/login.defs":
            continue
        text = file.text("pam.settings")
        for name, below in (("SYS_UID_MAX", 0), ("UID_MIN", 1)):
            if found := re.findall(_SET.format(name), text):
                return min(int(found[-1], 0) - below, _LAST)
    return _LAST


def of_system(capture: Capture, account: Account) -> bool:
    """Was it made for the system or a program? Raises FactError.

    A home below /home is a person's, or of a program that somebody set up here by hand: older
    systems gave people numbers from 500 on, and the accounts stayed through upgrades.
    """
    if not 0 < account.uid <= _LAST or account.home.startswith("/home/"):
        return False
    return account.uid <= last_of_system(capture)
