"""What a dump really takes: nothing, some tables, a database of another host; by its command line.

mysqldump(1), mariadb-backup(1), pg_dump(1), pg_dumpall(1), mongodump; restic, borg, rsync, tar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from collector.facts.backup.commands.command_lines import SPARED
from collector.facts.backup.commands.command_lines import operands as operands_of
from collector.facts.backup.commands.destinations import archive_of, operands, values
from collector.facts.backup.commands.spelling import cuts
from collector.model import Capture

Words = Sequence[str]

_MYSQL = {"mysqldump", "mariadb-dump", "mysqlpump", "mydumper"}
_PHYSICAL = {"xtrabackup", "innobackupex", "mariabackup", "mariadb-backup"}
_PRINTS = {"mysqldump", "mariadb-dump", "mysqlpump", "pg_dump", "pg_dumpall"}
_WRITTEN = ("--result-file", "-r", "--file", "-f", "--outputdir", "-o", "--out", "--target-dir",
            "--pgdata", "-D")  # fmt: skip
_NO_ROWS = {
    **dict.fromkeys(_MYSQL, r"--no-data|-[A-Za-z]*d|--skip-dump-rows|--no-data=(1|true)"),
    "pg_dump": r"--(schema|statistics)-only|--no-data|-[A-Za-z]*s|--section=(pre|post)-data"
    r"|--version|-V",
    "pg_dumpall": r"--(globals|roles|tablespaces|schema|statistics)-only|--no-data"
    r"|-[A-Za-z]*[grst]",
}
_SOME = {
    **dict.fromkeys(_MYSQL, r"--tables|--where(=.*)?|-w.*|--tables-list(=.*)?"),
    **dict.fromkeys(_PHYSICAL, r"--(databases|tables)(-file)?(=.*)?"),
    "mydumper": r"--tables-list(=.*)?|--where(=.*)?|-T",
    "pg_dump": r"--(table|schema|filter)(=.*)?|--section=\$.*|-[A-Za-z]*[tnBe].*",
    "pg_dumpall": r"--filter(=.*)?",
    "mongodump": r"--(collection|query)(=.*)?|-[cq]",
}
# Options of pg_dump 17 that leave out no row, and those that are looked at below: what another
# release brings may leave out anything.
_WHOLE_PG = re.compile(
    r"attribute-inserts|binary-upgrade|blobs|clean|cluster|column-inserts|compress|create"
    r"|data-only|database|dbname|disable-dollar-quoting|disable-triggers|encoding"
    r"|exclude-database|exclude-schema|exclude-table|exclude-table-and-children"
    r"|exclude-table-data|exclude-table-data-and-children|extra-float-digits|file|format|host"
    r"|if-exists|include-foreign-data|inserts|jobs|large-objects|load-via-partition-root"
    r"|lock-wait-timeout|no-acl|no-comments|no-owner|no-password|no-policies|no-privileges"
    r"|no-publications|no-role-passwords|no-security-labels|no-statistics|no-subscriptions"
    r"|no-sync|no-synchronized-snapshots|no-table-access-method|no-tablespaces"
    r"|no-toast-compression|no-unlogged-table-data|oids|on-conflict-do-nothing|password|port"
    r"|quote-all-identifiers|restrict-key|role|rows-per-insert|section|serializable-deferrable"
    r"|snapshot|statistics|strict-names|superuser|sync-method|use-set-session-authorization"
    r"|username|verbose|with-data|with-schema|with-statistics"
)
# Go's flags take a value behind `=`, Python's argparse takes any beginning of an option.
_GO = r"--dry-run(=(1|[tT]|true|True|TRUE))?"
_PYTHON = r"--dry(-r(un?)?|-)?"
_DRY = {
    "restic": rf"{_GO}|-[A-Za-z]*n[A-Za-z]*",
    "borg": rf"{_PYTHON}|-[A-Za-z]*n[A-Za-z]*",
    "rsync": r"--dry-run|--list-only|--(only-write|read)-batch(=.*)?|-[A-Za-z]*n[A-Za-z]*",
    "rclone": rf"{_GO}|--interactive|-[A-Za-z]*[in][A-Za-z]*",
    "duplicity": _PYTHON,
    "borgmatic": rf"{_PYTHON}|-[A-Za-z]*n[A-Za-z]*",
    "rsnapshot": r"-[A-Za-z]*t[A-Za-z]*",
}
# What prints a text and ends well, whatever stands beside it.
_SAYS = r"--help|--version|--usage|--print-defaults|-\?"
_SAYS_TOO = {
    **dict.fromkeys(("restic", "borg", "borgmatic", "duplicity", "rsnapshot", "wal-g", "barman"),
                    r"-[A-Za-z]*h"),
    "rclone": r"-[A-Za-z]*[hV]", "rsync": r"-[A-Za-z]*V", "tar": r"(?!)",
}  # fmt: skip
_ACTS = {"restic": "backup", "borg": "create", "borgmatic": "create", "pgbackrest": "backup"}
# Devices that keep nothing of what is written to them.
_SINKS = {"/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/stderr", "/dev/fd/2"}
_PRINTED = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}
# Their short options that take a value, which is none of the letters above.
_VALUED = {
    "pg_dump": "dfEhpUFjZnNtTeS", "pg_dumpall": "fhpUEldS", "mysqldump": "hPuSprwT",
    "mariadb-dump": "hPuSprwT", "rsync": "efTBM", "restic": "rpoegiH", "borg": "eC",
}  # fmt: skip


_LONG = re.compile(
    r"--(host|user|port|socket|result-file|defaults-file|defaults-extra-file|ignore-table"
    r"|max-allowed-packet|default-character-set|login-path|where)"
)


def nothing(tool: str, args: Words, piped: Sequence[Words]) -> bool:
    """Does it copy no data: a dry run, the structure alone, its output thrown away?"""
    for pattern in (_DRY.get(tool), _NO_ROWS.get(tool), _SAYS, _SAYS_TOO.get(tool)):
        if pattern and any(re.fullmatch(pattern, a) for a in _bare(tool, args)):
            return True
    act = _ACTS.get(tool)
    if act in args and {"help", "version"} & set(args[: args.index(act)]):
        return True
    if tool == "tar":
        archive = archive_of(args)
        printed = not _PRINTED.isdisjoint(archive or ["-"])
        return not _SINKS.isdisjoint(archive) or (printed and _thrown([args, *piped]))
    dump = tool in {*_MYSQL, *_PHYSICAL, "pg_dump", "pg_dumpall", "mongodump"}
    told = values(args, *_WRITTEN)
    if told and _SINKS.issuperset(told):
        return dump
    return dump and not told and _thrown([args, *piped])


def partial(tool: str, args: Words, piped: Sequence[Words] = ()) -> bool:
    """Does it take some tables alone, or leave out some that are missed, by its command line?

    What takes its output may let a part of it through only.
    """
    if tool in _PRINTS and not values(args, *_WRITTEN) and any(map(cuts, piped)):
        return True
    if any(not _spared(name) for name in _left_out(tool, args)) or _unheard_of(tool, args):
        return True
    pattern = _SOME.get(tool)
    if pattern and any(re.fullmatch(pattern, a) for a in _bare(tool, args)):
        return True
    several = {"--databases", "-B", "--all-databases", "-A"} & set(args)
    if tool in ("mysqldump", "mariadb-dump") and not several:
        rest = [a for a in operands(_without(tool, args)) if not a.startswith("$")]
        return len(rest) > 1
    return False


def _unheard_of(tool: str, args: Words) -> bool:
    """Is there an option of pg_dump's that is not known to leave out nothing?"""
    long = [a[2:].partition("=")[0] for a in _bare(tool, args) if re.match(r"--\w", a)]
    return tool in ("pg_dump", "pg_dumpall") and not all(map(_WHOLE_PG.fullmatch, long))


