"""The statements of rsyslog's configuration, of both its languages, as rsyslogd reads them.

Legacy lines (`*.* /var/log/x`, `$Directive value`, `:property, op, "value" action`, `& action`)
and RainerScript (`if … then { … }`, `action(…)`, `ruleset(…) { … }`) may stand in one file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from collector.errors import NotUnderstood
from collector.i18n.message import msg

_READ = "syslog.rsyslog"
Parameters = Mapping[str, str]


@dataclass(slots=True)
class Statement:
    """One statement. What is filled depends on `kind`:

    `directive` name, value · `object` name, parameters (lists joined by newlines), body ·
    `rule` test, body, other, name `block` where braces stand around it · `action` value (legacy
    text) or parameters · `call` name · `stop` · `more` (`& …`: the body belongs to the rule before
    it).
    """

    kind: Literal["directive", "object", "rule", "action", "call", "stop", "more"]
    line: str
    name: str = ""
    value: str = ""
    test: tuple[str, ...] = ()
    parameters: Parameters = field(default_factory=dict)
    body: list[Statement] = field(default_factory=list)
    other: list[Statement] = field(default_factory=list)


_BLANK = re.compile(r"(?:\s++|#[^\n]*+|/\*.*?\*/)++", re.DOTALL)
_DIRECTIVE = re.compile(r"\$([A-Za-z]\w*)[ \t]*((?:\\\n|[^\n])*)")
_OBJECT = re.compile(
    r"(module|input|action|template|global|main_queue|ruleset|include|timezone|parser"
    r"|lookup_table|dyn_stats|percentile_stats|ratelimit)\s*\(",
    re.IGNORECASE,
)
_LEVEL = r"\.[=!]{0,2}[A-Za-z0-9*]+"
_SELECTOR = re.compile(rf"([A-Za-z0-9,*]+{_LEVEL}(?:[;,][A-Za-z0-9,*]+{_LEVEL})*;?)[ \t]+")
# between two selectors it takes a comma for a semicolon (DecodePRIFilter, conf.c)
_BETWEEN = re.compile(rf"({_LEVEL}),")
_PROPERTY = re.compile(r':\s*([\w!$.-]+)\s*,\s*(!?\s*\w+)\s*,\s*"((?:[^"\\]|\\.)*)"\s*')
_ACTION = re.compile(r"(?:-?[/?]|@|\||\^|~|:om\w+:|\*(?=\s|$)|>)((?:\\\n|[^\n])*)")
_USERS = re.compile(r"[A-Za-z_][\w-]*+(?:,[A-Za-z_][\w-]*+)*+(?=[^\S\n]*+(?:\n|$|#|;))")
_PAIR = re.compile(
    r"""\s*([\w.]+)\s*=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\[[^\]]*\]|redacted(?![\w.]))""",
    re.DOTALL,
)
_STRING = re.compile(r"""\"(?:[^"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_DEEPEST = 16


def statements(text: str, path: str) -> list[Statement]:
    """Raises NotUnderstood, with the line, for what is in neither language."""
    # a line goes on right where the next one's first word begins (readConfFile, rainerscript.c)
    return _Parser(re.sub(r"\\\n[ \t]*", "", text.replace("\r\n", "\n")), path).block(0)


