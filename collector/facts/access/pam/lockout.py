"""Whether a PAM `auth` stack really locks: failures are counted, and a locked account stays out.

Sources: pam_faillock(8), faillock.conf(5) and modules/pam_faillock of Linux-PAM 1.5 and 1.7 (an
argument goes before the file; the file is read since 1.4, and by the 1.3.1 of RHEL 8, which ships
it; whether another 1.3.1, of Kylin V10 or openEuler 20.03, does is told by the module alone, which
then holds the file's name); pam_tally2(8) of Linux-PAM 1.1.8 (`deny` has no default, nothing
unlocks by itself).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.errors import FactError, NotUnderstood
from collector.facts.access.pam.password_quality import modules
from collector.facts.access.pam.stack import Course, Entry, Returns, courses
from collector.facts.system.os_release import platform
from collector.i18n.message import msg
from collector.model import Capture, Quote

COUNTERS = ("pam_faillock", "pam_tally2", "pam_tally")
NEVER = 1 << 31
_CONF = ("/etc/security/faillock.conf", "/usr/etc/security/faillock.conf")
_ENV = (
    "pam_env", "pam_faildelay", "pam_localuser", "pam_permit", "pam_nologin", "pam_securetty",
    "pam_usertype", "pam_group", "pam_access", "pam_shells", "pam_cap", "pam_keyinit",
    "pam_tty_audit",
    "pam_gnome_keyring", "pam_kwallet5", "pam_ecryptfs", "pam_lastlog", "pam_mount", "pam_issue",
    "pam_selinux", "pam_limits", "pam_loginuid", "pam_echo", "pam_time", "pam_umask",
)  # fmt: skip
# rebuilds of RHEL 8 have its pam-1.3.1 as it is
_BACK_PORTED = ("rhel", "centos", "rocky", "almalinux", "ol")
# a local account is not known there
OF_DIRECTORIES = ("pam_sss", "pam_ldap", "pam_krb5", "pam_winbind")
OF_PASSWORDS = ("pam_unix", "pam_unix2", "pam_tcb")


@dataclass(frozen=True, slots=True)
class Numbers:
    """What one entry goes by. `deny` 0: it never locks; `unlock` in seconds, NEVER for never.

    `admin_group` is the group whose members are treated as root is (faillock.conf(5)).
    """

    deny: int
    unlock: int
    root: bool
    root_unlock: int
    interval: int
    quotes: tuple[Quote, ...]
    admin_group: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What becomes of one kind of account in a stack.

    `counted`: each wrong password is counted; `enforced`: once locked, the right one does not
    get in either; `entries` are the counters that were reached.
    """

    counted: bool
    enforced: bool
    entries: tuple[Entry, ...]


