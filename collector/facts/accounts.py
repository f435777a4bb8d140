"""Local accounts: passwd(5), shadow(5) with every secret cut away on the host, group(5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.model import Capture, Read, Text, files

# Leaves of a password field only its lock marks and the scheme ($y$, $6$ …); a field in the
# traditional form, which has no scheme to show, becomes the word `traditional`.
_SHADOW_SED = (
    r"s/^\([^:]*:\)\(!*\)\(\$[^:$]*\$\)[^:]*/\1\2\3/;"
    r"s/^\([^:]*:\)\(!*\)_[^:]*/\1\2bsdi/;"
    r"s/^\([^:]*:\)\(!*\)[A-Za-z0-9.\/][^:]*/\1\2traditional/"
)

READS: tuple[Read, ...] = (
    files(
        "accounts.passwd",
        "/etc/passwd",
        limit=1 << 20,
        redact=_SHADOW_SED.replace("[A-Za-z0-9.\\/][^:]*", "[A-Za-wyz0-9.\\/][^:]*"),
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
        redact=r"s/^\([^:]*\):[^:x][^:]*:/\1:redacted:/",
        why=Text("用户组及其成员", "groups and their members"),
    ),
)

_NO_LOGIN = re.compile(r"/(nologin|false|sync|halt|shutdown)$")


@dataclass(frozen=True, slots=True)
class Account:
    """One line of passwd joined with its line of shadow.

    `password` is what is left of the password field: the lock marks and the scheme, e.g. `$6$`,
    `!$y$`, `*`, or the empty text, which means that no password is asked for.
    `changed` and `maximum` are days as shadow(5) counts them, None where the field is empty.
    """

    name: str
    uid: int
    gid: int
    shell: str
    password: str
    changed: int | None
    maximum: int | None
    line: str

    @property
    def login(self) -> bool:
        """Has it a shell that lets someone in?"""
        return not _NO_LOGIN.search(self.shell)

    @property
    def locked(self) -> bool:
        return self.password.startswith(("!", "*"))

    @property
    def scheme(self) -> str:
        """The crypt(5) scheme id (`y`, `6`, `sm3` …), `traditional`, or empty when there is none."""
        bare = self.password.lstrip("!")
        match = re.match(r"\$([^$,:]*)", bare)
        return match[1] if match else ("" if bare in ("", "*", "x") else bare)


def accounts(capture: Capture) -> tuple[Account, ...]:
    """Every local account. Raises FactError when either file cannot be read as a whole."""
    passwd = capture.read("accounts.passwd").one()
    shadow = capture.read("accounts.shadow").one()
    if passwd is None:
        raise NotUnderstood("accounts.passwd", "there is no /etc/passwd")
    secrets = _shadow(shadow.text("accounts.shadow")) if shadow else {}
    found = []
    for line in _lines(passwd.text("accounts.passwd")):
        parts = line.split(":")
        if len(parts) != 7 or not parts[2].isdecimal() or not parts[3].isdecimal():
            raise NotUnderstood("accounts.passwd", f"not a line of passwd(5): {line!r}")
        name, field, uid, gid, _, _, shell = parts
        rest = secrets.get(name)
        if rest is None and field == "x":
            rest = ["*", "", "", ""] if shadow else None
        if field == "x" and rest is None:
            raise NotUnderstood("accounts.shadow", f"{name}: its password is said to be here")
        password = rest[0] if field == "x" and rest else field
        found.append(
            Account(
                name,
                int(uid),
                int(gid),
                shell or "/bin/sh",
                password,
                _days(rest[1]) if rest else None,
                _days(rest[3]) if rest else None,
                f"{name}:{password}:{uid}:{gid}:{shell}",
            )
        )
    return tuple(found)


def _lines(text: str) -> list[str]:
    """Lines of an NSS file: empty ones, comments and NIS compat entries left out."""
    return [x for x in text.splitlines() if x.strip() and x.lstrip()[0] not in "#+-"]


def _shadow(text: str) -> dict[str, list[str]]:
    entries: dict[str, list[str]] = {}
    for line in _lines(text):
        name, separator, rest = line.partition(":")
        fields = rest.split(":")
        if not separator or len(fields) < 4:
            raise NotUnderstood("accounts.shadow", f"not a line of shadow(5): {name!r}")
        entries.setdefault(name, fields)
    return entries


def _days(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
