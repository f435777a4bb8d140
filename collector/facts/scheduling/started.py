"""What a job does when it starts, as the shell's model tells: see `facts.shell.program`."""

from __future__ import annotations

from collections.abc import Mapping

from collector.facts.scheduling.models import Job
from collector.facts.scheduling.startable import whole_text
from collector.facts.shell.exit_status import of_lines
from collector.facts.shell.program import Program, read
from collector.model import Capture


def program_of(
    capture: Capture, job: Job, scripts: Mapping[str, str], out: frozenset[str] = frozenset()
) -> Program | None:
    """`scripts`: the texts by path that it may call, `out` those that cannot be started.

    None where the job's own text was not read. Raises FactError.
    """
    if job.kind == "timer":
        return of_lines(job.command, scripts, out)
    if job.kind == "cron":
        return read(job.command, dialect="sh", scripts=scripts, settings=True, unable=out)
    for file in capture.read("schedules.periodic").present():
        if file.path == job.path:
            text = whole_text(file, "schedules.periodic")
            return read(text, scripts=scripts, settings=True, unable=out)
    return None
