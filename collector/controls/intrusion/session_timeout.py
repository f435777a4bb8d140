"""intrusion.session_timeout: a session that nobody uses is ended."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property

from collector.errors import CouldNotLook, FactError, NotUnderstood
from collector.facts.access.idle_timeout import idle, idle_without, session_seconds
from collector.facts.access.keys_elsewhere import keys_elsewhere
from collector.facts.access.login_keys import key_holders
from collector.facts.access.pam.stack import Entry, stacks
from collector.facts.access.sessions import Sessions, sessions
from collector.facts.access.sshd_config import Block, blocks
from collector.facts.access.sshd_effective import Listener, listeners, refused
from collector.facts.access.startup_flow import Idle
from collector.facts.base.durations import openssh_time
from collector.facts.system.accounts import Account, accounts, groups, membership
from collector.i18n.message import msg
from collector.judges import ssh_servers, taken_up
from collector.model import Clock, Facts, Parameters, Quote, Result, Value, Verdict

# the systemd that first ends idle sessions (NEWS)
_STOPS = 252


@dataclass(frozen=True, slots=True)
class _Way:
    """What may end a session; `fault` says why it does not end each, `doubt` why nobody can tell.

    `seconds` is None where it is not set.
    """

    name: str
    seconds: int | None
    quotes: tuple[Quote, ...]
    fault: Verdict | None = None
    doubt: FactError | None = None

    def ends(self, longest: int) -> bool:
        return self.seconds is not None and self.seconds <= longest and self.fault is None


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Each of TMOUT, logind and sshd may end a session; one that really does is enough."""
    longest = parameters.integer("seconds")
    shell = facts.get(idle)
    servers = facts.get(listeners)
    users = _Users(facts, clock)
    ways = [
        _by_shell(facts, parameters, users),
        _by_logind(facts, servers),
        _by_sshd(facts, servers, users),
    ]
    good = [way for way in ways if way.ends(longest)]
    for way in sorted(good, key=lambda w: w.doubt is not None):
        if way.doubt is not None:
            raise way.doubt
        ends = _verdict(Result.PASS, "ended", way.name, way.seconds, way.quotes)
        return _of_sshd(facts, parameters, ends) if way.name == "ChannelTimeout" else ends
    ended = [w for w in ways if w.seconds is not None and w.fault is None]
    if ended:
        return _verdict(Result.FAIL, "too_long", ended[0].name, ended[0].seconds, ended[0].quotes)
    if shell.conditional:
        raise NotUnderstood("startup.shell", msg("whether_holds", conditional=shell.conditional[0]))
    for way in ways:
        if way.fault is not None:
            return way.fault
    if shell.seconds:
        enough = shell.seconds <= longest
        return _verdict(
            Result.PARTIAL if enough else Result.FAIL,
            "not_fixed" if enough else "too_long",
            "TMOUT",
            shell.seconds,
            shell.quotes,
        )
    return _of_sshd(facts, parameters, _by_keepalive(servers, longest))


def _of_sshd(facts: Facts, parameters: Parameters, found: Verdict) -> Verdict:
    """What rests on sshd's own settings, and says nothing of another server beside it."""
    told = taken_up.running(found, facts.get(listeners))
    if told.result is Result.PASS:
        ssh_servers.refuse_others(facts, parameters.strings("other_servers"))
    return told


def _by_keepalive(servers: tuple[Listener, ...], longest: int) -> Verdict:
    alive = [s for s in servers if _alive(s) is not None]
    dead = tuple(s.quote("clientaliveinterval", "clientalivecountmax") for s in servers)
    if servers and len(alive) == len(servers):
        seconds = max(_alive(s) or 0 for s in servers)
        old = all(_ends_idle(s) for s in servers)
        if old and seconds <= longest:
            return _verdict(Result.PASS, "ended", "ClientAliveInterval", seconds, dead)
        return _verdict(Result.FAIL, "dead_only", "ClientAliveInterval", seconds, dead)
    return _verdict(Result.FAIL, "never", "", None, dead)


