"""Does an exclusion blind a scanner in a place? ClamAV's regular expressions, Defender's paths.

clamd.conf(5): ExcludePath is a POSIX extended regular expression, searched for anywhere in the
path (regcomp(3) with REG_EXTENDED, not anchored), of files and folders alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from collector.errors import NotUnderstood
from collector.i18n.message import msg

# what a scanner would have to see in any place, and in a folder of a web server
_FILES = ("hp0", "hp0.bin", "a/b/hp0.sh")
_SCRIPTS = ("hp0.php", "a/hp0.jsp")
_NESTED = re.compile(r"[*+}]\)[*+{]|\([^()]*[*+}][^()]*\)[*+{]")
# where POSIX and Python differ, so that one could be taken for the other
_DIFFERENT = re.compile(r"\[\[[:.=]|\\[A-Za-z0-9<>`']|\(\?|[*+?}][*+?]|\{,")
_LONGEST = 200


def probes(tree: str, *, web: bool) -> tuple[str, ...]:
    """Paths that stand for a place: the folders down to it, and files inside of it."""
    base = "" if tree == "/" else tree
    parts = base.strip("/").split("/")
    folders = ["/" + "/".join(parts[: n + 1]) for n in range(len(parts))] if base else []
    files = [f"{base}/{name}" for name in (*_FILES, *(_SCRIPTS if web else ()))]
    return (*folders, *files)


def matches(pattern: str, paths: Iterable[str], read: str) -> str:
    """The first of `paths` in which the POSIX expression is found, or nothing.

    Raises NotUnderstood for an expression that Python would read otherwise, or for long.
    """
    stars = len(re.findall(r"[*+{]", pattern))
    if len(pattern) > _LONGEST or stars > 6 or _NESTED.search(pattern):
        raise NotUnderstood(read, msg("too_involved_expression", pattern=pattern[:60]))
    if _DIFFERENT.search(pattern):
        raise NotUnderstood(read, msg("expression_not_understood", pattern=pattern))
    try:
        known = re.compile(pattern)
    except re.error as problem:
        raise NotUnderstood(
            read, msg("no_regular_expression", pattern=pattern, problem=problem)
        ) from None
    return next((path for path in paths if known.search(path)), "")


def covers(excluded: str, tree: str) -> bool:
    """Does a path of Defender's list, with `*` for part of a name, take in the whole tree?"""
    parts = [p for p in excluded.split("/") if p]
    wanted = [p for p in tree.split("/") if p]
    if parts and parts[-1] == "*":
        parts = parts[:-1]
    return len(parts) <= len(wanted) and all(
        fnmatchcase(have, want) for have, want in zip(wanted, parts, strict=False)
    )
