"""Paths of a host, as text: what lies below what.

>>> within("/srv/a/b", "/srv/a"), within("/srv/ab", "/srv/a"), within("/srv", "/")
(True, False, True)
>>> folders_above("/a/b/c")
['/', '/a', '/a/b']
>>> prefixes("/a/b/c")
['/a', '/a/b', '/a/b/c']
"""

from __future__ import annotations


def within(path: str, folder: str) -> bool:
    """Is `path` the folder, or below it?"""
    return f"{path}/".startswith(folder.rstrip("/") + "/")


def prefixes(path: str) -> list[str]:
    """The path and all above it but `/`, the highest first."""
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[: n + 1]) for n in range(len(parts))]


def folders_above(path: str) -> list[str]:
    """The folders above a path, `/` first, the path itself not."""
    return ["/", *prefixes(path)[:-1]]
