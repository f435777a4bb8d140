"""Where the programs of jobs lie, and where cron looks for them: the read is schedules.shells.

crontab(5): Debian's cron and cronie set PATH to /usr/bin:/bin, whatever the host's environment is,
and a line of the crontab, which nothing in is expanded, sets another one for those below it.
busybox hands on its own.
"""

from __future__ import annotations

import re

from collector.model import Capture, ReadStatus

FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
NAMES = (
    "restic", "borg", "borgmatic", "duplicity", "rsnapshot", "rsync", "tar", "rclone", "mysqldump",
    "mariadb-dump", "mydumper", "mysqlpump", "xtrabackup", "innobackupex", "mariabackup",
    "mariadb-backup", "pg_dump", "pg_dumpall", "pg_basebackup", "pgbackrest", "barman", "wal-g",
    "mongodump", "redis-cli", "bash", "dash", "ksh", "mksh", "zsh", "busybox",
)  # fmt: skip
_MARK = "== programs"
# what the body of the read ends with
LOOK = f"""
echo '{_MARK}'
for n in {" ".join(NAMES)}; do
  for d in {" ".join(FOLDERS)}; do
    [ -f "$d/$n" ] && [ -x "$d/$n" ] && printf 'x %s\\n' "$d/$n"
  done
done
exit 0
"""
USUAL = "/usr/bin:/bin"
# no system with a shell is without these
_ALWAYS = re.compile(r"/(usr/)?bin/(sh|bash|env)")
_SET = re.compile(r"""^\s*["']?PATH["']?\s*=\s*(.*?)\s*$""")


def programs(capture: Capture) -> frozenset[str] | None:
    """The paths of those that can be run; None where that was not asked. Raises FactError."""
    read = capture.read("schedules.shells")
    if read.status is ReadStatus.LOST:
        return None
    _, mark, said = read.text().partition(_MARK)
    return frozenset(x[2:] for x in said.splitlines() if x.startswith("x ")) if mark else None


def search_set(line: str) -> str | None:
    """The PATH that a line of a crontab sets for those below it; None where it sets none."""
    match = _SET.match(line)
    return match[1].strip("\"'") if match else None


def there(path: str, known: frozenset[str] | None) -> bool | None:
    """Is the program there? None where it was not looked for, or not asked."""
    folder, _, name = path.rpartition("/")
    if _ALWAYS.fullmatch(path):
        return True
    if folder not in FOLDERS or name not in NAMES:
        return None
    return None if known is None else path in known


def found(name: str, search: str, known: frozenset[str]) -> bool:
    """May the name be found in one of these folders? In those that were not looked at, it may."""
    folders = [f.rstrip("/") for f in search.split(":")]
    # tar is a part of every distribution
    if name not in NAMES or (name == "tar" and {"/bin", "/usr/bin"} & set(folders)):
        return True
    return any(f"{f}/{name}" in known or (f.startswith("/") and f not in FOLDERS) for f in folders)


def interpreter_of(text: str) -> str:
    """The path behind `#!`; empty without that line, or where it is masked."""
    match = re.match(r"#![ \t]*(/\S+)", text)
    return match[1] if match else ""
