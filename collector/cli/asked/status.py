"""The exit statuses, once. `ALTERED` is only told to who asks for it: scripts know 2 for it."""

from __future__ import annotations

import os
import sys

SATISFIED = 0
NOT_SATISFIED = 1
COULD_NOT = 2
ALTERED = 3
# as the shell has it for a program that SIGPIPE ended
BROKEN_PIPE = 141

OPTION = "--tell-altered"
SETTING = "HOSTPLEDGE_TELL_ALTERED"


def tells_altered() -> bool:
    """Does evidence that does not verify end this process with a status of its own?"""
    return os.environ.get(SETTING, "0") not in ("", "0") or OPTION in sys.argv[1:]
