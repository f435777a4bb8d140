"""Has an upload looked through by a process of its own, apart from the server.

A server has threads, and must not fork into itself: it is a new interpreter, with nothing of what
the server was told, and with limits (`looking`).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path

from collector.errors import BadInput, PastLimit
from collector.i18n.message import from_json, msg

_CHILD = "collector.handin.looking"
# beyond what the limits inside let pass
_SECONDS = 150.0
_LONGEST = 1 << 16


async def looked(path: Path, host: str) -> str:
    """When it was looked at by the host's own clock, ISO 8601; empty where it has none.

    Raises BadInput where it is no capture, is cut, is another host's or of no time; and PastLimit.
    """
    with path.open("rb") as source:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", _CHILD, host),
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
