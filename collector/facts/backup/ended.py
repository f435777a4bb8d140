"""Whether the exit status of a job's unit speaks for one command in it.

It proves what the script lets through: `restic backup; restic forget; echo done` ends well always.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from collector.facts.backup.artefacts.base_backups import TOOLS as BASE_TOOLS
from collector.facts.backup.artefacts.files import Artefact
from collector.facts.backup.commands.command_lines import ENGINES, WRAPPER
from collector.facts.backup.commands.destinations import encrypts
from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.dump_kinds import footless
from collector.facts.backup.reached import is_of, program_of
from collector.facts.scheduling.jobs import called
from collector.facts.scheduling.models import Job
from collector.facts.scheduling.startable import unable
from collector.facts.scheduling.units import ignoring
from collector.facts.shell.exit_status import of_lines, of_unit
from collector.facts.shell.program import Command, read
from collector.facts.shell.values import plain, shown
from collector.i18n.message import msg
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


def end_unseen(facts: Facts, job: BackupJob, newest: Artefact) -> str:
    """Why the file may be cut off: nobody saw its end, and nothing says that all went well.

    That is doubted where something takes the failure away: `timeout`, or a pipe whose last command
    goes on well with half of it; and where mysqldump is told to print no last line. Raises
    FactError.
    """
    file_tool = job.tool == "tar" or (job.tool in ENGINES and job.tool not in BASE_TOOLS)
    if not file_tool or newest.repository or newest.fault or newest.whole:
        return ""
    if newest.owned is None:
        # a collector from before ends were looked at
        return ""
    run = job.job.run
    if run is not None and run.good is True and proven(facts, job.job, job.tool, job.words):
        return ""
    if footless(job):
        return msg("end_unseen", by="--skip-comments")
    names = [w.rpartition("/")[2] for w in job.words]
    timed = "timeout" in names[: names.index(job.tool)] if job.tool in names else False
    done = program_of(facts, job.job)
    own = [c for c in done.commands if c.reached != "never" and is_of(c, job.tool)] if done else []
    if timed or any("timeout" in c.inside.split("/") for c in own):
        return msg("end_unseen", by="timeout")
    surely = bool(own) and all(c.decides is True for c in own)
    return msg("end_unseen", by="|") if job.piped and not surely else ""


def report_tells(facts: Facts, job: BackupJob) -> bool:
    """Does a good report of the job's run say of its tool that it did not fail?

    Its wrapper reports how the command behind `--` ended: `sh -c 'dump | upload'` as the upload
    does. A job whose wrapper is not seen with the tool reports by itself. Raises FactError.
    """
    known = facts.get(called)
    scripts = {s.path: s.text for s in known.values() if s.whole}

    def wanted(command: Command) -> bool:
        return (command.argv[0] or "").rpartition("/")[2] == job.tool if command.argv else False

    named = re.compile(rf"(?<![\w-]){re.escape(job.tool)}(?![\w-])")
    for line in re.sub(r"\\\n", " ", job.job.text).splitlines():
        wrapped = re.search(rf"{WRAPPER}\s(?:.*?\s)?--\s+(.*)", line)
        if wrapped is None or not named.search(wrapped[1]):
            continue
        if job.job.kind == "timer" and line in job.job.command.splitlines():
            done = of_lines(wrapped[1], scripts, unable(job.job, known))
        else:
            done = read(wrapped[1], dialect="sh", scripts=scripts, settings=True)
        if done.proves(wanted) is not True:
            return False
    return True


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
