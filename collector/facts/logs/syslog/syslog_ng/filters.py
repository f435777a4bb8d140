"""Which messages a filter of syslog-ng lets through: True, False, None where it does not tell."""

from __future__ import annotations

import re
from collections.abc import Callable

from collector.errors import NotUnderstood
from collector.facts.logs.model.syslog_message import ALIASES, CODES, LEVELS, Message
from collector.facts.logs.syslog.syslog_ng.parser import Atom
from collector.i18n.message import msg

_READ = "syslog.syslog_ng"
Named = Callable[[str, Message], "bool | None"]


def both(a: bool | None, b: bool | None) -> bool | None:
    """`a and b` of Kleene's logic."""
    return False if a is False or b is False else (None if None in (a, b) else True)


def _either(a: bool | None, b: bool | None) -> bool | None:
    return True if a is True or b is True else (None if None in (a, b) else False)


def passes(atoms: list[Atom], message: Message, host: str, named: Named) -> bool | None:
    """An expression of filter functions, `and`, `or`, `not` and parentheses."""
    reader = _Reader(atoms, message, host, named)
    try:
        found = reader.either()
    except (IndexError, RecursionError):
        raise NotUnderstood(_READ, msg("filter_not_one")) from None
    # what is left over is a comparison of texts, which is not worked out
    return found if reader.at == len(atoms) else None


class _Reader:
    def __init__(self, atoms: list[Atom], message: Message, host: str, named: Named) -> None:
        self.atoms, self.at = atoms, 0
        self.message, self.host, self.named = message, host, named

    def _take(self, word: str) -> bool:
        if self.at < len(self.atoms) and self.atoms[self.at].text == word:
            self.at += 1
            return True
        return False

    def either(self) -> bool | None:
        found = self._all()
        while self._take("or"):
            found = _either(found, self._all())
        return found

    def _all(self) -> bool | None:
        found = self._not()
        while self._take("and"):
            found = both(found, self._not())
        return found

    def _not(self) -> bool | None:
        if self._take("not"):
            found = self._not()
            return None if found is None else not found
        return self._one()

    def _one(self) -> bool | None:
        atom = self.atoms[self.at]
        self.at += 1
        if atom.mark == "(":
            return passes(atom.flat, self.message, self.host, self.named)
        if self.at < len(self.atoms) and self.atoms[self.at].mark == "(":
            self.at += 1
            return self._function(atom.text, self.atoms[self.at - 1].flat)
        # a comparison: `"$HOST" eq "x"`
        while self.at < len(self.atoms) and self.atoms[self.at].text not in ("and", "or"):
            self.at += 1
        return None

    def _function(self, name: str, given: list[Atom]) -> bool | None:
        words = [w for a in given if not a.mark for w in re.split(r"[\s,]+", a.text) if w]
        if name == "facility":
            return any(_facility(w, self.message) for w in words)
        if name in ("level", "severity", "priority"):
            return _level(words, self.message)
        if name == "filter":
            return self.named(given[0].text, self.message)
        texts = {"program": self.message.program, "host": self.host or None}
        texts |= {"message": self.message.text, "match": self.message.text}
        if name not in texts or not given:
            return None
        options = {
            given[n].text: given[n + 1].flat
            for n in range(1, len(given) - 1)
            if given[n + 1].mark == "("
        }
        text = texts[name]
        if name == "match":
            value = options.get("value", [Atom("MESSAGE")])[:1]
            known = {
                "MESSAGE": self.message.text,
                "MSG": self.message.text,
                "PROGRAM": self.message.program,
                "HOST": self.host or None,
            }
            text = known.get(value[0].text if value else "")
        if text is None or "flags" in options:
            return None
        kind = options.get("type", [Atom("pcre")])[:1]
        return _matched(given[0].text, text, kind[0].text if kind else "")


def _matched(form: str, text: str, kind: str) -> bool | None:
    if kind == "string":
        return form == text
    if kind not in ("pcre", "posix"):
        return None
    try:
        return re.search(form, text) is not None
    except (re.error, RecursionError):
        return None


def _facility(word: str, message: Message) -> bool:
    if word.isdecimal():
        return int(word) == CODES[message.facility]
    return ALIASES.get(word, word) == message.facility


def _level(words: list[str], message: Message) -> bool | None:
    """Names, and ranges of them: `info..emerg`, also with blanks around the dots."""
    joined = re.sub(r"(?<!\s)\s*+\.\.\s*+", "..", " ".join(words))
    for word in joined.split():
        ends = [ALIASES.get(w, w) for w in word.split("..")]
        ends = [LEVELS[int(w)] if w.isdecimal() and int(w) < len(LEVELS) else w for w in ends]
        if any(w not in LEVELS for w in ends) or len(ends) > 2:
            raise NotUnderstood(_READ, msg("no_level_named", level=word))
        first, last = sorted((LEVELS.index(ends[0]), LEVELS.index(ends[-1])))
        if first <= message.level <= last:
            return True
    return False
