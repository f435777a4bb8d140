"""Is it a capture, whole, and of that host? Looked at in a process of its own, within limits.

`python -m collector.handin.looking HOST` reads the bytes from standard input and says what it found
as one line of JSON. A server has threads, and must not fork into its own: so a new interpreter,
which forks once more for the limits of `judging` (ADR 23).
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from collector import captures
from collector.errors import BadInput, PastLimit
from collector.i18n.message import from_json, msg, to_json
from collector.judging.confined import LIMITS, looked_through
from collector.model import Capture, HostStatus
from collector.script import host_clock

# beyond what the limits inside let pass
_SECONDS = LIMITS.seconds + 30
_LONGEST = 1 << 16
# what the interpreter itself holds, and the bytes of one file with what is unpacked of it
_MEMORY = 2 << 30


async def looked(path: Path, host: str) -> str:
    """When it was looked at by the host's own clock, ISO 8601; empty where it has none.

    Raises BadInput where it is no capture, is cut, or is another host's; and PastLimit.
    """
    with path.open("rb") as source:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", __spec__.name, host),
            stdin=source,
            stdout=PIPE,
            stderr=DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
    try:
        said = await asyncio.wait_for(_all_of(child.stdout), _SECONDS)
    except TimeoutError:
        raise PastLimit(msg("takes_too_long", seconds=f"{_SECONDS:g}")) from None
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    try:
        found = json.loads(said)
    except ValueError:
        raise PastLimit(msg("judging_process_breaks_off")) from None
    if "what" in found:
        raise BadInput(from_json(found["what"]), mend=from_json(found["mend"]))
    return str(found["looked_at"])


async def _all_of(out: asyncio.StreamReader | None) -> bytes:
    said = b""
    while out and len(said) <= _LONGEST and (more := await out.read(_LONGEST)):
        said += more
    return said


def _environment() -> dict[str, str]:
    """What an interpreter needs, and nothing that a server was told in its own."""
    kept = ("PATH", "PYTHONPATH", "HOME", "TMPDIR", "LANG", "LC_ALL")
    return {name: os.environ[name] for name in kept if name in os.environ}


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
    captures.check_time(capture, datetime.now(UTC), "")
    return capture


def _look(data: bytes, host: str) -> str:
    clock = host_clock(of_bytes(data, host).head)
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
