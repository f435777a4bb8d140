"""Whether the exit status of a job's unit speaks for one command in it.

It proves what the script lets through: `restic backup; restic forget; echo done` ends well always.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collector.facts.backup.commands.checks import ignoring
from collector.facts.backup.commands.destinations import encrypts
from collector.facts.scheduling.jobs import called
from collector.facts.scheduling.models import Job
from collector.facts.scheduling.startable import unable
from collector.facts.shell.exit_status import of_unit
from collector.facts.shell.program import Command
from collector.facts.shell.values import plain, shown
from collector.model import Facts


def proven(facts: Facts, job: Job, tool: str, words: Sequence[str]) -> bool | None:
    """Does a good end of the job's unit show that this use of `tool` was run and did not fail?

    None where that is not told: then a good end is no evidence either. Raises FactError.
    """
    known = set(words)
    # the reader of words knows no arguments of functions: a place may stand there
    open_ = any("$" in w for w in words)

    def wanted(command: Command) -> bool:
        if not command.words:
            return False
        name = (plain(command.words[0]) or "").rpartition("/")[2]
        rest = [plain(w) for w in command.words[1:]]
        return name == tool and all(
            w is None or w in known or (open_ and any(c in w for c in "/:@")) for w in rest
        )

    return _proves(facts, job, wanted)


def sealed(facts: Facts, job: Job, path: str) -> bool:
    """Does the job encrypt what it wrote at `path` and remove it, and did its last run end well?

    Were it removed first, the command that encrypts would have failed.
    """

    def seals(command: Command) -> bool:
        return path in command.argv and encrypts([[shown(w) for w in command.words]])

    def removes(command: Command) -> bool:
        name = (command.argv[0] or "").rpartition("/")[2] if command.argv else ""
        return name in ("rm", "shred", "unlink") and path in command.argv

    good = job.run is not None and job.run.good is True
    return good and all(_proves(facts, job, x) is True for x in (seals, removes))


def _proves(facts: Facts, job: Job, wanted: Callable[[Command], bool]) -> bool | None:
    if job.run is None or job.run.service in facts.get(ignoring):
        return None
    known = facts.get(called)
    scripts = {s.path: s.text for s in known.values() if s.whole}
    return of_unit(job.command, scripts, wanted, unable(job, known))
