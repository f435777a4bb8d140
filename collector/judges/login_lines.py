"""Whether what sshd says of logins still gets to a file of syslog, by rules that are in force."""

from __future__ import annotations

from collector.errors import NotUnderstood
from collector.facts.access.sshd_effective import listeners
from collector.facts.logs.destinations import log_stores
from collector.facts.logs.model.syslog_message import LOGINS
from collector.facts.logs.syslog import routing
from collector.facts.logs.syslog.daemons import syslog_running
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.model import Facts


def still_written(facts: Facts, path: str) -> bool:
    """Does a syslog daemon that runs write logins there? Old lines tell nothing of it.

    Raises FactError where a condition that decides it is not understood.
    """
    stores = facts.get(log_stores)
    if stores.others or _by_itself(facts, path):
        return True
    asked = _facilities(facts)
    place = facts.get(syslog_running).place
    unsure = []
    for store in stores.syslog:
        if not (store.active and store.fed):
            continue
        parse = routing.rsyslog if store.daemon == "rsyslog" else routing.syslog_ng
        for out in facts.get(parse).outputs:
            if path not in (out.path, place(out.path)):
                continue
            if asked & out.logins:
                return True
            if asked & out.unsure:
                unsure.append((store.read, out.line))
    for read, line in unsure:
        raise NotUnderstood(read, msg("login_lines_unsure", path=path, line=line))
    return False


def _facilities(facts: Facts) -> frozenset[str]:
    """As which facilities the servers of ssh speak; either of the two where that is not told."""
    kinds = {s.first("syslogfacility", "root").lower() for s in facts.get(listeners)} - {""}
    return frozenset(kinds) if kinds else LOGINS


def _by_itself(facts: Facts, path: str) -> bool:
    """Does sshd write there without syslog (`-E FILE`)?"""
    pids = {server.pid for server in facts.get(listeners)}
    told = [p.cmdline.replace("\n", " ") for p in facts.get(processes).all if p.pid in pids]
    return any(f"-E {path}" in words or f"-E{path}" in words for words in told)
