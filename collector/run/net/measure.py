"""What each read costs the host it runs on: CPU time, wall time, bytes.

The shell itself says what it and all that it ran have used (`times`, POSIX), so the figure is the
same kind on a host without Python, through whatever command leads there.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from collector.errors import BadInput
from collector.i18n.message import msg, told
from collector.model import Read
from collector.script import collector_script

# shells round to a hundredth of a second
_AGAIN = 10
_LONGEST = 600
_TIMES = re.compile(r"(\d+)m(\d+(?:\.\d+)?)s")


@dataclass(frozen=True, slots=True)
class Cost:
    """`cpu` and `wall` in milliseconds, `size` in bytes of output with its frames."""

    read: str
    cpu: float
    wall: float
    size: int


def measure(
    reads: Iterable[Read], through: str, tell: Callable[[str], None]
) -> tuple[list[Cost], Cost]:
    """The cost of each read alone, dearest first, and that of all in one script.

    `through` is a command that runs the sh script on its standard input. Each read is run several
    times over; what an empty script costs is taken off. Raises BadInput where it does not run.
    """
    held = list(reads)
    bare = _run(collector_script([]), through, _AGAIN)
    found = []
    for read in held:
        tell(read.id)
        cpu, wall, size = _run(collector_script([read] * _AGAIN), through, 1)
        found.append(
            Cost(
                read.id,
                max(0.0, (cpu - bare[0]) / _AGAIN),
                max(0.0, (wall - bare[1]) / _AGAIN),
                max(0, (size - bare[2]) // _AGAIN),
            )
        )
    tell("*")
    return sorted(found, key=lambda c: -c.cpu), measure_whole(held, through)


def measure_whole(reads: Iterable[Read], through: str) -> Cost:
    """The cost of all reads in one script, the mean of three runs. Raises as `measure` does."""
    return Cost("*", *_run(collector_script(reads), through, 3))


def _run(script: str, through: str, times: int) -> tuple[float, float, int]:
    """(CPU ms, wall ms, bytes) of one run, the mean of several."""
    argv = shlex.split(through)
    # in braces: all of it is read before the script closes its standard input
    text = f"{{\n{script}\ntimes >&2\n}}\n".encode()
    cpu = wall = 0.0
    size = 0
    for _ in range(times):
        started = time.monotonic()
        try:
            done = subprocess.run(
                argv,
                input=text,
                capture_output=True,
                timeout=_LONGEST,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise BadInput(told(problem), where=through, mend=msg("only_sh")) from None
        spent = _TIMES.findall(done.stderr.decode("utf-8", "replace"))[-4:]
        if done.returncode != 0 or len(spent) != 4:
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise BadInput(
                msg("script_not_run_end") + "".join(f": {x}" for x in last),
                where=through,
                mend=msg("give_command_runs_sh"),
            )
        cpu += sum(int(m) * 60_000 + float(s) * 1000 for m, s in spent)
        wall += (time.monotonic() - started) * 1000
        size = len(done.stdout)
    return cpu / times, wall / times, size
