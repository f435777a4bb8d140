"""intrusion.session_timeout: a session that nobody uses is ended."""

from __future__ import annotations

import re

from collector.errors import NotUnderstood
from collector.facts.access.idle_timeout import idle, session_seconds
from collector.facts.access.sshd_effective import Listener, listeners
from collector.facts.base.durations import openssh_time
from collector.i18n.message import msg
from collector.judges import taken_up
from collector.model import Clock, Facts, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Each of TMOUT, logind and sshd may end a session; one that really does is enough."""
    del clock
    longest = parameters.integer("seconds")
    shell = facts.get(idle)
    logind, quotes = session_seconds(facts.capture)
    servers = facts.get(listeners)
    channel = [_channel(s) for s in servers]
    by_sshd = max((c for c in channel if c is not None), default=None)
    if None in channel or not servers:
        by_sshd = None
    ways: list[tuple[str, int | None, tuple[Quote, ...]]] = [
        ("TMOUT", (shell.seconds or None) if shell.fixed else None, shell.quotes),
        ("StopIdleSessionSec", logind, quotes),
        ("ChannelTimeout", by_sshd, tuple(s.quote("channeltimeout") for s in servers)),
    ]
    ended = [(name, n, q) for name, n, q in ways if n is not None]
    good = [way for way in ended if way[1] is not None and way[1] <= longest]
    if good:
        name, seconds, evidence = good[0]
        ends = _verdict(Result.PASS, "ended", name, seconds, evidence)
        return taken_up.running(ends, servers) if name == "ChannelTimeout" else ends
    if ended:
        name, seconds, evidence = ended[0]
        return _verdict(Result.FAIL, "too_long", name, seconds, evidence)
    if shell.conditional:
        raise NotUnderstood("startup.shell", msg("whether_holds", conditional=shell.conditional[0]))
    if shell.seconds:
        enough = shell.seconds <= longest
        return _verdict(
            Result.PARTIAL if enough else Result.FAIL,
            "not_fixed" if enough else "too_long",
            "TMOUT",
            shell.seconds,
            shell.quotes,
        )
    alive = [s for s in servers if _alive(s) is not None]
    dead = tuple(s.quote("clientaliveinterval", "clientalivecountmax") for s in servers)
    if servers and len(alive) == len(servers):
        seconds = max(_alive(s) or 0 for s in servers)
        old = all(_ends_idle(s) for s in servers)
        if old and seconds <= longest:
            ends = _verdict(Result.PASS, "ended", "ClientAliveInterval", seconds, dead)
            return taken_up.running(ends, servers)
        return _verdict(Result.FAIL, "dead_only", "ClientAliveInterval", seconds, dead)
    return _verdict(Result.FAIL, "never", "", None, dead)


def _verdict(
    result: Result, reason: str, name: str, seconds: int | None, evidence: tuple[Quote, ...]
) -> Verdict:
    values: dict[str, Value] = {"setting": name, "seconds": 0 if seconds is None else seconds}
    return Verdict(result, reason, values=values, evidence=evidence)


def _told(time: str) -> int:
    """Seconds of ChannelTimeout, as `sshd -T` prints them; 0 for never."""
    try:
        return openssh_time(time) if time != "none" else 0
    except ValueError:
        raise NotUnderstood("sshd.effective", msg("not_time_span", time=time)) from None


def _channel(server: Listener) -> int | None:
    """ChannelTimeout for sessions (OpenSSH 9.2 and later, sshd_config(5)); None: none."""
    found: int | None = None
    for word in " ".join(server.all("channeltimeout")).split():
        kind, _, told = word.partition("=")
        if kind in ("session", "session:*", "session:shell", "*", "global") and told:
            seconds = _told(told)
            if seconds:
                found = seconds if found is None else min(found, seconds)
    return found


def _alive(server: Listener) -> int | None:
    interval, most = server.first("clientaliveinterval"), server.first("clientalivecountmax")
    if not (re.fullmatch(r"\d+", interval) and re.fullmatch(r"\d+", most)):
        raise NotUnderstood(
            "sshd.effective", msg("clientaliveinterval", interval=interval, most=most)
        )
    return int(interval) * max(int(most), 1) if int(interval) else None


def _ends_idle(server: Listener) -> bool:
    """Before 8.2 a ClientAliveCountMax of 0 ended a session that sent nothing; since then, none.

    PubkeyAuthOptions came with 8.2 too, and `sshd -T` prints it (release notes of OpenSSH 8.2).
    """
    return server.first("clientalivecountmax") == "0" and not server.first("pubkeyauthoptions")
