"""Who may become root with sudo: sudoers(5) as written, its aliases and includes resolved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.masking import COMMANDS
from collector.model import Capture, Read, Text, files

READS: tuple[Read, ...] = (
    files(
        "sudoers.files",
        "/etc/sudoers",
        "/etc/sudoers.d/*",
        "/usr/local/etc/sudoers",
        "/usr/local/etc/sudoers.d/*",
        redact=COMMANDS + "\n" + r"s/\(--[a-z-]*pass[a-z-]*=\)[^[:space:],]*/\1***/g",
        why=Text("谁可以通过 sudo 取得 root 权限", "who may become root with sudo"),
    ),
)

_MAIN = ("/etc/sudoers", "/usr/local/etc/sudoers")
_ALIAS = re.compile(r"^(User|Runas|Host|Cmnd)_Alias\s+(.*)$")
_SPEC = re.compile(r"^(?P<who>(?:\\.|[^=\\])+?)\s*=\s*(?P<what>.*)$")
# Option_Spec of sudoers(5): they stand before the tags
_OPTIONS = re.compile(
    r"^(?:(?:ROLE|TYPE|CWD|CHROOT|TIMEOUT|NOTBEFORE|NOTAFTER|APPARMOR_PROFILE|PRIVS|LIMITPRIVS)"
    r"\s*=\s*(?:\"[^\"]*\"|\S+)\s*)+"
)
# the same users on other hosts
_ELSEWHERE = re.compile(r"\s:\s+(?![^()]*\))[^=\s]+\s*=\s*")
_TAGS = re.compile(
    r"^(?:(?:NO)?(?:PASSWD|EXEC|SETENV|LOG_INPUT|LOG_OUTPUT|MAIL|FOLLOW|INTERCEPT):\s*)+"
)


@dataclass(frozen=True, slots=True)
class Grant:
    """One right: `who` is a user, a `%group`, a `#uid`, a `%#gid` or `ALL`.

    `all` says that every command is granted; `password` that one's own password is asked for.
    """

    who: str
    runas: str
    all: bool
    password: bool
    path: str
    line: str

    @property
    def root(self) -> bool:
        """Does it end in root's rights (run as root or as anybody)?"""
        users = [u.strip() for u in self.runas.partition(":")[0].split(",")]
        return any(u in ("", "ALL", "root", "#0") for u in users)

    def concerns(self, name: str, uid: int, groups: frozenset[str], gid: int) -> bool:
        """Is the account meant? `groups` are the names of all its groups."""
        if self.who.startswith("%#"):
            return self.who == f"%#{gid}"
        if self.who.startswith("%"):
            return self.who[1:] in groups
        if self.who.startswith("#"):
            return self.who == f"#{uid}"
        return self.who in ("ALL", name)


def sudoers(capture: Capture) -> tuple[Grant, ...]:
    """Every grant, in order; empty when there is no sudo on the host.

    Raises FactError when a file was not readable, or a line has no known form.
    """
    known = {f.path: f.text("sudoers.files") for f in capture.read("sudoers.files").present()}
    lines: list[tuple[str, str]] = []
    for main in _MAIN:
        if main in known:
            _read(main, known, lines, 0)
            break
    aliases = _aliases(lines)
    grants: list[Grant] = []
    for path, line in lines:
        if not _ALIAS.match(line) and not line.startswith("Defaults"):
            grants += _grants(path, line, aliases)
    return tuple(grants)


def _read(path: str, known: Mapping[str, str], lines: list[tuple[str, str]], depth: int) -> None:
    if depth > 128:
        raise NotUnderstood("sudoers.files", f"{path}: included too deeply")
    for raw in re.sub(r"\\\n", " ", known[path]).splitlines():
        line = raw.strip()
        if match := re.match(r"[@#]includedir\s+(\S+)", line):
            folder = match[1].rstrip("/")
            if folder not in {f"{main}.d" for main in _MAIN}:
                raise NotUnderstood("sudoers.files", f"{path}: {line}: not read")
            for other in sorted(p for p in known if p.rpartition("/")[0] == folder):
                # sudoers(5): names with a dot, or that end in ~, are passed over
                name = other.rpartition("/")[2]
                if "." not in name and not name.endswith("~"):
                    _read(other, known, lines, depth + 1)
        elif match := re.match(r"[@#]include\s+(\S+)", line):
            if match[1] not in known:
                raise NotUnderstood("sudoers.files", f"{path}: {line}: not read")
            _read(match[1], known, lines, depth + 1)
        else:
            # `#1000` is a uid, any other `#` begins a comment
            bare = re.sub(r"(?<!\\)#(?![0-9-]).*", "", line)
            if bare.strip():
                lines.append((path, bare.strip()))


def _aliases(lines: list[tuple[str, str]]) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for path, line in lines:
        if match := _ALIAS.match(line):
            for part in re.split(r":(?=\s*[A-Z][A-Z0-9_]*\s*=)", match[2]):
                name, equals, value = part.partition("=")
                if not equals:
                    raise NotUnderstood("sudoers.files", f"{path}: {line}")
                found.setdefault(match[1], {})[name.strip().rstrip("+").strip()] = _list(value)
    return found


def _list(text: str) -> list[str]:
    return [x.strip() for x in re.split(r"(?<!\\),", text) if x.strip()]


def _grants(path: str, line: str, aliases: Mapping[str, Mapping[str, list[str]]]) -> list[Grant]:
    match = _SPEC.match(line)
    if match is None:
        raise NotUnderstood("sudoers.files", f"{path}: {line!r}")
    # `users hosts = …`: the host list is the last word, lists have commas
    who = re.match(r"^(.*\S)\s+(\S+)$", re.sub(r"\s*,\s*", ",", match["who"]))
    if who is None:
        raise NotUnderstood("sudoers.files", f"{path}: {line!r}")
    users = _expand(_list(who[1].replace('"', "")), aliases.get("User", {}), 0)
    grants: list[Grant] = []
    for what in _ELSEWHERE.split(match["what"]):
        for runas, commands, password in _commands(what, aliases):
            everything = "ALL" in commands
            for user in users:
                if not user.startswith("!"):
                    grants.append(Grant(user, runas, everything, password, path, line))
    return grants


def _expand(words: list[str], aliases: Mapping[str, list[str]], depth: int) -> list[str]:
    out: list[str] = []
    for word in words:
        if word in aliases and depth < 16:
            out += _expand(aliases[word], aliases, depth + 1)
        else:
            out.append(word)
    return out


def _commands(
    text: str, aliases: Mapping[str, Mapping[str, list[str]]]
) -> list[tuple[str, list[str], bool]]:
    """(run as, commands, is a password asked for), one entry for each run of equal settings."""
    runas, password = "", True
    found: list[tuple[str, list[str], bool]] = []
    for word in re.split(r"(?<!\\),(?![^(]*\))", text):
        bare = word.strip()
        if match := re.match(r"^\(([^)]*)\)\s*(.*)$", bare):
            runas, bare = match[1].strip(), match[2]
            users = _expand(_list(runas.partition(":")[0]), aliases.get("Runas", {}), 0)
            runas = ",".join(users)
        bare = _OPTIONS.sub("", bare)
        if match := _TAGS.match(bare):
            for tag in re.findall(r"(?:NO)?PASSWD", match[0]):
                password = tag == "PASSWD"
            bare = bare[match.end() :]
        found.append((runas, _expand([bare.strip()], aliases.get("Cmnd", {}), 0), password))
    return found
