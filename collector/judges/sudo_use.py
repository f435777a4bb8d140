"""Whether who may become root with sudo can do it: sudo asks for a password, and one may be locked.

What decides is the last right that fits a command (sudoers(5), "Sudoers file format"), its tag,
and the Defaults on who is asked for which password. A locked password is one that pam_unix(8)
refuses; whether another module of sudo's stack lets the account in all the same is not known here.

    ops ALL=(ALL) NOPASSWD: ALL
    %sudo ALL=(ALL:ALL) ALL        <- ops in sudo is asked for a password: the last one counts
    Defaults rootpw                <- for root's, not for its own
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from collector.errors import FactError, NotUnderstood
from collector.facts.access.pam.stack import Course, Entry, courses, stacks
from collector.facts.access.sudoers import Grant, sudoers, sudoers_lines
from collector.facts.system.accounts import Account, accounts, membership
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.model import Capture

Can = Literal["yes", "no", "untold"]

_DEFAULTS = re.compile(r"^Defaults(?P<scope>[@:!>]\s*\S+)?\s+(?P<what>.*)$")
_ASKED = re.compile(
    r"(?P<off>!*)\s*(?P<name>authenticate|rootpw|targetpw|runaspw|exempt_group|pam_service)\b"
    r"(?:\s*=\s*\"?(?P<value>[^\",\s]+)\"?)?"
)
_OTHERS = ("rootpw", "targetpw", "runaspw")
# what neither knows an account by anything else than its password, nor lets it in for nothing
_WITHOUT_A_WORD = frozenset(
    ("pam_env", "pam_faildelay", "pam_cap", "pam_group", "pam_faillock", "pam_tally", "pam_tally2")
)
_DAEMONS = {"pam_sss": "sssd", "pam_winbind": "winbindd"}


@dataclass(frozen=True, slots=True)
class Asking:
    """What the Defaults say of passwords.

    `partly` where some users, hosts or commands may be asked for none; `whose` where it is another
    one's password for some of them.
    """

    authenticate: bool = True
    of_root: bool = False
    exempt: str = ""
    service: str = "sudo"
    partly: bool = False
    whose: bool = False


def asking(capture: Capture) -> Asking:
    """Raises FactError where sudoers cannot be read."""
    authenticate, others, exempt, service = True, dict[str, bool](), "", "sudo"
    partly = whose = False
    for _, line in sudoers_lines(capture):
        match = _DEFAULTS.match(line)
        for said in _ASKED.finditer(match["what"]) if match else ():
            on = len(said["off"]) % 2 == 0
            if match and match["scope"]:
                whose |= said["name"] in _OTHERS
                partly |= said["name"] not in _OTHERS
            elif said["name"] == "authenticate":
                authenticate = on
            elif said["name"] == "exempt_group":
                exempt = said["value"] or "" if on else ""
            elif said["name"] == "pam_service":
                service = said["value"] or service
            else:
                others[said["name"]] = on
    return Asking(authenticate, any(others.values()), exempt, service, partly, whose)


class SudoUse:
    """Who holds a right to become root, and whether the password that is asked for is there."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._rights: dict[str, list[tuple[int, Grant]]] = {}
        for place, grant in enumerate(sudoers(capture)):
            if (grant.all or grant.shell) and grant.root and grant.holds != "no":
                self._rights.setdefault(grant.who, []).append((place, grant))
        self._asking = asking(capture)
        self._members = membership(capture)
        self._lets_in: bool | None = None
        self._problem: FactError | None = None
        self._root = any(a.name == "root" and a.usable for a in accounts(capture))

    def may(self, account: Account, *, shells: bool = False) -> bool:
        """Has it a right to become root, whether it can make use of it or not?"""
        return any(grant.holds == "yes" for grant in self._of(account, shells=shells))

    def of(self, account: Account, *, shells: bool = False) -> Can | None:
        """Can it become root? None where it has no right to.

        With `shells` a right to a program that leads to a shell counts as one to all.
        """
        rights = self._of(account, shells=shells)
        if not self.may(account, shells=shells):
            return None
        asked = self._asked(rights, account)
        if asked == "no" or self._knows(account):
            return "yes"
        if asked == "untold" or self._asking.partly or self._asking.whose or account.empty:
            # an empty password is one where pam_unix has `nullok`
            return "untold"
        if self._lets_in is None:
            try:
                self._lets_in = lets_in(self._capture, self._asking.service)
            except FactError as problem:
                self._lets_in, self._problem = True, problem
        return "untold" if self._lets_in else "no"

    def doubt(self, account: Account) -> FactError:
        """Why it is not told of the account whether it can."""
        unknown = NotUnderstood("sudoers.files", msg("whether_sudo_lets", name=account.name))
        return self._problem or unknown

    def _of(self, account: Account, *, shells: bool) -> list[Grant]:
        names = {account.name, "ALL", f"#{account.uid}", f"%#{account.gid}"}
        names |= {f"%{group}" for group in self._members.of(account)}
        found = sorted(
            (right for name in names for right in self._rights.get(name, ())),
            key=lambda right: right[0],
        )
        return [grant for _, grant in found if grant.all or shells]

    def _asked(self, rights: Iterable[Grant], account: Account) -> Can:
        """Is a password asked for, by the last of the rights to all, or by one to a shell?"""
        asked: Can = "yes"
        for grant in rights:
            own: Can = "yes" if grant.password else "no"
            if grant.all:
                asked = own if grant.holds == "yes" or own == asked else "untold"
            elif own == "no" and asked != "no":
                asked = "no" if grant.holds == "yes" else "untold"
        if self._asking.exempt and self._asking.exempt in self._members.of(account):
            return "no"
        if not self._asking.authenticate:
            # a tag PASSWD has more weight than the Defaults
            told = any(re.search(r"(?<!NO)PASSWD:", grant.line) for grant in rights)
            return "untold" if told or self._asking.partly else "no"
        return asked

    def _knows(self, account: Account) -> bool:
        own = account.usable and not account.empty
        if self._asking.whose:
            return self._root and own
        return self._root if self._asking.of_root else own


def sudo_use(capture: Capture) -> SudoUse:
    """Raises FactError where sudoers, the accounts or the groups cannot be read."""
    return SudoUse(capture)


def lets_in(capture: Capture, service: str) -> bool:
    """May the service's stack let in an account that pam_unix refuses? Raises FactError."""
    seen = processes(capture)
    without = {
        module for module, name in _DAEMONS.items() if seen.complete and not seen.named(name)
    }

    def returns(entry: Entry, _: Course) -> tuple[str, ...]:
        if entry.module in ("pam_unix", "pam_deny"):
            return ("auth_err",)
        if entry.module in ("pam_permit", "pam_localuser"):
            return ("success",)
        if entry.module in _WITHOUT_A_WORD:
            return ("success", "ignore")
        if entry.module in without:
            return ("authinfo_unavail",)
        return ("success", "auth_err", "ignore")

    return any(way.success for way in courses(stacks(capture).stack(service, "auth"), returns))
