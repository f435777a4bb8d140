"""What bans addresses that guess passwords: fail2ban as its server answers, sshguard as it runs.

fail2ban's files are not read: the running server tells which jails there are and what they do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.access.ban_effects import EFFECTS
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import only_lines
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, files, shell

# `-i` answers many questions with one start of Python; a cut of each pattern is enough.
_FAIL2BAN = r"""
command -v fail2ban-client >/dev/null 2>&1 || { echo '== none'; exit 0; }
s=$(fail2ban-client status 2>&1) || { echo '== down'; printf '%s\n' "$s" | head -n 3; exit 0; }
echo '== up'
set -f
j=$(printf '%s\n' "$s" | sed -n 's/.*Jail list:[[:space:]]*//p' | tr ',' ' ')
q=
for n in $j; do
  for w in maxretry findtime bantime ignoreip logpath journalmatch actions failregex; do
    q="$q
get $n $w"
  done
done
[ -n "$q" ] || exit 0
a=$(printf '%s\nexit\n' "$q" | fail2ban-client -i 2>/dev/null | cut -c 1-100)
printf 'asked %s\n' $j
printf '%s\n' "$a"
q=
l=$(printf '%s\n' "$a" | sed -n '/has the following actions:/{n;p;}' | tr ',' ' ')
for n in $j; do for b in $l; do
  q="$q
get $n action $b port
get $n action $b type"
done; done
echo '== ports'
printf '%s\nexit\n' "$q" | fail2ban-client -i 2>/dev/null | cut -c 1-100
"""

# of sshguard's settings: what it reads, where that is one of the plain forms; a command line of
# anything else may hold whatever it likes
_OPTION = r"-[A-Za-z]\{1,5\}[0-9]\{0,3\}"
_TAKEN = r"-t [a-z][a-z-]\{0,15\}"
_READS_JOURNAL = (
    rf"\(LANG=C \)\{{0,1\}}\(\/usr\/bin\/\|\/bin\/\)\{{0,1\}}journalctl\( {_TAKEN}\| {_OPTION}"
    r"\| info\| cat\| _COMM=sshd\| SYSLOG_FACILITY=[0-9]\{1,2\}\)*"
)
_READS_LOGS = rf"tail\( {_OPTION}\)*\( \/var\/log\/[A-Za-z0-9_.\/-]*\)*"
_GUARD_SETTINGS = only_lines(
    rf'[[:space:]]*\(LOGREADER="\({_READS_JOURNAL}\|{_READS_LOGS}\)"\)[[:space:]]*',
    r"[[:space:]]*\(LOGREADER=\).*",
    r'[[:space:]]*\(FILES="\{0,1\}\( \{0,1\}\/var\/log\/[A-Za-z0-9_.\/-]*\)*"\{0,1\}\)[[:space:]]*',
    r'[[:space:]]*\(BACKEND="\{0,1\}\/[A-Za-z0-9_.\/-]*"\{0,1\}\)[[:space:]]*',
    r"[[:space:]]*\([A-Z_]\{1,20\}=[0-9]\{1,9\}\)[[:space:]]*",
)

READS: tuple[Read, ...] = (
    shell(
        "bans.fail2ban",
        OPENED + _FAIL2BAN + EFFECTS,
        seconds=20,
        limit=1 << 18,
        privileged=True,
        why=Text(
            "fail2ban 正在生效的监狱（次数、时长、端口），封禁能否执行",
            "the jails of fail2ban that hold now (attempts, times, ports), and whether bans work",
        ),
    ),
    files(
        "bans.settings",
        "/etc/sshguard/sshguard.conf",
        "/etc/sshguard.conf",
        "/usr/local/etc/sshguard.conf",
        redact=_GUARD_SETTINGS,
        why=Text("sshguard 读取哪些日志", "which logs sshguard reads"),
    ),
)

_COMMAND = re.compile(r"^(?:fail2ban> ?)+")


# sshguard(8): a failed login counts 10 towards the threshold
_DANGER = 10


@dataclass(frozen=True, slots=True)
class Guard:
    """sshguard as it runs: failures until it blocks, seconds of a block, of remembering."""

    attempts: int
    blocks: int
    remembers: int
    line: str


@dataclass(frozen=True, slots=True)
class Jail:
    """One jail: attempts, seconds, what it reads, and the ports its action bans (empty: all)."""

    name: str
    maxretry: int
    findtime: int
    bantime: int
    ignored: tuple[str, ...]
    logs: tuple[str, ...]
    journal: str
    actions: tuple[str, ...]
    sshd: bool
    ports: Mapping[str, str]
    lines: tuple[str, ...]


def jails(capture: Capture) -> tuple[Jail, ...]:
    """The jails of the running server; empty where there is none. Raises FactError."""
    text = capture.read("bans.fail2ban").text()
    head, _, ports = text.partition("\n== effects\n")[0].partition("== ports\n")
    kind, _, body = head.partition("\n")
    if kind in ("== none", "== down"):
        return ()
    if kind != "== up":
        raise NotUnderstood("bans.fail2ban", msg("not_output_read"))
    names = re.findall(r"^asked (\S+)$", body, re.MULTILINE)
    answers = _answers(body)
    if len(answers) < 8 * len(names):
        raise CouldNotLook("bans.fail2ban", msg("fail2ban_not_answer_everything"))
    bans = [" ".join(a) for a in _answers(ports)]
    found = []
    actions_of = [_names(answers[8 * i + 6]) for i in range(len(names))]
    # each jail was asked for port and type of each jail's actions, in this order
    every = [action for names_ in actions_of for action in names_]
    for i, name in enumerate(names):
        answer = answers[8 * i : 8 * i + 8]
        mine = bans[2 * i * len(every) : 2 * (i + 1) * len(every)]
        told = zip(every, mine[::2], mine[1::2], strict=False)
        held = {
            a: "all" if "allports" in (a, t) or "-allports" in a else p
            for a, p, t in told
            if a in actions_of[i]
        }
        if set(held) != set(actions_of[i]):
            raise CouldNotLook("bans.fail2ban", msg("ports_actions_ban", name=name))
        found.append(_jail(name, answer, actions_of[i], held))
    return tuple(found)


def _answers(text: str) -> list[list[str]]:
    """The lines of each answer, in the order of the questions."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if _COMMAND.match(line):
            found.append([_COMMAND.sub("", line)])
        elif found:
            found[-1].append(line)
    return [answer for answer in found if any(answer)]


