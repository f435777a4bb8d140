"""Samhain: where its alarms are mailed to, when one got out last, and whether its mail works.

samhainrc(5): sections, `key = value`, nothing behind `[EOF]`. Its own mailer sends what is alarming
(`crit` and above) when a check of files ends, and each start at once; what cannot be sent stands
in its log as a failure of the service `mail`, and nothing stands there of what was sent. After two
days without a mail that got out, one that fails twice is its last: it says so once, and no more
mails go until it is started again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.errors import NotUnderstood
from collector.facts.security.alert_routes import stays
from collector.facts.security.detector_state import READS as _READS
from collector.facts.security.detector_state import Section, sections
from collector.facts.system.taken_up import Taken, taken_up
from collector.i18n.message import msg
from collector.model import Capture, Read

READS: tuple[Read, ...] = _READS

_READ = "detectors.state"
_LEVELS = ("debug", "info", "notice", "warn", "mark", "err", "crit", "alert")
_OWN_LOG = "/var/log/samhain/samhain.log"
_NOBODYS = re.compile(r"@(?:.*\.)?(?:example(?:\.(?:com|net|org))?|invalid)\.?>?$", re.IGNORECASE)
# until a relay that does not answer is given up
_WAIT = timedelta(minutes=5)
# how long it goes on without a mail that got out
_GIVES_UP = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Samhain:
    """`routes` by its settings; `last`: the newest alarm whose mail did not fail (aware, UTC).

    `failed`: since when no mail is known to get out; None where none failed. `taken`: has it what
    its settings say, for each of its processes. `sender`: whom its mail says to be from, where
    that is set.
    """

    routes: tuple[str, ...]
    last: datetime | None
    failed: datetime | None
    taken: tuple[Taken, ...]
    lines: tuple[str, ...]
    path: str
    sender: str = ""

    @property
    def of_nobody(self) -> bool:
        """Is the sender's domain one that RFC 2606 keeps from everybody? It refuses all mail."""
        return bool(_NOBODYS.search(self.sender))


def samhain_alarms(capture: Capture) -> Samhain | None:
    """None when there is no samhainrc. Raises FactError where it is not understood."""
    parts = sections(capture)
    conf = [s for s in parts if s.kind == "samhain-conf"]
    if not conf:
        return None
    if len(conf) > 1:
        raise NotUnderstood(
            _READ, msg("samhain_two_settings", path=conf[0].path, other=conf[1].path)
        )
    routes = _routes(conf[0], capture.host)
    log = [line for s in parts if s.kind == "samhain-log" for line in s.lines]
    last, failed = _sent(_events(log))
    taken = tuple(
        taken_up(s.lines, int(s.path.removeprefix("/proc/")))
        for s in parts
        if s.kind == "samhain-run"
    )
    senders = [x.partition("=")[2] for x in conf[0].lines if x.startswith("setmailsender=")]
    lines = conf[0].lines + tuple(log[-20:])
    return Samhain(routes, last, failed, taken, lines, conf[0].path, senders[-1] if senders else "")


def _routes(conf: Section, host: str) -> tuple[str, ...]:
    found: dict[str, frozenset[str]] = {}
    mail, log = frozenset({"alert"}), frozenset({"mark", "err", "crit", "alert"})
    block, to, depth = "", "", 0
    for line in conf.lines:
        key, equals, value = line.partition("=")
        if line.startswith("@"):
            depth += -1 if line == "@end" else 1
        elif not equals:
            block = "?" if depth else line
        elif not block:
            # what stands before all sections is ignored
            continue
        elif depth or value == "?" or block == "?":
            raise _not_understood(conf, line)
        elif key in ("mailseverity", "logseverity"):
            if block == "[log]":
                levels = _levels(conf, line, value)
                mail, log = (levels, log) if key == "mailseverity" else (mail, levels)
        elif block not in ("[misc]", "[mail]"):
            continue
        elif key == "setmailaddress":
            to = value
            found[to] = frozenset(_LEVELS)
        elif key == "setaddrseverity" and to:
            found[to] = _levels(conf, line, value)
        elif key == "setlogfilepath" and value != _OWN_LOG:
            raise NotUnderstood(_READ, msg("samhain_log_elsewhere", path=conf.path, log=value))
    if not {"err", "crit"} <= log:
        raise NotUnderstood(_READ, msg("samhain_log_tells_no_failures", path=conf.path))
    if "crit" not in mail:
        return ()
    return tuple(
        f"mail {to}" for to, some in found.items() if "crit" in some and not stays(to, host)
    )


