"""What backups leave behind: repositories and logs; files are `artefacts`, reports `reports`.

Nothing here asks for a repository's password. The cache of restic is not used: `restic
snapshots` on any host fills it anew, so its times say nothing of a backup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from collector.errors import NotUnderstood
from collector.facts.backup.artefacts import borg_archives as _archives
from collector.facts.backup.artefacts.files_read import ARTEFACTS, NO_CONTENT
from collector.facts.backup.artefacts.lists_read import LISTS, ONLY_PATHS
from collector.facts.backup.artefacts.pgbackrest_log import good_ends
from collector.facts.backup.postgresql import wal as _wal
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import MASK, only_listed
from collector.facts.base.timestamps import zone_of
from collector.facts.storage import volumes as _storage
from collector.i18n.message import msg
from collector.model import Capture, Read, ReadStatus, Text, files, shell

# Units and words that name themselves are asked for one after the other: journalctl(1) lets a line
# pass only where both fit. `export` is what every version writes (`short-unix` came after 219).
_JOURNAL = r"""
command -v journalctl >/dev/null 2>&1 || exit 0
{ journalctl -q --no-pager -o export -n 3000 \
    -u '*restic*' -u '*backup*' -u '*borg*' -u '*check*' -u '*verify*' 2>/dev/null; echo
  journalctl -q --no-pager -o export -n 3000 -t restic -t borg _UID=0 2>/dev/null; echo; } |
  awk '/^__REALTIME_TIMESTAMP=/ { t = substr($0, 22) }
    /^_HOSTNAME=/ { h = substr($0, 11) }
    /^_SYSTEMD_UNIT=/ { u = "/" substr($0, 15) }
    /^SYSLOG_IDENTIFIER=/ { i = substr($0, 19); gsub(/[ :]/, "_", i) }
    /^_PID=/ { p = "[" substr($0, 6) "]" }
    /^MESSAGE=/ { m = substr($0, 9) }
    /^$/ {
      if (m != "") print substr(t, 1, length(t) - 6) "." substr(t, length(t) - 5), h u, i p ": " m
      h = "-"; i = "-"; p = ""; m = ""; u = ""
    }' |
  grep -E -e 'message_type.:.summary|snapshot [0-9a-f]{8} saved' \
    -e '(no errors were|problems|errors) found|contains errors' |
  sort -u | tail -n 300
exit 0
"""

_LOGS = (
    OPENED
    + r"""
for f in /var/log/*backup*.log /var/log/*/*backup*.log /var/log/restic*.log /var/log/rsnapshot*.log
do
  hp_can "$f" || continue
  hp_writer "$f"
  printf 'log%s %s %s\n' "${V:+-of $V}" "$(stat -c %Y "$f")" "$f"
  hp_by "$f" tail -n 60 | sed 's/^/|/'
