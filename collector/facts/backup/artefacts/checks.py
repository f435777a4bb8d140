"""Traces of checks that a backup can be read: by the journal, logs, and borgmatic's own times.

`restic check` says "no errors were found", `borg check -v` "… check complete, no problems found".
`pgbackrest verify` ends with status 0 and "completed successfully" even over a damaged repository
(its issue 2502), so that what it prints in between counts. gzip -t and their like print nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Literal

from collector.errors import NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import only_listed
from collector.facts.base.timestamps import zone_of
from collector.i18n.message import msg
from collector.model import Capture, Quote, Read, Text, shell

# Logs that are called after backups or checks, and those that tabs send such output to. Of each
# the lines that tell how a check ended; `=` marks the last line of the log.
_LOGS = (
    OPENED
    + r"""
IFS=$hp_nl
set -- /var/log/*backup* /var/log/*/*backup* /var/log/*restic* /var/log/*/*restic* \
  /var/log/*borg* /var/log/*/*borg* /var/log/*check*.log /var/log/*verify*.log \
  /var/log/pgbackrest/*-verify.log \
  $(hp_names '.*\(check\|verify\).*' /etc/crontab /etc/cron.d/* /var/spool/cron/* \
    /var/spool/cron/crontabs/* /etc/crontabs/* |
    sed -n "s/^\([^$hp_tab]*$hp_tab\).*>[[:space:]]*\(\/[A-Za-z0-9_.\/-]*\).*/\1\2/p")
n=0
for f in "$@"; do
  NAMER=; case "$f" in *"$hp_tab"/*) hp_line "$f"; f=$h_f;; esac
  case "$f" in *.gz|*.xz|*.bz2|*.zst|*.journal|/dev/*|/proc/*) continue;; esac
  hp_can "$f" || continue
  n=$((n + 1)); [ "$n" -le 60 ] || break
  t=$(hp_by "$f" tail -n 400 | awk '
    function keep() { k++; if (k > 60) delete m[k - 60]; m[k] = substr($0, 1, 300); at = NR }
    /no errors were found|repository contains errors|check.*(problems|errors) found/ ||
    /verify command (begin|end)|status: *(error|invalid)|INFO: invalid|P[0-9]+  *ERROR/ { keep() }
    NF { last = NR }
    END {
      for (i = k > 60 ? k - 59 : 1; i <= k; i++) print (i == k && at == last ? "=" : "|") m[i]
    }')
  [ -n "$t" ] || continue
  hp_writer "$f"
  printf 'log%s %s %s\n%s\n' "${V:+-of $V}" "$(stat -c %Y "$f")" "$f" "$t"
done
for f in /root/.borgmatic/checks/*/* /root/.borgmatic/checks/*/*/* \
  /root/.local/state/borgmatic/checks/*/* /root/.local/state/borgmatic/checks/*/*/* \
  /var/lib/borgmatic/borgmatic/checks/*/* /var/lib/borgmatic/borgmatic/checks/*/*/*; do
  [ -f "$f" ] && hp_plain "$f" && printf 'borgmatic %s %s\n' "$(stat -c %Y "$f")" "$f"
done
exit 0
"""
)

# How services of backups and checks ended before the last boot too: what PID 1 says of a start job
# that was done, or failed (SD_MESSAGE_UNIT_STARTED, SD_MESSAGE_UNIT_FAILED of sd-messages.h).
_RUNS = r"""
command -v journalctl >/dev/null 2>&1 || exit 0
journalctl -q --no-pager -o export -n 1000 _PID=1 MESSAGE_ID=39f53479d3a045ac8e11786248231fbf \
  MESSAGE_ID=be02cf6855d2428ba40df7e9d022f03d \
  -u '*restic*' -u '*backup*' -u '*borg*' -u '*check*' -u '*verify*' 2>/dev/null |
  awk '/^__REALTIME_TIMESTAMP=/ { t = substr($0, 22, length($0) - 27) }
    /^UNIT=/ { u = substr($0, 6) }
    /^MESSAGE=(Finished|Failed to start) / { m = substr($0, 9, 6) }
    /^$/ { if (m != "" && u != "") print m, t, u; m = ""; u = "" }'
exit 0
"""

READS: tuple[Read, ...] = (
    shell(
        "backup_checks.logs",
        _LOGS,
        limit=1 << 17,
        redact=only_listed("listed-log"),
        why=Text("备份校验在日志中的结果", "how checks of backups ended, by their logs"),
    ),
    shell(
        "backup_checks.runs",
        _RUNS,
        seconds=20,
        limit=1 << 17,
        why=Text("备份与校验服务在日志中的结束状态", "how services of backups and checks ended"),
    ),
)

Tool = Literal["restic", "borg", "pgbackrest", ""]


@dataclass(frozen=True, slots=True)
class Trace:
    """One check, by what it printed. `unit` and `path` (of a log) are empty where not known.

    `by`: the user who can write the log, where root and the system's accounts are not alone.
    """

    when: datetime
    good: bool
    tool: Tool
    unit: str
    path: str
    quote: Quote
    by: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A start job of a service that was done, or failed."""

    when: datetime
    good: bool
    unit: str
    quote: Quote


# the whole of a line, but for what a log or borgmatic puts before it: where names of files are
# printed, a name may say so too
_STAMP = r"(?:\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?:? )"
_LEVEL = r"(?:\[?[A-Z]+\]?:? )"
_HEAD = re.compile(rf"{_STAMP}?{_LEVEL}?(?:(?<=[A-Z]: )\S+: )?")
_REPOSITORY = r"(?:Finished|Completed|Complete) (?:full |partial )?repository check"
_GOOD: tuple[tuple[re.Pattern[str], Tool], ...] = (
    (re.compile(r"no errors were found"), "restic"),
    (
        re.compile(rf"(?:Archive consistency check complete|{_REPOSITORY}), no problems found"),
        "borg",
    ),
)
_BAD: tuple[tuple[str, Tool], ...] = (
    ("repository contains errors", "restic"),
    ("check, errors found", "borg"),
    ("check complete, errors found", "borg"),
    ("check complete, problems found", "borg"),
)


