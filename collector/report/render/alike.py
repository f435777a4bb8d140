"""A large fleet on few pages: what holds for many hosts stands once, with their names. Pure.

Hosts with the same verdict of every control are a kind. Where all hosts of a kind are meant, its
number stands for their names; the names of each kind are listed once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from collector.errors import listed
from collector.model import Lang, Result
from collector.report.model.stores import Backup
from collector.report.model.view import ORDER, Host, Shown
from collector.report.render.html import words_in
from collector.report.render.log_lines import LogLines

T = TypeVar("T")
# a kind of fewer hosts is told by their names
_FEW = 3


@dataclass(frozen=True, slots=True)
class Alike(Generic[T]):
    """`what` holds for these hosts: all of `kinds` (how they are called), and those of `names`."""

    what: T
    count: int
    kinds: tuple[str, ...]
    names: str


@dataclass(frozen=True, slots=True)
class Kind:
    """Hosts with the same verdict of every control; `number` is 0 where they are too few."""

    number: int
    name: str
    by_control: Mapping[str, Shown]
    hosts: tuple[str, ...]
    names: str

    @property
    def count(self) -> int:
        return len(self.hosts)


@dataclass(frozen=True, slots=True)
class Open:
    """What is open of one control, by verdict; `waived` ones apart."""

    control: Mapping[str, Any]
    parts: Sequence[tuple[Shown, Sequence[Alike[Shown]]]]


@dataclass(frozen=True, slots=True)
class Fleet:
    """What the pages show of many hosts."""

    kinds: Sequence[tuple[Result, Sequence[Kind]]]
    kind_of: Mapping[str, int]
    topics: Mapping[str, Sequence[Alike[Host]]]
    open: Sequence[Open]
    products: Sequence[Alike[Any]]
    log_head: str
    logs: Sequence[Alike[str]]
    stores: Sequence[Alike[Backup]]
    stores_of: Sequence[Alike[str]]


def fleet(given: Mapping[str, Any], logs_each: int) -> Fleet:
    """From what `contents` gave."""
    lang: Lang = given["lang"]
    hosts: Sequence[Host] = given["hosts"]
    t = words_in(lang)["t"]
    between = "、" if lang == "zh" else ", "
    grouped = _kinds(given["groups"], t, between)
    kinds = [kind for _, members in grouped for kind in members]
    named = _Names(kinds, len(hosts), between, t)
    logs = LogLines(lang, logs_each)
    stores = [(h, h.backups) for h in hosts if h.backups is not None and not h.backups.none]
    return Fleet(
        kinds=grouped,
        kind_of={host: kind.number for kind in kinds for host in kind.hosts},
        topics={
            topic["name"]: named.alike(
                hosts, partial(_verdicts, [c["id"] for c in topic["controls"]]), lambda h: h
            )
            for topic in given["topics"]
        },
        open=_open(given["controls"], hosts, named),
        products=named.alike(
            [h for h in hosts if h.products], lambda h: h.products, lambda h: h.products
        ),
        log_head=logs.head(),
        logs=named.alike([h for h in hosts if h.logs], logs.of, logs.of),
        stores=[Alike(row, 1, (), host.name) for host, known in stores for row in known.rows],
        stores_of=named.alike(
            [h for h, known in stores if not known.rows],
            lambda h: _wanting(h, t),
            lambda h: _wanting(h, t),
        ),
    )


def _verdicts(ids: Sequence[str], host: Host) -> Hashable:
    found = [host.by_control.get(id) for id in ids]
    return tuple(f and (f.result, f.waived) for f in found)


class _Names:
    """How the hosts of a list are named."""

    def __init__(
        self, kinds: Sequence[Kind], count: int, between: str, t: Mapping[str, str]
    ) -> None:
        self._kinds = [kind for kind in kinds if kind.number]
        self._count, self._between, self._t = count, between, t

    def alike(
        self, hosts: Iterable[Host], key: Callable[[Host], Hashable], what: Callable[[Host], T]
    ) -> list[Alike[T]]:
        """Grouped by what is the same of them, in the order of the hosts."""
        by: dict[Hashable, list[Host]] = {}
        for host in hosts:
            by.setdefault(key(host), []).append(host)
        return [self.of(what(members[0]), [h.name for h in members]) for members in by.values()]

    def of(self, what: T, names: Sequence[str]) -> Alike[T]:
        if len(names) == self._count:
            return Alike(what, len(names), (self._t["hosts_all"].format(count=self._count),), "")
        left = dict.fromkeys(names)
        told = []
        for kind in self._kinds:
            if all(host in left for host in kind.hosts):
                told.append(kind.name)
                for host in kind.hosts:
                    del left[host]
        return Alike(what, len(names), tuple(told), listed(list(left), self._between, 255))


def _kinds(
    groups: Sequence[tuple[Result, Sequence[Host]]], t: Mapping[str, str], between: str
) -> list[tuple[Result, list[Kind]]]:
    found = []
    number = 0
    for result, members in groups:
        by: dict[Hashable, list[Host]] = {}
        for host in members:
            same = frozenset((id, f.result, f.waived) for id, f in host.by_control.items())
            by.setdefault(same, []).append(host)
        kinds = []
        for alike in sorted(by.values(), key=len, reverse=True):
            names = tuple(host.name for host in alike)
            if len(names) < _FEW:
                kinds += [Kind(0, n, alike[0].by_control, (n,), n) for n in names]
            else:
                number += 1
                label = t["kind"].format(number=number, count=len(names))
                told = listed(names, between, 255)
                kinds.append(Kind(number, label, alike[0].by_control, names, told))
        found.append((result, kinds))
    return found


def _open(
    controls: Sequence[Mapping[str, Any]], hosts: Sequence[Host], named: _Names
) -> list[Open]:
    """Control by control, the worst verdict first, the same words once."""
    by: dict[str, dict[tuple[int, bool], list[Host]]] = {}
    for host in hosts:
        for shown in host.open:
            verdict = (ORDER.index(shown.result), shown.waived)
            by.setdefault(shown.control, {}).setdefault(verdict, []).append(host)
    found = []
    for control in controls:
        id = control["id"]
        parts = []
        for _, members in sorted(by.get(id, {}).items()):
            said = named.alike(members, partial(_said, id), partial(_shown, id))
            said.sort(key=lambda alike: alike.count, reverse=True)
            parts.append((said[0].what, said))
        if parts:
            found.append(Open(control, parts))
    return found


def _shown(id: str, host: Host) -> Shown:
    return host.by_control[id]


def _said(id: str, host: Host) -> Hashable:
    shown = host.by_control[id]
    waiver = shown.waiver or {}
    return shown.message, tuple(waiver.get(key) for key in ("reason", "approver", "expires"))


def _wanting(host: Host, t: Mapping[str, str]) -> str:
    trouble = host.backups.trouble if host.backups else ""
    return f"{t['table_trouble']}{t['colon']}{trouble}" if trouble else t["stores_none"]
