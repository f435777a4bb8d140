"""nft's own language (nft(8)) → the entries that libnftables-json(5) has for it.

For rule files, and for what `nft list ruleset` prints where nft has no JSON. A statement that is
not known becomes one that the reader of JSON does not know either: what it does is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from collector.errors import NotUnderstood
from collector.facts.firewall.nftables.statements import Statements
from collector.facts.firewall.nftables.tokens import Cursor, tokens
from collector.facts.firewall.nftables.values import Strange
from collector.i18n.message import msg

Entry = dict[str, Any]
_PRIORITIES = {
    "raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100,
}  # fmt: skip


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
            raise NotUnderstood(self.read, msg("files_include_each_other"))
        cursor = Cursor(words, self.defined)
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
                    raise NotUnderstood(self.read, msg("define_without_value", name=name))
                self.defined[name] = cursor.whole()
            else:
                self._command(word, cursor)

    def _command(self, word: str, cursor: Cursor) -> None:
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
            raise NotUnderstood(self.read, msg("command_not_known", verb=verb, kind=kind))

    def _table(self, family: str, name: str, cursor: Cursor) -> None:
        table: Entry = {"family": family, "name": name, "flags": []}
        mine = {"family": family, "name": name}
        known = [e["table"] for e in self.entries if "table" in e]
        if not any(mine.items() <= other.items() for other in known):
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

    def _chain(self, family: str, table: str, name: str, cursor: Cursor) -> None:
        chain: Entry = {"family": family, "table": table, "name": name}
        self.entries.append({"chain": chain})
        if not cursor.take("{"):
            return
        while not cursor.take("}"):
            if cursor.take("\n") or cursor.take(";"):
                continue
            line = cursor.line()
            if not line:
                raise NotUnderstood(self.read, msg("chain_not_end", name=name))
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
            expressions = Statements(line).statements()
        except (Strange, IndexError, ValueError):
            expressions = [{"unread": " ".join(line)[:200]}]
        rule = {"family": family, "table": table, "chain": chain, "expr": expressions}
        if first:
            self.entries.insert(0, {"rule": rule})
        else:
            self.entries.append({"rule": rule})

    def _set(self, kind: str, family: str, table: str, name: str, cursor: Cursor) -> None:
        held: Entry = {"family": family, "table": table, "name": name, "elem": []}
        self.entries.append({kind: held})
        if not cursor.take("{"):
            return
        while not cursor.take("}"):
            if cursor.take("elements"):
                cursor.take("=")
                try:
                    held["elem"] = Statements(cursor.block()).set()["set"]
                except (Strange, ValueError) as bad:
                    raise NotUnderstood(self.read, msg("elements_of", name=name, bad=bad)) from None
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
        raise NotUnderstood("nft", msg("priority", given=given))
    return found | {"prio": _PRIORITIES.get(match[1], 0) + int(match[2] or 0)}
