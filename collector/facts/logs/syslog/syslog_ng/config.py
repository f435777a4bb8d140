"""syslog-ng: which messages of this host get to which file and to which other host.

The administration guide of 3.38 and 4.8, chapter on log paths: sources, filters, `final`,
`fallback`, `catchall`, embedded log paths, junctions and channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from collector.errors import NotUnderstood
from collector.facts.base.allowance import Allowance
from collector.facts.logs.model.syslog_message import (
    FACILITIES,
    MESSAGES,
    Message,
    Output,
    Reach,
    Syslog,
    reached,
)
from collector.facts.logs.syslog.syslog_ng.filters import both, passes
from collector.facts.logs.syslog.syslog_ng.outputs import output_of, shown
from collector.facts.logs.syslog.syslog_ng.parser import Atom, configuration
from collector.i18n.message import msg
from collector.model import CapturedFile

_READ = "syslog.syslog_ng"
_STEPS = 150_000
MAIN = "/etc/syslog-ng/syslog-ng.conf"
_LOCAL = ("system", "unix-dgram", "unix-stream", "sun-streams", "systemd-syslog", "systemd-journal")
_FOLLOWS = ("file", "wildcard-file", "pipe")


def syslog_ng_of(found: Mapping[str, CapturedFile], main: str, host: str = "") -> Syslog:
    """What the files `found` make of syslog-ng, started with `main`. Raises FactError."""
    if main not in found:
        return Syslog("syslog-ng", present=False)
    return _Walk(configuration(found, main), main, host).syslog()


class _Walk:
    """Sends each message through the log paths in their order."""

    def __init__(self, statements: list[list[Atom]], main: str, host: str) -> None:
        self.main, self.host = main, host
        self.named: dict[str, dict[str, Atom]] = {}
        self.logs: list[Atom] = []
        for one in statements:
            words = [atom.text for atom in one if not atom.mark]
            block = next((atom for atom in reversed(one) if atom.mark == "{"), None)
            if words and block is not None:
                if words[0] == "log":
                    self.logs.append(block)
                else:
                    name = words[1] if len(words) > 1 else ""
                    self.named.setdefault(words[0], {})[name] = block
        self.seen: dict[int, dict[Message, bool | None]] = {}
        self.outputs: dict[int, tuple[Output, ...]] = {}
        self.depth = 0
        self.kinds: dict[int, set[str]] = {}
        self.room = Allowance(_READ, _STEPS, msg("log_paths_messages_go"))

    def syslog(self) -> Syslog:
        kinds = {k for log in self.logs for k in self._kinds(log)}
        known = set(FACILITIES) if "local" in kinds else set()
        known |= {"kern"} if "kernel" in kinds else set()
        known |= {"syslog"} if "internal" in kinds else set()
        for message in MESSAGES:
            if message.facility in known:
                self._send(message)
        for log in self.logs:
            self._declare(log)
        made = [
            _with(out, reached(self.seen.get(key, {}), frozenset(known)))
            for key, outputs in self.outputs.items()
            for out in outputs
        ]
        inputs = {"socket", "journal"} if "local" in kinds else set()
        inputs |= {"kernel"} if "kern" in known else set()
        return Syslog("syslog-ng", True, tuple(made), frozenset(inputs), self.main)

    def _kinds(self, log: Atom) -> set[str]:
        """What a log path takes in: `local`, `kernel`, `internal`, nothing of this host."""
        if id(log) not in self.kinds:
            self.kinds[id(log)] = self._taken_in(log)
        return self.kinds[id(log)]

    def _taken_in(self, log: Atom) -> set[str]:
        found: set[str] = set()
        for one in log.inside:
            if one[0].text != "source" or len(one) < 2:
                continue
            for driver, given in self._drivers("source", one[1]):
                first = next((a.text for a in given if a.quoted), "")
                if driver in _LOCAL:
                    found.add("local")
                elif driver == "internal":
                    found.add("internal")
                elif driver in _FOLLOWS and first in ("/proc/kmsg", "/dev/kmsg"):
                    found.add("kernel")
        return found

    def _drivers(self, kind: str, used: Atom) -> list[tuple[str, list[Atom]]]:
        """The drivers of a block used by name or written in place."""
        if used.mark == "(":
            name = next((a.text for a in used.flat), "")
            block = self.named.get(kind, {}).get(name)
            if block is None:
                raise NotUnderstood(_READ, msg("no_named", kind=kind, name=name))
        else:
            block = used
        return [
            (one[0].text, one[1].flat if len(one) > 1 and one[1].mark == "(" else [])
            for one in block.inside
        ]

    def _send(self, message: Message) -> None:
        held: bool | None = False  # by a path that is no fallback
        left: bool | None = True
        for late in (False, True):
            for log in self.logs:
                self.room.take()
                flags = _flags(log)
                if ("fallback" in flags) is not late or left is False:
                    continue
                comes: bool | None = self._comes(log, message, flags)
                if late and held is not False:
                    comes = both(comes, None if held is None else False)
                if comes is False:
                    continue
                through = both(left, comes)
                through = both(through, self._path(log, message, through))
                if "catchall" not in flags and not late:
                    held = True if held or through else (None if through is None else held)
                if "final" in flags:
                    left = both(left, None if through is None else not through)

    def _comes(self, log: Atom, message: Message, flags: set[str]) -> bool:
        kinds = self._kinds(log)
        if "catchall" in flags or "local" in kinds:
            return True
        return (message.facility == "kern" and "kernel" in kinds) or (
            message.facility == "syslog" and "internal" in kinds
        )

    def _path(self, log: Atom, message: Message, certain: bool | None) -> bool | None:
        """Does the message get to the end of this path (True, False, None for perhaps)?"""
        self.depth += 1
        if self.depth > 50:
            raise NotUnderstood(_READ, msg("log_paths_nested_too"))
        self.room.take(1 + len(log.inside))
        through: bool | None = certain
        ended = False
        branches: list[bool | None] = []
        late: list[Atom] = []
        for one in log.inside:
            word, rest = one[0].text, one[1:]
            if not rest or through is False:
                continue
            if word == "filter":
                through = both(through, self._filter(rest[0], message))
            elif word == "destination":
                self._reach(rest[0], message, certain=through is True)
                branches.append(True)
            elif word == "log" and "fallback" in _flags(rest[-1]):
                late.append(rest[-1])
            elif word in ("log", "channel") and not ended:
                branches.append(self._path(rest[-1], message, through))
                ended = "final" in _flags(rest[-1]) and branches[-1] is True
            elif word == "junction":
                through = both(through, self._junction(rest[-1], message, through))
            elif word == "if":
                self._branches(one, message, through)
        if True not in branches:
            unless = None if None in branches else True
            branches += [self._path(one, message, both(through, unless)) for one in late]
        # with branches alone, it got through where it got through one of them
        if branches and True not in branches:
            through = both(through, None if None in branches else False)
        self.depth -= 1
        return through

    def _junction(self, block: Atom, message: Message, certain: bool | None) -> bool | None:
        found: bool | None = False
        for one in block.inside:
            inner = self._path(one[-1], message, certain)
            found = True if found or inner else (None if None in (found, inner) else False)
            if inner is True and "final" in _flags(one[-1]):
                break
        return found

    def _branches(self, one: list[Atom], message: Message, certain: bool | None) -> None:
        """`if (…) { … } elif (…) { … } else { … };` in one row of atoms."""
        left: bool | None = certain
        test: Atom | None = None
        for atom in one:
            if atom.mark == "(":
                test = atom
            elif atom.mark == "{":
                holds = passes(test.flat, message, self.host, self._named_filter) if test else True
                self._path(atom, message, both(left, holds))
                left = both(left, None if holds is None else not holds)
                test = None

    def _filter(self, used: Atom, message: Message) -> bool | None:
        if used.mark == "(":
            return self._named_filter(next((a.text for a in used.flat), ""), message)
        return passes(used.flat, message, self.host, self._named_filter)

    def _named_filter(self, name: str, message: Message) -> bool | None:
        block = self.named.get("filter", {}).get(name)
        if block is None:
            raise NotUnderstood(_READ, msg("no_filter_named", name=name))
        return passes(block.flat, message, self.host, self._named_filter)

    def _reach(self, used: Atom, message: Message, *, certain: bool) -> None:
        key = id(used)
        before = self.seen.setdefault(key, {}).get(message, False)
        self.seen[key][message] = True if certain or before else None

    def _declare(self, log: Atom, line: str = "") -> None:
        """Notes the outputs of every destination in a log path, whether reached or not."""
        for one in log.inside:
            if one[0].text == "destination" and len(one) > 1:
                said = line or shown(log)
                self.outputs[id(one[1])] = tuple(
                    out
                    for driver, given in self._drivers("destination", one[1])
                    if (out := output_of(driver, given, self.main, said)) is not None
                )
            for atom in one[1:]:
                if atom.mark == "{" and one[0].text not in ("destination", "source", "filter"):
                    self._declare(atom, line or shown(log))


def _with(out: Output, reach: Reach) -> Output:
    return replace(out, takes=reach.takes, may=reach.may, unsure=reach.unsure, logins=reach.logins)


def _flags(log: Atom) -> set[str]:
    return {
        atom.text.strip(",")
        for one in log.inside
        if one[0].text == "flags" and len(one) > 1
        for atom in one[1].flat
    }
