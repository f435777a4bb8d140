"""In which order controls are to be mended, and what `harden` has to be told of each.

>>> in_order(["antivirus.web_tamper", "antivirus.realtime", "antivirus.running"])
('antivirus.running', 'antivirus.realtime', 'antivirus.web_tamper')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from collector import catalog
from collector.catalog import two_languages
from collector.model import Text
from collector.schema import load_own

T = TypeVar("T")
_FILE = Path(__file__).with_name("work.yml")

_NAME = re.compile(r'"([a-z_]+)":')


@dataclass(frozen=True, slots=True)
class Fill:
    """A word that only the host's owner knows: a shell variable, empty until it is filled in."""

    name: str
    example: str
    about: Text


def in_order(controls: Iterable[str]) -> tuple[str, ...]:
    """The same controls, each once, as they are to be done: `before` ones first, else as given.

    What takes a baseline of files comes last: each later change would be a difference.
    """
    wanted = tuple(dict.fromkeys(controls))
    last = _last()
    found: dict[str, None] = {}

    def take(control: str) -> None:
        for first in before(control):
            if first in wanted and first not in found:
                take(first)
        found[control] = None

    for control in sorted(wanted, key=lambda one: one in last):
        if control not in found:
            take(control)
    return tuple(found)


def in_turn(ranked: Iterable[T], id_of: Callable[[T], str]) -> list[T]:
    """As they are ranked, but each behind those of them that are to be done before it, and what

    comes last behind all the others.

    >>> in_turn(["intrusion.root_login", "firewall.logging", "intrusion.privilege_separation"], str)
    ['firewall.logging', 'intrusion.privilege_separation', 'intrusion.root_login']
    """
    left, found = list(ranked), list[T]()
    while left:
        ids = [id_of(one) for one in left]
        first = {id for id in ids if not comes_last(id)}
        ready = (
            at
            for at, id in enumerate(ids)
            if (id in first or not first) and not set(ids).intersection(before(id))
        )
        found.append(left.pop(next(ready, 0)))
    return found


def before(control: str) -> tuple[str, ...]:
    """The controls that are to be done before this one, where they are not satisfied."""
    return tuple(_document()["after"].get(control, ()))


def comes_last(control: str) -> bool:
    """Is it to be done after everything else that changes files?"""
    return control in _last()


def hardened(control: str) -> str | None:
    """The command by which a role brings the control about; None where no role does."""
    known = catalog.described().get(control)
    if known is None or known.harden is None or known.harden.change is None:
        return None
    given = _document()["variables"].get(control, {}).get("given")
    more = f" \\\n  -e '{given}'" if given else ""
    return f"hostpledge harden -i INVENTORY --control {control}{more}"


def to_fill(control: str) -> tuple[Fill, ...]:
    """The words in capitals of `hardened` that only the owner knows, beside INVENTORY."""
    some = _document()["variables"].get(control, {}).get("fill", {})
    return tuple(Fill(name, word["example"], two_languages(word)) for name, word in some.items())


def idle_without(control: str) -> str:
    """The variable without which the control's role changes nothing at all; empty: it does."""
    about = _document()["variables"].get(control, {})
    return _NAME.findall(about["given"])[0] if about.get("idle") else ""


def unfilled(variables: str) -> str:
    """The first word in capitals of `hardened` that nobody replaced in these variables, or none."""
    for about in _document()["variables"].values():
        if any(name in variables for name in _NAME.findall(about["given"])):
            for word in about["fill"]:
                if any(one in variables for one in (f'"{word}"', f"[{word}]", f"={word}")):
                    return str(word)
    return ""


def _last() -> tuple[str, ...]:
    return tuple(_document()["last"])


@cache
def _document() -> Mapping[str, Any]:
    return MappingProxyType(load_own(_FILE.read_bytes(), where=f"remedies/{_FILE.name}"))
