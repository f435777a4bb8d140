"""Local accounts: passwd(5), shadow(5) with every secret cut away on the host, group(5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.allowance import Allowance
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, files

# The second field of passwd(5) and shadow(5) leaves the host only as its lock marks (`!`, `*`) and
# one word: `$id$` of crypt(5), `bsdi`, `traditional` (DES), or `other` for what has no known form.
# It lists what may pass, not what may not: a form nobody thought of becomes `other` too.
# One command a line, `t` and `b` without a label: GNU, busybox and BSD sed agree on these.
_NAME_SED = r"""
/:/!s/.*/redacted:other/
s/^[^:]*[$][^:][^:]*:/redacted:/
"""
_FIELD_SED = r"""ta
:a
s/^\([^:]*:[!*]*[$][a-z0-9][a-z0-9-]\{0,11\}\)[$,][^:]*/\1$/
t
s/^\([^:]*:[!*]*\)_[^:]\{19\}:/\1bsdi:/
t
s/^\([^:]*:[!*]*\)[A-Za-z0-9.\/]\{13,\}\(,[^:]*\)\{0,1\}:/\1traditional:/
t
/^[^:]*:[!*]*:/b
/^[^:]*:[!*]*$/b
/^[^:]*:x:/b
/^[^:]*:[!*]*LK[*]:/b
/^[^:]*:[!*]*NP[*]:/b
s/^\([^:]*:[!*]*\)[^:]*/\1other/
"""
# Behind the password field shadow(5) holds nothing but numbers; a misplaced hash is cut off.
_REST_SED = r"""s/^\([^:]*:[^:]*\(:[-0-9]*\)*\).*/\1/
"""
# The comment field holds names and telephone numbers, and nothing that is judged.
_COMMENT_SED = r"""s/^\([^:]*:[^:]*:[^:]*:[^:]*:\)[^:]*:/\1:/
"""
_PASSWD_SED = (_NAME_SED + _COMMENT_SED + _FIELD_SED).strip("\n")
_SHADOW_SED = (_NAME_SED + _REST_SED + _FIELD_SED).strip("\n")
_GROUP_SED = "/:/!s/.*/redacted:other/\n" + r"/^[^:]*:[x!*]*:/!s/^\([^:]*\):[^:]*/\1:other/"

READS: tuple[Read, ...] = (
    files(
        "accounts.passwd",
        "/etc/passwd",
        limit=1 << 20,
        redact=_PASSWD_SED,
        why=Text("本地账户、UID 与登录 shell", "local accounts, their UIDs and login shells"),
    ),
    files(
        "accounts.shadow",
        "/etc/shadow",
        limit=1 << 20,
        redact=_SHADOW_SED,
        why=Text(
            "口令状态、算法与更换日期（不读取口令散列本身）",
            "state, scheme and age of passwords (never the hashes themselves)",
        ),
    ),
    files(
        "accounts.group",
        "/etc/group",
        limit=1 << 20,
        redact=_GROUP_SED,
        why=Text("用户组及其成员", "groups and their members"),
    ),
)

_NOTHING = "redacted:other"
_NO_LOGIN = re.compile(r"/(nologin|false|true|sync|halt|shutdown)$")
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Account:
    """One line of passwd joined with its line of shadow.

    `password` is what is left of the password field: the lock marks and the scheme, e.g. `$6$`,
    `!$y$`, `*`, or the empty text, which means that no password is asked for.
    `changed`, `maximum`, `expires` and `inactive` are days as shadow(5) counts them (since
    1970-01-01, and spans), None where the field is empty. `line` is for quoting, and no secret.
    """

    name: str
    uid: int
    gid: int
    shell: str
    password: str
    changed: int | None
    maximum: int | None
    line: str
    home: str = ""
    expires: int | None = None
    inactive: int | None = None

    @property
    def login(self) -> bool:
        """Has it a shell that lets someone in?"""
        return not _NO_LOGIN.search(self.shell)

    @property
    def locked(self) -> bool:
        return self.password.startswith(("!", "*"))

    @property
    def scheme(self) -> str:
        """The crypt(5) scheme id (`y`, `6`, `sm3` …), `traditional`, `bsdi`, `other`, or empty."""
        bare = self.password.lstrip("!*")
        match = re.match(r"\$([^$,:]*)", bare)
        return match[1] if match else ("" if bare in ("", "x", "LK*", "NP*") else bare)

    @property
    def empty(self) -> bool:
        """Is the password field empty, so that no password is needed where PAM allows that?"""
        return not self.password

    @property
    def usable(self) -> bool:
        """Is there a password that someone could log in with (an empty one counts)?

        A field of no known form (`other`) is never what crypt(3) returns, so it lets nobody in.
        """
        return self.empty or (not self.locked and self.scheme not in ("", "other"))

    def expired(self, now: datetime) -> bool:
        """Has the account run out, by its date or by the age of its password?

        The second holds for who comes by PAM: an sshd without it asks for the date only.
        """
        return self.ended(now) or self.dormant(now)

    def ended(self, now: datetime) -> bool:
        """Is the day behind us on which the account ends (shadow(5), account expiration date)?"""
        if self.expires is None or self.expires < 0:
            return False
        return _EPOCH + timedelta(days=min(self.expires, 1_000_000)) <= now.astimezone(UTC).date()

    def dormant(self, now: datetime) -> bool:
        """Is its password so old that pam_unix(8) refuses the account, keys or not?

        Linux-PAM, passverify.c, check_shadow_expiry(): as old as the longest age and the days of
        inactivity together. A date of 0 asks for a new password, one that is to come for nothing.
        """
        if not self.changed or self.changed < 0:
            return False
        if self.maximum is None or self.inactive is None or min(self.maximum, self.inactive) < 0:
            return False
        age = (now.astimezone(UTC).date() - _EPOCH).days - self.changed
        return age >= self.maximum + self.inactive


@dataclass(frozen=True, slots=True)
class Group:
    """One line of group(5); `members` are the names on it, not those who have it as primary."""

    name: str
    gid: int
    members: tuple[str, ...]
    line: str


def accounts(capture: Capture) -> tuple[Account, ...]:
    """Every local account, in the file's order, names that come twice included.

    Raises FactError when either file cannot be read as a whole.
    """
    passwd = capture.read("accounts.passwd").one()
    shadow = capture.read("accounts.shadow").one()
    if passwd is None:
        raise NotUnderstood("accounts.passwd", msg("no_etc_passwd"))
    secrets = _shadow(shadow.text("accounts.shadow")) if shadow else {}
    found = [
        _account(line, secrets if shadow else None)
        for line in _lines(passwd.text("accounts.passwd"))
    ]
    if not found:
        raise NotUnderstood("accounts.passwd", msg("etc_passwd_names_no"))
    return tuple(found)


def _account(line: str, secrets: Mapping[str, list[str]] | None) -> Account:
    parts = line.split(":")
    if len(parts) != 7 or not _number(parts[2]) or not _number(parts[3]):
        raise NotUnderstood("accounts.passwd", msg("not_line_passwd_5", line=line))
    name, field, uid, gid, _, home, shell = parts
    if field == "x" and secrets is None:
        raise NotUnderstood("accounts.shadow", msg("password_said_here", name=name))
    # without a line in shadow, pam_unix(8) refuses: as good as locked
    rest = (secrets or {}).get(name, ["*", *[""] * 7])
    # pam_unix(8) looks into shadow only where passwd says `x`
    password = rest[0] if field == "x" else field
    return Account(
        name,
        int(uid),
        int(gid),
        shell or "/bin/sh",
        password,
        _days(rest[1]),
        _days(rest[3]),
        f"{name}:{password}:{uid}:{gid}:{shell}",
        home,
        _days(rest[6]) if len(rest) > 6 else None,
        _days(rest[5]) if len(rest) > 5 else None,
    )


def shadow_names(capture: Capture) -> tuple[str, ...]:
    """The names of shadow(5) in the file's order, those that come twice included."""
    shadow = capture.read("accounts.shadow").one()
    if shadow is None:
        return ()
    return tuple(x.partition(":")[0] for x in _lines(shadow.text("accounts.shadow")))


