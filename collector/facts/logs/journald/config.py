"""journald.conf(5): which files count, in which order, and what they say in the end.

Precedence as systemd.conf(5) has it, tried on systemd 252 and 257: the first main file of /etc,
/run, /usr/local/lib, /usr/lib (before systemd 254 only that of /etc), then every drop-in by file
name, where the same name in /etc hides the others. A namespace has files of its own alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.logs.journald.values import understood
from collector.i18n.message import msg
from collector.model import CapturedFile, ReadStatus

PLACES = (
    "/etc/systemd",
    "/run/systemd",
    "/usr/local/lib/systemd",
    "/usr/lib/systemd",
    "/lib/systemd",
)
# with this version the main file is looked for in all places
_ALL_FROM = 254


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting and the file that it comes from; `path` is empty for a default."""

    value: str
    path: str = ""


def settings_of(
    found: Iterable[CapturedFile], name: str, version: int | None
) -> dict[str, Setting]:
    """The settings of `name` (journald, or journald@NAMESPACE) by their keys.

    `version` is that of systemd, None where it is not known and does not matter. Raises FactError.
    """
    settings: dict[str, Setting] = {}
    for file in _in_force(found, name, version):
        for key, value in _journal_section(file.text("journald.config")):
            # an empty assignment goes back to the default (systemd.syntax(7)); one that journald
            # does not understand leaves what was said before
            if understood(key, value):
                settings[key] = Setting(value, file.path)
    return settings


def _in_force(found: Iterable[CapturedFile], name: str, version: int | None) -> list[CapturedFile]:
    """The files that count, in the order in which they are read."""
    rank = {place: n for n, place in enumerate(PLACES)}
    main: list[tuple[int, CapturedFile]] = []
    dropins: dict[str, tuple[int, CapturedFile]] = {}
    for file in found:
        folder, base = file.path.rsplit("/", 1)
        if folder.endswith(f"/{name}.conf.d"):
            place = rank.get(folder.removesuffix(f"/{name}.conf.d"))
            if place is not None and (base not in dropins or place < dropins[base][0]):
                dropins[base] = (place, file)
        elif base == f"{name}.conf" and folder in rank:
            main.append((rank[folder], file))
    first = [min(main, key=lambda pair: pair[0])] if main else []
    if first and first[0][0] > 0 and version is not None:
        if version == _ALL_FROM - 1:
            raise NotUnderstood("journald.config", msg("systemd_253_may_may"))
        first = first if version >= _ALL_FROM else []
    ordered = [*(file for _, file in first), *(dropins[base][1] for base in sorted(dropins))]
    # a link to /dev/null is no regular file: it stands for an empty one
    return [file for file in ordered if file.status is not ReadStatus.EXIT]


def _journal_section(text: str) -> list[tuple[str, str]]:
    pairs, section = [], ""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("["):
            section = line
        elif section == "[Journal]" and "=" in line:
            key, _, value = line.partition("=")
            pairs.append((key.strip(), value.strip()))
    return pairs