class _Parser:
    def __init__(self, text: str, path: str) -> None:
        self.text, self.path, self.at = text, path, 0

    def block(self, depth: int) -> list[Statement]:
        """Up to the brace that ends it, or to the end of the file."""
        found: list[Statement] = []
        while True:
            self._blank()
            if self.at >= len(self.text):
                if depth:
                    raise self._wrong(msg("block_no_end"))
                return found
            if depth and self.text[self.at] == "}":
                self.at += 1
                return found
            found += self._statement(depth)

    def _blank(self) -> None:
        if match := _BLANK.match(self.text, self.at):
            self.at = match.end()

    def _wrong(self, what: str) -> NotUnderstood:
        line = self.text.count("\n", 0, self.at) + 1
        rest = self.text[self.at : self.at + 60].partition("\n")[0]
        return NotUnderstood(_READ, msg("line_2", path=self.path, line=line, what=what, rest=rest))

    def _match(self, form: re.Pattern[str] | str) -> re.Match[str] | None:
        match = re.compile(form).match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def _line(self, start: int) -> str:
        """What stands from `start` up to here, as one line of evidence."""
        return " ".join(_BLANK.sub(" ", self.text[start : self.at]).split())[:400]

    def _statement(self, depth: int) -> list[Statement]:
        start = self.at
        if depth > _DEEPEST:
            raise self._wrong(msg("nested_too_deeply"))
        if match := self._match(_DIRECTIVE):
            value = re.sub(r"(^|\s)#.*", "", re.sub(r"\\\n\s*", " ", match[2])).strip()
            return [Statement("directive", self._line(start), match[1].lower(), value)]
        if match := self._match(_OBJECT):
            return [self._object(match[1].lower(), start, depth)]
        if self._match(r"if\b"):
            return [self._if(start, depth)]
        if match := self._match(_PROPERTY):
            test = ("property", match[1], match[2], re.sub(r"\\(.)", r"\1", match[3]))
            return [self._rule(test, start, depth)]
        if match := self._match(_SELECTOR):
            return [self._rule(("selector", _BETWEEN.sub(r"\1;", match[1])), start, depth)]
        if self._match(r"&[ \t]*"):
            return [Statement("more", self._line(start), body=self._body(depth))]
        if self._match(r"(?:set|unset|reset|reload_lookup_table)\b"):
            return self._skipped(";")
        if match := self._match(r"foreach\b"):
            self._skipped("do")
            return [Statement("rule", self._line(start), test=("unknown",), body=self._body(depth))]
        # rsyslogd has no blocks of BSD's syslogd any more, and passes their lines over
        if self._match(r"(?:[!+][^\n]*|-[\w*][^\n]*)"):
            return []
        return self._plain(start)

    def _plain(self, start: int) -> list[Statement]:
        """What a rule does: an action of either language, stop, call."""
        if self._match(r"(?:stop\b|~(?=\s|$|\}))"):
            return [Statement("stop", self._line(start))]
        if self._match(r"continue\b"):
            return []
        if match := self._match(r"call\s+([\w.-]+)"):
            return [Statement("call", self._line(start), match[1])]
        if self._match(r"call_indirect\b"):
            self._skipped(";")
            raise self._wrong(msg("ruleset_named_message"))
        if match := self._match(_OBJECT):
            return [self._object(match[1].lower(), start, 0)]
        if match := self._match(_ACTION) or self._match(_USERS):
            # inside a block the brace may stand on the action's own line
            brace = re.search(r"\s\}", match[0])
            if brace:
                self.at = match.start() + brace.start()
            value = re.sub(r"\\\n\s*", " ", match[0][: brace.start() if brace else None])
            value = re.sub(r"\s#.*", "", value).strip()
            return [Statement("action", self._line(start), value=value)]
        raise self._wrong(msg("not_statement_rsyslog"))

    def _rule(self, test: tuple[str, ...], start: int, depth: int) -> Statement:
        name = self._kind()
        body = self._body(depth)
        return Statement("rule", self._line(start), name, test=test, body=body)

    def _kind(self) -> str:
        self._blank()
        return "block" if self.text.startswith("{", self.at) else ""

    def _body(self, depth: int) -> list[Statement]:
        self._blank()
        if self._match(r"\{"):
            return self.block(depth + 1)
        if self.at >= len(self.text):
            raise self._wrong(msg("rule_nothing"))
        start = self.at
        if match := self._match(r"(\$[\w.-]+(?:;[\w.-]+)?)[ \t]*(?=\n|\Z|\})"):
            # an output channel, by its name
            return [Statement("action", self._line(start), value=match[1])]
        return self._statement(depth + 1)

    def _if(self, start: int, depth: int) -> Statement:
        begin = self.at
        while not self._match(r"then\b"):
            if not (self._match(_BLANK) or self._match(_STRING) or self._match(r"`[^`]*`|\w+|.")):
                raise self._wrong(msg("condition_without_then"))
        test = re.sub(r"(?<!\S)#[^\n]*", "", self.text[begin : self.at - len("then")])
        rule = Statement("rule", "", self._kind(), test=("expression", test.strip()))
        rule.body = self._body(depth)
        end = self.at
        self._blank()
        if self._match(r"else\b"):
            rule.other = self._body(depth)
        else:
            self.at = end
        rule.line = self._line(start)
        return rule

    def _object(self, name: str, start: int, depth: int) -> Statement:
        parameters: dict[str, str] = {}
        while match := self._match(_PAIR):
            parameters[match[1].lower()] = _value(match[2])
            self._blank()
            self._match(r",")
            self._blank()
        self._blank()
        if not self._match(r"\)"):
            raise self._wrong(msg("not_understood_2", name=name))
        body: list[Statement] = []
        end = self.at
        self._blank()
        if name == "ruleset" and self._match(r"\{"):
            body = self.block(depth + 1)
        elif name == "template" and self._match(r"\{"):
            self._braces()
        else:
            self.at = end
            self._match(r"[ \t]*;")
        kind: Literal["action", "object"] = "action" if name == "action" else "object"
        return Statement(kind, self._line(start), name, parameters=parameters, body=body)

    def _braces(self) -> None:
        """Passes over a template's list."""
        while not self._match(r"\}"):
            if not (self._match(_BLANK) or self._match(_STRING) or self._match(r"[^}]")):
                raise self._wrong(msg("block_no_end"))

    def _skipped(self, end: str) -> list[Statement]:
        while not self._match(rf"{end}\b" if end.isalpha() else end):
            if not (self._match(_BLANK) or self._match(_STRING) or self._match(r"`[^`]*`|\w+|.")):
                raise self._wrong(msg("statement_without", end=end))
        return []


def _value(text: str) -> str:
    """A string without its quotes; the members of a list one a line; empty where it is made up

    when rsyslogd starts (back-ticks).
    """
    if text[0] == "`":
        return ""
    if text == "redacted":
        # what stands in the place of a password, without the quotes that it had
        return text
    if text[0] == "[":
        return "\n".join(_value(one) for one in _STRING.findall(text))
    return re.sub(r"\\(.)", r"\1", text[1:-1])
