"""Reads evidence.json one host at a time, and holds it to its exact bytes while it does."""

from __future__ import annotations

import json
import mmap
from codecs import utf_8_decode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from collector.alike_names import fold
from collector.attest.bundle.evidence import FILE, in_order
from collector.attest.envelope.canonical import conform, parse
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg
from collector.schema import refuse_many

# finds where a value ends; whether it is spelt as it must be says `parse`
_SCANNER = json.JSONDecoder()
_WINDOW = 1 << 9
_LARGEST = 1 << 22
_MOST_HOSTS = 100_000
_MOST_MEMBERS = 64
# what was mapped is let go again after so many bytes, so that memory does not grow with the fleet
_KEPT = 1 << 24
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
        self._mapped = 0
        # how much was enough the last time, for each kind of value
        self._windows: dict[bytes, int] = {}
        with path.open("rb") as source:
            try:
                self._data: _Bytes = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:
                self._data = b""
        end, size = len(self._data), 0
        for name, start, end in self._members(0, self._end_or_hosts):
            size += 0 if name == "hosts" else end - start
            if size > _LARGEST or len(self.frame) > _MOST_MEMBERS:
                raise VerifyFailed(
                    msg("larger_mib_without_hosts", largest=_LARGEST >> 20), where=where
                )
            self.frame[name] = {} if name == "hosts" else self._value(start, end)
        if self._data[end : end + 2] != b"}":
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
            raise BadInput(msg("no_host_named", name=name), where=self.where)
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

    def _end_or_hosts(self, name: str, start: int) -> int:
        return self._hosts(start) if name == "hosts" else self._end(name, start)

    def _hosts(self, start: int) -> int:
        """Notes where each host stands; returns where all of them end."""
        folded: set[str] = set()
        end = start + 1
        for name, begin, end in self._members(start, self._end):
            if fold(name) in folded:
                raise VerifyFailed(msg("host_stands_twice", name=name), where=self.where)
            if len(folded) > _MOST_HOSTS:
                raise VerifyFailed(msg("more_hosts", most_hosts=_MOST_HOSTS), where=self.where)
            folded.add(fold(name))
            self._places[name] = (begin, end)
        return end + 1

    def _members(
        self, start: int, end_of: Callable[[str, int], int]
    ) -> Iterator[tuple[str, int, int]]:
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
            end = self._end("", place)
            name = self._value(place, end)
            if not isinstance(name, str) or self._data[end : end + 1] != b":":
                raise self._broken(place)
            if before is not None and in_order(name) <= before:
                raise VerifyFailed(msg("name_out_order", name=name), where=self.where)
            before = in_order(name)
            begin = end + 1
            place = end_of(name, begin)
            yield name, begin, place

    def _end(self, _name: str, start: int) -> int:
        """Where the JSON value that begins at `start` ends."""
        kind = self._data[start : start + 1]
        size = self._windows.get(kind, _WINDOW)
        while True:
            data = self._piece(start, start + size)
            try:
                refuse_many(data)
                text, taken = utf_8_decode(data, "strict", False)
                found = taken - len(text[_SCANNER.raw_decode(text)[1] :].encode())
                self._windows[kind] = max(_WINDOW, found + found // 8)
                return start + found
            except (ValueError, RecursionError):
                if len(data) < size or size > _LARGEST:
                    raise self._broken(start) from None
            size *= 4

    def _piece(self, start: int, stop: int) -> bytes:
        self._mapped += stop - start
        if self._mapped > _KEPT and isinstance(self._data, mmap.mmap):
            self._data.madvise(mmap.MADV_DONTNEED)
            self._mapped = 0
        return self._data[start:stop]

    def _value(self, start: int, stop: int) -> Any:
        return parse(self._piece(start, stop), where=f"{self.where} byte {start}")

    def _check(self, document: Mapping[str, Any]) -> None:
        conform(document, "evidence", where=self.where)

    def _broken(self, place: int) -> VerifyFailed:
        return VerifyFailed(msg("not_json_canonical_bytes"), where=f"{self.where} byte {place}")