def _names(answer: list[str]) -> tuple[str, ...]:
    if not answer[0].startswith("The jail"):
        return ()
    return tuple(x.strip() for x in " ".join(answer[1:]).split(",") if x.strip())


def _listed(answer: list[str]) -> tuple[str, ...]:
    return tuple(re.sub(r"^[|`]- ", "", line).strip() for line in answer[1:] if line.strip())


def _jail(
    name: str, answer: list[list[str]], actions: tuple[str, ...], ports: Mapping[str, str]
) -> Jail:
    values = []
    for wanted in answer[:3]:
        if not re.fullmatch(r"-?\d{1,10}", wanted[0].strip()):
            raise NotUnderstood("bans.fail2ban", msg("at", where=name, what=repr(wanted[0])))
        values.append(int(wanted[0]))
    maxretry, findtime, bantime = values
    patterns = " ".join(answer[7])
    shown = ", ".join(f"{a} port {p}" for a, p in ports.items())
    return Jail(
        name,
        maxretry,
        findtime,
        bantime,
        _listed(answer[3]),
        _listed(answer[4]),
        " ".join(_listed(answer[5]) or answer[5][1:]),
        actions,
        # lines that only sshd writes; a jail's name proves nothing
        "Failed " in patterns and "for " in patterns and "ROOT" in patterns,
        ports,
        (
            f"{name}: maxretry {maxretry}, findtime {findtime}, bantime {bantime}",
            f"{name}: actions {shown or 'none'}",
        ),
    )


def guard(capture: Capture) -> Guard | None:
    """The running sshguard, by its blocker's options; None where none runs, or it blocks nobody.

    Raises NotUnderstood when these are not the known ones, or it is not told to read what sshd
    writes.
    """
    known = [p for p in processes(capture).all if not p.container and not p.login and p.hosts]
    blockers = [p for p in known if p.exe is not None and p.exe.endswith("/sshg-blocker")]
    walls = [p for p in known if "/sshg-fw-" in p.cmdline and "sshg-fw-null" not in p.cmdline]
    if not blockers or not walls:
        return None
    options = dict(re.findall(r" -([aps]) (\d+)(?= |$)", blockers[0].cmdline))
    if set(options) != set("aps"):
        raise NotUnderstood("processes.all", msg("sshguard", cmdline=blockers[0].cmdline))
    texts = [f.text("bans.settings") for f in capture.read("bans.settings").present()]
    logs = re.findall(r"^[^\S\n]*(?:LOGREADER|FILES)=(.*)$", "\n".join(texts), re.MULTILINE)
    if not any(re.search(r"journalctl|/auth\.log|/secure", line) for line in logs):
        raise NotUnderstood(
            "bans.settings", msg("sshguard_reads", names=" ".join(logs) or "nothing")
        )
    return Guard(
        -(-int(options["a"]) // _DANGER),
        int(options["p"]),
        int(options["s"]),
        f"{blockers[0].line}: {blockers[0].cmdline}",
    )
