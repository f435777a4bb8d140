"""Who follows the databases of this host in real time, by the databases' own state.

PostgreSQL: pg_stat_replication (walsenders, so pg_receivewal and Barman's streaming count as well).
MySQL, MariaDB: the Binlog Dump threads in the process list; their state says whether all was sent.
Asked over the sockets as the system user, with no password; where that is refused, it is not known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import REPORTED
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "replication.state"

# Where no database has its socket, nothing is started.
_STATE = (
    OPENED  # noqa: S608 - questions of fixed words
    + r"""
# answer TEXT: of a server, whoever runs it: none speaks for another
answer() { [ -z "$1" ] || printf '%s\n' "$1" | sed -e '/./!d' -e 's/^==/-==/'; }
pg='postgres postgresql pgsql kingbase omm gaussdb opengauss highgo gpadmin'
hp_left() { printf '%s\n' "$1: it is of no account of a database" >&2; }
for s in /run/postgresql/.s.PGSQL.* /var/run/postgresql/.s.PGSQL.* /tmp/.s.PGSQL.*; do
  [ -S "$s" ] || continue
  # any user has one of his own in /tmp
  hp_speaks "$s" $pg || { hp_left "$s"; continue; }
  case "${s##*.}" in *[!0-9]*) continue;; esac
  case "$s,$b" in /var/run/*,*/run/*) continue;; esac
  b="$b $s"; d=${s%/*}; p=${s##*.}
  # /usr/bin/psql of Debian starts perl first
  c=$(command -v psql); for f in /usr/lib/postgresql/*/bin/psql; do [ -x "$f" ] && c=$f; done
  [ -n "$c" ] || { echo '== postgresql ? no psql'; continue; }
  set -- $(ls -ld "$s"); n=$3
  # as whose the socket is; nobody's own program runs as root
  hp_word "$s"; u=$W; hp_word "$c"; u=${u:-$W}
  printf '%s\n' "== postgresql $s"
  q="select case when pg_is_in_recovery() then 'standby' else 'primary' end union all"
  q="$q select concat_ws(' ','replica',coalesce(host(client_addr),'local'),state,"
  q="$q coalesce(ceil(extract(epoch from coalesce(flush_lag,write_lag)))::text,'-'),"
  q="$q coalesce(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_receive_lsn()"
  q="$q else pg_current_wal_lsn() end, coalesce(flush_lsn,write_lsn))::text,'-'))"
  q="$q from pg_stat_replication"
  set -- "$c" -X -A -t -q -w -h "$d" -p "$p" -U "$n" -d postgres -c "$q"
  # by the server's own names: a role may make an operator that is taken before them
  PGOPTIONS='-c search_path=pg_catalog -c statement_timeout=3000' PGCONNECT_TIMEOUT=3
  export PGCONNECT_TIMEOUT PGOPTIONS
  o=$(if [ -z "$u" ]; then "$@"
    else hp_as "$u" "$@"; fi 2>&1 </dev/null) || o=$o${hp_nl}refused
  answer "$o"
done
for s in /run/mysqld/mysqld.sock /var/lib/mysql/mysql.sock /tmp/mysql.sock; do
  [ -S "$s" ] || continue
  hp_speaks "$s" mysql mariadb percona || { hp_left "$s"; continue; }
  c=$(command -v mysql || command -v mariadb) || { echo '== mysql ? no client'; continue; }
  printf '%s\n' "== mysql $s"
  q="select concat_ws(' ','replica',host,replace(state,' ','_'))"
  q="$q from information_schema.processlist where command like 'Binlog Dump%'"
  # no server gets a file of ours for the asking
  o=$("$c" --no-defaults --local-infile=0 -u root -S "$s" --connect-timeout=3 -N -B \
    -e "select 'primary'; $q" 2>&1 </dev/null) || o=$o${hp_nl}refused
  answer "$o"
done
echo '== end'
exit 0
"""
)

READS: tuple[Read, ...] = (
    shell(
        _READ,
        _STATE,
        seconds=15,
        redact=REPORTED,
        privileged=True,
        why=Text(
            "数据库的实时复制状态（不使用任何口令）",
            "who follows the databases in real time (no password is used)",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Replica:
    """One that follows. `host` is its address, empty for one on this host; `behind` are seconds,

    None where that is not told; `caught_up`: all that was written has reached it.
    """

    host: str
    streaming: bool
    behind: int | None
    caught_up: bool
    line: str


@dataclass(frozen=True, slots=True)
class Replication:
    """What one server answered; `answered` is False where it let nobody ask."""

    engine: str
    answered: bool
    replicas: tuple[Replica, ...]
    line: str


def replication(capture: Capture) -> tuple[Replication, ...]:
    """Every database server with a socket. Raises FactError."""
    text = capture.read(_READ).text()
    if not text.rstrip().endswith("== end"):
        raise CouldNotLook(_READ, msg("no_end"))
    found = []
    for part in re.split(r"^== ", text, flags=re.MULTILINE)[1:-1]:
        head, *lines = part.splitlines()
        engine = head.partition(" ")[0]
        if engine not in ("postgresql", "mysql"):
            raise NotUnderstood(_READ, msg("not_understood", line=head))
        answered = any(x in ("primary", "standby") for x in lines) and "refused" not in lines
        rows = [x for x in lines if x.startswith("replica ")]
        replicas = tuple((_postgresql if engine == "postgresql" else _mysql)(x) for x in rows)
        found.append(Replication(engine, answered, replicas, head))
    return tuple(found)


def _postgresql(line: str) -> Replica:
    match = re.fullmatch(r"replica (\S+) (\S*) (\d+|-) (-?\d+|-)", line)
    if match is None:
        raise NotUnderstood(_READ, msg("not_understood", line=line))
    host = "" if match[1] == "local" else match[1]
    caught_up = match[4] != "-" and int(match[4]) <= 0
    behind = int(match[3]) if match[3] != "-" else None
    return Replica(host, match[2] == "streaming", behind, caught_up, line)


def _mysql(line: str) -> Replica:
    match = re.fullmatch(r"replica (\S+?)(?::\d+)? (\S*)", line)
    if match is None:
        raise NotUnderstood(_READ, msg("not_understood", line=line))
    all_sent = "has_sent_all_binlog" in match[2]
    streaming = all_sent or match[2].startswith("Sending_binlog")
    return Replica("" if match[1] == "localhost" else match[1], streaming, None, all_sent, line)
