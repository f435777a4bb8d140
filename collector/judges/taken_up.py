"""Written is not running: what rests on a daemon's files passes only where the daemon has them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.access.sshd_effective import Listener
from collector.facts.logs.destinations import JOURNALD
from collector.facts.system.taken_up import Answer, Taken
from collector.i18n.message import msg
from collector.model import Method, Quote, Result, Value, Verdict

NOT_TAKEN_UP = "not_taken_up"
_SSHD = "sshd.effective"


def running(verdict: Verdict, servers: Iterable[Listener]) -> Verdict:
    """A verdict that rests on what `sshd -T` told of these servers, if they run with it.

    What is wrong as written stays so: at the next start it holds. Raises FactError where it
    cannot be told with what a server runs.
    """
    if verdict.result not in (Result.PASS, Result.NOTAPPLICABLE):
        return verdict
    if verdict.method is Method.ATTESTED:
        return verdict
    for server in servers:
        if server.taken.answer is Answer.NO:
            quote = Quote(_SSHD, tuple(f"#run {line}" for line in server.taken.lines))
            shown = stale(server.taken, f"{server.exe} (pid {server.pid})")
            return Verdict(Result.FAIL, NOT_TAKEN_UP, values=shown, evidence=(quote,))
        refuse_doubt(_SSHD, server.taken, f"{server.exe} (pid {server.pid})")
    return verdict


def of_logs(program: str, taken: Taken) -> Verdict:
    """What is to be said of a daemon of logs that runs with other files than there are.

    Raises FactError where that cannot be told.
    """
    read, mark = ("journald.held", "run=") if program == JOURNALD else ("syslog.running", "|")
    refuse_doubt(read, taken, program)
    quote = Quote(read, tuple(f"{mark}{line}" for line in taken.lines))
    return Verdict(Result.FAIL, NOT_TAKEN_UP, values=stale(taken, program), evidence=(quote,))


def stale(taken: Taken, program: str) -> dict[str, Value]:
    """What the message `not_taken_up` says: which file is newer, and since when it is not read."""
    return {
        "program": program,
        "path": taken.path,
        "changed": _time(taken.changed),
        "since": _time(taken.since),
    }


def refuse_stale(read: str, taken: Taken, program: str) -> None:
    """Raises FactError where the daemon surely or perhaps runs with another configuration."""
    refuse_doubt(read, taken, program)
    if taken.answer is Answer.NO:
        path, changed, since = taken.path, _time(taken.changed), _time(taken.since)
        said = msg("taken_up_written", program=program, path=path, changed=changed, since=since)
        raise NotUnderstood(read, said)


def refuse_doubt(read: str, taken: Taken, program: str) -> None:
    """Raises FactError where the daemon may run with another configuration than is written."""
    if not taken.doubtful:
        return
    refuse_unasked(read, taken, program)
    if taken.how == "no_start":
        raise NotUnderstood(read, msg("taken_up_no_start", program=program))
    if taken.how == "program":
        raise NotUnderstood(read, msg("taken_up_program", program=program))
    path, changed, since = taken.path, _time(taken.changed), _time(taken.since)
    if taken.how == "signal":
        said = msg("taken_up_signal", program=program, path=path, changed=changed, since=since)
        raise NotUnderstood(read, said)
    if taken.how == "replaced":
        said = msg("taken_up_replaced", program=program, path=path, changed=changed, since=since)
        raise NotUnderstood(read, said)
    said = msg("taken_up_removed", program=program, path=path, changed=changed, since=since)
    raise NotUnderstood(read, said)


def refuse_unasked(read: str, taken: Taken, program: str) -> None:
    """Raises CouldNotLook for a capture from before it was asked with what the daemon runs."""
    if taken.how == "not_asked":
        raise CouldNotLook(read, msg("not_collected_run", program=program))


def _time(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC" if when else "-"
