"""rsyslog: which messages of this host get to which file and to which other host.

rsyslog.conf(5) of 5.8 to 8.2504. Files are taken in at the place that includes them; then each
of `MESSAGES` goes through the rules in their order, as rsyslogd does it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from collector.errors import NotUnderstood
from collector.facts.base.allowance import Allowance
from collector.facts.logs.model.syslog_message import (
    FACILITIES,
    MESSAGES,
    Message,
    Output,
    Reach,
    Syslog,
    globbed,
    reached,
)
from collector.facts.logs.syslog.rsyslog.conditions import expression
from collector.facts.logs.syslog.rsyslog.filters import (
    Properties,
    properties,
    property_filter,
    selected,
)
from collector.facts.logs.syslog.rsyslog.outputs import Action, Legacy, action_of
from collector.facts.logs.syslog.rsyslog.parser import Statement, statements
from collector.i18n.message import msg
from collector.model import CapturedFile, ReadStatus

_READ = "syslog.rsyslog"
_STEPS = 150_000
MAIN = "/etc/rsyslog.conf"
_OFF = ("off", "no", "false", "0")
_DEFAULT = "RSYSLOG_DefaultRuleset"


def rsyslog_of(found: Mapping[str, CapturedFile], main: str, host: str = "") -> Syslog:
    """What the files `found` make of rsyslogd, started with `main` on `host`.

    Raises FactError where one cannot be read, or includes what is not among them.
    """
    if main not in found:
        return Syslog("rsyslog", present=False)
    reader = _Reader(found)
    reader.file(main, 0)
    return _Walk(reader, host).syslog(main)


@dataclass(slots=True)
class _Followed:
    """A file that imfile reads: its glob, the facility its lines get, where they go."""

    glob: str
    facility: str
    ruleset: str


@dataclass(slots=True)
class _Reader:
    """Takes in all files: statements by ruleset, actions with the directives before them."""

    found: Mapping[str, CapturedFile]
    rulesets: dict[str, list[Statement]] = field(default_factory=lambda: {_DEFAULT: []})
    actions: dict[int, tuple[Action, str, Statement]] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    modules: dict[str, Statement] = field(default_factory=dict)
    followed: list[_Followed] = field(default_factory=list)
    queued: set[str] = field(default_factory=set)
    legacy: Legacy = field(default_factory=Legacy)
    current: str = _DEFAULT
    default: str = _DEFAULT
    closed: bool = False
    seen: int = 0
    room: Allowance = field(default_factory=lambda: Allowance(_READ, 10_000, "statements"))

    def file(self, path: str, depth: int) -> None:
        self.seen += 1
        if depth > 10 or self.seen > 500:
            raise NotUnderstood(_READ, msg("included_too", path=path))
        for one in statements(self.found[path].text(_READ), path):
            self.room.take()
            self._statement(one, path, depth)

    def _statement(self, one: Statement, path: str, depth: int) -> None:
        if one.kind == "directive":
            self._directive(one, path, depth)
        elif one.kind == "object":
            self._object(one, path, depth)
        elif one.kind == "more":
            self._made(one.body, path, depth)
            rules = self.rulesets[self.current]
            # after a block rsyslogd refuses it, and does not start
            if not rules or rules[-1].kind != "rule" or rules[-1].name == "block":
                raise NotUnderstood(_READ, msg("no_rule_before", path=path, line=one.line))
            rules[-1].body += one.body
        else:
            self._made([one], path, depth)
            self.rulesets[self.current].append(one)

    def _made(self, body: list[Statement], path: str, depth: int) -> None:
        """Every action below gets the legacy directives that stand before it."""
        joined: list[Statement] = []
        for one in body:
            if one.kind == "more":
                self._made(one.body, path, depth)
                if joined and joined[-1].kind == "rule":
                    joined[-1].body += one.body
                else:
                    joined += one.body
                continue
            if one.kind == "action":
                self.actions[id(one)] = (action_of(one, self.legacy), path, one)
            elif one.kind == "object":
                self._object(one, path, depth)
            self._made(one.body, path, depth)
            self._made(one.other, path, depth)
            joined.append(one)
        body[:] = joined

    def _directive(self, one: Statement, path: str, depth: int) -> None:
        name, value = one.name, one.value
        if name == "includeconfig":
            self._include(value, path, depth, optional=False)
        elif name == "modload":
            self.modules.setdefault(re.sub(r"\.so$", "", value.split("/")[-1]).lower(), one)
        elif name == "ruleset":
            self.current = value
            self.rulesets.setdefault(value, [])
        elif name == "rulesetcreatemainqueue" and value.lower() not in _OFF:
            self.queued.add(self.current)
        elif name == "defaultruleset":
            self.default = value
        elif name == "template":
            made = re.match(r"([\w.-]+)\s*,\s*\"((?:[^\"\\]|\\.)*)\"", value)
            if made:
                self.templates[made[1]] = made[2]
        elif name == "omitlocallogging":
            self.closed = value.lower() not in _OFF
        elif name == "inputfilename":
            self.followed.append(_Followed(value, "local0", ""))
        elif name == "inputfilefacility" and self.followed:
            self.followed[-1].facility = value
        elif name == "inputfilebindruleset" and self.followed:
            self.followed[-1].ruleset = value
        else:
            self.legacy.directive(name, value)

    def _object(self, one: Statement, path: str, depth: int) -> None:
        given = one.parameters
        if given.get("config.enabled", "on").lower() in _OFF:
            one.body = []
            return
        if one.name == "include":
            if "text" in given:
                raise NotUnderstood(_READ, msg("at", where=path, what=repr(one.line[:80])))
            optional = given.get("mode", "").lower() == "optional"
            self._include(given.get("file", ""), path, depth, optional=optional)
        elif one.name == "module":
            name = re.sub(r"\.so$", "", given.get("load", "").split("/")[-1]).lower()
            self.modules.setdefault(name, one)
            if name == "imuxsock" and given.get("syssock.use", "on").lower() in _OFF:
                self.closed = True
            self.legacy.module(name, given)
        elif one.name == "template":
            self.templates[given.get("name", "")] = given.get("string", "")
        elif one.name == "ruleset":
            self._made(one.body, path, depth)
            self.rulesets[given.get("name", "")] = one.body
            if given.get("queue.type", "direct").lower() != "direct":
                self.queued.add(given.get("name", ""))
        elif one.name == "input" and given.get("type", "").lower() == "imfile":
            facility, ruleset = given.get("facility", "local0"), given.get("ruleset", "")
            self.followed.append(_Followed(given.get("file", ""), facility, ruleset))
        elif one.name == "global":
            self.legacy.globals(given)

    def _include(self, wanted: str, path: str, depth: int, *, optional: bool) -> None:
        glob = f"{wanted}*" if wanted.endswith("/") else wanted
        names = [n for n in sorted(self.found) if globbed(n, glob) and n != path]
        regular = [n for n in names if self.found[n].status is not ReadStatus.EXIT]
        looked = re.fullmatch(r"/etc/rsyslog\.(conf|d/[^/]*)", glob) is not None
        if not looked and not regular and not optional:
            raise NotUnderstood(_READ, msg("includes_not", path=path, wanted=wanted or "?"))
        for name in regular:
            self.file(name, depth + 1)


def _line_of(file: _Followed) -> Message:
    """A line of a followed file: nobody knows what stands in it."""
    facility = file.facility.lower() if file.facility.lower() in FACILITIES else "local0"
    return Message(facility, 5, "app", None)


class _Walk:
    """Sends each message through the rules."""

    def __init__(self, reader: _Reader, host: str) -> None:
        self.reader, self.host = reader, host.partition(".")[0]
        self.seen: dict[int, dict[Message, bool | None]] = {}
        self.known: Properties = {}
        self.room = Allowance(_READ, _STEPS, msg("rules_messages_go_through"))

    def syslog(self, main: str) -> Syslog:
        """Only facilities of messages that come in at all are sent through."""
        modules = set(self.reader.modules)
        inputs = {"journal"} if "imjournal" in modules else set()
        if "imuxsock" in modules and not self.reader.closed:
            inputs.add("socket")
        if modules & {"imklog", "imkmsg", "imjournal"}:
            inputs.add("kernel")
        known = frozenset(FACILITIES) - (set() if "kernel" in inputs else {"kern"})
        source = {"socket": "imuxsock", "journal": "imjournal"}
        local = inputs & set(source)
        where = source[local.pop()] if len(local) == 1 else ""
        for message in MESSAGES:
            if message.facility in known:
                kernel = message.facility == "kern" and "imklog" in modules
                self._send(message, "imklog" if kernel else where, self.reader.default)
        outputs = [
            self._output(key, reached(self.seen.get(key, {}), known)) for key in self.reader.actions
        ]
        follows: dict[int, list[str]] = {}
        for file in self.reader.followed:
            self.seen = {}
            self._send(_line_of(file), "imfile", file.ruleset or self.reader.default)
            for key, by in self.seen.items():
                if True in by.values():
                    follows.setdefault(key, []).append(file.glob)
        made = tuple(
            replace(out, follows=tuple(follows.get(key, ())))
            for key, out in zip(self.reader.actions, outputs, strict=True)
            if out is not None
        )
        counts = "impstats" in modules
        return Syslog("rsyslog", True, made, frozenset(inputs), main, counts)

    def _output(self, key: int, reach: Reach) -> Output | None:
        action, path, one = self.reader.actions[key]
        return action.output(reach, path, one.line, self.reader.templates)

    def _send(self, message: Message, source: str, ruleset: str) -> None:
        self.known = properties(message, self.host, source)
        self._run(self._rules(ruleset), message, certain=True, depth=0)

    def _rules(self, name: str) -> list[Statement]:
        if name not in self.reader.rulesets:
            raise NotUnderstood(_READ, msg("no_ruleset_named", name=name))
        return self.reader.rulesets[name]

    def _run(
        self, body: list[Statement], message: Message, *, certain: bool, depth: int
    ) -> bool | None:
        """Was the message stopped: True, False, or None for perhaps?"""
        if depth > 40:
            raise NotUnderstood(_READ, msg("rulesets_call_each_other"))
        self.room.take(1 + len(body))
        stopped: bool | None = False
        for one in body:
            ended: bool | None = False
            if one.kind == "stop":
                ended = True
            elif one.kind == "action":
                self._reach(one, message, certain=certain and stopped is False)
            elif one.kind == "call":
                sure = certain and stopped is False
                ended = self._run(self._rules(one.name), message, certain=sure, depth=depth + 1)
                # a ruleset with a queue of its own works on a copy
                ended = False if one.name in self.reader.queued else ended
            elif one.kind == "rule":
                ended = self._rule(one, message, certain=certain and stopped is False, depth=depth)
            if ended:
                return True
            stopped = None if ended is None else stopped
        return stopped

    def _rule(self, one: Statement, message: Message, *, certain: bool, depth: int) -> bool | None:
        holds = self._holds(one.test, message)
        if holds is not None:
            body = one.body if holds else one.other
            return self._run(body, message, certain=certain, depth=depth + 1)
        ends = [
            self._run(body, message, certain=False, depth=depth + 1)
            for body in (one.body, one.other)
        ]
        return True if ends == [True, True] else (False if ends == [False, False] else None)

    def _holds(self, test: tuple[str, ...], message: Message) -> bool | None:
        if test[0] == "selector":
            return selected(test[1], message)
        if test[0] == "property":
            return property_filter(test[1], test[2], test[3], self.known)
        if test[0] == "expression":
            return expression(test[1], message, self.known)
        return None

    def _reach(self, one: Statement, message: Message, *, certain: bool) -> None:
        if id(one) not in self.reader.actions:
            return
        certain = certain and not self.reader.actions[id(one)][0].sometimes
        before = self.seen.setdefault(id(one), {}).get(message, False)
        self.seen[id(one)][message] = True if certain or before else None