def _levels(conf: Section, line: str, value: str) -> frozenset[str]:
    """What a threshold lets through: `crit` and above, `=crit` alone, `!crit` what is below it."""
    some: set[str] = set()
    for word in re.split(r"[;, \t]+", value):
        match = re.fullmatch(r"(!?)(=?)(\*|[a-z]+)", word)
        if word in ("none", "!*", "!debug"):
            return frozenset()
        if match is None or match[3] not in ("*", *_LEVELS) or (match[2] and match[3] == "*"):
            raise _not_understood(conf, line)
        at = 0 if match[3] == "*" else _LEVELS.index(match[3])
        named = _LEVELS[at : at + 1] if match[2] else _LEVELS[at:]
        some = some.difference(named) if match[1] else some.union(named)
    return frozenset(some)


def _not_understood(conf: Section, line: str) -> NotUnderstood:
    return NotUnderstood(_READ, msg("samhain_setting", path=conf.path, line=line))


def _events(lines: Iterable[str]) -> list[tuple[datetime, str]]:
    """When it started, looked, alarmed, failed to mail; alarms of a first baseline are aside."""
    seen: list[tuple[datetime, str]] = []
    first = False
    for when, kind in _said(lines):
        first = kind == "init" or (first and kind not in ("start", "exit"))
        if kind != "alarm" or not first:
            seen.append((when, kind))
    return seen


def _said(lines: Iterable[str]) -> Iterator[tuple[datetime, str]]:
    for line in lines:
        when, _, kind = line.partition(" ")
        try:
            yield datetime.strptime(when, "%Y-%m-%dT%H:%M:%S%z"), kind
        except ValueError:
            raise NotUnderstood(_READ, msg("samhain_log_line", line=line)) from None


def _sent(seen: list[tuple[datetime, str]]) -> tuple[datetime | None, datetime | None]:
    """The newest alarm that got out, and since when mails fail."""
    failures = _times(seen, "mail")
    got_out = []
    for alarm in _times(seen, "alarm"):
        # what is alarming waits until a check has ended
        ended = next((check for check in _times(seen, "check") if check >= alarm), None)
        if ended and not any(alarm <= one <= ended + _WAIT for one in failures):
            got_out.append(alarm)
    last = max(got_out, default=None)
    if not failures:
        return last, None
    # each start is mailed at once
    if failures[-1] >= max(_times(seen, "alarm", "start", "init"), default=failures[-1]):
        return last, failures[-1]
    # of several since its start, long after that, one may be the last that it tried
    since = _started(seen)
    later = [one for one in failures if since is None or one >= since]
    gave_up = len(later) > 1 and (since is None or later[-1] - since > _GIVES_UP)
    return last, later[-1] if gave_up else None


def _times(seen: list[tuple[datetime, str]], *kinds: str) -> list[datetime]:
    return sorted({when for when, kind in seen if kind in kinds})


def _started(seen: list[tuple[datetime, str]]) -> datetime | None:
    """When what runs now was started, as far as its log goes back: runs that ended are aside."""
    runs: list[datetime] = []
    for when, kind in seen:
        if kind in ("start", "init"):
            runs.append(when)
        elif kind == "exit" and runs:
            runs.pop()
    return runs[-1] if runs else None