def _left_out(tool: str, args: Words) -> list[str]:
    words = [
        "--ignore-table", "--ignore-table-data", "--ignore-database", "--exclude-databases",
        "--exclude-tables", "--exclude-table", "--exclude-table-data", "--exclude-schema",
        "--exclude-database", "--databases-exclude", "--tables-exclude", "--excludeCollection",
        "--excludeCollectionsWithPrefix", "--exclude-table-and-children",
        "--exclude-table-data-and-children",
    ]  # fmt: skip
    words += {"pg_dump": ["-T", "-N"], "mydumper": ["-x", "--regex", "-O", "--omit-from-file"]}.get(
        tool, []
    )
    return [name for value in values(args, *words) for name in value.split(",")]


def _spared(name: str) -> bool:
    """Can it be done without: what the server itself makes, caches, logs, sessions?"""
    database, _, table = name.strip("'\"").rpartition(".")
    return bool(SPARED.fullmatch(table.strip("*%"))) or bool(
        re.fullmatch(
            r"mysql|sys|test|(information|performance)_schema|template\d", database or table
        )
    )


def server(tool: str, args: Words) -> tuple[str, Mapping[str, str]]:
    """The host that it asks, empty for this one, and what PostgreSQL is told of the connection."""
    told: dict[str, str] = {}
    if tool.startswith("pg_"):
        for word in (*values(args, "-d", "--dbname"), *args):
            if url := re.fullmatch(
                r"postgres(?:ql)?://(?:[^/@]*@)?([^/:?]*)[^/?]*/?([^?]*).*", word
            ):
                told = {"host": url[1], "dbname": url[2]}
            elif re.search(r"\bdbname\s*=|\bhost\s*=", word) and not word.startswith("-"):
                told = dict(re.findall(r"(?<!\w)(\w++)\s*=\s*'?([^\s']*)", word))
    hosts = values(args, "--host")
    # to mariadb-backup -h is the data directory
    if tool not in _PHYSICAL:
        hosts += values(args, "-h") + [a[2:] for a in args if re.fullmatch(r"-h[^-=\s].*", a)]
    host = (hosts or [told.get("host", "") or told.get("hostaddr", "")])[-1]
    if tool == "mongodump":
        for word in values(args, "--uri"):
            match = re.match(r"mongodb(?:\+srv)?://(?:[^/@]*@)?([^/:,?]*)", word)
            host = match[1] if match else host
    if tool == "pg_dump" and "dbname" not in told and not values(args, "-d", "--dbname"):
        told |= [("dbname", x) for x in operands_of(_without(tool, args))[:1]]
    return ("" if host.startswith(("/", "%2F")) else host.strip("[]")), told