done
exit 0
"""
)

READS: tuple[Read, ...] = (
    *(read for read in _storage.READS if read.id == "storage.mounts"),
    *_wal.READS,
    files(
        "backup.reports",
        "/var/lib/hostpledge/backup/*.json",
        limit=32_768,
        most=300,
        redact=only_listed("record"),
        why=Text("备份任务自己写的运行报告", "what backup jobs report of their runs"),
    ),
    files(
        "backup.settings",
        "/etc/borgmatic/*.yaml",
        "/etc/borgmatic/*.yml",
        "/etc/borgmatic.d/*.yaml",
        "/etc/borgmatic.d/*.yml",
        # what those may include
        "/etc/borgmatic/*.inc",
        "/etc/borgmatic.d/*.inc",
        "/etc/borgmatic/*/*.yaml",
        "/etc/borgmatic/*/*.yml",
        "/etc/rsnapshot.conf",
        redact=only_listed("settings"),
        why=Text("备份工具的配置（口令已屏蔽）", "settings of backup tools (secrets masked)"),
    ),
    shell(
        "backup.lists",
        LISTS,
        redact=ONLY_PATHS,
        why=Text("备份范围列表文件", "files that list what is backed up"),
    ),
    shell(
        "backup.artefacts",
        ARTEFACTS,
        seconds=30,
        limit=1 << 19,
        redact=NO_CONTENT,
        why=Text(
            "备份文件的名称、大小、时间与文件头", "names, sizes, times and headers of backup files"
        ),
    ),
    *_archives.READS,
    shell(
        "backup.journal",
        _JOURNAL,
        seconds=20,
        limit=1 << 18,
        redact=only_listed("journal"),
        why=Text(
            "日志中 restic、borg 备份与校验的结果",
            "how backups and checks of restic and borg ended, by the journal",
        ),
    ),
    shell(
        "backup.logs",
        _LOGS,
        limit=1 << 18,
        redact=only_listed("listed-log"),
        why=Text("备份日志的末尾", "the ends of backup logs"),
    ),
    files(
        "backup.pgbackrest",
        "/var/lib/pgbackrest/backup/*/backup.info",
        redact=MASK,
        why=Text("pgBackRest 的备份记录", "the record pgBackRest keeps of its backups"),
    ),
)


# the whole of a line: a unit may print names of files, and a name may say so too
_SAVED = re.compile(r'\{"message_type":"summary",|snapshot [0-9a-f]{8} saved\s*$')


@dataclass(frozen=True, slots=True)
class Record:
    """A success that some record shows: `where` is a repository or a log, `size` bytes if told.

    `home`: in whose home it lies, `by`: the user who can write it; empty where there is none.
    """

    when: datetime
    where: str
    size: int | None
    read: str
    line: str
    home: str = ""
    by: str = ""


def records(capture: Capture) -> tuple[Record, ...]:
    """Successes of restic, borg, rsnapshot and pgBackRest by their own records. Raises FactError.

    Lines that tell of no success are left out, so an empty answer says nothing.
    """
    return (*_borg(capture), *_journal(capture), *_logs(capture), *_pgbackrest(capture))


def _borg(capture: Capture) -> list[Record]:
    """Its files cache is rewritten when an archive is made, not when one is pruned or deleted."""
    return [
        Record(a.made, a.where or a.id, None, "backup.borg", a.line, a.home)
        for a in _archives.archives(capture)
        if a.made is not None
    ]


def _journal(capture: Capture) -> list[Record]:
    result = capture.read("backup.journal")
    if result.absent:
        return []
    found = []
    for line in result.text().splitlines():
        match = re.match(r"([0-9]{1,11})\.\d+ \S+ (\S+?)(?:\[\d+\])?: (.*)", line)
        if match and _SAVED.match(match[3]):
            size = re.search(r'"total_bytes_processed":(\d+)', match[3])
            found.append(
                Record(
                    datetime.fromtimestamp(int(match[1]), UTC),
                    match[2],
                    int(size[1]) if size else None,
                    "backup.journal",
                    line,
                )
            )
    return found


def _logs(capture: Capture) -> list[Record]:
    found: list[Record] = []
    path, mtime, by = "", 0, ""
    lines: list[str] = []
    # where the host did not say its zone, the earliest that its times can mean
    zone = zone_of(capture.head.get("zone") or "+1400")
    for line in [*capture.read("backup.logs").text().splitlines(), "log 0 "]:
        match = re.fullmatch(r"log(?:-of (\S+))? ([0-9]{1,11}) (.*)", line)
        if match:
            found += (replace(r, by=by) for r in _log(path, mtime, lines, zone))
            path, mtime, lines, by = match[3], int(match[2]), [], match[1] or ""
        elif line.startswith("|"):
            lines.append(line[1:])
        else:
            raise NotUnderstood("backup.logs", msg("not_understood", line=line))
    return found


def _log(path: str, mtime: int, lines: list[str], zone: tzinfo) -> list[Record]:
    """Lines of rsnapshot have dates in the host's zone, those of restic none: the file's counts."""
    found = [Record(w, path, None, "backup.logs", x) for w, x in good_ends(path, lines, zone)]
    for line in lines:
        match = re.match(
            r"\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\] \S*rsnapshot (\S+): completed successfully", line
        )
        if match:
            when = datetime.fromisoformat(match[1]).replace(tzinfo=zone).astimezone(UTC)
            found.append(Record(when, path, None, "backup.logs", line))
    said = [x for x in lines if x.strip()]
    if said and re.match(r"snapshot [0-9a-f]{8} saved$", said[-1].strip()):
        when = datetime.fromtimestamp(mtime, UTC)
        found.append(Record(when, path, None, "backup.logs", said[-1]))
    return found


def _pgbackrest(capture: Capture) -> list[Record]:
    result = capture.read("backup.pgbackrest")
    if result.status is ReadStatus.ABSENT:
        return []
    found = []
    for file in result.present():
        for line in file.text("backup.pgbackrest").splitlines():
            match = re.match(r"\d{8}-\d{6}F\S*=\{", line)
            stop = re.search(r'"backup-timestamp-stop":(\d+)', line)
            size = re.search(r'"backup-info-size":(\d+)', line)
            if match and stop and '"backup-error":true' not in line:
                when = datetime.fromtimestamp(int(stop[1]), UTC)
                bytes_ = int(size[1]) if size else None
                found.append(Record(when, file.path, bytes_, "backup.pgbackrest", line[:300]))
    return found
