r"""Whether a good end of a script or a job shows that a command in it was run and did not fail.

>>> tells("set -e\nrestic backup /srv\necho done", lambda c: c.startswith("restic"))
True
>>> tells("restic backup /srv\necho done", lambda c: c.startswith("restic"))
False

The engine answers (`program`); what it cannot tell shows nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Literal

from collector.facts.shell.program import Command, Program, read

Wanted = Callable[[str], bool]
_SHELL = re.compile(r"(?:/\S*/)?(?:ba|da|k)?sh\s+(?:-(\w+)\s+)?(.*)$", re.DOTALL)
_INLINE = re.compile(r"(\S*\b(?:ba|da|k|a)?sh)\s+-(\w*c)\s+(.*)", re.DOTALL)


def tells(text: str, wanted: Wanted, *, errexit: bool = False) -> bool:
    """Is it certain that `text` ends with an error unless the command that is `wanted` does well?

    `wanted` says of a simple command whether it is the one; all that are wanted must tell.
    """
    done = _read(text, "-e" if errexit else "")
    return done.proves(lambda c: wanted(c.shown)) is True


def hides(text: str, wanted: Wanted) -> bool:
    """Does it say that a failure of the command that is `wanted` shall not count (`|| true`)?

    Then it would not count under `set -e` and `pipefail` either.
    """
    done = _read(text, "-e -o pipefail")
    return any(c.decides is False and c.reached != "never" and wanted(c.shown)
               for c in done.commands)  # fmt: skip


def whose(command: str, text: str, wanted: Wanted) -> Literal["own", "script", ""]:
    """Whose exit status a job ends with that runs `command`; `text` has its scripts below it.

    `own`: that of the command that is wanted; `script`: that of a script which cannot end with 0
    unless it did; empty: it tells nothing of it.
    """
    shell = _SHELL.match(command)
    if wanted(command) and shell is None and not re.search(r"[;|&]", command):
        return "own"
    inline = shell is not None and "c" in (shell[1] or "")
    script = shell[2] if inline and shell else text[len(command) :].lstrip("\n")
    errexit = inline and shell is not None and "e" in shell[1]
    return "script" if tells(script, wanted, errexit=errexit) else ""


def of_unit(
    lines: str,
    scripts: Mapping[str, str],
    wanted: Callable[[Command], bool],
    unable: frozenset[str] = frozenset(),
) -> bool | None:
    """Does a good end of a unit show that what is wanted was run and did not fail?

    `lines` are the commands of its ExecStart, one below the other, as systemd shows them: words
    with blanks between. `scripts` are the texts by path that they may call, `unable` those of them
    that cannot be started by their path. None: not told.
    """
    return of_lines(lines, scripts, unable).proves(wanted)


def of_lines(
    lines: str, scripts: Mapping[str, str], unable: frozenset[str] = frozenset()
) -> Program:
    """What the commands of a unit's ExecStart do, one after the other, up to one that fails."""
    made = [_as_shell(line) for line in lines.splitlines() if line.strip()]
    return read(
        "\n".join(made), dialect="bash", flags="-e", scripts=scripts, settings=True, unable=unable
    )


def _as_shell(line: str) -> str:
    """Systemd splits its words itself; what a shell is given inline has lost its quotes."""
    inline = _INLINE.fullmatch(line)
    if inline:
        return f"{shlex.quote(inline[1])} -{inline[2]} {shlex.quote(inline[3])}"
    return " ".join(map(shlex.quote, line.split()))


def _read(text: str, flags: str) -> Program:
    return read(text, flags=flags, settings=True, arguments=None)