def here(capture: Capture, host: str) -> bool | None:
    """Is it this host, by the names and addresses that it has itself? None: it cannot be told."""
    own = {capture.head.get("hostname", ""), *capture.head.get("address", "").split()}
    own = {x.partition("/")[0] for x in own} - {""}
    if host in ("", "localhost", "::1") or host.startswith("127.") or host in own:
        return True
    numeric = re.fullmatch(r"[0-9.]+", host)
    return False if numeric and any(re.fullmatch(r"[0-9.]+", x) for x in own) else None


def _without(tool: str, args: Words) -> list[str]:
    """The words without options' values that stand apart, and redirections."""
    found, skip = [], False
    letters = _VALUED.get(tool, "")
    for word in args:
        if skip:
            skip = False
        elif re.fullmatch(r"-[A-Za-z]", word) and word[1] in letters:
            # `-p` alone asks for the password
            skip = word != "-p" or not tool.startswith(("mysql", "maria"))
        elif re.fullmatch(r"\d?>>?|<", word) or _LONG.fullmatch(word):
            skip = True
        elif not re.match(r"\d?>>?\S|<\S", word):
            found.append(word)
    return found


def _bare(tool: str, args: Words) -> list[str]:
    """The options, short ones without values that are joined to them."""
    found = []
    letters = _VALUED.get(tool, "")
    for word in _without(tool, args):
        if re.match(r"-[A-Za-z]", word) and letters:
            at = next((i for i, x in enumerate(word[1:], 1) if x in letters), None)
            found.append(word if at is None or len(word) == at + 1 else word[: at + 1])
        else:
            found.append(word)
    # an option whose value stands apart is still one
    return found + [a for a in args if re.fullmatch(r"-[A-Za-z]", a)]


def _thrown(line: Sequence[Words]) -> bool:
    last = list(line[-1])
    joined = any(re.fullmatch(r"1?>>?/dev/null", w) for w in last)
    apart = any(
        w in (">", ">>", "1>", "1>>") and last[i + 1 : i + 2] == ["/dev/null"]
        for i, w in enumerate(last)
    )
    return joined or apart
