"""Reads evidence.json one host at a time, and holds it to its exact bytes while it does."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from collector.attest.canonical import conform, parse
from collector.attest.evidence import FILE, in_order
from collector.errors import BadInput, VerifyFailed

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]', re.DOTALL)
_SCALAR = re.compile(rb"[^,\]}]*")
_Bytes = bytes | mmap.mmap
_EMPTY: Mapping[str, Any] = {"controls": {}, "waivers": [], "attached": [], "run": None}


class Evidence:
    """evidence.json on disk. `frame` is all of it but the hosts.

    Raises VerifyFailed, here or when a host is asked for, where the file is not JSON after
    RFC 8785 byte for byte, or breaks its schema.
    """

    def __init__(self, path: Path, where: str = f"data/{FILE}") -> None:
        self.where = where
        self.frame: dict[str, Any] = {}
        self._places: dict[str, tuple[int, int]] = {}
        with path.open("rb") as source:
            try:
                self._data: _Bytes = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:
                self._data = b""
        end = len(self._data)
        for name, start, stop in self._members(0):
            end = stop
            if name == "hosts":
                self._places = self._hosts(start, stop)
                self.frame[name] = {}
            else:
                self.frame[name] = self._value(start, stop)
        if self._data[end:] != b"}":
            raise self._broken(end)
        self._check(self.frame)

    def close(self) -> None:
        if isinstance(self._data, mmap.mmap):
            self._data.close()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._places)

    def host(self, name: str) -> dict[str, Any]:
        """What stands there of one host; raises BadInput when it is not in the evidence."""
        if name not in self._places:
            raise BadInput(f"no host is named {name}", where=self.where)
        entry: dict[str, Any] = self._value(*self._places[name])
        self._check({**self.frame, **_EMPTY, "hosts": {name: entry}})
        return entry

    def hosts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every host, one at a time."""
        for name in self._places:
            yield name, self.host(name)

    def whole(self) -> dict[str, Any]:
        """The document with all hosts in it: as large in memory as the fleet is."""
        return {**self.frame, "hosts": dict(self.hosts())}

    def _hosts(self, start: int, stop: int) -> dict[str, tuple[int, int]]:
        places: dict[str, tuple[int, int]] = {}
        folded: set[str] = set()
        end = start + 1
        for name, begin, end in self._members(start):
            if name.casefold() in folded:
                raise VerifyFailed(f"the host {name!r} stands twice", where=self.where)
            folded.add(name.casefold())
            places[name] = (begin, end)
        if end + 1 != stop:
            raise self._broken(end)
        return places

    def _members(self, start: int) -> Iterator[tuple[str, int, int]]:
        """Name, begin and end of value of each member of the object that begins at `start`."""
        if self._data[start : start + 1] != b"{":
            raise self._broken(start)
        place = start + 1
        before: bytes | None = None
        while self._data[place : place + 1] != b"}":
            if before is not None:
                if self._data[place : place + 1] != b",":
                    raise self._broken(place)
                place += 1
            match = _STRING.match(self._data, place)
            if match is None or self._data[match.end() : match.end() + 1] != b":":
                raise self._broken(place)
            name = self._value(place, match.end())
            if before is not None and in_order(name) <= before:
                raise VerifyFailed(f"the name {name!r} is out of order", where=self.where)
            before = in_order(name)
            begin = match.end() + 1
            place = self._end(begin)
            yield name, begin, place

    def _end(self, start: int) -> int:
        """Where the JSON value that begins at `start` ends."""
        first = self._data[start : start + 1]
        if first not in (b"{", b"["):
            match = (_STRING if first == b'"' else _SCALAR).match(self._data, start)
            if match is None or match.end() == start:
                raise self._broken(start)
            return match.end()
        depth = 0
        for token in _TOKEN.finditer(self._data, start):
            if token[0] in (b"{", b"["):
                depth += 1
            elif token[0] in (b"}", b"]"):
                depth -= 1
                if depth == 0:
                    return token.end()
        raise self._broken(len(self._data))

    def _value(self, start: int, stop: int) -> Any:
        return parse(self._data[start:stop], where=f"{self.where} byte {start}")

    def _check(self, document: Mapping[str, Any]) -> None:
        conform(document, "evidence", where=self.where)

    def _broken(self, place: int) -> VerifyFailed:
        return VerifyFailed(
            "not JSON in canonical bytes (RFC 8785)", where=f"{self.where} byte {place}"
        )
