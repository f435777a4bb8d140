"""Which handlers are due on which host: Ansible forgets it with its process, or with a connection.

A journal has a line per moment, `[HOST, FAMILY, HANDLER, DUE]`; the last of a handler holds.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

VARIABLE = "HOSTPLEDGE_DUE"

Due = dict[str, dict[str, list[str]]]


def still_due(journal: Path) -> Due:
    """What was notified and has not run: host → family → names of handlers."""
    due: Due = {}
    lines = journal.read_text(encoding="utf-8").split("\n") if journal.exists() else [""]
    # what comes after the last newline was cut off
    for line in lines[:-1]:
        # nor does a line that a power cut left unreadable keep the others from being told
        with contextlib.suppress(ValueError, TypeError):
            host, family, handler, is_due = json.loads(line)
            names = due.setdefault(host, {}).setdefault(family, [])
            if handler in names:
                names.remove(handler)
            if is_due:
                names.append(handler)
    known = {host: {f: names for f, names in all.items() if names} for host, all in due.items()}
    return {host: families for host, families in known.items() if families}
