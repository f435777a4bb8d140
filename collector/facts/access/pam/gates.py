"""Modules of a PAM stack that may refuse somebody for who he is: lists, places, hours, programs.

pam_access(8) goes by access.conf (`access_conf`), pam_listfile(8) by a list of names, pam_time(8)
by time.conf, pam_succeed_if(8) by groups and names, pam_wheel(8) by a group. Of the last four no
file is read, so whom they let in is not told.

>>> from collector.facts.access.pam.stack import Stacks
>>> lines = "account required pam_access.so", "account required pam_unix.so"
>>> gate(Stacks({"/etc/pam.d/sshd": chr(10).join(lines)}), "sshd", "account").module
'pam_access'
>>> lines = "account sufficient pam_succeed_if.so uid < 1000 quiet", "account required pam_unix.so"
>>> gate(Stacks({"/etc/pam.d/sshd": chr(10).join(lines)}), "sshd", "account") is None
True
"""

from __future__ import annotations

from collections.abc import Callable

from collector.facts.access.pam.lockout import OF_DIRECTORIES, OF_PASSWORDS, uid_condition
from collector.facts.access.pam.stack import Course, Entry, Stacks, courses

_LISTS = ("pam_access", "pam_listfile", "pam_time", "pam_succeed_if", "pam_wheel", "pam_shells")
# Of an account that is whole and not locked these refuse nothing; pam_nologin is looked at apart.
_HARMLESS = (
    *OF_PASSWORDS, "pam_permit", "pam_nologin", "pam_faillock", "pam_tally", "pam_tally2",
    "pam_localuser", "pam_env", "pam_limits", "pam_loginuid", "pam_selinux", "pam_sepermit",
    "pam_keyinit", "pam_lastlog", "pam_motd", "pam_mail", "pam_mkhomedir", "pam_oddjob_mkhomedir",
    "pam_systemd", "pam_umask", "pam_issue", "pam_echo", "pam_faildelay", "pam_tty_audit",
    "pam_cap", "pam_gnome_keyring", "pam_kwallet5", "pam_ecryptfs", "pam_mount", "pam_group",
    "pam_securetty", "pam_pwhistory", "pam_deepin_pw_check", "pam_cracklib", "pam_pwquality",
)  # fmt: skip


def _untold(entry: Entry) -> bool | None:
    del entry
    return None


def gate(
    known: Stacks, service: str, kind: str, admits: Callable[[Entry], bool | None] = _untold
) -> Entry | None:
    """The first entry by which the stack may refuse an ordinary account; None where none does.

    `admits` says of a line of pam_access whether it lets the account in.

    Of the `auth` stack only lists count: that a password or a token is asked keeps nobody out.
    Raises NotUnderstood when the stack cannot be followed.
    """
    for way in _ways(known, service, kind, admits):
        if way.success:
            continue
        refusing = [entry for entry, said in way.called if said == _REFUSED]
        if refusing:
            return next((e for e in refusing if e.module != "pam_deny"), refusing[0])
    return None


def refused(known: Stacks, service: str, admits: Callable[[Entry], bool | None]) -> bool:
    """Does the `account` stack surely turn the account away, and a line of pam_access with it?

    Raises NotUnderstood when the stack cannot be followed.
    """
    if not _asked(known.stack(service, "account")):
        return False
    ways = _ways(known, service, "account", admits)
    shut = any(e.module == "pam_access" and admits(e) is False for w in ways for e, _ in w.called)
    return shut and not any(way.success for way in ways)


def _asked(entries: tuple[Entry, ...]) -> bool:
    return any(e.module == "pam_access" or _asked(e.inner or ()) for e in entries)


def _ways(
    known: Stacks, service: str, kind: str, admits: Callable[[Entry], bool | None]
) -> list[Course]:
    asked = _account if kind == "account" else _auth

    def returns(entry: Entry, way: Course) -> tuple[str, ...]:
        told = admits(entry) if entry.module == "pam_access" else None
        if told is None:
            return asked(entry, way)
        return ("success",) if told else (_REFUSED,)

    return courses(known.stack(service, kind), returns)


_REFUSED = "perm_denied"


def _account(entry: Entry, way: Course) -> tuple[str, ...]:
    if entry.module in _HARMLESS:
        return ("success",)
    return _either(entry, way)


def _auth(entry: Entry, way: Course) -> tuple[str, ...]:
    if entry.module not in (*_LISTS, *OF_DIRECTORIES, "pam_deny", "pam_usertype"):
        return ("success",)
    return _either(entry, way)


def _either(entry: Entry, way: Course) -> tuple[str, ...]:
    del way
    if entry.module in OF_DIRECTORIES:
        return ("user_unknown",)
    if entry.module == "pam_deny":
        return (_REFUSED,)
    if entry.module == "pam_usertype":
        return ("success",) if "isregular" in entry.args else ("auth_err",)
    if entry.module == "pam_succeed_if":
        told = uid_condition(entry, root=False)
        return told if len(told) == 1 else ("success", _REFUSED)
    return ("success", _REFUSED)
