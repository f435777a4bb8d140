"""Is it a capture, whole, and of that host? Within the limits of `judging` (ADR 23).

`python -m collector.handin.looking HOST` reads the bytes from standard input and says what it found
as one line of JSON; `looked` asks it.
"""

from __future__ import annotations

import json
import resource
import sys
from datetime import UTC, datetime
from functools import partial
from typing import Any

from collector import captures
from collector.errors import BadInput
from collector.i18n.message import msg, to_json
from collector.judging.confined import LIMITS, looked_through
from collector.model import Capture, HostStatus
from collector.script import host_clock

# what the interpreter itself holds, and the bytes of one file with what is unpacked of it
_MEMORY = 2 << 30


def of_bytes(data: bytes, host: str) -> Capture:
    """The capture under the name that its link is for. Raises BadInput as `looked` says it."""
    capture = captures.from_bytes(data, where="")
    if captures.own_form(data) and capture.host != host:
        raise BadInput(
            msg("capture_of_another_host", other=capture.host, host=host),
            mend=msg("hand_in_by_its_own_link"),
        )
    if capture.status is not HostStatus.COMPLETE:
        raise BadInput(msg("cut_off_before_end"), mend=msg("run_script_to_its_end"))
    captures.check_time(capture, datetime.now(UTC), "", msg("set_clock_collect_anew"))
    return capture


def _look(data: bytes, host: str) -> str:
    capture = of_bytes(data, host)
    if capture.collected_at is None:
        # it could never be taken in, and its link would be used up
        raise BadInput(
            msg("nothing_says_when_looked", host=host, count=1), mend=msg("set_clock_collect_anew")
        )
    clock = host_clock(capture.head)
    return clock.isoformat() if clock else ""


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    seconds = int(LIMITS.cpu) + 10
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    found: dict[str, Any]
    try:
        data = sys.stdin.buffer.read(captures.LARGEST + 1)
        found = {"looked_at": looked_through(partial(_look, data, sys.argv[1]), where="")}
    except BadInput as problem:
        found = {"what": to_json(problem.what), "mend": to_json(problem.mend)}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
