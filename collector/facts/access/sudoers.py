"""Who may become root with sudo: sudoers(5) as written, its aliases and includes resolved."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Literal

from collector.errors import NotUnderstood
from collector.facts.access.sudo_shells import gives_root
from collector.facts.base.allowance import Allowance
from collector.facts.base.redaction import only_listed
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, files

READS: tuple[Read, ...] = (
    files(
        "sudoers.files",
        "/etc/sudoers",
        "/etc/sudoers.d/*",
        "/usr/local/etc/sudoers",
        "/usr/local/etc/sudoers.d/*",
        redact=only_listed("sudo"),
        why=Text("谁可以通过 sudo 取得 root 权限", "who may become root with sudo"),
    ),
)

_MAIN = ("/etc/sudoers", "/usr/local/etc/sudoers")
_ALIAS = re.compile(r"^(User|Runas|Host|Cmnd)_Alias\s+(.*)$")
_SPEC = re.compile(r"^(?P<who>(?:\\.|[^=\\])++)=\s*+(?P<what>.*)$")
# Option_Spec of sudoers(5): they stand before the tags
_OPTIONS = re.compile(
    r"^(?:(?:ROLE|TYPE|CWD|CHROOT|TIMEOUT|NOTBEFORE|NOTAFTER|APPARMOR_PROFILE|PRIVS|LIMITPRIVS)"
    r"\s*=\s*(?:\"[^\"]*\"|\S+)\s*)+"
)
# the same users on other hosts
_ELSEWHERE = re.compile(r"\s:\s+(?![^()]*\))(?P<hosts>[^=\s]+)\s*=\s*")
_TAGS = re.compile(
    r"^(?:(?:NO)?(?:PASSWD|EXEC|SETENV|LOG_INPUT|LOG_OUTPUT|MAIL|FOLLOW|INTERCEPT):\s*)+"
)


Holds = Literal["yes", "no", "untold"]


@dataclass(frozen=True, slots=True)
class Grant:
    """One right: `who` is a user, a `%group`, a `#uid`, a `%#gid` or `ALL`.

    `all` says that every command is granted; `password` that one's own password is asked for.
    `shell`: does one of the commands lead to all of them, as a shell or an editor does?
    `holds`: is it in force on this host and at this time, and not taken back by a later line?
    """

    who: str
    runas: str
    all: bool
    password: bool
    path: str
    line: str
    holds: Holds = "yes"
    shell: bool = False

    @property
    def root(self) -> bool:
        """Does it end in root's rights (run as root or as anybody)?"""
        # of several that fit the last one counts, which may take root away again (sudoers(5))
        held = self.runas == ""
        for user in self.runas.split(","):
            name = user.strip().lstrip("!")
            if name in ("ALL", "root", "#0"):
                held = (len(user.strip()) - len(name)) % 2 == 0
        return held


@dataclass(frozen=True, slots=True)
class Holders:
    """Whom some grants are for."""

    names: frozenset[str]
    groups: frozenset[str]

    @classmethod
    def of(cls, grants: Iterable[Grant]) -> Holders:
        names = {g.who for g in grants}
        return cls(frozenset(names), frozenset(n[1:] for n in names if re.match("%(?!#)", n)))

    def hold(self, name: str, uid: int, groups: frozenset[str], gid: int) -> bool:
        """Is the account one of them? `groups` are the names of all its groups."""
        if not {"ALL", f"#{uid}", f"%#{gid}"}.isdisjoint(self.names):
            return True
        named = not name.startswith(("%", "#")) and name in self.names
        return named or not self.groups.isdisjoint(groups)


def sudoers(capture: Capture) -> tuple[Grant, ...]:
    """Every grant, in order; empty when there is no sudo on the host.

    Files that sudo passes over for their owner or mode (sudoers(5), "sudoers_mode") grant nothing.
    Raises FactError when a file was not readable, or a line has no known form.
    """
    lines = sudoers_lines(capture)
    aliases = _Aliases(lines)
    host = _Here(capture.head.get("hostname", ""), capture.collected_at, aliases)
    grants: list[Grant] = []
    for path, line in lines:
        if not _ALIAS.match(line) and not line.startswith("Defaults"):
            found, taken = _grants(path, line, aliases, host)
            grants = [_after(grant, taken) for grant in grants] + found
    return tuple(grants)


