"""Which of several servers on a host a dump asks: of PostgreSQL by port and socket."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector.facts.backup.commands.destinations import tool_and_args, values
from collector.facts.backup.commands.dump_scope import server
from collector.facts.backup.commands.jobs import BackupJob, Covers, engine_of
from collector.facts.backup.commands.wal_recovery import archive_of
from collector.facts.base.paths import within
from collector.facts.data.inventory import Store, inventory
from collector.facts.system.processes import Process, processes
from collector.model import Facts

_PROGRAMS = {
    "postgresql": ("postgres", "postmaster"),
    "mysql": ("mysqld", "mariadbd"),
    "mongodb": ("mongod",),
}
_PORT = "5432"


def asks(facts: Facts, job: BackupJob, store: Store, real: str) -> Covers:
    """Is it the server of the store that the job dumps? Where there is one alone, it is.

    Unless the inventory has stores in several places: one server cannot be that of all of them.
    Raises FactError.
    """
    if len(_roots(facts, _PROGRAMS.get(job.engine, ()))) < 2:
        if _another_port(facts, job, store, real):
            # a tunnel, or a server that does not run now
            return "perhaps"
        by_name = store.name in job.databases
        return "yes" if by_name or of_the_one(facts, job.engine, store, real) else "perhaps"
    if job.engine != "postgresql" or not store.path or not job.tool.startswith("pg_"):
        return "perhaps"
    archive = archive_of(facts, store, real)
    if archive is None:
        return "perhaps"
    folder, _, port = archive.socket.rpartition("/.s.PGSQL.")
    _, args = tool_and_args(job.words, {job.tool})
    if values(args, "--cluster") or re.search(r"\bPG(PORT|HOST|CLUSTER)=", job.job.text):
        return "perhaps"
    if (_ports(job) or [_PORT])[-1] != port:
        return "no"
    where = [h for h in values(args, "-h", "--host") if h.startswith("/")]
    return "no" if where and where[-1].rstrip("/") != folder else "yes"


def _ports(job: BackupJob) -> list[str]:
    """The ports of PostgreSQL that its words name; the last one counts."""
    _, args = tool_and_args(job.words, {job.tool})
    _, told = server(job.tool, args)
    url = [m[1] for a in args if (m := re.match(r"postgres(?:ql)?://[^/]*:(\d+)(?:/|$)", a))]
    named = [*values(args, "-p", "--port"), *url, *([told["port"]] if "port" in told else [])]
    return named + [m[1] for a in args if (m := re.fullmatch(r"-p(\d+)", a))]


def _another_port(facts: Facts, job: BackupJob, store: Store, real: str) -> bool:
    """Does it name a port that is not seen to be that of the store's server? Raises FactError."""
    named = _ports(job) if job.engine == "postgresql" and job.tool.startswith("pg_") else []
    if not named or named[-1] == _PORT or not store.path.startswith("/"):
        return False
    archive = archive_of(facts, store, real)
    return archive is None or archive.socket.rpartition(".")[2] != named[-1]


def of_the_one(facts: Facts, engine: str, store: Store, real: str) -> bool:
    """Is the store that of the one server of its engine which runs here? Raises FactError."""
    listed = inventory(facts)
    every = {
        s.path
        for s in (listed.stores if listed else ())
        if s.path.startswith("/") and engine_of(s) == engine
    }
    # a database within the folder of its server is no place of its own
    places = {p for p in every if not any(p != other and within(p, other) for other in every)}
    if len(places) < 2:
        return True
    return engine == "postgresql" and archive_of(facts, store, real) is not None


def servers(facts: Facts, store: Store) -> tuple[Process, ...]:
    """The servers of the store's engine that run here, without their children. Raises FactError."""
    names = _PROGRAMS.get(engine_of(store), ()) if store.kind == "database" else ()
    return _roots(facts, names)


def _roots(facts: Facts, names: Sequence[str]) -> tuple[Process, ...]:
    known = [p for p in facts.get(processes).named(*names) if not p.container] if names else []
    pids = {p.pid for p in known}
    return tuple(p for p in known if p.ppid not in pids)
