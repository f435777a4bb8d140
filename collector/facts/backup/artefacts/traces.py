"""What backups leave behind: repositories and logs; for files see `artefacts`, for reports of
the jobs `backup_reports`.

Nothing here asks for a repository's password. The cache of restic is not used: `restic
snapshots` on any host fills it anew, so its times say nothing of a backup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from collector.errors import NotUnderstood
from collector.facts.backup.artefacts.files_read import ARTEFACTS, NO_CONTENT, SOURCES
from collector.facts.backup.postgresql import wal as _wal
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import MASK, only_listed
from collector.facts.base.redaction_of_places import LOCATIONS
from collector.facts.base.timestamps import zone_of
from collector.facts.storage import volumes as _storage
from collector.i18n.message import msg
from collector.model import Capture, Read, ReadStatus, Text, files, shell

_BORG = (
    OPENED
    + r"""
for h in /root /home/* /var/lib/*; do
  [ -d "$h/.cache/borg" ] && [ ! -L "$h/.cache" ] && [ ! -L "$h/.cache/borg" ] || continue
  for d in "$h"/.cache/borg/*/; do
    d=${d%/}; i=${d##*/}
    hp_plain "$d" || continue
    t=0
    for f in "$d"/files*; do
      [ -f "$f" ] || continue
      n=$(stat -c %Y "$f") && [ "$n" -gt "$t" ] && t=$n
    done
    printf 'borg %s %s %s\n' "$i" "$t" \
      "$(hp_by "$h/.config/borg/security/$i/location" head -c 4096 2>/dev/null | head -n 1)"
  done
done
exit 0
"""
)

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
  printf 'log %s %s\n' "$(stat -c %Y "$f")" "$f"
  hp_by "$f" tail -n 60 | sed 's/^/|/'
done
exit 0
"""
)

_LISTS = (
    OPENED
    + rf"""
IFS=$hp_nl
w='/[A-Za-z0-9_./-]*[A-Za-z0-9_]'
m=
for l in $(hp_names "$w" {SOURCES}); do
  hp_line "$l"; f=$h_f
  case "$f" in
    /bin/*|/sbin/*|/usr/bin/*|/usr/sbin/*|/usr/lib/*|/usr/libexec/*|/usr/share/*) continue;;
  esac
  hp_can "$f" || continue
  hp_first "$f"
  case "$f,$h_l" in *.sh,*|*,'#!'*) m="$m$l$hp_nl";; esac
done
NAMER=
# of KIND OPTION MARK: what the files hold that stand behind that option, in tabs, units and scripts
of() {{
  set -f
  set -- "$1" "$2" "$3" $m
  set +f
  k=$1 o="$2[= ]*/[A-Za-z0-9_./-]*" b=$3; shift 3
  for l in $({{ hp_names "$o" {SOURCES}; [ $# -eq 0 ] || hp_names "$o" "$@"; }} |
    sed "s,^\([^$hp_tab]*$hp_tab\)[^/]*,\1," | sort -u |
    awk 'NR > 20 {{ print "more"; exit }} {{ print }}'); do
    [ "$l" != more ] || {{ echo 'more lists'; break; }}
    hp_line "$l"; f=$h_f
    [ -f "$f" ] || continue
    # half a path would be another one
    [ "$(hp_by "$f" head -c 8193 | wc -c)" -le 8192 ] || printf 'more %s\n' "$f"
    printf '%s %s\n' "$k" "$f"
    hp_by "$f" head -c 8192 | sed -e '/^[[:space:]]*[#;]/d' -e "s/^/$b/"; echo
  done
  NAMER=
}}
of list --files-from '|'
of excluded '--exclude-f[a-z]*' '!'
echo end
exit 0
"""
)

# A line of a list that is no path and no pattern is none of our business.
_ONLY_PATHS = rf"""/^|/{{
/[*\/]/!s/.*/|***/
}}
/^!/{{
/[*\/]/!{{
/^![A-Za-z._-]\{{1,24\}}$/!s/.*/!***/
}}
}}
{LOCATIONS}"""

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
        _LISTS,
        redact=_ONLY_PATHS,
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
    shell(
        "backup.borg",
        _BORG,
        redact=LOCATIONS,
        why=Text("borg 最近一次建立归档的时间", "when borg last made an archive"),
    ),
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
    """A success that some record shows: `where` is a repository or a log, `size` bytes if told."""

    when: datetime
    where: str
    size: int | None
    read: str
    line: str


def records(capture: Capture) -> tuple[Record, ...]:
    """Successes of restic, borg, rsnapshot and pgBackRest by their own records. Raises FactError.

    Lines that tell of no success are left out, so an empty answer says nothing.
    """
    return (*_borg(capture), *_journal(capture), *_logs(capture), *_pgbackrest(capture))


def _borg(capture: Capture) -> list[Record]:
    """Its files cache is rewritten when an archive is made, not when one is pruned or deleted."""
    found = []
    for line in capture.read("backup.borg").text().splitlines():
        match = re.fullmatch(r"borg ([0-9a-f]+) ([0-9]{1,11}) ?(.*)", line)
        if match is None:
            raise NotUnderstood("backup.borg", msg("not_understood", line=line))
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
    path, mtime = "", 0
    lines: list[str] = []
    # where the host did not say its zone, the earliest that its times can mean
    zone = zone_of(capture.head.get("zone") or "+1400")
    for line in [*capture.read("backup.logs").text().splitlines(), "log 0 "]:
        match = re.fullmatch(r"log ([0-9]{1,11}) (.*)", line)
        if match:
            found += _log(path, mtime, lines, zone)
            path, mtime, lines = match[2], int(match[1]), []
        elif line.startswith("|"):
            lines.append(line[1:])
        else:
            raise NotUnderstood("backup.logs", msg("not_understood", line=line))
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
