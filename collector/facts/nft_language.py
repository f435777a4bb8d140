"""nft's own language (nft(8)) → the entries that libnftables-json(5) has for it.

For rule files, and for what `nft list ruleset` prints where nft has no JSON. A statement that is
not known becomes one that the reader of JSON does not know either: what it does is unknown.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from collector.errors import NotUnderstood

Entry = dict[str, Any]
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|==|!=|<=|>=|[{}();,=<>!&|^\n]|:(?=\s)|\.(?=\s)'
    r"|(?:[^\s{}();,=<>!&|^\"]+)"
)
_FAMILIES = {"ip", "ip6", "inet", "arp", "bridge", "netdev"}
_PRIORITIES = {
    "raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100,
}  # fmt: skip
_BARE = {"iif", "iifname", "oif", "oifname", "mark", "l4proto", "nfproto", "pkttype"}
_HEADERS = {
    "ip", "ip6", "tcp", "udp", "th", "udplite", "sctp", "dccp", "icmp", "icmpv6", "ether", "arp",
    "esp", "ah", "comp", "igmp",
}  # fmt: skip
_BITS = ("'key': 'state'", "'key': 'status'", "'field': 'flags'")
_OPERATORS = {"==", "!=", "<", ">", "<=", ">=", "!", "eq", "ne", "lt", "gt", "le", "ge"}
_SAME = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}
_SIMPLE = {"accept", "drop", "return", "continue", "notrack"}


class Strange(Exception):
    """Something that is not known here."""


def tokens(text: str) -> list[str]:
    bare = re.sub(r'("(?:[^"\\\n]|\\.)*")|#[^\n]*', lambda m: m[1] or "", text)
    return _TOKEN.findall(bare.replace("\\\n", " "))


class Ruleset:
    """What a file or a listing sets up. `flushes`: it takes away first what was there."""

    def __init__(self, text: str, read: str, include: Callable[[str], list[str]]) -> None:
        self.read = read
        self.include = include
        self.entries: list[Entry] = []
        self.defined: dict[str, list[str]] = {}
        self.flushes = False
        self._file(tokens(text), 0)

    def _file(self, words: list[str], depth: int) -> None:
        if depth > 8:
            raise NotUnderstood(self.read, "files that include each other")
        cursor = _Cursor(words, self.defined)
        while not cursor.done:
            word = cursor.next()
            if word in ("\n", ";"):
                continue
            if word == "include":
                for text in self.include(cursor.next().strip('"')):
                    self._file(tokens(text), depth + 1)
            elif word in ("define", "redefine"):
                name = cursor.next()
                if cursor.next() != "=":
                    raise NotUnderstood(self.read, f"define {name} without a value")
                self.defined[name] = cursor.whole()
            else:
                self._command(word, cursor)

    def _command(self, word: str, cursor: _Cursor) -> None:
        verb = word if word in ("add", "create", "insert", "flush", "delete", "destroy") else ""
        kind = cursor.next() if verb else word
        if verb == "flush" and kind == "ruleset":
            self.entries.clear()
            self.flushes = True
        elif verb in ("delete", "destroy", "flush") and kind == "table":
            family, name = cursor.family(), cursor.next()
            mine = {"family": family, "name": name}
            self.entries = [e for e in self.entries if not _belongs(e, mine, whole=verb != "flush")]
        elif kind == "table" and verb in ("", "add", "create"):
            family, name = cursor.family(), cursor.next()
            self._table(family, name, cursor)
        elif kind == "chain" and verb in ("add", "create", ""):
            family, table, name = cursor.family(), cursor.next(), cursor.next()
            self._chain(family, table, name, cursor)
        elif kind == "rule" and verb in ("add", "insert"):
            family, table, chain = cursor.family(), cursor.next(), cursor.next()
            self._rule(family, table, chain, cursor.line(), first=verb == "insert")
        elif kind in ("set", "map") and verb in ("add", "create", ""):
            family, table, name = cursor.family(), cursor.next(), cursor.next()
            self._set(kind, family, table, name, cursor)
        else:
            raise NotUnderstood(self.read, f"a command that is not known: {verb} {kind}".strip())

    def _table(self, family: str, name: str, cursor: _Cursor) -> None:
        table: Entry = {"family": family, "name": name, "flags": []}
        known = any(e.get("table", {}).get("name") == name for e in self.entries)
        if not known:
            self.entries.append({"table": table})
        if not cursor.take("{"):
            return
        while not cursor.take("}"):
            word = cursor.next()
            if word in ("\n", ";"):
                continue
            if word == "chain":
                self._chain(family, name, cursor.next(), cursor)
            elif word in ("set", "map"):
                self._set(word, family, name, cursor.next(), cursor)
            elif word == "flags":
                table["flags"] = [w for w in cursor.line() if w != ","]
            elif word == "comment":
                cursor.line()
            else:
                # a counter, a quota, a flowtable, …: nothing that a packet meets by itself
                cursor.line_or_block()

    def _chain(self, family: str, table: str, name: str, cursor: _Cursor) -> None:
        chain: Entry = {"family": family, "table": table, "name": name}
        self.entries.append({"chain": chain})
        if not cursor.take("{"):
            return
        while not cursor.take("}"):
            if cursor.take("\n") or cursor.take(";"):
                continue
            line = cursor.line()
            if not line:
                raise NotUnderstood(self.read, f"the chain {name} does not end")
            if line[:1] == ["type"]:
                chain |= _hook(line)
            elif line[:1] == ["policy"]:
                chain["policy"] = line[1]
            elif line[:1] not in (["comment"], ["devices"], ["flags"]):
                self._rule(family, table, name, line)

    def _rule(
        self, family: str, table: str, chain: str, line: list[str], *, first: bool = False
    ) -> None:
        try:
            expressions = _Rule(line).statements()
        except (Strange, IndexError, ValueError):
            expressions = [{"unread": " ".join(line)[:200]}]
        rule = {"family": family, "table": table, "chain": chain, "expr": expressions}
        if first:
            self.entries.insert(0, {"rule": rule})
        else:
            self.entries.append({"rule": rule})

    def _set(self, kind: str, family: str, table: str, name: str, cursor: _Cursor) -> None:
        held: Entry = {"family": family, "table": table, "name": name, "elem": []}
        self.entries.append({kind: held})
        if not cursor.take("{"):
            return
        while not cursor.take("}"):
            if cursor.take("elements"):
                cursor.take("=")
                try:
                    held["elem"] = _Rule(cursor.block()).set()["set"]
                except (Strange, ValueError) as bad:
                    raise NotUnderstood(self.read, f"elements of {name}: {bad}") from None
            else:
                cursor.next()


def _belongs(entry: Entry, table: Entry, *, whole: bool) -> bool:
    ((kind, value),) = entry.items()
    if value.get("family") != table["family"]:
        return False
    if kind == "table":
        return whole and value["name"] == table["name"]
    return value.get("table") == table["name"] and (whole or kind == "rule")


def _hook(line: list[str]) -> Entry:
    found: Entry = {"type": line[1], "hook": line[line.index("hook") + 1]}
    for word in ("device", "devices"):
        if word in line:
            named = line[line.index(word) + 1 : line.index("priority")]
            found["dev"] = [w.strip('"') for w in named if w not in "{},="]
    given = "".join(line[line.index("priority") + 1 :])
    match = re.fullmatch(r"([a-z]*)([+-]?\d+)?", given)
    if match is None or (match[1] and match[1] not in _PRIORITIES):
        raise NotUnderstood("nft", f"priority {given}")
    return found | {"prio": _PRIORITIES.get(match[1], 0) + int(match[2] or 0)}


class _Cursor:
    """Words from left to right, with `$NAME` put in their places."""

    def __init__(self, words: list[str], defined: dict[str, list[str]]) -> None:
        self.words = words
        self.defined = defined
        self.at = 0

    @property
    def done(self) -> bool:
        return self.at >= len(self.words)

    def next(self) -> str:
        if self.done:
            raise NotUnderstood("nft", "the rules end before their end")
        word = self.words[self.at]
        if word.startswith("$") and word[1:] in self.defined:
            self.words[self.at : self.at + 1] = self.defined[word[1:]]
            return self.next()
        self.at += 1
        return word

    def take(self, word: str) -> bool:
        if not self.done and word != "\n":
            while self.at < len(self.words) - 1 and self.words[self.at] == "\n":
                self.at += 1
        if not self.done and self.words[self.at] == word:
            self.at += 1
            return True
        return False

    def family(self) -> str:
        return self.next() if self.words[self.at] in _FAMILIES else "ip"

    def line(self) -> list[str]:
        """All words to the end of the line or to `;`, or to the brace that closes around it."""
        found: list[str] = []
        deep = 0
        while not self.done:
            word = self.words[self.at]
            if deep == 0 and word in ("\n", ";", "}"):
                break
            word = self.next()
            deep += (word == "{") - (word == "}")
            if word != "\n":
                found.append(word)
        return found

    def whole(self) -> list[str]:
        return self.line()

    def line_or_block(self) -> None:
        self.line()

    def block(self) -> list[str]:
        """A set in braces, over as many lines as it has."""
        found: list[str] = []
        deep = 0
        while True:
            word = self.next()
            deep += (word == "{") - (word == "}")
            if word != "\n":
                found.append(word)
            if deep == 0:
                return found


class _Rule:
    """One rule's words → its statements as JSON has them."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.words[at] if at < len(self.words) else ""

    def next(self) -> str:
        word = self.peek()
        if not word:
            raise Strange("the rule ends")
        self.at += 1
        return word

    def take(self, *wanted: str) -> bool:
        if tuple(self.words[self.at : self.at + len(wanted)]) == wanted:
            self.at += len(wanted)
            return True
        return False

    def statements(self) -> list[Entry]:
        found = []
        while self.at < len(self.words):
            found.append(self.statement())
        return [entry for entry in found if entry]

    def statement(self) -> Entry:
        word = self.peek()
        if word in _SIMPLE:
            return {self.next(): None}
        if word in ("jump", "goto"):
            return {self.next(): {"target": self.next()}}
        special = getattr(self, f"_{word}", None)
        if special is not None and not (word == "ct" and self.peek(1) != "count"):
            self.next()
            made: Entry = special()
            return made
        return self._match()

    # --- statements that are no matches -------------------------------------------------------

    def _counter(self) -> Entry:
        if self.peek() in ("packets", "name"):
            self.at += 4 if self.peek() == "packets" else 2
        return {"counter": None}

    def _comment(self) -> Entry:
        self.next()
        return {}

    def _log(self) -> Entry:
        while self.peek() in ("prefix", "level", "group", "flags", "snaplen", "queue-threshold"):
            self.at += 2
            while self.take(","):
                self.at += 1
        return {"log": None}

    def _limit(self) -> Entry:
        if not self.take("rate"):
            raise Strange("limit name")
        over = self.take("over")
        self.at += 1
        if self.peek() in ("kbytes/second", "mbytes/second", "bytes/second"):
            self.at += 1
        if self.take("burst"):
            self.at += 2
        return {"limit": {"inv": over}}

    def _ct(self) -> Entry:
        self.take("count")
        over = self.take("over")
        return {"ct count": {"val": int(self.next()), "inv": over}}

    def _reject(self) -> Entry:
        if not self.take("with"):
            return {"reject": None}
        kind = self.next()
        if self.peek() == "type":
            self.next()
        return {"reject": {"type": "tcp reset" if self.next() == "reset" else kind}}

    def _masquerade(self) -> Entry:
        self.at = len(self.words)
        return {"masquerade": None}

    def _snat(self) -> Entry:
        self.at = len(self.words)
        return {"snat": None}

    def _redirect(self) -> Entry:
        if not self.take("to"):
            return {"redirect": None}
        word = self.next().lstrip(":")
        return {"redirect": {"port": int(word) if word.isdecimal() else {"map": word}}}

    def _dnat(self) -> Entry:
        family = self.next() if self.peek() in ("ip", "ip6") else ""
        self.take("to")
        if not re.fullmatch(r"[\d.]+(:\d+)?|\[[\da-f:]+\](:\d+)?|[\da-f:]+|:\d+", self.peek()):
            return self._dnat_map(family)
        word = self.next()
        port: str | None = None
        if match := re.fullmatch(r"\[?([\d.]*|[\da-f:]+?)\]?(?::(\d+))?", word):
            bare = word.count(":") > 1 and "[" not in word
            where, port = (word, None) if bare else match.groups()
        else:
            raise Strange(word)
        made: Entry = {"family": family} if family else {}
        made |= {"addr": where} if where else {}
        return {"dnat": made | ({"port": int(port)} if port else {})}

    def _dnat_map(self, family: str) -> Entry:
        key = self._left()
        if not self.take("map"):
            raise Strange("dnat")
        data = self._right()
        made: Entry = {"family": family} if family else {}
        return {"dnat": made | {"addr": {"map": {"key": key, "data": data}}}}

    # --- matches ------------------------------------------------------------------------------

    def _match(self) -> Entry:
        left = self._left()
        if self.take("vmap"):
            return {"vmap": {"key": left, "data": self._right()}}
        if self.take("set"):
            return {"mangle": {"key": left, "value": self._written()}}
        operator = ""
        if self.peek() in _OPERATORS:
            operator = self.next()
            operator = _SAME.get(operator, operator)
        right = self._right()
        if self.take("/"):
            left = {"&": [left, self._right()]}
            operator = operator or "=="
        bits = any(key in str(left) for key in _BITS)
        implied = "in" if bits and not (isinstance(right, dict) and "set" in right) else "=="
        return {"match": {"op": operator or implied, "left": left, "right": right}}

    def _written(self) -> Any:
        """A new mark: a number, another mark, or one with bits changed."""
        if self.peek() in ("meta", "ct", "mark"):
            made: Any = self._primary()
            while self.peek() in ("&", "|", "^", "and", "or", "xor"):
                sign = {"and": "&", "or": "|", "xor": "^"}.get(self.peek(), self.peek())
                self.next()
                made = {sign: [made, _value(self.next())]}
            return made
        return _value(self.next())

    def _left(self) -> Any:
        parts = [self._primary()]
        while self.take("."):
            parts.append(self._primary())
        left: Any = {"concat": parts} if len(parts) > 1 else parts[0]
        if self.peek() in ("&", "and"):
            self.next()
            left = {"&": [left, self._right()]}
        return left

    def _primary(self) -> Entry:
        word = self.next()
        if word in _BARE:
            return {"meta": {"key": word}}
        if word == "meta":
            return {"meta": {"key": self.next()}}
        if word == "ct":
            return self._of_connection()
        if word == "fib":
            flags = [self.next()]
            while self.take("."):
                flags.append(self.next())
            return {"fib": {"flags": flags, "result": self.next()}}
        if word in _HEADERS and re.fullmatch(r"[a-z0-9-]+", self.peek()):
            return {"payload": {"protocol": word, "field": self.next()}}
        raise Strange(word)

    def _of_connection(self) -> Entry:
        key = self.next()
        if key not in ("original", "reply"):
            return {"ct": {"key": key}}
        name = self.next()
        if name in ("ip", "ip6"):
            name = f"{name} {self.next()}"
        return {"ct": {"key": name, "dir": key}}

    # --- right sides --------------------------------------------------------------------------

    def _right(self) -> Any:
        if self.peek() == "{":
            return self.set()
        if self.take("("):
            inner = self._right()
            self.take(")")
            return inner
        made = [self._element()]
        while self.peek() in (",", "|"):
            self.next()
            made.append(self._element())
        return made[0] if len(made) == 1 else made

    def _element(self) -> Any:
        parts = [_value(self.next())]
        while self.take("."):
            parts.append(_value(self.next()))
        return {"concat": parts} if len(parts) > 1 else parts[0]

    def set(self) -> Entry:
        """Elements between braces, or pairs of a map."""
        self.take("{")
        found: list[Any] = []
        while not self.take("}"):
            if self.take(","):
                continue
            key = self._element()
            if self.take("|"):
                key = {"|": [key, self._element()]}
            while self.peek() in ("timeout", "expires", "counter", "comment"):
                if self.next() == "counter":
                    self.at += 4 if self.peek() == "packets" else 0
                else:
                    self.next()
            if self.take(":"):
                found.append([key, self._end()])
            else:
                found.append(key)
        return {"set": found}

    def _end(self) -> Any:
        """What a map leads to."""
        word = self.peek()
        if word in _SIMPLE or word in ("jump", "goto"):
            return self.statement()
        return self._element()


def _value(word: str) -> Any:
    if word.startswith('"'):
        return word.strip('"')
    if re.fullmatch(r"\d+|0x[0-9a-fA-F]+", word):
        return int(word, 0)
    if word in ("exists", "missing"):
        return word == "exists"
    if "/" in word:
        address, _, length = word.partition("/")
        ipaddress.ip_address(address)
        return {"prefix": {"addr": address, "len": int(length)}}
    low, dash, high = word.partition("-")
    if dash and (low[:1].isdigit() or ":" in low) and (high[:1].isdigit() or ":" in high):
        return {"range": [_value(low), _value(high)]}
    if not word or word in "{}(),;":
        raise Strange(word)
    return word
