"""Which of several servers on a host a dump asks: of PostgreSQL by port and socket."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector.facts.backup.commands.command_lines import filled
from collector.facts.backup.commands.destinations import tool_and_args, values
from collector.facts.backup.commands.dump_scope import here, server
from collector.facts.backup.commands.jobs import BackupJob, Covers, engine_of
from collector.facts.backup.commands.named_files import named
from collector.facts.backup.commands.wal_recovery import archive_of
from collector.facts.base.paths import within
from collector.facts.data.inventory import Store, inventory
from collector.facts.system.processes import Process, processes
from collector.model import Facts, ReadStatus

_PROGRAMS = {
    "postgresql": ("postgres", "postmaster"),
    "mysql": ("mysqld", "mariadbd"),
    "mongodb": ("mongod",),
}
# engines whose servers are looked for, and Redis, whose file may be copied while it runs
KNOWN = frozenset({*_PROGRAMS, "redis"})
_PORT = "5432"
# what libpq and the clients of MySQL take from the environment where no word says it
_SET = re.compile(
    r"(?<![\w$-])(PGHOST|PGHOSTADDR|PGPORT|PGSERVICE|PGSERVICEFILE|MYSQL_HOST|MYSQL_TCP_PORT"
    r"|MYSQL_UNIX_PORT)[ \t]*=[ \t]*(\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|]*)"
)


def asks(facts: Facts, job: BackupJob, store: Store, real: str) -> Covers:
    """Is it the server of the store that the job dumps? Where there is one alone, it is.

    Unless the inventory has stores in several places: one server cannot be that of all of them.
    Raises FactError.
    """
    if (told := _by_environment(facts, job)) != "yes":
        return told
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


def _by_environment(facts: Facts, job: BackupJob) -> Covers:
    """Is it a server of this host still, with what its environment sets? Raises FactError."""
    told = _environment(facts, job)
    _, args = tool_and_args(job.words, {job.tool})
    if job.engine == "postgresql":
        host = told.get("PGHOSTADDR", set())
        if not server(job.tool, args)[0] and not values(args, "-h", "--host"):
            host = host | told.get("PGHOST", set())
            if "PGSERVICE" in told:
                return "perhaps"
        port = not _ports(job) and bool(told.get("PGPORT", set()) - {_PORT})
    elif job.engine == "mysql":
        named_ = server(job.tool, args)[0] or values(args, "-h", "--host")
        host = set() if named_ else told.get("MYSQL_HOST", set())
        port = bool(told.get("MYSQL_TCP_PORT", set()) - {"3306"}) or "MYSQL_UNIX_PORT" in told
        if any(a.startswith("--login-path") for a in args):
            return "perhaps"
    else:
        return "yes"
    answers = {here(facts.capture, "" if h.startswith("/") else h) for h in host}
    if answers == {False}:
        return "no"
    return "perhaps" if port or answers - {True} else "yes"


def _environment(facts: Facts, job: BackupJob) -> dict[str, set[str]]:
    """What the job's text, its crontab and the files of its unit set of `_SET`, all values."""
    texts = [filled(job.job.text)]
    if job.job.kind == "cron":
        tabs = [*_present(facts, "schedules.tabs"), *_present(facts, "schedules.spool")]
        texts += [t for path, t in tabs if path == job.job.path]
    # captures from before it was read
    if facts.capture.read("backup_named.files").status is not ReadStatus.LOST:
        texts += [f"{k}={v}" for k, v in facts.get(named).variables(job.job).items()]
    found: dict[str, set[str]] = {}
    for at, text in enumerate(texts):
        for match in _SET.finditer(text):
            line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
            # of a crontab only what stands alone on its line is for all its jobs
            if (at and line.strip(" \t'\"")) or line.lstrip().startswith("#"):
                continue
            found.setdefault(match[1], set()).add(match[2].strip("\"'"))
    return found


def _present(facts: Facts, read: str) -> list[tuple[str, str]]:
    return [(f.path, f.text(read)) for f in facts.capture.read(read).present()]


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
