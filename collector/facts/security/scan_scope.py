"""What a call of clamscan or clamdscan takes: everything, a part, or it cannot be told.

clamscan(1), clamdscan(1). What is left out without loss is what holds no file of the system
(/proc, /sys …), backups and containers of others, caches and what was put into quarantine; all else
that lies in one of the folders that a full scan takes makes it a part.

>>> scope_of("clamscan", "-r -i --exclude-dir=^/sys --exclude-dir=^/proc /", ("/usr", "/var"))
'full'
>>> scope_of("clamscan", "-r --exclude-dir=^/var/www /", ("/usr", "/var"))
'part'
>>> scope_of("clamscan", "-r --exclude-dir='^/(proc|sys|dev)(/|$)' /", ("/usr", "/var"))
'full'
>>> scope_of("clamscan", "-r --max-filesize=1K /", ("/usr", "/var"))
'part'
"""

from __future__ import annotations

import re
from typing import Literal

from collector.errors import NotUnderstood
from collector.facts.base.paths import within
from collector.facts.security.exclusions import matches, probes
from collector.facts.shell import quoting
from collector.i18n.message import msg

Scope = Literal["full", "part", "unknown"]

_VALUED = {"-l", "--log", "-d", "--database", "-f", "--file-list", "--exclude", "--exclude-dir",
           "--include", "--include-dir", "--move", "--copy", "-c", "--config-file",
           "--max-filesize", "--max-scansize", "--max-dir-recursion"}  # fmt: skip
_PATTERNS = ("--exclude", "--exclude-dir", "--include", "--include-dir")
# what may be left out below the folders that a full scan takes
_HARMLESS = (
    "/var/cache", "/var/lib/clamav", "/var/lib/docker", "/var/lib/containerd",
    "/var/lib/containers", "/var/lib/lxcfs", "/var/lib/mysql", "/var/lib/postgresql",
    "/var/log", "/var/run", "/var/lock", "/var/backups", "/var/quarantine", "/var/spool/quarantine",
    "/root/quarantine", "/opt/quarantine", "/home/quarantine",
)  # fmt: skip
# where programs, and what the host serves, lie
_INSIDE = (
    "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/libexec", "/usr/local",
    "/usr/local/bin", "/usr/share", "/var/www", "/var/www/html", "/var/lib",
    "/var/spool", "/var/spool/cron", "/etc/cron.d", "/etc/systemd", "/etc/init.d", "/opt/app",
)  # fmt: skip
_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
# clamscan(1): 100 MB and 15 folders deep by default; below these, programs are left out
_LEAST_SIZE, _LEAST_DEPTH = 5 << 20, 15


def scope_of(
    tool: str, options: str, trees: tuple[str, ...], skipped: tuple[str, ...] = ()
) -> Scope:
    """`options` as they stand behind the tool's name; `skipped` is what clamd itself leaves out."""
    try:
        words = quoting.split(re.sub(r"\d?>+.*", "", options), comments=True)
    except ValueError:
        return "unknown"
    given, targets, deep = _options(words)
    deep = deep or tool == "clamdscan"
    if targets is None or any(name in given for name in ("-f", "--file-list", "-d", "--database")):
        return "unknown"
    if "--include" in given or "--include-dir" in given or _weak(given):
        return "part"
    if not targets:
        return "unknown" if deep else "part"
    taken = [t.rstrip("/") for t in targets if t.startswith("/")]
    if len(taken) < len(targets):
        return "unknown"
    if not deep or not all(any(within(tree, t) for t in taken) for tree in trees):
        return "part"
    left_out = [*given.get("--exclude-dir", ()), *given.get("--exclude", ())]
    left_out += skipped if tool == "clamdscan" else ()
    try:
        return "part" if any(_hides(pattern, trees) for pattern in left_out) else "full"
    except NotUnderstood:
        return "unknown"


def _options(words: list[str]) -> tuple[dict[str, list[str]], list[str] | None, bool]:
    """The options with their values, what is to be scanned (None: not told), and is it deep?"""
    given: dict[str, list[str]] = {}
    targets: list[str] = []
    deep, valued = False, ""
    for word in words:
        if valued:
            given[valued].append(word)
            valued = ""
            continue
        name, equals, value = word.partition("=")
        open_ = name not in _PATTERNS and ("$" in word or "`" in word)
        if open_ or word == "--cross-fs=no":
            return given, None, deep
        if not word.startswith("-"):
            targets.append(word)
            continue
        deep = deep or name == "--recursive" or re.fullmatch(r"-\w*r\w*", word) is not None
        given.setdefault(name, []).extend([value] if equals else [])
        valued = name if name in _VALUED and not equals else ""
    return given, targets, deep


def _weak(given: dict[str, list[str]]) -> bool:
    """Do its limits or switches leave most files unread?"""
    for name in ("--max-filesize", "--max-scansize"):
        for value in given.get(name, ()):
            match = re.fullmatch(r"(\d{1,12})([kKmMgG]?)", value)
            size = int(match[1]) * _SIZES[match[2].lower()] if match else 1
            # 0 stands for no limit
            if 0 < size < _LEAST_SIZE:
                return True
    for value in given.get("--max-dir-recursion", ()):
        if not value.isdecimal() or int(value) < _LEAST_DEPTH:
            return True
    return any(re.match(r"--scan-(?!mail)", name) and "no" in given[name] for name in given)


def _hides(pattern: str, trees: tuple[str, ...]) -> bool:
    """Does the expression leave out a part of the trees that matters? Raises NotUnderstood."""
    # an end of the line stands at the end of an alternative as well; else it is a variable
    if "`" in pattern or re.search(r"\$(?![|)]|$)", pattern):
        raise NotUnderstood("clamav.state", msg("expression_not_understood", pattern=pattern))
    plain = re.fullmatch(r"\^?(/[\w./-]*?)(?:/?(?:\.\*)?\$?)", pattern)
    path = plain[1].rstrip("/") if plain else ""
    if path and pattern.startswith("^"):
        inside = any(within(path, tree) for tree in trees)
        harmless = any(within(path, one) for one in _HARMLESS) or "quarantine" in path
        return (inside and not harmless) or any(within(tree, path) for tree in trees)
    places = [*trees, *(one for one in _INSIDE if any(within(one, tree) for tree in trees))]
    return any(matches(pattern, probes(place, web=False), "clamav.state") for place in places)
