"""One rule in nft's own language (nft(8)) → its statements as libnftables-json(5) has them."""

from __future__ import annotations

import re
from typing import Any

from collector.facts.firewall.nftables.values import Strange, value
from collector.i18n.message import msg

Entry = dict[str, Any]
_BARE = {"iif", "iifname", "oif", "oifname", "mark", "l4proto", "nfproto", "pkttype"}
_HEADERS = {
    "ip", "ip6", "tcp", "udp", "th", "udplite", "sctp", "dccp", "icmp", "icmpv6", "ether", "arp",
    "esp", "ah", "comp", "igmp",
}  # fmt: skip
_BITS = ("'key': 'state'", "'key': 'status'", "'field': 'flags'")
_OPERATORS = {"==", "!=", "<", ">", "<=", ">=", "!", "eq", "ne", "lt", "gt", "le", "ge"}
_SAME = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}
_SIMPLE = {"accept", "drop", "return", "continue", "notrack"}


class Statements:
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
            raise Strange(msg("rule_ends"))
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

    def _quota(self) -> Entry:
        over = self.take("over")
        while re.match(r"\d|[kmg]?bytes|used|until", self.peek()):
            self.at += 1
        return {"quota": {"inv": over}}

    def _tproxy(self) -> Entry:
        family = self.next() if self.peek() in ("ip", "ip6") else ""
        if not self.take("to"):
            raise Strange("tproxy")
        port = re.search(r"(?<!:):(\d+)$", self.next())
        made: Entry = {"family": family} if family else {}
        return {"tproxy": made | ({"port": int(port[1])} if port else {})}

    def _add(self, change: str = "add") -> Entry:
        name = self.next()
        if not name.startswith("@") or not self.take("{"):
            raise Strange(f"{change} {name}")
        start = self.at
        while not self.take("}"):
            self.next()
        inner = self.words[start : self.at - 1]
        limit = inner.index("limit") if "limit" in inner else len(inner)
        done = Statements(inner[limit:]).statements()
        return {"set": {"op": change, "set": name, "stmt": done}}

    def _update(self) -> Entry:
        return self._add("update")

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
                made = {sign: [made, value(self.next())]}
            return made
        return value(self.next())

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
        if word == "exthdr" and self.peek(1) in ("exists", "missing"):
            return {"exthdr": {"name": self.next()}}
        if word == "tcp" and self.take("option"):
            option = {"name": self.next()}
            if self.peek() not in ("exists", "missing"):
                option["field"] = self.next()
            return {"tcp option": option}
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
        parts = [value(self.next())]
        while self.take("."):
            parts.append(value(self.next()))
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