def counters(stack: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries of counting modules in a stack, those of substacks included."""
    found: list[Entry] = []
    for entry in stack:
        if entry.inner is not None:
            found += counters(entry.inner)
        elif entry.module in COUNTERS:
            found.append(entry)
    return tuple(found)


def numbers(entry: Entry, capture: Capture) -> Numbers:
    """Raises FactError where its settings are not seen or not understood."""
    if entry.module == "pam_faillock":
        return _faillock(entry, capture)
    settings = {"deny": "0", "unlock_time": "never"} | _arguments(entry)
    if entry.module == "pam_tally2" and "file" in settings:
        settings.pop("file")
    return _numbers(settings, entry, (entry.quote,))


def _faillock(entry: Entry, capture: Capture) -> Numbers:
    settings = {"deny": "3", "unlock_time": "600", "fail_interval": "900"}
    quotes = [entry.quote]
    told = entry.option("conf")
    known = {f.path: f for f in capture.read("pam.settings").present()}
    path = told or next((p for p in _CONF if p in known), None)
    if told is not None and told not in known:
        raise NotUnderstood("pam.settings", msg("pam_faillock_conf_not", told=told))
    if path is not None and (read := _reads_file(capture)) is not False:
        lines = [x.partition("#")[0].strip() for x in known[path].text("pam.settings").splitlines()]
        used = [x for x in lines if x]
        if used and read is None:
            raise NotUnderstood("pam.modules", msg("pam_faillock_of_which_version", path=path))
        for line in used:
            match = re.match(r"(\w+)\s*=?\s*(.*)$", line)
            if match is None:
                raise NotUnderstood("pam.settings", msg("at", where=path, what=repr(line)))
            settings[match[1]] = match[2].strip()
        quotes.append(Quote("pam.settings", tuple(used), path))
    return _numbers(settings | _arguments(entry), entry, tuple(quotes))


def _reads_file(capture: Capture) -> bool | None:
    """Does the module go by faillock.conf? None where neither it nor the version tells."""
    known = modules(capture)
    if known.conf is not None:
        return known.conf
    # where the version is not known, the file is taken to count if somebody put it there
    if known.pam is None or known.pam >= (1, 4, 0):
        return True
    if known.pam < (1, 3, 1):
        return False
    try:
        system = platform(capture)
    except FactError:
        return None
    return True if system.id in _BACK_PORTED and system.major == 8 else None


def _arguments(entry: Entry) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in entry.args:
        name, _, value = word.partition("=")
        found[name] = value
    return found


def _numbers(settings: Mapping[str, str], entry: Entry, quotes: tuple[Quote, ...]) -> Numbers:
    unlock = _seconds(settings["unlock_time"], entry)
    told = settings.get("root_unlock_time")
    return Numbers(
        _number(settings["deny"], entry),
        unlock,
        "even_deny_root" in settings or told is not None,
        unlock if told is None else _seconds(told, entry),
        _number(settings.get("fail_interval", str(NEVER)), entry),
        quotes,
        settings.get("admin_group", ""),
    )


def _seconds(text: str, entry: Entry) -> int:
    return NEVER if text in ("never", "0") else _number(text, entry)


def _number(text: str, entry: Entry) -> int:
    if not re.fullmatch(r"\d{1,10}", text):
        raise NotUnderstood("pam.files", f"{entry.path}: {entry.line!r}: {text!r}")
    return int(text)


def effect(stack: tuple[Entry, ...], capture: Capture, *, root: bool) -> Effect:
    """What the stack does to an ordinary account, or to root. Raises FactError."""
    here = counters(stack)
    told = {id(entry): numbers(entry, capture) for entry in here}
    judged = [way for way in courses(stack, _returns(told, root=root, locked=False)) if _unix(way)]
    counted = bool(judged) and all(
        any(_counts(e) and told[id(e)].deny for e, _ in way.called if id(e) in told)
        for way in judged
    )
    after = [way for way in courses(stack, _returns(told, root=root, locked=True)) if _unix(way)]
    reached = {id(e) for way in judged for e, _ in way.called}
    return Effect(
        counted,
        not any(way.success for way in after),
        tuple(e for e in here if id(e) in reached),
    )


def unasked(
    stack: tuple[Entry, ...], capture: Capture, *, root: bool, by_root: bool = True
) -> Entry | None:
    """The line by which one comes in though nothing was asked of him; None where there is none.

    `by_root`: what asks runs as root whoever comes in, as sshd and login do; su(1) and sudo(8) do
    not. pam_rootok(8) lets all in there. Raises NotUnderstood where a program (pam_exec), or a
    condition that holds for some, may be what lets him in.
    """
    told = {id(entry): numbers(entry, capture) for entry in counters(stack)}
    doubtful: Entry | None = None
    for way in courses(stack, _returns(told, root=root, locked=False, by_root=by_root)):
        asked = [e for e, _ in way.called if id(e) not in told and e.module not in _ASK_NOTHING]
        if not way.success or asked:
            continue
        lets = [e for e, said in way.called if said == "success" and id(e) not in told]
        unsure = [e for e in lets if e.module == "pam_exec" or _for_some(e, root=root)]
        if lets and not unsure:
            return next((e for e in lets if e.module == "pam_permit"), lets[-1])
        doubtful = doubtful or (unsure[0] if unsure else None)
    if doubtful is not None:
        raise NotUnderstood(
            "pam.files", msg("program_lets_in", path=doubtful.path, line=doubtful.quote.lines[0])
        )
    return None


def _for_some(entry: Entry, *, root: bool) -> bool:
    return entry.module == "pam_succeed_if" and len(uid_condition(entry, root=root)) > 1


_ASK_NOTHING = frozenset((*_ENV, "pam_exec", "pam_rootok", "pam_deny", "pam_succeed_if"))


def _unix(way: Course) -> bool:
    """Was a password compared on this way at all? If not, this way is none to guess on."""
    return any(entry.module in OF_PASSWORDS for entry, _ in way.called)


def _counts(entry: Entry) -> bool:
    """With magic_root, pam_tally2(8) counts for no service that runs as root: for no login."""
    if entry.module == "pam_faillock":
        return entry.flag("authfail")
    return not entry.flag("magic_root")


def _returns(
    told: Mapping[int, Numbers], *, root: bool, locked: bool, by_root: bool = False
) -> Returns:
    """The values of each module: a wrong password, or the right one to a locked account."""

    def returns(entry: Entry, way: Course) -> tuple[str, ...]:
        del way
        if id(entry) in told:
            if locked and told[id(entry)].deny and (told[id(entry)].root or not root):
                return ("auth_err",)
            return ("ignore",) if entry.flag("authfail") else ("success",)
        if entry.module in OF_PASSWORDS:
            return ("success",) if locked else ("auth_err",)
        if entry.module in OF_DIRECTORIES:
            return ("user_unknown",)
        if entry.module == "pam_rootok" and by_root:
            return ("success",)
        if entry.module in ("pam_deny", "pam_rootok"):
            return ("auth_err",)
        if entry.module == "pam_succeed_if":
            return uid_condition(entry, root=root)
        if entry.module == "pam_usertype" and root:
            return ("auth_err",) if "isregular" in entry.args else ("success",)
        return ("success",) if entry.module in _ENV else ("success", "auth_err")

    return returns


def uid_condition(entry: Entry, *, root: bool) -> tuple[str, ...]:
    """`uid >= 1000` and its like are told for root and for an ordinary account."""
    words = [
        w for w in entry.args
        if not w.startswith(("quiet", "debug", "use_uid", "audit"))
    ]  # fmt: skip
    if len(words) != 3 or words[0] != "uid" or not words[2].isdecimal():
        return ("success", "auth_err")
    uid, bound = (0 if root else 60_000), int(words[2])
    if not root and words[1] in ("eq", "=") and bound:
        return ("success", "auth_err")
    held = {
        ">=": uid >= bound, "ge": uid >= bound, ">": uid > bound, "gt": uid > bound,
        "<=": uid <= bound, "le": uid <= bound, "<": uid < bound, "lt": uid < bound,
        "=": uid == bound, "eq": uid == bound, "!=": uid != bound, "ne": uid != bound,
    }.get(words[1])  # fmt: skip
    if held is None:
        return ("success", "auth_err")
    return ("success",) if held else ("auth_err",)
