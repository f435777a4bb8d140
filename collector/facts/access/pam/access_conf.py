"""access.conf(5), as pam_access reads it: may somebody in, from anywhere at all?

The first line that names the user and the place decides, and where none does he may. A line that
does not end, or lacks a field, is left out. What only names an origin is tried by addresses that
fit the file's own words; netgroups and names of hosts are not told.

>>> conf = "+:ops:10.0.0.0/8" + chr(10) + "-:ALL:ALL" + chr(10)
>>> [lets_in(conf, Who(name, frozenset())) for name in ("ops", "bob")]
[True, False]
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from collector.facts.access.pam.stack import Entry
from collector.model import Capture

# of TEST-NET-3, which nobody comes from: what is let in from there is let in from elsewhere
_ELSEWHERE = "203.0.113.77"
_TERMINAL = re.compile(r"(?:tty|pts/|hvc|xvc|console|cron|crond|atd|:\d)\S*", re.IGNORECASE)


_MAIN, _MORE = "/etc/security/access.conf", "/etc/security/access.d/"
_HARMLESS = ("debug", "noaudit", "nodns", "nodefgroup")


@dataclass(frozen=True, slots=True)
class Who:
    """An account, with the names of the groups it is in."""

    name: str
    groups: frozenset[str]


def access_texts(capture: Capture) -> dict[str, str]:
    """The files of pam_access by their paths. Raises FactError."""
    return {
        file.path: file.text("pam.settings")
        for file in capture.read("pam.settings").present()
        if re.match(r"/etc/security/(?:[\w.-]*access[\w.-]*\.conf|access\.d/)", file.path)
    }


def admits(entry: Entry, texts: Mapping[str, str], who: Who) -> bool | None:
    """Does this line of a stack let him in from somewhere? None where that is not told.

    Files of access.d count from Linux-PAM 1.5 on: where they decide, it is not told.
    """
    told = entry.option("accessfile")
    other = [a for a in entry.args if a not in _HARMLESS and not a.startswith("accessfile=")]
    path = told or _MAIN
    if other or path not in texts:
        return None
    groups = entry.flag("nodefgroup")
    answer = lets_in(texts[path], who, only_groups=groups)
    more = "".join(texts[p] for p in sorted(texts) if p.startswith(_MORE)) if told is None else ""
    with_more = lets_in(texts[path] + more, who, only_groups=groups) if more else answer
    return answer if answer == with_more else None


def lets_in(text: str, who: Who, *, only_groups: bool = False) -> bool | None:
    """Is there a place from which he may in over the network? None where that is not told.

    `only_groups`: nodefgroup, by which only what stands in brackets is a group.
    """
    lines = list(_lines(text))
    answers = {_from(lines, who, place, only_groups) for place in _places(lines)}
    if True in answers:
        return True
    return None if None in answers else False


def _lines(text: str) -> Iterator[tuple[bool, str, str]]:
    for line in text.splitlines(keepends=True):
        said = line.rstrip()
        if not said or line.startswith("#") or not line.endswith("\n"):
            continue
        match = re.fullmatch(r":*([^:]+):+([^:]+):(.+)", said)
        perm = match[1] if match else ""
        if match and perm[:1] in ("+", "-"):
            yield perm[0] == "+", match[2], match[3]


def _places(lines: list[tuple[bool, str, str]]) -> set[str]:
    found = {_ELSEWHERE}
    for _, _, froms in lines:
        for word in re.split(r"[, \t]+", froms):
            if network := _network(word):
                found.add(str(network[1] if network.num_addresses > 2 else network[0]))
    return found


def _network(word: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    if re.fullmatch(r"(\d{1,3}\.){1,3}", word):
        count = word.count(".")
        word = word + ".".join(["0"] * (4 - count)) + f"/{8 * count}"
    try:
        return ipaddress.ip_network(word, strict=False)
    except ValueError:
        return None


def _from(
    lines: list[tuple[bool, str, str]], who: Who, place: str, only_groups: bool
) -> bool | None:
    def user(word: str) -> bool | None:
        return _is_user(word, who, only_groups)

    answers: set[bool | None] = set()
    for allows, users, froms in lines:
        hit = _both(_listed(users, user), _listed(froms, lambda word: _is_place(word, place)))
        if hit is False:
            continue
        answers.add(allows)
        if hit is True:
            break
    else:
        answers.add(True)
    return answers.pop() if len(answers) == 1 else None


def _both(one: bool | None, other: bool | None) -> bool | None:
    if one is False or other is False:
        return False
    return True if one and other else None


def _listed(words: str, is_it: Callable[[str], bool | None]) -> bool | None:
    """`A B EXCEPT C D EXCEPT E`: one of the first, and none of the others, by the same rule."""
    first, *rest = re.split(
        r"(?:^|(?<=[, \t]))EXCEPT(?=[, \t]|$)", words, maxsplit=1, flags=re.IGNORECASE
    )
    told = [is_it(word) for word in re.split(r"[, \t]+", first) if word]
    hit = True if True in told else None if None in told else False
    if hit is False or not rest:
        return hit
    but = _listed(rest[0], is_it)
    return _both(hit, None if but is None else not but)


def _is_user(word: str, who: Who, only_groups: bool) -> bool | None:
    if word.upper() == "ALL":
        return True
    if match := re.fullmatch(r"\((.*)\)", word):
        return match[1] in who.groups
    if "@" in word:
        return None
    if word.upper() == who.name.upper():
        return True if word == who.name else None
    return not only_groups and word in who.groups


def _is_place(word: str, place: str) -> bool | None:
    if word.upper() == "ALL":
        return True
    if word.upper() in ("LOCAL", "NONE") or _TERMINAL.fullmatch(word):
        return False
    if network := _network(word):
        return ipaddress.ip_address(place) in network
    return None
