"""What starts by itself: crontabs, periodic folders, systemd timers and the scripts they call.

crontab(5) as Debian cron, cronie and busybox read it; run-parts(8); systemd.timer(5).
A job that is written down and yet never starts (a name with a dot under Debian's run-parts, a
script that is not executable, a file of another owner, a disabled timer) is listed as not
enabled, with the reason. Whether a cron daemon runs at all is for `processes` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.allowance import Allowance
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import NO_WORD_OF_PEOPLE, only_listed
from collector.facts.scheduling import cron as crontabs
from collector.facts.scheduling.models import Job, Run, Script, with_scripts
from collector.facts.scheduling.programs import LOOK
from collector.facts.scheduling.sandbox import SETTINGS, settings_of
from collector.facts.scheduling.startable import of_dos, of_service, with_returns
from collector.facts.scheduling.units import started_by, units
from collector.facts.system import accounts as _accounts
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, files, shell

_TIMERS = r"""
[ -d /run/systemd/system ] || { echo 'no systemd'; exit 0; }
TZ=UTC; export TZ
t=$( { systemctl list-unit-files --type=timer --no-legend --no-pager
  systemctl list-units --all --type=timer --no-legend --no-pager; } |
  sed -n 's/^[^A-Za-z0-9]*\([A-Za-z0-9][^[:space:]]*\.timer\).*/\1/
    /@\.timer$/d
    /^[A-Za-z0-9][^[:space:]]*\.timer$/p' | sort -u)
[ -n "$t" ] || { echo 'no timers'; exit 0; }
set -f
o=$(systemctl show --no-pager $t -p Id,Unit,LoadState,ActiveState,UnitFileState,FragmentPath \
  -p SubState,LastTriggerUSec,Result,TimersCalendar,TimersMonotonic)
r=$?
printf '%s\n' "$o"
[ "$r" = 0 ] || exit "$r"
s=$(printf '%s\n' "$o" | sed -n 's/^Unit=//p' | sort -u)
printf '\n'
systemctl show --no-pager $s -p Id,LoadState,ActiveState,Result,User,FragmentPath,ExecStart \
  -p ExecMainStartTimestamp,ExecMainExitTimestamp,ExecMainCode,ExecMainStatus \
  -p ConditionResult,ConditionTimestamp -p @SANDBOX@
"""

# Round by round: the scripts that tabs and units name, then those that these name.
_CALLED = (
    OPENED
    + r"""
all=
set -- /etc/crontab /etc/anacrontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* \
  /etc/cron.weekly/* /etc/cron.monthly/* /var/spool/cron/* /var/spool/cron/crontabs/* \
  /etc/crontabs/* /etc/systemd/system/*.service /etc/systemd/system/*.service.d/*.conf \
  /etc/systemd/user/*.service /root/.config/systemd/user/*.service \
  /home/*/.config/systemd/user/*.service
IFS=$hp_nl
for round in 1 2 3 4 5 6; do
  more= names=$(hp_names '/[A-Za-z0-9_./-]*[A-Za-z0-9_]' "$@")
  ! hp_cut_off "$names" || echo more
  for l in $names; do
    hp_line "$l"; f=$h_f
    case "$hp_nl$all" in *"$hp_nl$f$hp_nl"*) continue;; esac
    case "$f" in
      /proc/*|/dev/*|/sys/*|/run/*|/bin/*|/sbin/*|/usr/bin/*|/usr/sbin/*) continue;;
      /usr/lib/*|/usr/libexec/*|/usr/share/*) continue;;
    esac
    hp_can "$f" || continue
    case "$f" in
      *.sh|*.bash|*.py|*.pl) ;;
      *) hp_first "$f"; case "$h_l" in '#!'*) ;; *) continue;; esac;;
    esac
    all="$all$f$hp_nl"; more="$more$NAMER$hp_tab$f$hp_nl"
    x=-; [ -x "$f" ] && x=x
    w=all; [ "$(hp_by "$f" head -c 16385 | wc -c)" -gt 16384 ] && w=cut
    printf 'script %s %s %s\n' "$x" "$w" "$f"
    hp_by "$f" head -c 16384 | sed 's/^/|/'
    printf '\n'
  done
  NAMER=
  set -f; set -- $more; set +f
  [ $# -gt 0 ] || break
done
[ $# -eq 0 ] || echo more
exit 0
"""
)

# what cron hands its commands to, and whether that can be run
_SHELLS = r"""
b='[[:space:]]*'; q="[\"']\{0,1\}"
for f in /etc/crontab /etc/cron.d/* /var/spool/cron/* /var/spool/cron/crontabs/* \
  /var/spool/cron/tabs/* /etc/crontabs/*; do
  [ -f "$f" ] && sed -n "s/^$b${q}SHELL$q$b=$b//p" "$f"
done | sed "s/[[:space:]]*\$//; s/^'\(.*\)'\$/\1/; s/^\"\(.*\)\"\$/\1/" |
  grep '^/[A-Za-z0-9_./-]*$' | sort -u | while IFS= read -r s; do
  if [ -f "$s" ] && [ -x "$s" ]; then printf 'x %s\n' "$s"; else printf '%s\n' "- $s"; fi
done
"""

# characters
_TEXT = 4 << 20

READS: tuple[Read, ...] = (
    *(read for read in _accounts.READS if read.id == "accounts.passwd"),
    files(
        "schedules.tabs",
        "/etc/crontab",
        "/etc/anacrontab",
        "/etc/cron.d/*",
        redact=only_listed("tab"),
        why=Text("系统计划任务（口令已屏蔽）", "the system's cron jobs (secrets masked)"),
    ),
    files(
        "schedules.spool",
        "/var/spool/cron/*",
        "/var/spool/cron/crontabs/*",
        "/var/spool/cron/tabs/*",
        "/etc/crontabs/*",
        redact=only_listed("spool"),
        why=Text("各用户的计划任务（口令已屏蔽）", "users' cron jobs (secrets masked)"),
    ),
    files(
        "schedules.periodic",
        "/etc/cron.hourly/*",
        "/etc/cron.daily/*",
        "/etc/cron.weekly/*",
        "/etc/cron.monthly/*",
        limit=16_384,
        most=128,
        redact=only_listed("script"),
        why=Text("每小时/日/周/月运行的脚本", "scripts run every hour, day, week or month"),
    ),
    shell(
        "schedules.flavour",
        "command -v run-parts >/dev/null 2>&1 || { echo none; exit 0; }\n"
        "run-parts --version 2>&1 | head -n 1; exit 0",
        limit=4096,
        why=Text(
            "run-parts 的实现（决定哪些文件名有效）",
            "which run-parts: it decides which names count",
        ),
    ),
    files(
        "schedules.sources",
        "/etc/nsswitch.conf",
        redact=NO_WORD_OF_PEOPLE,
        why=Text(
            "账户的来源（cron 按账户启动任务）",
            "where accounts come from: cron asks for its jobs' ones",
        ),
    ),
    shell(
        "schedules.shells",
        _SHELLS + LOOK.lstrip("\n"),
        limit=4096,
        why=Text(
            "crontab 指定的 shell 能否运行，备份程序在哪个目录",
            "whether the shells that crontabs name can be run, and where backup tools lie",
        ),
    ),
    shell(
        "schedules.timers",
        _TIMERS.replace("@SANDBOX@", ",".join(SETTINGS)),
        seconds=20,
        limit=1 << 19,
        redact=only_listed("units"),
        why=Text("systemd 定时器及其最近一次结果", "systemd timers and how they last ended"),
    ),
    shell(
        "schedules.called",
        _CALLED,
        seconds=20,
        limit=1 << 19,
        redact=only_listed("listed"),
        why=Text(
            "计划任务所调用脚本的内容（口令已屏蔽）", "scripts that jobs call (secrets masked)"
        ),
    ),
)


def jobs(capture: Capture) -> tuple[Job, ...]:
    """Every job, enabled or not. Raises FactError when any of the places could not be seen."""
    scripts = called(capture)
    room = Allowance("schedules.called", _TEXT, msg("text_scripts_jobs_call"))
    found: list[Job] = []
    for job in chain(crontabs.jobs(capture, scripts), _timers(capture, scripts)):
        room.take(len(job.text) - len(job.command))
        found.append(job)
    return tuple(found)


def called(capture: Capture) -> Mapping[str, Script]:
    """The scripts that jobs call, by path. Raises FactError."""
    begun: dict[str, tuple[bool, bool, list[str]]] = {}
    lines: list[str] = []
    read = capture.read("schedules.called")
    for line in with_returns(read.text().split("\n"), read.stdout):
        match = re.fullmatch(r"script ([x-]) (all|cut) (.*)", line)
        if match:
            path, lines = match[3], []
            begun[path] = match[1] == "x", match[2] == "all", lines
        elif line.startswith("|") and begun:
            lines.append(line[1:])
        elif line == "more":
            raise CouldNotLook("schedules.called", msg("more_than_is_read"))
        elif line.strip():
            raise NotUnderstood("schedules.called", msg("not_understood", line=line))
    return {
        path: Script(path, executable, whole, of_dos(text))
        for path, (executable, whole, text) in begun.items()
    }


# --- timers --------------------------------------------------------------------------------------


def _timers(capture: Capture, scripts: Mapping[str, Script]) -> Iterator[Job]:
    text = capture.read("schedules.timers").text()
    if text.strip() in ("no systemd", "no timers"):
        return
    if not text.strip():
        raise NotUnderstood("schedules.timers", msg("printed_nothing"))
    blocks = units(text)
    services: dict[str, dict[str, str]] = {}
    for block in blocks:
        if block.get("Id", "").endswith(".service"):
            services.setdefault(block["Id"], {}).update(block)
    for block in blocks:
        if "Id" not in block:
            raise NotUnderstood("schedules.timers", msg("unit_without_id", block=repr(block)[:160]))
        if block["Id"].endswith(".timer"):
            yield _timer(block, services.get(block.get("Unit", "")), scripts)


def _skipped(service: Mapping[str, str]) -> Text | None:
    """Why systemd did not run the service at all when it last should have.

    `no` stands there as well until that is tried for the first time.
    """
    when = service.get("ConditionTimestamp", "")
    if service.get("ConditionResult") != "no" or not when:
        return None
    return Text(
        f"{service['Id']} 的启动条件（Condition…=）在 {when} 未满足，没有运行",
        f"a Condition…= of {service['Id']} was not met at {when}, so that it did not run",
    )


def _timer(
    block: dict[str, str], service: dict[str, str] | None, scripts: Mapping[str, Script]
) -> Job:
    reason, id = None, block["Id"]
    if block.get("LoadState") not in ("loaded", None):
        reason = Text(f"{id} 的状态为 {block['LoadState']}", f"{id} is {block['LoadState']}")
    elif block.get("ActiveState") != "active":
        state = block.get("UnitFileState") or block.get("ActiveState", "unknown")
        reason = Text(f"{id} 未启动（{state}）", f"{id} is {state}, not active")
    elif block.get("SubState") == "elapsed":
        reason = Text(
            f"{id} 已启动，但已到期，不再触发",
            f"{id} is active, but elapsed: it does not fire again",
        )
    elif block.get("UnitFileState") == "disabled":
        reason = Text(
            f"{id} 目前已启动，但未设为随系统启动，重启后不再运行",
            f"{id} is active now, but disabled: it does not come back after a boot",
        )
    if not reason and (service is None or service.get("LoadState") != "loaded"):
        reason = Text(f"{id} 所启动的服务不存在", f"what {id} starts is not there")
    started = (service or {}).get("ExecStart", "")
    reason = reason or _skipped(service or {})
    reason = reason or of_service(re.findall(r"path=(.*?) ; argv", started), scripts)
    commands = started_by(started)
    if not reason and (several := [c for c in commands if len(c.splitlines()) > 1]):
        # which of its lines decides the end of it cannot be told any more
        first = several[0].splitlines()[0]
        raise NotUnderstood(
            "schedules.timers", msg("unit_command_of_lines", unit=block["Unit"], line=first[:160])
        )
    command = "\n".join(commands)
    when = "; ".join(
        re.findall(r"(On\w{1,40}=[^;]{0,400}?) ;", block.get("TimersCalendar", ""))
        + re.findall(r"(On\w{1,40}=[^;]{0,400}?) ;", block.get("TimersMonotonic", ""))
    )
    return Job(
        "timer", block["Id"], when, (service or {}).get("User") or "root", command,
        with_scripts(command, scripts), not reason, reason.en if reason else "", "schedules.timers",
        block.get("FragmentPath", ""),
        f"{block['Id']} {block.get('ActiveState', '')} {block.get('UnitFileState', '')}".strip(),
        when_utc(block.get("LastTriggerUSec", ""), "schedules.timers"),
        _run(service) if service else None,
        reason.zh if reason else "",
        settings_of(service or {}),
    )  # fmt: skip


def _run(service: dict[str, str]) -> Run:
    finished = when_utc(service.get("ExecMainExitTimestamp", ""), "schedules.timers")
    status, result = service.get("ExecMainStatus", ""), service.get("Result", "")
    good: bool | None = None
    if finished is not None and service.get("ActiveState") != "activating":
        good = (
            status == "0"
            and service.get("ExecMainCode") in ("1", "exited")
            and (result == "success")
        )
    started = when_utc(service.get("ExecMainStartTimestamp", ""), "schedules.timers")
    return Run(service["Id"], finished, good, f"Result={result} ExecMainStatus={status}", started)


def when_utc(text: str, read: str) -> datetime | None:
    """A time as systemd writes it under TZ=UTC; None for `n/a`, `0` and nothing.

    Raises NotUnderstood for any other zone: abbreviations such as CST do not name one.
    """
    if text.strip() in ("", "n/a", "0", "[not set]"):
        return None
    match = re.fullmatch(r"(?:\w{3} )?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? UTC", text.strip())
    if match is None:
        raise NotUnderstood(read, msg("not_time_utc", text=text))
    return datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