class _Users:
    """The accounts that have sessions here: with a login shell, and a way in."""

    def __init__(self, facts: Facts, clock: Clock) -> None:
        self._facts, self._clock = facts, clock

    @cached_property
    def all(self) -> list[Account]:
        """Raises FactError."""
        keys = self._facts.get(key_holders)
        # where keys lie that were not looked at, each of them may have one
        anyone = bool(self._facts.get(keys_elsewhere))
        return [
            a
            for a in self._facts.get(accounts)
            if a.login
            and (not a.uid or a.usable or a.name in keys or anyone)
            and not refused(self._facts.capture, a, self._clock.now)
        ]

    @cached_property
    def _named_in(self) -> dict[str, set[int]]:
        found: dict[str, set[int]] = {}
        for group in self._facts.get(groups):
            for member in group.members:
                found.setdefault(member, set()).add(group.gid)
        return found

    def gids(self, account: Account) -> frozenset[int]:
        return frozenset({account.gid} | self._named_in.get(account.name, set()))

    def named(self, block: Block) -> bool:
        """Does a Match block concern one of them?"""
        members = self._facts.get(membership)
        return any(block.concerns(a.name, members.of(a)) for a in self.all)


def _by_shell(facts: Facts, parameters: Parameters, users: _Users) -> _Way:
    shell = facts.get(idle)
    way = _Way("TMOUT", (shell.seconds or None) if shell.fixed else None, shell.quotes)
    if way.seconds is None:
        return way
    seen = facts.get(sessions)
    known = seen.shells if seen else {}
    kinds = {a.name: known.get(a.shell, a.shell.rpartition("/")[2]) for a in users.all}
    without = parameters.strings("shells_without")
    deaf = [name for name, kind in kinds.items() if kind in without]
    if deaf:
        return replace(way, fault=_fault("other_shell", way, deaf, [kinds[n] for n in deaf]))
    if seen is None or not seen.flow:
        return replace(way, doubt=_not_collected())
    if shell.doubts:
        doubt = msg("whether_holds", conditional=shell.doubts[0].rstrip("!"))
        return replace(way, doubt=NotUnderstood("startup.shell", doubt))
    ordinary = {users.gids(a): a.name for a in users.all if a.uid}
    told = {gids: _unread(seen, gids) for gids in ordinary}
    for unread in filter(None, dict.fromkeys(told.values())):
        hidden = idle_without(facts.capture, unread)
        if not hidden.fixed or hidden.seconds != shell.seconds:
            names = [name for gids, name in ordinary.items() if told[gids] == unread]
            what = sorted(unread & _paths(shell)) or sorted(unread)
            return replace(way, fault=_fault("unread", way, names[:1], what))
    settled = (*parameters.strings("shells_with"), *parameters.strings("shells_for_transfer"))
    for name, kind in kinds.items():
        if kind not in settled:
            doubt = msg("whether_shell_times_out", name=name, shell=kind)
            return replace(way, doubt=NotUnderstood("startup.shell", doubt))
    forced = _forced(facts, users)
    if forced:
        doubt = msg("forced_command_timeout", command=forced)
        return replace(way, doubt=NotUnderstood("sshd.effective", doubt))
    return replace(way, doubt=_doubt(seen, shell, users))


# they may start a shell that reads none of the files, or nothing that knows TMOUT
_SHELLS = re.compile(r"(?:^|[\s/])(?:ba|da|k|mk|z|fi|c|tc)?sh(?:\s|$)|(?:^|[\s/])(?:tmux|screen)\b")

# what was masked may be a shell: the whole line, or what these start
_UNTOLD = re.compile(
    r"(?:^|.*/)(?:(?:env|exec|eval|command|nice|ionice|timeout|setsid|stdbuf|nohup|sudo|su|runuser|doas"
    r"|script|login|chroot|nsenter|busybox|docker|podman) )?\*\*\*$"
)


def _forced(facts: Facts, users: _Users) -> str:
    """A ForceCommand for all that is not SFTP, or for some that is a shell; empty: there is none.

    What a Match block makes of it for a job of its own (borg serve) opens no shell.
    """
    for server in facts.get(listeners):
        for user in ("root", "nobody"):
            command = server.first("forcecommand", user)
            if command not in ("", "none") and not command.startswith("internal-sftp"):
                return command
        for block in blocks(facts.capture, server):
            command = block.value("forcecommand") or ""
            opens = _SHELLS.search(command) or _UNTOLD.match(command)
            if opens and users.named(block):
                return command
    return ""


def _not_collected() -> FactError:
    return CouldNotLook("startup.shell", msg("not_collected_sessions"))


def _paths(shell: Idle) -> frozenset[str]:
    return frozenset(quote.path for quote in shell.quotes)


def _unread(seen: Sessions, gids: frozenset[int]) -> frozenset[str]:
    """The files that one with these groups, who is not root, cannot read."""

    def closed(path: str, wanted: str) -> bool:
        mode, gid = seen.modes.get(path, ("", 0))
        part = mode[4:7] if gid in gids else mode[7:10]
        return bool(mode) and any(letter not in part.lower().replace("t", "x") for letter in wanted)

    folder = closed("/etc/profile.d", "rx")
    return frozenset(
        path
        for path in seen.modes
        if closed(path, "r") or (folder and path.startswith("/etc/profile.d/"))
    )


