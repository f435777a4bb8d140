"""The shape of a job that starts by itself, and of the scripts it calls; see `schedules`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Run:
    """How a service last ended, as systemd remembers it since the last boot.

    `finished` is None when it has not run since then; `good` is None when that is not known.
    """

    service: str
    finished: datetime | None
    good: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Job:
    """Something that starts by itself. `text` is its command with the scripts it calls.

    `enabled` is False with a `reason` (`reason_zh` in Chinese) when it is written down but would
    not start.
    `last` is when a timer last fired.
    """

    kind: Literal["cron", "periodic", "timer"]
    name: str
    when: str
    user: str
    command: str
    text: str
    enabled: bool
    reason: str
    read: str
    path: str
    line: str
    last: datetime | None = None
    run: Run | None = None
    reason_zh: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """A script that a job calls; `text` is masked, and only its beginning unless it is `whole`."""

    path: str
    executable: bool
    whole: bool
    text: str


def with_scripts(command: str, scripts: Mapping[str, Script]) -> str:
    """A command and, below it, the scripts it names (two levels), without their comments."""
    parts, todo, seen = [command], [command], set[str]()
    for _ in range(2):
        named = [
            p
            for p in scripts
            if any(_names(text, p) for text in todo)
            and p not in seen
            and not p.endswith("/hostpledge-backup-report")  # it backs up nothing itself
        ]
        seen.update(named)
        todo = [uncommented(scripts[p].text) for p in named]
        parts += todo
    return "\n".join(parts)


def _names(text: str, path: str) -> bool:
    return (
        path in text and re.search(rf"(?<![\w./-]){re.escape(path)}(?![\w./-])", text) is not None
    )


def uncommented(text: str) -> str:
    return "\n".join(x for x in text.splitlines() if not x.lstrip().startswith("#"))
