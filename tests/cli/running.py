"""Runs the command line as a user does, in a process of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tests.forked import command


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


def hostpledge(*arguments: object, home: Path | None = None, **environment: str) -> Ended:
    """The command with this home folder (one that nobody can make, where none is given)."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HOSTPLEDGE_", "LC_", "LANG"))}
    ended = command(
        *map(str, arguments),
        env={
            **kept,
            "LANG": "en_US.UTF-8",
            "HOSTPLEDGE_HOME": str(home or "/proc/none"),
            **environment,
        },
    )
    return Ended(ended.status, ended.out.decode(), ended.err.decode())
