"""What option files of MySQL's clients leave out of a dump that its command line takes whole.

`[mariadb-dump]` with `no-data` in /etc/mysql/conf.d leaves a dump without a row (mysqldump(1),
"Using Option Files").

>>> narrowing("mariadb-dump", ["[client]", "[mariadb-dump]", "no-data", "[mysqld]", "tables"])
['no-data']
>>> narrowing("mysqldump", ["[mysqldump]", "no_data=0", "ignore-table=shop.sessions"])
[]
>>> narrowing("mysqldump", ["[mysqldump]", "loose-ignore_table=shop.orders", "[mysql]", "no-data"])
['ignore-table=shop.orders']
>>> narrowing("mysqldump", ["[client]", "host=192.0.2.9", "[mysql]", "host=db2"])
['host=192.0.2.9']
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from collector.facts.backup.commands.command_lines import SPARED
from collector.facts.backup.commands.dump_scope import here, server
from collector.model import Capture

_DUMPS = ("mysqldump", "mariadb-dump")
_PHYSICAL = ("xtrabackup", "innobackupex", "mariabackup", "mariadb-backup")
_TOOLS = (*_DUMPS, *_PHYSICAL, "mysqlpump", "mydumper")
# where the clients look by themselves; the folders are those that these files include
_SYSTEM = ("/etc/my.cnf", "/etc/my.cnf.d/", "/etc/mysql/", "/usr/local/mysql/")
_ONLY = ("--defaults-file", "--config")


def options_that_narrow(
    capture: Capture, tool: str, args: Sequence[str], user: str
) -> tuple[str, ...]:
    """What its option files say that leaves out rows, with the file; a file that nobody read too.

    Raises FactError.
    """
    if tool not in _TOOLS or "--no-defaults" in args:
        return ()
    known = _option_files(capture)
    if known is None:
        return ("[my.cnf: unread]",)
    folder = "/root" if user in ("", "root") else f"/home/{user}"
    own = [_at_home(f, folder) for f in _named(args, *_ONLY)]
    extra = [_at_home(f, folder) for f in _named(args, "--defaults-extra-file")]
    home = f"{folder}/.my.cnf"
    mine = [*own] if own else [f for f in known if f.startswith(_SYSTEM) or f == home]
    found = [f"[{f}: unread]" for f in (*own, *extra) if f not in known]
    # what the command line says of the server goes before
    asked = server(tool, args)[0] or _named(args, "-h", "--host")
    for file in (*mine, *(f for f in extra if f in known)):
        lines = known.get(file, ())
        said = [
            w
            for w in narrowing(tool, lines)
            if not w.startswith("host=") or not (asked or here(capture, w[5:]))
        ]
        found += [f"[{file}: {word}]" for word in said]
        included = [m[1] for x in lines if (m := re.match(r"!include\w* (.*)", x))]
        beside = [i for i in included if not i.startswith(_SYSTEM) and i not in known]
        found += [f"[{i}: unread]" for i in beside]
    return tuple(dict.fromkeys(found))


def by_option_files(
    capture: Capture, tool: str, args: Sequence[str], user: str, databases: Sequence[str]
) -> tuple[tuple[str, ...], str]:
    """The databases with a `~` before those of which they leave out rows, and what says so."""
    cut = options_that_narrow(capture, tool, args, user) if databases else ()
    mark = "~" if cut else ""
    return tuple(mark + d.removeprefix(mark) for d in databases), "".join(f" {x}" for x in cut[:3])


def narrowing(tool: str, lines: Sequence[str]) -> list[str]:
    """The options of the tool's groups that leave out rows."""
    groups = _groups(tool)
    found, inside = [], False
    for line in lines:
        if line.startswith("["):
            inside = line.strip("[]") in groups
        elif inside and (word := _narrows(line)):
            found.append(word)
    return found


def _groups(tool: str) -> set[str]:
    if tool in _DUMPS:
        return {*_DUMPS, "client", "client-server", "client-mariadb"}
    if tool in _PHYSICAL:
        return {*_PHYSICAL, "client", "client-server", "client-mariadb"}
    return {tool, "client"}


def _narrows(line: str) -> str:
    name, _, value = line.partition("=")
    name = name.replace("_", "-").removeprefix("loose-")
    if re.match("no-d|skip-dump", name):
        return "" if value == "0" else "no-data" if name.startswith("no-d") else name
    if name.startswith("ignore"):
        table = value.rpartition(".")[2]
        return "" if SPARED.fullmatch(table) else f"{name}={value}"
    if name == "host":
        return f"host={value}"
    return name if re.match("where|tables|databases|exclude", name) else ""


def _named(args: Sequence[str], *options: str) -> list[str]:
    behind = [b for a, b in pairwise(args) if a in options]
    return behind + [
        a.partition("=")[2] for a in args if "=" in a and a.partition("=")[0] in options
    ]


def _at_home(path: str, home: str) -> str:
    return re.sub(r"\A(~|\$HOME|\$\{HOME\})(?=/)", lambda _: home, path.strip("\"'"))


def _option_files(capture: Capture) -> dict[str, tuple[str, ...]] | None:
    """The lines that matter, by file; None of a collector that did not look for them."""
    found: dict[str, list[str]] = {}
    now: list[str] | None = None
    told = False
    for line in capture.read("backup.lists").text().splitlines():
        word, _, path = line.partition(" ")
        if line.startswith("more "):
            return None
        if line == "options told":
            told = True
        elif word == "options":
            now = found.setdefault(path, [])
        elif line.startswith("=") and now is not None:
            now.append(line[1:])
    return {path: tuple(lines) for path, lines in found.items()} if told else None