def _doubt(seen: Sessions, shell: Idle, users: _Users) -> NotUnderstood | None:
    """Something that may undo TMOUT and that was not understood."""
    for path in sorted(seen.crlf):
        return NotUnderstood("startup.shell", msg("carriage_returns", path=path))
    for path in sorted(_paths(shell)):
        if seen.modes.get(path, ("", 0))[0].endswith("+"):
            return NotUnderstood("startup.shell", msg("access_list_not_read", path=path))
    uids = {a.uid for a in users.all}
    for uid, path in (*seen.own, *seen.unseen):
        if uid in uids:
            return NotUnderstood("startup.shell", msg("own_startup_file", path=path))
    return None


def _by_logind(facts: Facts, servers: tuple[Listener, ...]) -> _Way:
    seconds, quotes = session_seconds(facts.capture)
    way = _Way("StopIdleSessionSec", seconds, quotes)
    seen = facts.get(sessions)
    if seconds is None:
        return way
    if seen is None:
        return replace(way, doubt=_not_collected())
    if seen.logind != "active":
        return replace(
            way, fault=_fault("not_in_force", way, [], [f"systemd-logind {seen.logind}"])
        )
    if seen.systemd is not None and seen.systemd < _STOPS:
        return replace(way, fault=_fault("not_in_force", way, [], [f"systemd {seen.systemd}"]))
    for server in servers:
        service = server.first("pamservicename", "root") or "sshd"
        if server.first("usepam", "root") != "yes":
            return replace(way, fault=_fault("no_sessions", way, [], ["UsePAM no"]))
        stack = facts.get(stacks).stack(service, "session")
        if not seen.pam_systemd or not _keeps(stack):
            return replace(way, fault=_fault("no_sessions", way, [], [f"/etc/pam.d/{service}"]))
    if seen.running is None or seen.systemd is None:
        return replace(way, doubt=NotUnderstood("startup.shell", msg("logind_did_not_say")))
    if seen.running != seconds:
        told = [f"StopIdleSessionUSec={seen.running} s"]
        return replace(way, fault=_fault("not_in_force", way, [], told))
    return way


def _keeps(stack: tuple[Entry, ...]) -> bool:
    """Does pam_systemd stand in it, which makes a session known to logind?"""
    return any(
        _keeps(entry.inner) if entry.inner is not None else entry.module == "pam_systemd"
        for entry in stack
    )


def _by_sshd(facts: Facts, servers: tuple[Listener, ...], users: _Users) -> _Way:
    told = [_channel(s.all("channeltimeout", user)) for s in servers for user in ("root", "nobody")]
    known = [seconds for seconds in told if seconds is not None]
    quotes = tuple(s.quote("channeltimeout") for s in servers)
    way = _Way("ChannelTimeout", max(known, default=None), quotes)
    if way.seconds is None:
        return way
    for server in servers:
        for block in blocks(facts.capture, server):
            value = block.value("channeltimeout")
            if value is None or not users.named(block):
                continue
            seconds = _channel((value,))
            if seconds is None:
                quote = Quote("sshd.files", (block.line, f"channeltimeout {value}"), block.path)
                fault = _fault("taken_back", way, [], [f"{block.path}: {block.line}"])
                return replace(way, fault=replace(fault, evidence=(*quotes, quote)))
            way = replace(way, seconds=max(way.seconds or 0, seconds))
    # of two that are asked one has none, and no block that says so
    return way if len(known) == len(told) else replace(way, seconds=None)


def _fault(reason: str, way: _Way, names: list[str], what: list[str]) -> Verdict:
    found = _verdict(Result.FAIL, reason, way.name, way.seconds, way.quotes)
    values: dict[str, Value] = {"accounts": [*names], "what": [*dict.fromkeys(what)]}
    values |= found.values
    return replace(found, values=values)


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


def _channel(lines: tuple[str, ...]) -> int | None:
    """ChannelTimeout for a shell, `session:shell` once it runs (OpenSSH 9.2 and later): the first

    pattern that matches decides; `global` is of all channels, beside that. None: none.
    """
    told = [word.partition("=")[::2] for word in " ".join(lines).split() if "=" in word]
    kinds = (kind for kind, _ in told if fnmatchcase("session:shell", kind.replace("[", "[[]")))
    first = dict(told[::-1])
    ends = (_told(first[kind]) for kind in (next(kinds, ""), "global") if kind in first)
    return min(filter(None, ends), default=None)


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
