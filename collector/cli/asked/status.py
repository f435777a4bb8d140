"""The exit statuses, once. `ALTERED` is only told to who asks for it: scripts know 2 for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from collector.model import Text

SATISFIED = 0
NOT_SATISFIED = 1
COULD_NOT = 2
ALTERED = 3
# as the shell has it for a program that SIGPIPE ended
BROKEN_PIPE = 141

# what each says, for the help and the man pages
STATUSES: Mapping[int, Text] = {
    SATISFIED: Text("全部满足", "all is satisfied"),
    NOT_SATISFIED: Text(
        "有不满足的，或未能核查的", "something is not satisfied, or could not be checked"
    ),
    COULD_NOT: Text(
        "命令无法完成：参数或输入有误（一行说明何处、何事、如何处理）；证据核验不通过亦为 2",
        "the command could not do its work: bad arguments or input (one line says what, where, "
        "and the mend), or evidence that does not verify",
    ),
    ALTERED: Text(
        "证据核验不通过（仅在 --tell-altered 时，取代 2）",
        "evidence does not verify, in the place of 2, with --tell-altered alone",
    ),
}

OPTION = "--tell-altered"
SETTING = "HOSTPLEDGE_TELL_ALTERED"


def tells_altered() -> bool:
    """Does evidence that does not verify end this process with a status of its own?"""
    return os.environ.get(SETTING, "0") not in ("", "0") or OPTION in sys.argv[1:]