def traces(capture: Capture) -> tuple[Trace, ...]:
    """What the journal and logs show of checks. Raises FactError."""
    return (*_journal(capture), *_logs(capture))


def _told(text: str) -> tuple[bool, Tool] | None:
    for said, tool in _BAD:
        if said in text:
            return False, tool
    head = _HEAD.match(text)
    rest = text[head.end() if head else 0 :].strip().removesuffix(".")
    return next(((True, tool) for said, tool in _GOOD if said.fullmatch(rest)), None)


def _journal(capture: Capture) -> Iterator[Trace]:
    result = capture.read("backup.journal")
    if result.absent:
        return
    for line in result.text().splitlines():
        match = re.match(r"(\d+)\.\d+ [^\s/]*/?(\S*) (\S+?)(?:\[\d+\])?: (.*)", line)
        told = _told(match[4]) if match else None
        if match and told:
            when = datetime.fromtimestamp(int(match[1]), UTC)
            yield Trace(when, *told, match[2], "", Quote("backup.journal", (line,)))


def _sections(capture: Capture) -> Iterator[tuple[str, str, datetime, list[str]]]:
    by, path, when = "", "", datetime.fromtimestamp(0, UTC)
    lines: list[str] = []
    for line in capture.read("backup_checks.logs").text().splitlines():
        match = re.fullmatch(r"log(?:-of (\S+))? (\d+) (/.*)", line)
        if match:
            if path:
                yield by, path, when, lines
            by, path, lines = match[1] or "", match[3], []
            when = datetime.fromtimestamp(int(match[2]), UTC)
        elif line.startswith(("|", "=")) and path:
            lines.append(line)
        elif not re.fullmatch(r"borgmatic \d+ /.*", line):
            raise NotUnderstood("backup_checks.logs", msg("not_understood", line=line))
    if path:
        yield by, path, when, lines


def _logs(capture: Capture) -> Iterator[Trace]:
    # where the host did not say its zone, the earliest that its times can mean
    zone = zone_of(capture.head.get("zone") or "+1400")
    for by, path, mtime, lines in _sections(capture):
        traced = (*_pgbackrest(path, lines, zone), *_of_tools(path, mtime, lines, zone))
        yield from (replace(trace, by=by) for trace in traced)


def _of_tools(path: str, mtime: datetime, lines: list[str], zone: tzinfo) -> Iterator[Trace]:
    undated: tuple[str, bool, Tool] | None = None
    for line in lines:
        told = _told(line[1:])
        if told is None:
            continue
        when = _dated(line[1:], zone)
        if when is None:
            undated = (line, *told)
        else:
            quote = Quote("backup_checks.logs", (line[1:],), path)
            yield Trace(when, *told, "", path, quote)
    # without a time of its own the last one counts as of the log's end, a good one only there
    if undated and (undated[0].startswith("=") or not undated[1]):
        quote = Quote("backup_checks.logs", (undated[0][1:],), path)
        yield Trace(mtime, undated[1], undated[2], "", path, quote)


def _pgbackrest(path: str, lines: Iterable[str], zone: tzinfo) -> Iterator[Trace]:
    open_, faults = False, list[str]()
    for line in lines:
        if "verify command begin" in line:
            open_, faults = True, []
        elif re.search(r"status: *(error|invalid)|INFO: invalid|P\d+ +ERROR", line):
            faults.append(line[1:].strip())
        elif "verify command end" in line and open_:
            when = _dated(line[1:], zone)
            good = not faults and "completed successfully" in line
            if when is not None:
                shown = (*faults[:3], line[1:])
                quote = Quote("backup_checks.logs", shown, path)
                yield Trace(when, good, "pgbackrest", "", path, quote)
            open_ = False


def _dated(line: str, zone: tzinfo) -> datetime | None:
    match = re.match(
        r"\[?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:?\d\d)?\b", line
    )
    if match is None:
        return None
    try:
        when = datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3] or ''}")
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)


def runs(capture: Capture) -> tuple[Ended, ...]:
    """Services of backups and checks that ended, by the journal. Raises FactError."""
    found = []
    for line in capture.read("backup_checks.runs").text().splitlines():
        match = re.fullmatch(r"(Finish|Failed) (\d+) (\S+)", line)
        if match is None:
            raise NotUnderstood("backup_checks.runs", msg("not_understood", line=line))
        when = datetime.fromtimestamp(int(match[2]), UTC)
        quote = Quote("backup_checks.runs", (line,))
        found.append(Ended(when, match[1] == "Finish", match[3], quote))
    return tuple(found)


def borgmatic_times(capture: Capture) -> Mapping[str, tuple[datetime, Quote]]:
    """When borgmatic last checked each repository, by the repository's id. Raises FactError.

    It writes these times after a check that found nothing wrong (borgmatic's actions/check.py).
    """
    found: dict[str, tuple[datetime, Quote]] = {}
    for line in capture.read("backup_checks.logs").text().splitlines():
        match = re.fullmatch(r"borgmatic (\d+) (/.*/checks/([0-9a-f]+)/(\S+))", line)
        if match and match[4].partition("/")[0] in ("repository", "archives", "data"):
            when = datetime.fromtimestamp(int(match[1]), UTC)
            if match[3] not in found or found[match[3]][0] < when:
                found[match[3]] = (when, Quote("backup_checks.logs", (line,), match[2]))
    return found
