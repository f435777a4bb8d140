"""Which of two package versions is the newer one, as dpkg and rpm see it.

Sources: deb-version(7); rpm-version(7) (`rpmvercmp`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable


def dpkg_newer(one: str, other: str) -> bool:
    """Is `one` newer than `other` by deb-version(7)?"""
    return _dpkg_key(one) > _dpkg_key(other)


_Part = tuple[tuple[tuple[int, ...], int], ...]


def _dpkg_key(text: str) -> tuple[int, _Part, _Part]:
    epoch, colon, rest = text.partition(":")
    if not colon or not epoch.isdecimal():
        epoch, rest = "0", text
    upstream, dash, revision = rest.rpartition("-")
    return (
        int(epoch),
        _dpkg_part(upstream if dash else revision),
        _dpkg_part(revision if dash else "0"),
    )


def _dpkg_part(text: str) -> _Part:
    """Pairs of (what is no digit, number); `~` sorts before the end, letters before the rest."""
    found = []
    for word, number in re.findall(r"(\D*)(\d*)", text):
        order = tuple(-1 if c == "~" else ord(c) if c.isalpha() else ord(c) + 256 for c in word)
        # the end of the word counts as 0: behind `~`, before everything else
        found.append(((*order, 0), int(number or 0)))
    return tuple(found)


def rpm_newer(one: str, other: str) -> bool:
    """Is `one` newer than `other`, both `EPOCH:VERSION-RELEASE`?"""
    for mine, yours in zip(_evr(one), _evr(other), strict=True):
        order = _rpm_order(mine, yours)
        if order:
            return order > 0
    return False


def _evr(text: str) -> tuple[str, str, str]:
    epoch, _, rest = text.partition(":")
    version, _, release = rest.rpartition("-")
    return epoch or "0", version, release


def _rpm_order(one: str, other: str) -> int:
    mine, yours = (re.findall(r"[0-9]+|[A-Za-z]+|~|\^", text) for text in (one, other))
    for at in range(max(len(mine), len(yours))):
        a = mine[at] if at < len(mine) else ""
        b = yours[at] if at < len(yours) else ""
        if a == b:
            continue
        if "~" in (a, b):
            return -1 if a == "~" else 1
        if "^" in (a, b):
            # behind the end, before anything that goes on
            return (1 if not b else -1) if a == "^" else (-1 if not a else 1)
        if not a or not b:
            return 1 if a else -1
        if a.isdecimal() and b.isdecimal():
            if int(a) != int(b):
                return 1 if int(a) > int(b) else -1
            continue
        if a.isdecimal() or b.isdecimal():
            return 1 if a.isdecimal() else -1
        return 1 if a > b else -1
    return 0


def rpm_missing(fixed: str, held: Iterable[str]) -> str:
    """The newest installed version where it is older than the fix, else nothing."""
    versions = list(held)
    newest = versions[0]
    for version in versions[1:]:
        if rpm_newer(version, newest):
            newest = version
    # streams of a module are different packages that share a name
    if "module" in fixed and ("module" not in newest or _major(fixed) != _major(newest)):
        return ""
    return newest if rpm_newer(fixed, newest) else ""


def _major(evr: str) -> str:
    return evr.partition(":")[2].partition(".")[0]
