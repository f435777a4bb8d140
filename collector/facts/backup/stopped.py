"""Whether a database's server stands still while a job copies its files.

What is copied from under a server that writes meanwhile may fit nowhere; files of one that was
stopped before, and is started again only behind the copy, are a backup (PostgreSQL 17, 25.2).
"""

from __future__ import annotations

from collector.facts.backup.commands.dump_servers import KNOWN, servers
from collector.facts.backup.commands.jobs import BackupJob, engine_of
from collector.facts.backup.reached import is_of, program_of
from collector.facts.data.inventory import Store
from collector.facts.shell.program import Command, Program
from collector.model import Facts

_ALIKE = {"mysql", "mysqld", "mariadb"}
_BEGINS = {"start", "restart", "try-restart", "reload-or-restart", "isolate", "resume"}
_SERVICE = ("service", "invoke-rc.d", "rc-service")


def writing(facts: Facts, job: BackupJob, store: Store) -> str:
    """The program of the store's server, if it may write while the job copies; else nothing.

    Raises FactError.
    """
    run = servers(facts, store)
    unheard = store.kind == "database" and not run and engine_of(store) not in KNOWN
    if not run and not unheard:
        return ""
    name = run[0].name if run else store.engine or store.name
    done = program_of(facts, job.job) if all(p.unit for p in run) else None
    if done is None:
        return name
    met = [at for at, c in enumerate(done.commands) if c.reached != "never" and is_of(c, job.tool)]
    # the tool also lists and checks; where its own line is not found, any may be the copy
    own = [at for at in met if done.commands[at].argv[-len(job.words) :] == job.words]
    uses = own or met
    if unheard:
        # whichever service it is: one is stopped for the copy
        units = {n for c in done.commands for verb, ns in [_asked(c)] if verb == "stop" for n in ns}
        still = any(uses and all(_stopped(done, at, u) for at in uses) for u in units)
    else:
        still = bool(uses) and all(_stopped(done, at, p.unit) for at in uses for p in run)
    return "" if still else name


def _stopped(done: Program, at: int, unit: str) -> bool:
    """Has the unit surely been stopped, and not been started since, where the copy is come to?"""
    copy, down = done.commands[at], None
    for command in done.commands[:at]:
        verb, names = _asked(command)
        if verb == "stop" and any(_is(name, unit) for name in names):
            down = command
        elif verb in _BEGINS and command.reached != "never":
            down = None
    if down is None or down.decides is not True or down.reached not in ("always", copy.reached):
        return False
    both = 1 << copy.site, 1 << down.site
    ends = [end for end in done.ends if end.ran & both[0]]
    return bool(ends) and all(end.ran & both[1] for end in ends)


def _asked(command: Command) -> tuple[str, tuple[str, ...]]:
    """What is asked of which services: an empty word where it is no such command.

    A service that cannot be told is taken for any that is started, and for none that is stopped.
    """
    words = [w if w is not None else "?" for w in command.argv]
    if not words:
        return "", ()
    name = words[0].rpartition("/")[2]
    plain = [w for w in words[1:] if not w.startswith("-")]
    if name == "systemctl":
        away = any(w.startswith(("--user", "--no-block", "-H", "-M", "--host", "--machine"))
                   for w in words[1:])  # fmt: skip
        return ("", ()) if not plain or (away and plain[0] == "stop") else (plain[0], (*plain[1:],))
    if name in _SERVICE and len(plain) > 1:
        return plain[1], (plain[0],)
    if words[0].startswith("/etc/init.d/") and plain:
        return plain[0], (name,)
    if name == "pg_ctlcluster" and len(plain) > 2:
        return plain[2], (f"postgresql@{plain[0]}-{plain[1]}",)
    return "", ()


def _is(name: str, unit: str) -> bool:
    """Debian's `postgresql` takes its instances along; a server of MySQL has names beside its own,
    and one that is none ends with an error.
    """
    asked, told = name.removesuffix(".service"), unit.removesuffix(".service")
    return (
        asked == told
        or (asked == "postgresql" and told.startswith("postgresql@"))
        or {asked, told} <= _ALIKE
    )
