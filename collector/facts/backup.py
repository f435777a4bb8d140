"""What backups leave behind: reports of the jobs, repositories, logs; files are in `artefacts`.

Nothing here asks for a repository's password. The cache of restic is not used: `restic
snapshots` on any host fills it anew, so its times say nothing of a backup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from collector.errors import BadInput, NotUnderstood
from collector.facts import storage as _storage
from collector.facts.masking import MASK, URLS
from collector.facts.record_times import zone_of
from collector.model import Capture, Read, ReadStatus, Text, files, shell
from collector.schema import check, load_json

_SOURCES = r"""/etc/crontab /etc/anacrontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* \
  /etc/cron.weekly/* /etc/cron.monthly/* /var/spool/cron/* /var/spool/cron/crontabs/* \
  /etc/crontabs/* /etc/systemd/system/*.service"""

# Folders that jobs and their scripts name, and the usual ones; in each the files that look like
# dumps or archives, newest first.
_ARTEFACTS = rf"""
stat -c %Y / >/dev/null 2>&1 || {{ echo 'no stat' >&2; exit 3; }}
t=$(cat {_SOURCES} /etc/borgmatic/*.y*ml /etc/borgmatic.d/*.y*ml /etc/rsnapshot.conf \
  /etc/restic/*.env /etc/default/restic* 2>/dev/null | sed 's/^[[:space:]]*#.*//')
t="$t
$(for f in $(printf '%s\n' "$t" | grep -o '/[A-Za-z0-9_./-]*[A-Za-z0-9_]' | sort -u | head -n 300)
do
  case "$f" in
    /bin/*|/sbin/*|/usr/bin/*|/usr/sbin/*|/usr/lib/*|/usr/libexec/*|/usr/share/*) continue;;
  esac
  [ -f "$f" ] && [ -r "$f" ] || continue
  h=; {{ read -r h <"$f"; }} 2>/dev/null
  case "$f,$h" in *.sh,*|*.env,*|*,'#!'*) head -c 16384 "$f" | sed 's/^[[:space:]]*#.*//';; esac
done)"
for p in /backup /backups /bak /var/backups /var/backup /data/backup /data/backups /srv/backup \
  /srv/backups /opt/backup /opt/backups /home/backup /mnt/backup \
  $(printf '%s\n' "$t" | grep -o '/[A-Za-z0-9_./-]*[A-Za-z0-9_]' | sort -u | head -n 400); do
  case "$p" in
    /|/etc|/etc/*|/usr|/usr/*|/bin|/sbin|/lib*|/var|/var/lib|/var/lib/dpkg*) continue;;
    /var/log|/var/log/*|/var/spool*) continue;;
    /var/cache|/home|/root|/tmp|/dev*|/proc*|/sys*|/run*|/var/run*|/opt|/srv|/mnt|/boot*) continue;;
  esac
  [ -d "$p" ] || continue
  printf 'folder %s\n' "$p"
  [ -r "$p" ] && [ -x "$p" ] || {{ printf 'closed %s\n' "$p"; continue; }}
  find "$p" -xdev -maxdepth 3 -path '*/data/[0-9a-f][0-9a-f]' -prune -o -type f \( \
    -name '*.sql' -o -name '*.sql.*' -o -name '*.dump' -o -name '*.dump.*' -o -name '*.dmp' \
    -o -name '*.tar' -o -name '*.tar.*' -o -name '*.tgz' -o -name '*.gz' -o -name '*.zip' \
    -o -name '*.7z' -o -name '*.bak' -o -name '*.zst' -o -name '*.xz' -o -name '*.xbstream*' \
    -o -name '*.archive' -o -name '*.rdb' -o -name '*.gpg' -o -name '*.age' -o -name '*.enc' \
    -o -path '*/snapshots/[0-9a-f]*' \) -exec stat -c 'artefact %Y %s %n' {{}} + 2>/dev/null |
    sort -rn -k 2 | head -n 200
done | awk '!seen[$0]++' | while IFS= read -r l; do
  printf '%s\n' "$l"
  case "$l" in artefact*/snapshots/*) continue;; artefact*) ;; *) continue;; esac
  k=$((${{k-0}} + 1)); [ "$k" -le 60 ] || continue
  f=/${{l#*/}}
  printf 'head %s\n' "$(od -An -v -tx1 -N 48 "$f" 2>/dev/null | tr -d ' \n')"
  case "$f" in *.sql) ;; *) continue;; esac
  printf 'tail %s\n' "$(tail -c 120 "$f" 2>/dev/null | tr '\n\r\t' '   ')"
