"""Files that name what a backup takes, or leaves out, beside its command line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from collector.errors import CouldNotLook
from collector.i18n.message import msg
from collector.model import Capture


def listed(capture: Capture) -> tuple[dict[str, list[str]], dict[str, tuple[str, ...] | None]]:
    """What files list that is taken, and the patterns of those that list what is left out.

    None for a file whose rules are more than patterns, or were not told.
    """
    lines: dict[tuple[str, str], list[str]] = {}
    now: list[str] = []
    for line in capture.read("backup.lists").text().splitlines():
        if line.startswith("more "):
            raise CouldNotLook("backup.lists", msg("more_than_is_read"))
        kind, _, path = line.partition(" ")
        if kind in ("list", "excluded"):
            now = lines.setdefault((kind, path), [])
        elif line.startswith(("|", "!")):
            now.append(line[1:].strip())
    taken = {p: [x for x in found if x.startswith("/")]
             for (kind, p), found in lines.items() if kind == "list"}  # fmt: skip
    left: dict[str, tuple[str, ...] | None] = {}
    for (kind, path), found in lines.items():
        rules = [x for x in found if x]
        odd = any(x == "***" or re.match(r"[+-] |!|:|re:|fm:|pf:|pp:|sh:", x) for x in rules)
        if kind == "excluded":
            left[path] = None if odd else tuple(rules)
    return taken, left


def left_out_by_files(
    args: Sequence[str], known: Mapping[str, tuple[str, ...] | None]
) -> tuple[tuple[str, ...], bool]:
    """The patterns that files name beside the words, and whether all of them are known.

    What a marker leaves out (.nobackup) is not known.
    """
    named = [b for a, b in pairwise(args) if a in ("--exclude-file", "--exclude-from", "-X")]
    named += [a.partition("=")[2] for a in args if re.match(r"--exclude-(file|from)=", a)]
    marked = any(re.match(r"--exclude-(if-present|tag(-all)?)(=|$)", a) for a in args)
    found = [known.get(f) for f in named]
    return tuple(p for f in found if f for p in f), not marked and None not in found
