"""For how long a jump host keeps its recordings of sessions.

JumpServer removes them each day by TERMINAL_SESSION_KEEP_DURATION (its tasks and its settings,
versions 2 to 4); what is set in its web interface goes past what its file says. Teleport's own
folder is rotated and never emptied (its reference, "Audit Events and Records").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from collector.facts.logs.applications.models import READ, AppRule, Found
from collector.model import Text

_DEFAULT_DAYS = 200
_NAME = "TERMINAL_SESSION_KEEP_DURATION"


def replays(found: Found) -> Iterator[AppRule]:
    """One rule for each folder of JumpServer's recordings."""
    for folder, lines in found.of("jumpserver").items():
        said = re.search(rf"{_NAME}\s*[:=]\s*[\"']?(\d{{1,6}})", "\n".join(lines))
        days = int(said[1]) if said else _DEFAULT_DAYS
        given = f"{_NAME}={days}"
        why = Text(
            f"JumpServer：{given}，以其界面中的设置为准",
            f"JumpServer: {given}, unless its web interface says otherwise",
        )
        yield AppRule(
            f"{folder}/*", why, READ, folder, given, days=days, known=False, family="bastion"
        )