def groups(capture: Capture) -> tuple[Group, ...]:
    """Every local group. Raises FactError when the file cannot be read as a whole."""
    file = capture.read("accounts.group").one()
    if file is None:
        raise CouldNotLook("accounts.group", msg("no_etc_group"))
    found = []
    for line in _lines(file.text("accounts.group")):
        parts = line.split(":")
        if len(parts) != 4 or not _number(parts[2]):
            raise NotUnderstood("accounts.group", msg("not_line_group_5", line=line))
        members = tuple(m.strip() for m in parts[3].split(",") if m.strip())
        found.append(Group(parts[0], int(parts[2]), members, line))
    return tuple(found)


class Membership:
    """Who is in which group."""

    def __init__(self, known: Iterable[Group]) -> None:
        by_gid: dict[int, set[str]] = {}
        by_name: dict[str, set[str]] = {}
        for group in known:
            by_gid.setdefault(group.gid, set()).add(group.name)
            for member in group.members:
                by_name.setdefault(member, set()).add(group.name)
        self._by_gid = {gid: frozenset(names) for gid, names in by_gid.items()}
        self._by_name = {name: frozenset(names) for name, names in by_name.items()}
        self._room = Allowance("accounts.group", 2_000_000, msg("members_groups"))

    def of(self, account: Account) -> frozenset[str]:
        """The names of the groups that the account is in, by its primary gid or by name."""
        primary = self._by_gid.get(account.gid, frozenset())
        named = self._by_name.get(account.name, frozenset())
        self._room.take(len(primary) + len(named))
        return primary | named if named else primary


def membership(capture: Capture) -> Membership:
    """Raises FactError when the groups cannot be read as a whole."""
    return Membership(groups(capture))


def _lines(text: str) -> list[str]:
    """Lines of an NSS file: empty ones, comments and NIS compat entries left out.

    A line without a colon (an empty one, a remark) left the host as `_NOTHING`; nss_files(5)
    skips it, whatever it was.
    """
    told = (x for x in text.split("\n") if x.strip() and x != _NOTHING)
    return [x for x in told if x.lstrip()[0] not in "#+-"]


def _shadow(text: str) -> dict[str, list[str]]:
    entries: dict[str, list[str]] = {}
    for line in _lines(text):
        name, separator, rest = line.partition(":")
        fields = rest.split(":")
        if not separator or len(fields) < 4:
            raise NotUnderstood("accounts.shadow", msg("not_line_shadow_5", name=name))
        entries.setdefault(name, fields)
    return entries


def _number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _days(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else None
