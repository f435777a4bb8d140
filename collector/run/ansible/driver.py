"""Names the process that drives a run, so that its workers end with it."""

from __future__ import annotations

import os
from pathlib import Path


def driver_name() -> str:
    """This process, so that nobody else can be taken for it later."""
    return f"{os.getpid()}:{_start_of(os.getpid())}"


def driver_alive(name: str) -> bool:
    """Is the process that started the run still there? Its workers end with it."""
    pid, _, start = name.partition(":")
    return pid.isdecimal() and start != "" and _start_of(int(pid)) == start


def _start_of(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    words = text.rpartition(")")[2].split()
    # one that was killed and that nobody has taken note of yet does nothing any more
    return "" if words[0] in ("Z", "X") else words[19]