def sudoers_lines(capture: Capture) -> list[tuple[str, str]]:
    """(path, line) of all that sudo reads, in its order. Raises FactError."""
    known = {
        f.path: f.text("sudoers.files") if f.uid in (0, -1) and not f.mode & 0o002 else ""
        for f in capture.read("sudoers.files").present()
    }
    lines: list[tuple[str, str]] = []
    room = Allowance("sudoers.files", 50_000, msg("lines_those_included_files"))
    for main in _MAIN:
        if main in known:
            _read(main, known, lines, 0, room)
            break
    return lines


# a command whose name did not leave the host (a digest before it, a word of nobody's list)
_CUT = re.compile(r"!?\s*\$_[0-9a-f]{8}")


class _Here:
    """The host and the time that a right has to be for."""

    def __init__(self, name: str, at: datetime | None, aliases: _Aliases) -> None:
        self._names = {name.lower(), name.lower().partition(".")[0]} - {""}
        self._at = at
        self._aliases = aliases

    def named(self, hosts: str) -> Holds:
        """Is this host in the list? Its last word that matches decides."""
        found: Holds = "no"
        for word in _list(hosts):
            taken = word.startswith("!")
            for plain in map(str.lower, self._aliases.expand("Host", [word.lstrip("!")])):
                if plain == "all" or any(fnmatchcase(name, plain) for name in self._names):
                    found = "no" if taken else "yes"
                elif not self._names or plain[:1] in "+!" or re.match(r"[0-9a-f.:/]+$", plain):
                    found = "untold" if found == "no" or taken else found
        return found

    def timed(self, options: str) -> Holds:
        """NOTBEFORE and NOTAFTER, against the time of the capture."""
        for name, text in re.findall(r"(NOTBEFORE|NOTAFTER)\s*=\s*\"?(\S+?)\"?(?:\s|$)", options):
            if self._at is None or not re.fullmatch(r"\d{14}Z", text):
                return "untold"
            moment = datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
            if (self._at > moment) == (name == "NOTAFTER"):
                return "no"
        return "yes"


def _after(grant: Grant, taken: Mapping[str, Holds]) -> Grant:
    """The grant, where a later line takes rights back from whom it is for, or may."""
    if grant.holds == "no" or not taken:
        return grant
    if grant.who in taken or "ALL" in taken:
        worst = [taken[who] for who in (grant.who, "ALL") if who in taken]
        return replace(grant, holds="no" if "yes" in worst else "untold")
    # of a group, say, in which the user may be
    return replace(grant, holds="untold")


def _read(
    path: str,
    known: Mapping[str, str],
    lines: list[tuple[str, str]],
    depth: int,
    room: Allowance,
) -> None:
    if depth > 128:
        raise NotUnderstood("sudoers.files", msg("included_too", path=path))
    for raw in re.sub(r"\\\n", " ", known[path]).splitlines():
        room.take()
        line = raw.strip()
        if match := re.match(r"[@#]includedir\s+(\S+)", line):
            folder = match[1].rstrip("/")
            if folder not in {f"{main}.d" for main in _MAIN}:
                raise NotUnderstood("sudoers.files", msg("not_read", path=path, line=line))
            for other in sorted(p for p in known if p.rpartition("/")[0] == folder):
                # sudoers(5): names with a dot, or that end in ~, are passed over
                name = other.rpartition("/")[2]
                if "." not in name and not name.endswith("~"):
                    _read(other, known, lines, depth + 1, room)
        elif match := re.match(r"[@#]include\s+(\S+)", line):
            if match[1] not in known:
                raise NotUnderstood("sudoers.files", msg("not_read", path=path, line=line))
            _read(match[1], known, lines, depth + 1, room)
        else:
            # `#1000` is a uid, any other `#` begins a comment
            bare = re.sub(r"(?<!\\)#(?![0-9-]).*", "", line)
            if bare.strip():
                lines.append((path, bare.strip()))


