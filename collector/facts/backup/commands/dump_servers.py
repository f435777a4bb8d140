"""Which of several servers on a host a dump asks: of PostgreSQL by port and socket."""

from __future__ import annotations

import re

from collector.facts.backup.commands.destinations import tool_and_args, values
from collector.facts.backup.commands.dump_scope import server
from collector.facts.backup.commands.jobs import BackupJob, Covers
from collector.facts.backup.commands.wal_recovery import archive_of
from collector.facts.data.inventory import Store
from collector.facts.system.processes import processes
from collector.model import Facts

_PROGRAMS = {
    "postgresql": ("postgres", "postmaster"),
    "mysql": ("mysqld", "mariadbd"),
    "mongodb": ("mongod",),
}
_PORT = "5432"


def asks(facts: Facts, job: BackupJob, store: Store, real: str) -> Covers:
    """Is it the server of the store that the job dumps? Where there is one alone, it is.

    Raises FactError.
    """
    run = facts.get(processes)
    known = [p for p in run.named(*_PROGRAMS.get(job.engine, ())) if not p.container]
    pids = {p.pid for p in known}
    if len([p for p in known if p.ppid not in pids]) < 2:
        return "yes"
    if job.engine != "postgresql" or not store.path or not job.tool.startswith("pg_"):
        return "perhaps"
    archive = archive_of(facts, store, real)
    if archive is None:
        return "perhaps"
    folder, _, port = archive.socket.rpartition("/.s.PGSQL.")
    _, args = tool_and_args(job.words, {job.tool})
    if values(args, "--cluster") or re.search(r"\bPG(PORT|HOST|CLUSTER)=", job.job.text):
        return "perhaps"
    _, told = server(job.tool, args)
    url = [m[1] for a in args if (m := re.match(r"postgres(?:ql)?://[^/]*:(\d+)(?:/|$)", a))]
    named = [*values(args, "-p", "--port"), *url, *([told["port"]] if "port" in told else [])]
    named += [m[1] for a in args if (m := re.fullmatch(r"-p(\d+)", a))]
    if (named or [_PORT])[-1] != port:
        return "no"
    where = [h for h in values(args, "-h", "--host") if h.startswith("/")]
    return "no" if where and where[-1].rstrip("/") != folder else "yes"
