"""Command lines of backup tools, taken apart: which tool, which paths and databases.

What a shell variable holds is followed where the script itself sets it to plain text.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import pairwise

from collector.errors import NotUnderstood

ENGINES: Mapping[str, str] = {
    "mysqldump": "mysql",
    "mariadb-dump": "mysql",
    "mydumper": "mysql",
    "mysqlpump": "mysql",
    "xtrabackup": "mysql",
    "innobackupex": "mysql",
    "mariabackup": "mysql",
    "mariadb-backup": "mysql",
    "pg_dump": "postgresql",
    "pg_dumpall": "postgresql",
    "pg_basebackup": "postgresql",
    "pgbackrest": "postgresql",
    "barman": "postgresql",
    "wal-g": "postgresql",
    "mongodump": "mongodb",
}
# Tools that always take the whole server.
_WHOLE = {"xtrabackup", "innobackupex", "mariabackup", "mariadb-backup", "pg_dumpall",
          "pg_basebackup", "pgbackrest", "barman", "wal-g"}  # fmt: skip
FILE_TOOLS = {"restic", "borg", "borgmatic", "duplicity", "rsnapshot", "rsync", "tar", "rclone"}
_TAKES_VALUE = re.compile(
    r"^(-[hPuSdCTXefnopUWFZjr]|--(host|port|user|socket|repo|repository|password-file|exclude"
    r"|exclude-from|exclude-file|exclude-if-present|files-from|tag|cacert|cache-dir|limit-\w+|rsh"
    r"|defaults-file|defaults-extra-file|result-file|where|ignore-table|compression|lock-wait"
    r"|username|dbname|format|file|jobs|log-file|link-dest|backup-dir|bwlimit|timeout|config"
    r"|target-dir|out|archive|uri|db|encrypt-key|time|keep-\w+|host-name|option|schema|table))$"
)
_LONGEST = 4 << 20
_ASSIGN = re.compile(
    r"^\s*(?:export\s+|local\s+|readonly\s+)?([A-Za-z_]\w{0,60})=(\"[^\"\n]{0,512}\"|'[^'\n]{0,512}'|[^\s;&|]{0,512})",
    re.MULTILINE,
)


def filled(text: str) -> str:
    """`text` with the variables that it sets to plain text put in.

    Raises NotUnderstood for one that grows without measure: nobody writes a job like that.
    """
    known = {m[1]: m[2].strip("\"'") for m in _ASSIGN.finditer(text)}
    for _ in range(3):
        text = re.sub(r"\$\{?([A-Za-z_]\w{0,60})\}?", lambda m: known.get(m[1], m[0]), text)
        if len(text) > _LONGEST:
            raise NotUnderstood("schedules.called", "a script whose variables grow without measure")
    return text


def commands(text: str) -> Iterator[tuple[list[str], str]]:
    """The words of each simple command, variables filled in, and the folder it runs in."""
    joined = filled(re.sub(r"\\\n", " ", text))
    # what only shows at run time becomes `$_`; the commands in it are commands too
    for pattern in (r"\$\(([^()]*)\)", r"\$\(([^()]*)\)", r"`([^`]*)`"):
        inner = "\n".join(m[1] for m in re.finditer(pattern, joined))
        joined = re.sub(pattern, "$_", joined) + "\n" + inner
    joined = re.sub(r"\$\{[^}\n]{0,200}\}", "$_", joined)
    folder = ""
    for line in joined.splitlines():
        for part in re.split(r"&&|\|\||[;|&()]|(?<!\S)[{}](?!\S)", line):
            try:
                # shlex takes time that grows with the square of a word
                words = shlex.split(part, comments=True) if len(part) < 8192 else part.split()
            except ValueError:
                words = part.split()
            while words and re.match(r"^([A-Za-z_]\w*=|\d?[<>])", words[0]):
                words = words[1:]
            if words[:1] == ["cd"] and len(words) > 1:
                folder = words[1]
            elif words:
                yield words, folder


def wrapped(before: list[str]) -> bool:
    """Are the words before the tool only what runs it (nice, sudo, flock FILE, if, time …)?"""
    wrappers = {"nice", "ionice", "sudo", "flock", "timeout", "env", "if", "then", "do", "time",
                "su", "runuser", "exec", "chronic", "systemd-inhibit", "!", "eval", "docker",
                "podman", "sshpass", "nohup", "else", "while", "cronic"}  # fmt: skip
    return before[0] in wrappers


def targets_of(text: str) -> tuple[str, ...]:
    """All paths and repositories that the job's text names, variables filled in."""
    found = re.findall(r"(?<![\w./-])/[\w./-]{0,400}", filled(text))
    return tuple(dict.fromkeys(x.rstrip("/.-") for x in found))


