"""Options as they are written out in full, and filters that let a part of a dump through only.

getopt_long(3) takes any beginning of a long option that no other one begins with; the clients of
MySQL and MariaDB take `_` for `-`, and `--loose-` before any (mysql manual, 4.2.2.4).

>>> spelled_out("pg_dump", ["--schema-o", "-Fc", "shop"])
['--schema-only', '-Fc', 'shop']
>>> spelled_out("mysqldump", ["--loose-no_data", "shop"])
['--no-data', 'shop']
>>> spelled_out("mysqldump", ["--tab=/b", "--schema", "--no-create-info", "shop"])
['--tab=/b', '--schema', '--no-create-info', 'shop']
>>> [cuts(x.split()) for x in ("gzip -9", "tail -n +2", "head -c 700", "grep -v INSERT")]
[False, False, True, True]
>>> [cuts(x.split()) for x in ("sed s/a/b/", "sed -n 1,20p", "dd bs=1M of=/b/x", "dd count=3")]
[False, True, False, True]
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_MYSQL = (
    "no-data", "where", "ignore-table", "ignore-table-data", "ignore-database", "tables",
    "skip-dump-rows", "databases", "all-databases",
)  # fmt: skip
_PG_DUMP = (
    "schema-only", "section", "table", "exclude-table", "exclude-table-data", "exclude-schema",
    "schema", "filter", "dbname", "host", "port", "file", "version", "help",
)  # fmt: skip
_PG_DUMPALL = (
    "globals-only", "roles-only", "schema-only", "tablespaces-only", "exclude-database", "filter",
    "host", "port", "file", "version", "help",
)  # fmt: skip
_LONG = {
    **dict.fromkeys(("mysqldump", "mariadb-dump", "mysqlpump"), _MYSQL),
    "pg_dump": _PG_DUMP,
    "pg_dumpall": _PG_DUMPALL,
}
# Options of these tools that are whole, although the one of that list begins with them.
_WHOLE = {"tab", "table", "schema", "exclude-table", "ignore-table", "all", "data", "no"}
_FILTERS = ("head", "grep", "egrep", "fgrep", "zgrep", "awk", "gawk", "mawk", "cut", "perl",
            "python", "python3", "uniq", "sort", "wc", "strings", "shuf")  # fmt: skip
# `s/…/…/` changes lines and lets all of them through
_CHANGES = re.compile(r"s(\W).*\1.*\1[gIime\d]*")


def spelled_out(tool: str, args: Sequence[str]) -> list[str]:
    """The words with shortened long options in full; of several it is the first."""
    known = _LONG.get(tool)
    return [_full(tool, word, known) for word in args] if known else list(args)


def _full(tool: str, word: str, known: Sequence[str]) -> str:
    match = re.fullmatch(r"--([A-Za-z][\w-]*)(=.*)?", word, re.DOTALL)
    if match is None:
        return word
    name, value = match[1], match[2] or ""
    if not tool.startswith("pg_"):
        name = name.replace("_", "-").removeprefix("loose-")
    if name not in known and name not in _WHOLE:
        name = next((x for x in known if x.startswith(name)), name)
    return f"--{name}{value}"


def cuts(words: Sequence[str]) -> bool:
    """May this command, which takes a dump, pass on a part of it alone?"""
    if not words:
        return False
    name, args = words[0].rpartition("/")[2], list(words[1:])
    if name == "sed":
        scripts = [a for a in args if not a.startswith("-")]
        silent = any(re.fullmatch(r"-[A-Za-z]*n[A-Za-z]*|--quiet|--silent", a) for a in args)
        return silent or not all(_CHANGES.fullmatch(x) for x in scripts)
    if name == "tail":
        # from a line on: MariaDB's first line says in which mode it is to be read
        return not any(re.fullmatch(r"(-n)?\+[12]", a) for a in args)
    if name == "dd":
        return any(a.startswith("count=") for a in args)
    return name in _FILTERS
