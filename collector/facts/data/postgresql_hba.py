"""pg_hba.conf of a PostgreSQL: its lines, and whether the server that runs has loaded them.

A reload is not seen from outside, but the server says when it was (pg_conf_load_time), and which
file it reads; where its socket lets in no peer, a reload by systemd is known, and else its start.

>>> lines = '''at /etc/postgresql/17/main/pg_hba.conf
... run loaded 1795888850.25
... run clock 1795888900.10 50000 1795888900.12
... run start 77 40000
... run file 1795888860.0 1795888860.0 0 /etc/postgresql/17/main/pg_hba.conf
... hba /etc/postgresql/17/main/pg_hba.conf
... hostssl all all 0.0.0.0/0 scram-sha-256'''.splitlines()
>>> cluster_of(lines).doubt
'/etc/postgresql/17/main/pg_hba.conf 18:01:00 > 18:00:50 UTC: select pg_reload_conf()'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.intervals import address
from collector.facts.data.database_access_read import RULES
from collector.facts.system.taken_up import NOT_ASKED, Taken, taken_up
from collector.i18n.message import msg

_READ = "database_access.state"
_AGAIN = "select pg_reload_conf()"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The lines of the files that decide, as words and as they stand there.

    `doubt` is empty where the server surely has loaded them, else the file, its times and what
    makes it sure.
    """

    rules: tuple[tuple[tuple[str, ...], str], ...]
    doubt: str
    told: tuple[str, ...]


def cluster_of(lines: Iterable[str]) -> Cluster:
    """Raises FactError where a line is none of such a file."""
    said = tuple(lines)
    run = [line.removeprefix("run ") for line in said if line.startswith("run ")]
    at = next((line.removeprefix("at ") for line in said if line.startswith("at ")), "")
    rules = tuple(_rules(said, at))
    told = tuple(f"run {line}" for line in run if line.startswith(("loaded ", "start ", "file ")))
    return Cluster(rules, _doubt(run, at), told or said[:1])


def _rules(said: tuple[str, ...], at: str) -> Iterator[tuple[tuple[str, ...], str]]:
    path, count = "", 0
    for line in said:
        if line.startswith("hba "):
            path, count = line.removeprefix("hba "), 0
            continue
        if not path or (at and path != at):
            continue
        count += 1
        if count > RULES:
            raise CouldNotLook(_READ, msg("more_lines_pg_hba", rules=RULES))
        words = tuple(re.findall(r'"[^"]*"|[^\s#]+', line.partition("#")[0]))
        known = bool(words) and words[0].startswith(("local", "host"))
        if not (words and words[0].startswith("include")) and (len(words) < 4 or not known):
            raise NotUnderstood(_READ, msg("pg_hba_conf", line=line))
        yield words, line


def _doubt(run: list[str], at: str) -> str:
    if "elsewhere" in run and not at:
        return "hba_file"
    if "broken" in run:
        # it keeps what it had where the file is wrong
        return f"{at or 'pg_hba.conf'}: pg_hba_file_rules.error"
    taken = _taken(run)
    if taken.holds():
        return ""
    if taken.changed is None or taken.since is None:
        return f"pg_hba.conf: {taken.how}"
    return f"{taken.path} {taken.changed:%H:%M:%S} > {taken.since:%H:%M:%S} UTC: {_AGAIN}"


def _taken(run: list[str]) -> Taken:
    pid = next((m[1] for line in run if (m := re.fullmatch(r"start (\d{1,9}) \d+", line))), "0")
    if not any(line.startswith("file ") for line in run):
        return NOT_ASKED
    return taken_up(run, int(pid))


def from_loopback(where: str, mask: str) -> bool:
    """Does this address of pg_hba.conf stand for the host itself?"""
    host, _, length = where.partition("/")
    try:
        family, number = address(host)
    except ValueError:
        return host in ("samehost", "localhost")
    if family == 6:
        return number == 1 and length in ("", "128")
    narrow = length in ("8", "16", "24", "32") or mask.startswith("255.")
    return number >> 24 == 127 and narrow