def databases_of(tool: str, args: list[str]) -> tuple[str, ...]:
    """Names, `*` for all, `?` for what only shows at run time; empty when it dumps nothing."""
    if tool in _WHOLE:
        acts = {"pgbackrest": "backup", "barman": "backup", "wal-g": "backup-push"}
        wanted = acts.get(tool)
        prepares = {"--prepare", "--copy-back", "--apply-log", "--version", "--help"}
        return () if (wanted and wanted not in args) or prepares & set(args) else ("*",)
    if {"--all-databases", "-A"} & set(args) or tool == "mydumper":
        return ("*",)
    named = []
    for option in ("--dbname", "--db", "-d", "--database"):
        if option in args[:-1] and (option != "-d" or tool != "mysqldump"):
            named.append(args[args.index(option) + 1])
        named += [a.partition("=")[2] for a in args if a.startswith(f"{option}=")]
    rest = _operands(args)
    if tool in ("mysqldump", "mariadb-dump", "mysqlpump"):
        named += rest if {"--databases", "-B"} & set(args) else rest[:1]
    elif tool == "pg_dump":
        named += rest[:1]
    elif tool == "mongodump" and not named:
        return ("*",)
    return tuple("?" if "$" in n or "`" in n else n for n in named)


def _operands(args: list[str]) -> list[str]:
    """Words that are neither options, their values, nor redirections."""
    found, skip = [], False
    for word in args:
        if skip:
            skip = False
        elif re.match(r"^\d?>>?&?\S+$|^<\S+$", word):
            continue
        elif re.match(r"^\d?>>?$|^<$", word) or _TAKES_VALUE.match(word):
            skip = True
        elif not word.startswith("-"):
            found.append(word)
    return found


def excludes_of(args: list[str]) -> tuple[str, ...]:
    found = [a.partition("=")[2] for a in args if a.startswith("--exclude=")]
    found += [b for a, b in pairwise(args) if a in ("--exclude", "-e")]
    return tuple(e for e in found if e.startswith("/"))


def sources_of(
    tool: str, args: list[str], folder: str, lists: Mapping[str, list[str]]
) -> list[str] | None:
    """Paths that a file tool takes; None when this use of it backs nothing up."""
    listed = [a.partition("=")[2] for a in args if a.startswith("--files-from=")]
    listed += [b for a, b in pairwise(args) if a in ("--files-from", "-T")]
    more = [p for f in listed for p in lists.get(f, ["?"])]
    if tool == "restic":
        return None if "backup" not in args else _operands(args[args.index("backup") + 1 :]) + more
    if tool == "borg":
        return None if "create" not in args else _operands(args[args.index("create") + 1 :])[1:]
    rest = _operands(args)
    if tool == "duplicity":
        acts = {"restore", "verify", "list-current-files", "collection-status", "cleanup"}
        if not rest or acts & set(rest) or any(r.startswith("remove-") for r in rest):
            return None
        return [r for r in rest if "://" not in r and r not in ("full", "incr", "backup")][:1]
    if tool == "rclone":
        at = next((i for i, r in enumerate(rest) if r in ("copy", "sync", "copyto")), None)
        return None if at is None else rest[at + 1 : at + 2]
    if tool == "rsync":
        return rest[:-1] + more if len(rest) > 1 else None
    return _tar(args, folder, more)


def _tar(args: list[str], folder: str, more: list[str]) -> list[str] | None:
    flags = args[0].lstrip("-") if args else ""
    words = args[1:]
    creates = "--create" in args or "-c" in args
    if args and not args[0].startswith("--"):
        creates = creates or "c" in flags
        if "f" in flags:
            words = words[1:]
    if not creates:
        return None
    found, base, skip = [], folder, False
    for at, word in enumerate(words):
        if skip:
            skip = False
        elif word in ("-C", "--directory"):
            base, skip = (words[at + 1] if at + 1 < len(words) else ""), True
        elif word.startswith("--directory="):
            base = word.partition("=")[2]
        elif _TAKES_VALUE.match(word) or word in (">", ">>"):
            skip = True
        elif not word.startswith(("-", ">", "2>")):
            joined = word if word.startswith("/") else f"{base.rstrip('/')}/{word}"
            found.append(re.sub(r"/\.?/?$|(?<=/)\./", "", joined) or "/")
    return found + more