class _Aliases:
    """Names for lists, by kind (`User`, `Cmnd` …)."""

    def __init__(self, lines: list[tuple[str, str]]) -> None:
        self._known: dict[str, dict[str, list[str]]] = {}
        self._room = Allowance("sudoers.files", 200_000, msg("aliases_stand"))
        self.grants = Allowance("sudoers.files", 50_000, msg("rights_each_user_each"))
        for path, line in lines:
            if match := _ALIAS.match(line):
                for part in re.split(r":(?=\s*[A-Z][A-Z0-9_]*\s*=)", match[2]):
                    name, equals, value = part.partition("=")
                    if not equals:
                        raise NotUnderstood("sudoers.files", msg("at", where=path, what=line))
                    named = self._known.setdefault(match[1], {})
                    named[name.strip().rstrip("+").strip()] = _list(value)

    def expand(self, kind: str, words: list[str], depth: int = 0) -> list[str]:
        """The words, each alias replaced by what it stands for."""
        aliases = self._known.get(kind, {})
        out: list[str] = []
        for word in words:
            self._room.take()
            bare = word.removeprefix("!") if kind == "Runas" else word
            if bare in aliases and depth < 16:
                sign = "!" if bare != word else ""
                out += [sign + x for x in self.expand(kind, aliases[bare], depth + 1)]
            else:
                out.append(word)
        return out


def _list(text: str) -> list[str]:
    return [x.strip() for x in re.split(r"(?<!\\),", text) if x.strip()]


def _grants(
    path: str, line: str, aliases: _Aliases, host: _Here
) -> tuple[list[Grant], dict[str, Holds]]:
    """What the line grants, and from whom it takes every command back (`!ALL`)."""
    match = _SPEC.match(line)
    if match is None:
        raise NotUnderstood("sudoers.files", msg("at", where=path, what=repr(line)))
    # `users hosts = …`: the host list is the last word, lists have commas
    who = re.match(r"^(.*\S)\s+(\S+)$", ",".join(x.strip() for x in match["who"].split(",")))
    if who is None:
        raise NotUnderstood("sudoers.files", msg("at", where=path, what=repr(line)))
    users = aliases.expand("User", _list(who[1].replace('"', "")))
    plain = [user for user in users if not user.startswith("!")]
    grants: list[Grant] = []
    taken: dict[str, Holds] = {}
    rest = match["what"]
    hosts = who[2]
    while True:
        other = _ELSEWHERE.search(rest)
        here = host.named(hosts)
        for runas, commands, password, options in _commands(
            rest[: other.start()] if other else rest, aliases
        ):
            everything = "ALL" in commands
            shell = any(map(gives_root, commands))
            aliases.grants.take(len(users))
            holds = _both(here, host.timed(options))
            if any(map(_CUT.match, commands)):
                holds = _both(holds, "untold")
            if "!ALL" in commands and holds != "no":
                taken |= dict.fromkeys(plain, holds)
                grants = [
                    replace(grant, holds="no" if holds == "yes" else "untold") for grant in grants
                ]
            elif not any(command.startswith("!") for command in commands):
                grants += [
                    Grant(user, runas, everything, password, path, line, holds, shell)
                    for user in plain
                ]
        if other is None:
            return grants, taken
        hosts, rest = other["hosts"], rest[other.end() :]


def _both(one: Holds, other: Holds) -> Holds:
    if "no" in (one, other):
        return "no"
    return "untold" if "untold" in (one, other) else "yes"


def _apart(text: str) -> list[str]:
    """What stands between commas, but not within parentheses (a list of users to run as)."""
    found: list[str] = []
    # whether the next parenthesis closes, from the end
    inside, end = False, len(text)
    for at in range(len(text) - 1, -1, -1):
        if text[at] in "()":
            inside = text[at] == ")"
        elif text[at] == "," and not inside and text[at - 1 : at] != "\\":
            found.append(text[at + 1 : end])
            end = at
    return [text[:end], *reversed(found)]


def _commands(text: str, aliases: _Aliases) -> list[tuple[str, list[str], bool, str]]:
    """(run as, commands, is a password asked for, options), an entry for each command."""
    runas, password, options = "", True, ""
    found: list[tuple[str, list[str], bool, str]] = []
    for word in _apart(text):
        bare = word.strip()
        if match := re.match(r"^\(([^)]*)\)\s*(.*)$", bare):
            runas, bare = match[1].strip(), match[2]
            users = aliases.expand("Runas", _list(runas.partition(":")[0]))
            # with a group alone it runs as oneself
            runas = ",".join(users) or ("-" if runas else "")
        if match := _OPTIONS.match(bare):
            # they go on for the commands after it
            options, bare = f"{options} {match[0]}", bare[match.end() :]
        if match := _TAGS.match(bare):
            for tag in re.findall(r"(?:NO)?PASSWD", match[0]):
                password = tag == "PASSWD"
            bare = bare[match.end() :]
        found.append((runas, aliases.expand("Cmnd", [bare.strip()]), password, options))
    return found
