"""Is what stands in a daemon's files what the running daemon has? Written is not running.

A daemon reads its files when it starts, and some read them again when they are told to. So the
time of that is compared with the times of each file that it reads, and of the folders whose files
it takes. Each time is an interval, for the clocks that are read give whole seconds here, and
hundredths there; where the clock was set in between, the interval grows until nothing is told.

- A file whose content is newer is *written, not taken up*. That wants both of its times: mtime
  alone can be set to anything (tar, cp -p, an image built elsewhere), and no content is newer than
  its ctime, which nobody sets.
- A newer ctime alone is also that of chmod, or of a backup that puts atime back: it proves nothing,
  unless the file itself is new (its birth, where the file system has one; else its folder's time).
  A package's own folder is left out here: each version of it lays the same defaults anew.
- A folder that is newer than all: something was taken out of it, or an editor looked into a file
  there. Which of the two is not seen.

What the reads print (behind a mark of theirs), here of an sshd that was reloaded after its start:

>>> lines = '''clock 1795888900.10 50000 1795888900.12
... start 812 40000
... pidfile 1795888850.5 /run/sshd.pid
... file 1795888700.0 1795888700.0 0 /etc/ssh/sshd_config
... folder 1795888600.0 /etc/ssh/sshd_config.d'''.splitlines()
>>> taken_up(lines, 812).answer
<Answer.YES: 'yes'>
>>> lines[3] = 'file 1795888860.0 1795888860.0 0 /etc/ssh/sshd_config'
>>> found = taken_up(lines, 812)
>>> str(found.answer), found.path, f"{found.since:%H:%M:%S}", f"{found.changed:%H:%M:%S}"
('no', '/etc/ssh/sshd_config', '18:00:50', '18:01:00')

Sources: proc_pid_stat(5) starttime, in hundredths of a second (USER_HZ) since the boot; its age is
taken from a process that starts at that moment, so that neither lxcfs nor a time namespace matters.
systemd's org.freedesktop.systemd1(5): ExecMainStartTimestamp, StateChangeTimestamp, ExecReload.
sshd(8): SIGHUP makes it start again under the same number; it then writes its PidFile anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

# What a read does for one process: $t_p is its number, $t_f its files and $t_d their folders, each
# with a line end behind it, $t_u units that may be its own.
LOOK = r"""
{
  t_a=$(date +%s.%N); t_b=$(cat /proc/self/stat); t_c=$(date +%s.%N)
  unset IFS; set -f
  set -- ${t_b##*') '}
  printf 'clock %s %s %s\n' "$t_a" "${20-}" "$t_c"
  t_b=; { IFS= read -r t_b <"/proc/$t_p/stat"; } 2>/dev/null
  set -- ${t_b##*') '}
  [ -z "${20-}" ] || printf 'start %s %s\n' "$t_p" "${20}"
  if [ -d /run/systemd/system ]; then
    t_b=$(sed -n 's,.*/\([^/]*\.service\)$,\1,p' "/proc/$t_p/cgroup" 2>/dev/null | sort -u)
    t_e=' ; stop_time=\[[^]]*\] ; pid=[0-9]* ; code=[^ ;]* ; status=\([0-9]*\)[^ ;]* *}$'
    TZ=UTC0 systemctl show -p Id -p MainPID -p Type -p ExecMainStartTimestamp \
      -p StateChangeTimestamp -p ReloadResult -p ExecReload ${t_b:-$t_u} 2>/dev/null |
      # a command is printed with the line breaks in it: only what is asked for may go out
      sed -n -e '/^ExecReload={ /{' -e :hpx -e "/$t_e/!{" -e '$d' -e N -e 'b hpx' -e '}' \
        -e "s/^.* ; start_time=\[\([^]]*\)\]$t_e/ExecReload=\2 \1/" -e '}' \
        -e 's/^ExecReload=[0-9]\{1,\} [A-Za-z0-9 :.+/-]*$/unit &/p' \
        -e 's/^Id=[A-Za-z0-9:_.\\@-]*$/unit &/p' -e 's/^MainPID=[0-9]*$/unit &/p' \
        -e 's/^Type=[a-z-]*$/unit &/p' -e 's/^ReloadResult=[a-z-]*$/unit &/p' \
        -e 's/^ExecMainStartTimestamp=[A-Za-z0-9 :.+/-]*$/unit &/p' \
        -e 's/^StateChangeTimestamp=[A-Za-z0-9 :.+/-]*$/unit &/p' -e 's/^$/unit /p'
  fi
  IFS=$hp_nl
  [ -z "$t_f" ] || stat -L -c 'file %.9Y %.9Z %.9W %n' $t_f 2>/dev/null
  for t_b in $t_f; do
    # what a link leads to may be another file than before
    case $t_b in (/etc/crypto-policies/*) continue;; esac
    [ ! -L "$t_b" ] || stat -c 'file %.9Y %.9Z %.9W %n' "$t_b"
  done
  [ -z "$t_d" ] || stat -L -c 'folder %.9Y %n' $t_d 2>/dev/null
  unset IFS
  set +f
}"""

_SLACK = 0.5  # from its start until it has read its files
_STEP = 2.0  # clocks further apart than this were set in between


class Answer(StrEnum):
    """Has the running process what is written?"""

    YES = "yes"
    NO = "no"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Taken:
    """`how` says why it is not `yes`.

    `written` (no), else `replaced`, `removed`, `program` (it runs another program than the one that
    lies there), `signal` (one may have told it, unseen), `no_start` (nothing is known of its
    start), `clock` (set in between), or
    `not_asked`, of a capture from before this was looked at.
    """

    answer: Answer
    how: str = ""
    path: str = ""
    changed: datetime | None = None
    since: datetime | None = None
    lines: tuple[str, ...] = ()

    @property
    def doubtful(self) -> bool:
        """May it run with another configuration: by something that was seen, or was not asked?"""
        return self.how in ("replaced", "removed", "signal", "program", "no_start", "not_asked")

    def holds(self, *seen: datetime | None) -> bool:
        """Is what is written what it does: as it has taken it up, or as each of these times shows?

        They are times of records that are as is written, made after the last change of its files.
        """
        if self.answer is not Answer.NO and not self.doubtful:
            return True
        changed = self.changed
        return (
            changed is not None
            and bool(seen)
            and all(one is not None and one > changed for one in seen)
        )


NOT_ASKED = Taken(Answer.UNTOLD, "not_asked")
TAKEN_UP = Taken(Answer.YES)


@dataclass(frozen=True, slots=True)
class _When:
    """An interval of time, in seconds since the epoch."""

    first: float
    last: float


_CLOCK = re.compile(
    r"clock ([0-9]{9,11}(?:\.[0-9]{1,9})?)\S* ([0-9]{1,15}) ([0-9]{9,11}(?:\.[0-9]{1,9})?)\S*"
)
_ENTRY = re.compile(r"file (\S+) (\S+) (\S+) (/.*)")
_FOLDER = re.compile(r"folder (\S+) (/.*)")
_PIDFILE = re.compile(r"pidfile (\S+) (/.*)")
# when it has read its files last, by its own word
_LOADED = re.compile(r"loaded (\S+)")


def taken_up(lines: Iterable[str], pid: int, *, reloads: bool = True) -> Taken:
    """Has the process `pid` what its files hold?

    `lines` are what LOOK printed for it, `reloads` whether it reads its files again when told to.
    """
    said = tuple(lines)
    if not said:
        return NOT_ASKED
    if gone := next((line for line in said if line.startswith("gone ")), ""):
        return Taken(Answer.UNTOLD, "program", gone[5:], lines=(gone,))
    read = _read(said, pid, reloads)
    if read is None:
        return Taken(Answer.UNTOLD, "no_start", lines=said[:2])
    found = sorted(_newer(said, read), key=lambda one: (_GRAVE.index(one[0]), -one[1]))
    since = datetime.fromtimestamp(read.first, UTC)
    if not found:
        return Taken(Answer.YES, since=since)
    how, changed, path, line = found[0]
    answer = Answer.NO if how == "written" else Answer.UNTOLD
    shown = tuple(one for one in said if one.startswith((f"start {pid} ", "pidfile ", "loaded ")))
    return Taken(answer, how, path, datetime.fromtimestamp(changed, UTC), since, (*shown, line))


_GRAVE = ("written", "removed", "replaced", "clock")


def _newer(said: tuple[str, ...], read: _When) -> Iterator[tuple[str, float, str, str]]:
    """What is newer than that: how, when, the path, and the line that says so."""
    folders = {m[2]: when for m in map(_FOLDER.fullmatch, said) if m and (when := _stamp(m[1]))}
    for line in said:
        if match := _FOLDER.fullmatch(line):
            when = folders.get(match[2])
            if when is not None and when.first > read.last and not _packaged(match[2]):
                yield "removed", when.first, match[2], line
        elif match := _ENTRY.fullmatch(line):
            written, changed, born = (_stamp(match[n]) for n in (1, 2, 3))
            if written is None or changed is None:
                continue
            content = min(written, changed, key=lambda when: when.first)
            folder = folders.get(match[4].rpartition("/")[0])
            if content.first > read.last:
                yield "written", content.first, match[4], line
            elif content.last > read.first:
                yield "clock", content.first, match[4], line
            elif _packaged(match[4]):
                continue
            elif changed.first > read.last and _is_new(born or folder, read):
                yield "replaced", changed.first, match[4], line


def _packaged(path: str) -> bool:
    """Does it lie where packages alone lay files? Each version lays all of them anew."""
    return path.startswith(("/usr/lib/", "/lib/", "/usr/etc/"))


def _is_new(when: _When | None, read: _When) -> bool:
    return when is not None and when.first > read.last


def _read(said: tuple[str, ...], pid: int, reloads: bool) -> _When | None:
    """When it read its files last; None where not even its start is known."""
    start = _start(said, pid)
    if start is None:
        return None
    unit = _unit(said, pid)
    ahead = 0.0
    begun = _systemd(unit.get("ExecMainStartTimestamp", ""))
    if begun is not None and (begun.first > start.last + _STEP or begun.last < start.first - _STEP):
        # the clock of then is the one that files had
        ahead = max(0.0, begun.first - start.last)
        start = _When(min(start.first, begun.first), max(start.last, begun.last))
    events = [_When(start.first, start.last + _SLACK)]
    if reloads:
        told = [_When(one.first - ahead, one.last) for one in _reloads(said, unit)]
        # its PidFile it writes when it has read them
        events = [start, *told] if told else events
    return _When(max(one.first for one in events), max(one.last for one in events))


def _start(said: tuple[str, ...], pid: int) -> _When | None:
    clock = next((m for m in map(_CLOCK.fullmatch, said) if m), None)
    ticks = next((line for line in said if line.startswith(f"start {pid} ")), "").split()
    if clock is None or len(ticks) != 3 or not re.fullmatch(r"[0-9]{1,15}", ticks[2]):
        return None
    before, after = _stamp(clock[1]), _stamp(clock[3])
    if before is None or after is None:
        return None
    age = (int(clock[2]) - int(ticks[2])) / 100
    return _When(before.first - age - 0.01, after.last - age + 0.01)


def _unit(said: tuple[str, ...], pid: int) -> dict[str, str]:
    """The properties of the unit whose main process it is."""
    for block in "\n".join(line[5:] for line in said if line.startswith("unit ")).split("\n\n"):
        pairs = [line.partition("=") for line in block.splitlines()]
        # of several commands each stands in a line: the last one is what reloads
        found = {key: value for key, _, value in pairs}
        if found.get("MainPID") == str(pid):
            return found
    return {}


def _reloads(said: tuple[str, ...], unit: dict[str, str]) -> Iterator[_When]:
    for match in filter(None, map(_PIDFILE.fullmatch, said)):
        if when := _stamp(match[1]):
            yield when
    for match in filter(None, map(_LOADED.fullmatch, said)):
        if when := _stamp(match[1]):
            yield when
    status, _, stamp = unit.get("ExecReload", "").partition(" ")
    if status == "0" and (when := _systemd(stamp)):
        yield _When(when.first, when.last + _SLACK)
    again = unit.get("Type") == "notify-reload" and unit.get("ReloadResult") == "success"
    if again and (when := _systemd(unit.get("StateChangeTimestamp", ""))):
        yield when


def _stamp(text: str) -> _When | None:
    """Seconds since the epoch, with a fraction or without; None where the time is not known."""
    if not re.fullmatch(r"[0-9]{1,11}(\.[0-9]{0,9})?", text) or float(text) == 0:
        return None
    return _When(float(text), float(text) + (0.001 if "." in text else 1.0))


def _systemd(text: str) -> _When | None:
    """`Sat 2026-11-28 17:35:28 UTC`, as `systemctl show` prints it."""
    match = re.fullmatch(r"[A-Z][a-z]{2} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? UTC", text)
    if match is None:
        return None
    try:
        at = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return _When(at, at + 1)
