"""The shape of a job that starts by itself, and of the scripts it calls; see `schedules`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
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
    started: datetime | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Something that starts by itself. `text` is its command with the scripts it calls.

    `enabled` is False with a `reason` (`reason_zh` in Chinese) when it is written down but would
    not start.
    `last` is when a timer last fired. `sandbox` holds what its service is shown of the host
    (`scheduling.sandbox`), None where no service runs it. `search` is the PATH that cron gives it,
    empty where that is not told.
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
    sandbox: tuple[tuple[str, str], ...] | None = None
    search: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """A script that a job calls; `text` is masked, and only its beginning unless it is `whole`."""

    path: str
    executable: bool
    whole: bool
    text: str


# a path as `schedules.called` finds it in a text
_NAME = re.compile(r"[\w./-]+")


def with_scripts(command: str, scripts: Mapping[str, Script]) -> str:
    """A command and, below it, the scripts it names (four levels), without their comments."""
    parts, seen = [command], set[str]()
    words = [frozenset(_NAME.findall(command))]
    for _ in range(4):
        named = {p for some in words for p in some if p in scripts} - seen
        # that one backs up nothing itself
        called = (
            [p for p in scripts if p in named and not p.endswith("/hostpledge-backup-report")]
            if named
            else []
        )
        seen.update(called)
        read = [_read(scripts[p]) for p in called]
        parts += [text for text, _ in read]
        words = [names for _, names in read]
    return "\n".join(parts)


@lru_cache(maxsize=512)
def _read(script: Script) -> tuple[str, frozenset[str]]:
    """What a shell runs of it, and the names that stand there."""
    text = uncommented(live(script.text))
    return text, frozenset(_NAME.findall(text))


_HEREDOC = re.compile(r"<<-?\s*(?:'([A-Za-z_]\w*)'|\"([A-Za-z_]\w*)\"|\\?([A-Za-z_]\w*))")
# what can stand at the head of a script, before anything that an exit might belong to
_HEAD = re.compile(
    r"\s*(#.*|((set|export|umask|cd|echo|source|\.|:)\s|[A-Za-z_]\w*=)([^;{]|\$\{[^}]*\})*)?(?<![\\|&])"
)


def live(text: str) -> str:
    """Without what no shell runs: texts that `:` and cat are handed, what an exit at the head ends.

    An exit further down may belong to a condition, and takes nothing away.
    """
    if not re.match(r"#!\s*\S*\b(env\s+)?(ba|da|k|z|a)?sh\b", text):
        return text
    kept: list[str] = []
    head, end = True, ""
    for line in text.splitlines():
        if end:
            end = "" if line.strip("\t") == end else end
            continue
        if head and re.fullmatch(r"exit(?:\s++\d++)?\s*+;?\s*+(?:#.*)?", line):
            break
        kept.append(line)
        even = line.count("'") % 2 == line.count('"') % 2 == 0
        told = _HEREDOC.search(line)
        if told and even and re.match(r"\s*(:|cat|true)(?=\s|<)", line) and "|" not in line:
            end = told[1] or told[2] or told[3]
        elif line.count("(") != line.count(")") or not even or not _HEAD.fullmatch(line):
            head = False
    return "\n".join(kept)


def uncommented(text: str) -> str:
    return "\n".join(x for x in text.splitlines() if not x.lstrip().startswith("#"))
