"""Does a database demand TLS of whoever comes from elsewhere, or does it offer it at most?

MySQL and MariaDB say so of themselves (require_secure_transport, or REQUIRE SSL of every account);
of PostgreSQL and its kin pg_hba.conf is read, of MongoDB the mode of net.tls.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.data.database_access import READS as _ACCESS_READS
from collector.facts.data.database_access import stale, told_of
from collector.facts.data.postgresql_hba import cluster_of, from_loopback
from collector.facts.tls.probe import READ as _SERVED
from collector.facts.tls.probe import READS as _SERVED_READS
from collector.facts.tls.probe import tls_served
from collector.i18n.message import msg
from collector.model import Capture, Quote, Read

READS: tuple[Read, ...] = (*_ACCESS_READS, *_SERVED_READS)

_READ = "database_access.state"
_LOCAL = ("localhost", "127.0.0.1", "::1", "localhost.localdomain")
_MODES = re.compile(r"(?:disabled|(?:allow|prefer|require)(?:TLS|SSL))( .*)?")
# of pg_hba.conf (PostgreSQL 18, 20.1): what may match a connection without encryption
_PLAIN = ("host", "hostnossl", "hostnogssenc")


@dataclass(frozen=True, slots=True)
class Demand:
    """`why` is the setting that decides it, as it stands there."""

    state: Literal["demanded", "optional", "unknown"]
    why: str
    quote: Quote


def demand(capture: Capture, engine: str) -> Demand:
    """For mysql, mongodb, postgresql and what is made from it. Raises FactError."""
    if engine == "mysql":
        return _mysql(_lines(capture, "mysqld"))
    if engine == "mongodb":
        return _mongodb(_lines(capture, "mongod"), told_of(capture, "mongodb"))
    return _postgresql(told_of(capture, "postgresql"))


def _lines(capture: Capture, program: str) -> Mapping[str, list[str]]:
    by_pid: dict[str, list[str]] = {}
    for name, pid, text in tls_served(capture).databases:
        if name == program:
            by_pid.setdefault(pid, []).append(text)
    return by_pid


def _mysql(by_pid: Mapping[str, list[str]]) -> Demand:
    lines = [line for told in by_pid.values() for line in told]
    quote = Quote(_SERVED, tuple(lines[:40]))
    word = "require_secure_transport"
    # only one of them answers at the socket, and which one is not known
    if len(by_pid) != 1:
        return Demand("unknown", word, quote)
    settings: dict[str, str] = {}
    accounts: list[tuple[str, str, str]] = []
    for line in lines:
        if match := re.fullmatch(r"account (\S+) (\S+) ?(.*)", line):
            accounts.append((match[1], match[2], match[3]))
        elif match := re.fullmatch(r"(require_secure_transport|have_ssl) (\w+)", line):
            settings[match[1]] = match[2].upper()
        elif match := re.fullmatch(r"config --(?:loose[-_])?[\w-]+(?:=(\w+))?", line):
            settings["config"] = (match[1] or "ON").upper()
        elif line not in ("mysqld", "mariadbd", "more") and not line.startswith("run "):
            raise NotUnderstood(_SERVED, msg("not_said_database", line=line))
    if settings.get(word) == "ON":
        return Demand("demanded", f"{word}=ON", quote)
    if accounts:
        free = [f"{user or '-'}@{host}" for type, host, user in accounts
                if type == "-" and host not in _LOCAL]  # fmt: skip
        if not free and "more" in lines:
            raise CouldNotLook(_SERVED, msg("more_than_is_read"))
        if not free:
            return Demand("demanded", "REQUIRE SSL", quote)
        return Demand("optional", f"{word}=OFF: {', '.join(free[:5])}", quote)
    if settings.get("config") in ("ON", "1", "TRUE"):
        if doubt := stale(tuple(lines)):
            return Demand("unknown", f"{word}: {doubt}", quote)
        return Demand("demanded", f"{word}=ON", quote)
    return Demand("unknown", word, quote)


def _mongodb(
    by_pid: Mapping[str, list[str]], settings: tuple[tuple[str, tuple[str, ...]], ...]
) -> Demand:
    modes = [line for told in by_pid.values() for line in told]
    quote = Quote(_SERVED, tuple(modes))
    if not modes:
        return Demand("unknown", "net.tls.mode", quote)
    if "more" in modes:
        raise CouldNotLook(_SERVED, msg("more_databases_run_asked"))
    for mode in modes:
        if mode and not _MODES.fullmatch(mode):
            raise NotUnderstood(_SERVED, msg("net_tls_mode", mode=mode))
    # the command line stands first and goes before the file
    lax = [m for m in modes if not m.startswith("require")]
    if lax:
        return Demand("optional", f"net.tls.mode={lax[0].split()[0] if lax[0] else '-'}", quote)
    said = dict(settings)
    for pid in by_pid:
        if doubt := stale(said.get(pid, ())):
            return Demand("unknown", f"net.tls.mode: {doubt}", quote)
    return Demand("demanded", f"net.tls.mode={modes[0].split()[0]}", quote)


def _postgresql(clusters: tuple[tuple[str, tuple[str, ...]], ...]) -> Demand:
    known = [_cluster(lines) for _, lines in clusters]
    for state in ("optional", "unknown", "demanded"):
        for found in known:
            if found.state == state:
                return found
    return Demand("unknown", "pg_hba.conf", Quote(_READ))


def _cluster(lines: tuple[str, ...]) -> Demand:
    """The first line that matches decides, also one that rejects."""
    cluster = cluster_of(lines)
    if not cluster.rules:
        return Demand("unknown", "pg_hba.conf", Quote(_READ, lines))
    shut: set[str] = set()
    for words, line in cluster.rules:
        if words[0].startswith("include"):
            return Demand("unknown", line, Quote(_READ, (line,)))
        if words[0] not in _PLAIN or from_loopback(words[3], words[4] if len(words) > 4 else ""):
            continue
        every = {"all": {"4", "6"}, "0.0.0.0/0": {"4"}, "::/0": {"6"}, "::0/0": {"6"}}
        reaches = every.get(words[3], {"6"} if ":" in words[3] else {"4"})
        if "reject" in words[4:]:
            if words[1:3] == ("all", "all") and words[3] in every and words[0] != "hostnogssenc":
                shut |= reaches
        elif not reaches <= shut:
            return Demand("optional", " ".join(words), Quote(_READ, (line,)))
    if cluster.doubt:
        return Demand("unknown", cluster.doubt, Quote(_READ, cluster.told))
    return Demand(
        "demanded", "hostssl", Quote(_READ, tuple(line for _, line in cluster.rules[:20]))
    )