done
exit 0
"""

# Of a file's beginning and end only what marks a dump leaves the host, never a row of data.
_NO_CONTENT = r"""
s/^\(head 1f8b.\{16\}\).*/\1/
/^head 1f8b/!{/^head 5047444d50/!{/^head 2d2d\(20\|0a2d2d20\)/!{/^head 2f2a/!s/^head .*/head other/
}
}
}
s/^tail .*\(-- Dump completed.*\)/tail \1/
s/^tail .*\(PostgreSQL database \(cluster \)\{0,1\}dump complete\).*/tail \1/
/^tail -- Dump/!{/^tail Postgre/!s/^tail .*/tail other/
}
"""

_BORG = r"""
for h in /root /home/* /var/lib/*; do
  [ -d "$h/.cache/borg" ] || continue
  for d in "$h"/.cache/borg/*/; do
    d=${d%/}; i=${d##*/}
    t=0
    for f in "$d"/files*; do
      [ -f "$f" ] || continue
      n=$(stat -c %Y "$f") && [ "$n" -gt "$t" ] && t=$n
    done
    printf 'borg %s %s %s\n' "$i" "$t" "$(cat "$h/.config/borg/security/$i/location" 2>/dev/null)"
  done
done
exit 0
"""

# Units and words that name themselves are asked for one after the other: journalctl(1) lets a line
# pass only where both fit. `export` is what every version writes (`short-unix` came after 219).
_JOURNAL = r"""
command -v journalctl >/dev/null 2>&1 || exit 0
{ journalctl -q --no-pager -o export -n 3000 \
    -u 'restic*' -u '*restic*' -u '*backup*' -u 'borg*' 2>/dev/null; echo
  journalctl -q --no-pager -o export -n 3000 -t restic -t borg _UID=0 2>/dev/null; echo; } |
  awk '/^__REALTIME_TIMESTAMP=/ { t = substr($0, 22) }
    /^_HOSTNAME=/ { h = substr($0, 11) }
    /^SYSLOG_IDENTIFIER=/ { i = substr($0, 19); gsub(/[ :]/, "_", i) }
    /^_PID=/ { p = "[" substr($0, 6) "]" }
    /^MESSAGE=/ { m = substr($0, 9) }
    /^$/ {
      if (m != "") print substr(t, 1, length(t) - 6) "." substr(t, length(t) - 5), h, i p ": " m
      h = "-"; i = "-"; p = ""; m = ""
    }' |
  grep -E 'message_type.:.summary|snapshot [0-9a-f]{8} saved' | sort -u | tail -n 300
exit 0
"""

_LOGS = r"""
for f in /var/log/*backup*.log /var/log/*/*backup*.log /var/log/restic*.log /var/log/rsnapshot*.log
do
  [ -f "$f" ] && [ -r "$f" ] || continue
  printf 'log %s %s\n' "$(stat -c %Y "$f")" "$f"
  tail -n 60 "$f" | sed 's/^/|/'
done
exit 0
"""

# A line of a list that is no path and no pattern is none of our business.
_ONLY_PATHS = rf"""/^|/{{
/[*\/]/!s/.*/|***/
}}
{URLS}"""

READS: tuple[Read, ...] = (
    *(read for read in _storage.READS if read.id == "storage.mounts"),
    files(
        "backup.reports",
        "/var/lib/hostpledge/backup/*.json",
        limit=32_768,
        most=300,
        redact=URLS,
        why=Text("备份任务自己写的运行报告", "what backup jobs report of their runs"),
    ),
    files(
        "backup.settings",
        "/etc/borgmatic/*.yaml",
        "/etc/borgmatic/*.yml",
        "/etc/borgmatic.d/*.yaml",
        "/etc/borgmatic.d/*.yml",
        "/etc/rsnapshot.conf",
        redact=MASK,
        why=Text("备份工具的配置（口令已屏蔽）", "settings of backup tools (secrets masked)"),
    ),
    shell(
        "backup.lists",
        rf"cat {_SOURCES} 2>/dev/null | grep -o -e '--files-from[= ]*/[A-Za-z0-9_./-]*' |"
        "\n  sed 's/^[^/]*//' | sort -u | head -n 20 | while IFS= read -r f; do\n"
        '  [ -f "$f" ] && printf \'list %s\\n\' "$f" && head -c 8192 "$f" | sed \'s/^/|/\'\n'
        "done\nexit 0",
        redact=_ONLY_PATHS,
        why=Text("备份范围列表文件", "files that list what is backed up"),
    ),
    shell(
        "backup.artefacts",
        _ARTEFACTS,
        seconds=30,
        limit=1 << 19,
        redact=_NO_CONTENT,
        why=Text(
            "备份文件的名称、大小、时间与文件头", "names, sizes, times and headers of backup files"
        ),
    ),
    shell(
        "backup.borg",
        _BORG,
        redact=MASK,
        why=Text("borg 最近一次建立归档的时间", "when borg last made an archive"),
    ),
    shell(
        "backup.journal",
        _JOURNAL,
        seconds=20,
        limit=1 << 18,
        redact=MASK,
        why=Text("日志中 restic 的备份结果", "how restic's backups ended, by the journal"),
    ),
    shell(
        "backup.logs",
        _LOGS,
        limit=1 << 18,
        redact=MASK,
        why=Text("备份日志的末尾", "the ends of backup logs"),
    ),
    files(
        "backup.pgbackrest",
        "/var/lib/pgbackrest/backup/*/backup.info",
        redact=MASK,
        why=Text("pgBackRest 的备份记录", "the record pgBackRest keeps of its backups"),
    ),
)


@dataclass(frozen=True, slots=True)
class Report:
    """One run as the job itself reported it (schemas/backup-report.schema.json)."""

    job: str
    finished: datetime
    ok: bool
    size: int | None
    paths: tuple[str, ...]
    repository: str
    encrypted: bool | None
    offsite: bool | None
    file: str


@dataclass(frozen=True, slots=True)
class Record:
    """A success that some record shows: `where` is a repository or a log, `size` bytes if told."""

    when: datetime
    where: str
    size: int | None
    read: str
    line: str


def reports(capture: Capture) -> tuple[Report, ...]:
    """All reports. Raises FactError when one cannot be read or is not of the form."""
    found = []
    for file in capture.read("backup.reports").present():
        try:
            document = load_json(file.text("backup.reports"), where=file.path)
            check(document, "backup-report", where=file.path)
        except BadInput as problem:
            raise NotUnderstood("backup.reports", str(problem)) from None
        finished = datetime.fromisoformat(document["finished"])
        found.append(
            Report(
                document["job"],
                finished.astimezone(UTC),
                document["ok"],
                document.get("bytes"),
                tuple(document["paths"]),
                document.get("repository", ""),
                document.get("encrypted"),
                document.get("offsite"),
                file.path,
            )
        )
    return tuple(found)


def records(capture: Capture) -> tuple[Record, ...]:
    """Successes of restic, borg, rsnapshot and pgBackRest by their own records. Raises FactError.

    Lines that tell of no success are left out, so an empty answer says nothing.
    """
    return (*_borg(capture), *_journal(capture), *_logs(capture), *_pgbackrest(capture))


def _borg(capture: Capture) -> list[Record]:
    """Its files cache is rewritten when an archive is made, not when one is pruned or deleted."""
    found = []
    for line in capture.read("backup.borg").text().splitlines():
        match = re.fullmatch(r"borg ([0-9a-f]+) (\d+) ?(.*)", line)
        if match is None:
            raise NotUnderstood("backup.borg", f"not understood: {line!r}")
        if match[2] != "0":
            when = datetime.fromtimestamp(int(match[2]), UTC)
            found.append(Record(when, match[3] or match[1], None, "backup.borg", line))
    return found


def _journal(capture: Capture) -> list[Record]:
    result = capture.read("backup.journal")
    if result.absent:
        return []
    found = []
    for line in result.text().splitlines():
        match = re.match(r"(\d+)\.\d+ \S+ (\S+?)(?:\[\d+\])?: (.*)", line)
        if match:
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
    path, mtime = "", 0
    lines: list[str] = []
    # where the host did not say its zone, the earliest that its times can mean
    zone = zone_of(capture.head.get("zone") or "+1400")
    for line in [*capture.read("backup.logs").text().splitlines(), "log 0 "]:
        match = re.fullmatch(r"log (\d+) (.*)", line)
        if match:
            found += _log(path, mtime, lines, zone)
            path, mtime, lines = match[2], int(match[1]), []
        elif line.startswith("|"):
            lines.append(line[1:])
        else:
            raise NotUnderstood("backup.logs", f"not understood: {line!r}")
    return found


def _log(path: str, mtime: int, lines: list[str], zone: tzinfo) -> list[Record]:
    """Lines of rsnapshot have dates in the host's zone, those of restic none: the file's counts."""
    found = []
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
